"""Flows as a Mermaid diagram, which GitHub and most Markdown tools show as a picture. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from textwrap import shorten

from pipeline.dialog.flows import (
    END,
    RETURN,
    Change,
    Confirm,
    Equal,
    Exists,
    Flows,
    Message,
    Question,
    Restart,
    State,
    Work,
)
from pipeline.dialog.graph import ANYWHERE, edges
from pipeline.dialog.values import Move

_WIDEST = 46  # characters of a node's second line
_QUIET = frozenset({"next_state"})  # labels that an arrow says already
_NOT_ID = re.compile(r"\W")


def draw(flows: Flows, only: str = "") -> str:
    """A Mermaid flowchart of all flows, or of ``only`` one with the ways into and out of it.

    Boxes speak, slanted boxes wait for the person, rhombs decide, double-edged boxes are actions; dotted arrows come
    back after a digression. Flags are what leads in from any question: intents, silence, failures.
    """
    drawn = [name for name in dict.fromkeys(state.flow for state in flows.states.values()) if only in ("", name)]
    own = {state.name for state in flows.states.values() if state.flow in drawn}
    arrows = list(_joined(edge for edge in edges(flows) if edge.source in own))
    outside = {edge.target for edge in arrows} - own - {END, RETURN}
    lines = ["flowchart LR"]
    for flow in drawn:
        lines += [f"  subgraph {_id('flow', flow)} [{_quoted(flow)}]", *_inside(flows, flow), "  end"]
    lines += [f"  {_id('s', name)}([{_quoted(name)}])" for name in sorted(outside)]
    lines += [_arrow(flows.states[edge.source], edge) for edge in arrows]
    return "\n".join(lines) + "\n"


def _inside(flows: Flows, flow: str) -> Iterator[str]:
    states = {name: state for name, state in flows.states.items() if state.flow == flow}
    for edge in _joined(edge for edge in edges(flows) if edge.source == ANYWHERE and edge.target in states):
        labels = [_escaped(label) for label in edge.label.split("\n")]
        flag = _id(edge.kind, edge.target)
        yield f'    {flag}>"{"<br/>".join(labels)}"] --> {_id("s", edge.target)}'
    for state in states.values():
        yield f"    {_id('s', state.name)}{_box(state)}"
    targets = {target for state in states.values() for target in state.targets.values()}
    if RETURN in targets:
        yield f"    {_id('return', flow)}([{_quoted('return')}])"
    if END in targets:
        yield f"    {_id('end', flow)}(({_quoted('end')}))"


def _box(state: State) -> str:
    match state:
        case Question():
            wanted = ", ".join(dict.fromkeys((*state.entities.values(), *state.match_any)))
            hears = wanted or ("any request" if state.require_intent else "anything")
            return f"[/{_quoted(state.name, f'hears {hears}')}/]"
        case Confirm():
            return f"[/{_quoted(state.name, state.texts[0])}/]"
        case Exists():
            return f"{{{_quoted(state.name, ' or '.join(state.keys) + '?')}}}"
        case Equal():
            return f"{{{_quoted(state.name, f'{state.value1} = {state.value2}?')}}}"
        case Work():
            return f"[[{_quoted(state.name, f'action {state.action}')}]]"
        case Message():
            return f"[{_quoted(state.name, state.texts[0])}]"
        case Change():
            deeds = [*(f"forget {key}" for key in state.del_keys)]
            deeds += [f"{key} = {value}" for key, value in state.update_keys.items()]
            return f"({_quoted(state.name, ', '.join(deeds))})"
        case Restart():
            return f"({_quoted(state.name, 'forget everything')})"
        case _:
            return f"[{_quoted(state.name)}]"


def _joined(arrows: Iterable[Move]) -> Iterator[Move]:
    """Arrows of a kind between the same states as one, with their labels in lines."""
    alike: dict[tuple[str, str, str], list[Move]] = {}
    for edge in arrows:
        alike.setdefault((edge.source, edge.target, edge.kind), []).append(edge)
    for found in alike.values():
        yield replace(found[0], label="\n".join(edge.label for edge in found))


def _arrow(source: State, edge: Move) -> str:
    quiet = "otherwise" if isinstance(source, Work) and len(source.targets) > 1 else ""
    labels = [quiet if label in _QUIET else label for label in edge.label.split("\n")]
    label = _escaped(", ".join(label for label in labels if label))
    shaft = "-.->" if edge.kind == "resume" else "-->"
    return f"  {_id('s', source.name)} {shaft}{f'|{label}|' if label else ''} {_end(edge.target, source.flow)}"


def _end(target: str, flow: str) -> str:
    return _id("end", flow) if target == END else _id("return", flow) if target == RETURN else _id("s", target)


def _id(kind: str, name: str) -> str:
    """A name that Mermaid takes as one: other characters become their numbers, so that no two names fall together."""
    return f"{kind}_{_NOT_ID.sub(lambda found: f'_{ord(found[0])}_', name)}"


def _quoted(title: str, text: str = "") -> str:
    second = f"<br/>{_escaped(shorten(text, _WIDEST, placeholder=' …'))}" if text else ""
    return f'"{_escaped(title)}{second}"'


def _escaped(text: str) -> str:
    found = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "|": "#124;", "`": "#96;"}
    return "".join(found.get(letter, letter) for letter in " ".join(text.split()))
