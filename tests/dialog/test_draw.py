"""The drawing holds every state and every way, in names that Mermaid can take."""

from __future__ import annotations

import re

import pytest

from pipeline.dialog import draw
from pipeline.dialog.flows import END, RETURN
from pipeline.dialog.graph import ANYWHERE, edges
from tests.dialog.talk import ROOT, SHIPPED, flows_of

NODE = re.compile(r"^ +(\w+)(?=[\[({>])")
FLAG = re.compile(r'^    (\w+)>"[^"]+"\] --> (\w+)$')
ARROW = re.compile(r"^  (\w+) (?:-->|-\.->)(?:\|[^|]+\|)? (\w+)$")
FLOWS = sorted({state.flow for state in SHIPPED.states.values()})


def nodes_and_arrows(drawn: str) -> tuple[list[str], list[tuple[str, str]]]:
    nodes, arrows = [], []
    for line in drawn.splitlines()[1:]:
        if arrow := ARROW.match(line):
            arrows.append((arrow[1], arrow[2]))
        elif flag := FLAG.match(line):
            nodes.append(flag[1])
            arrows.append((flag[1], flag[2]))
        elif node := NODE.match(line):
            nodes.append(node[1])
        else:
            assert re.fullmatch(r"  (?:subgraph \w+ \[\"\w+\"\]|end)", line), line
    return nodes, arrows


@pytest.mark.parametrize("only", ["", *FLOWS])
def test_every_name_is_drawn_once_and_every_arrow_joins_two_of_them(only: str) -> None:
    nodes, arrows = nodes_and_arrows(draw(SHIPPED, only))
    assert len(nodes) == len(set(nodes))
    assert {end for arrow in arrows for end in arrow} <= set(nodes)
    assert len(arrows) == len(set(arrows)), "arrows between two states are joined"


def test_all_states_and_ways_are_drawn() -> None:
    nodes, arrows = nodes_and_arrows(draw(SHIPPED))
    assert {f"s_{name}" for name in SHIPPED.states} <= set(nodes)
    plain = [edge for edge in edges(SHIPPED) if edge.source != ANYWHERE and edge.kind != "home"]
    for edge in plain:
        if edge.target not in (END, RETURN):
            assert (f"s_{edge.source}", f"s_{edge.target}") in arrows
    for route in SHIPPED.intents.values():
        assert any(target == f"s_{route.target}" and source.startswith("intent_") for source, target in arrows)


def test_texts_and_names_cannot_break_the_drawing() -> None:
    flows = flows_of(
        """
        name: main
        intent_transitions: {'x"y': end}
        states:
          init: {type: message_text, properties: {text: '"quotes" <b> | # `ticks` {{raw_text}}'}}
          ask: {type: input_user, properties: {nlp_type: riva}, transitions: {next_state: end}}
          end: {type: message_text, properties: {text: "one\\ntwo"}, transitions: {next_state: a.b}}
          a.b: {type: message_text, properties: {text: dotted}, transitions: {next_state: a-b}}
          a-b: {type: message_text, properties: {text: dashed}}
        """
    )
    drawn = draw(flows)
    nodes, _ = nodes_and_arrows(drawn)
    assert {"s_end", "s_a_46_b", "s_a_45_b"} <= set(nodes)
    assert "#quot;quotes#quot; #lt;b#gt; #124; #35; #96;ticks#96; {{raw_text}}" in drawn


@pytest.mark.parametrize("flow", FLOWS)
def test_the_docs_hold_the_drawing_of_each_shipped_flow(flow: str) -> None:
    docs = (ROOT / "docs" / "flows.md").read_text()
    assert f"```mermaid\n{draw(SHIPPED, flow)}```" in docs, "draw it anew: overtone flows draw data/flows"
