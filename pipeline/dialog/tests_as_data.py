"""Conversations as data, run against flows: what went otherwise than written, and what was covered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.calls import Slot
from pipeline.dialog.asked import Asked, asked
from pipeline.dialog.cases import Case, Turn, as_written
from pipeline.dialog.engine import begin, step
from pipeline.dialog.flows import Flows
from pipeline.dialog.graph import as_edge, edges, reachable
from pipeline.dialog.heard import understand
from pipeline.dialog.text import normal, spoken
from pipeline.dialog.values import (
    ActionDone,
    DialogState,
    Event,
    Move,
    NoInput,
    Reset,
    Said,
    Step,
    TimedOut,
    Undo,
    Value,
)

Judge = Literal["understanding", "answers", "course"]
# A model in place of what the case says: the user's text, or its audio, understood as an answer to what was asked.
Hear = Callable[[Turn, Asked], Said]


@dataclass(frozen=True)
class CaseResult:
    """One conversation and every way in which it went otherwise than written, each with its line.

    ``misheard`` are turns that were heard or understood otherwise and are no failures by themselves.
    """

    case: Case
    failures: tuple[str, ...]
    misheard: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coverage:
    """What the conversations came through, of all that the flows have."""

    states: frozenset[str]
    missing_states: tuple[str, ...]
    transitions: frozenset[Move]
    missing_transitions: tuple[Move, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing_states and not self.missing_transitions


@dataclass(frozen=True)
class Outcome:
    """All conversations' results, and their coverage together."""

    results: tuple[CaseResult, ...]
    coverage: Coverage

    @property
    def passed(self) -> bool:
        """Whether every conversation went as written."""
        return not any(result.failures for result in self.results)


def run(flows: Flows, cases: Sequence[Case], hear: Hear | None = None, *, judge: Judge = "understanding") -> Outcome:
    """The outcome of all cases as written; with a ``hear``, what it understood is compared with the case's own too.

    ``judge`` says what makes a failure: with "understanding" another intent or slot does, with "answers" only what
    comes of it (replies, states, actions, requests, what is kept), and with "course", for voices whose words may be
    written otherwise, only states and actions. What makes no failure is listed as heard otherwise.
    """
    results = []
    moves: list[Move] = []
    for case in cases:
        failures, misheard, taken = _run_case(flows, case, hear, judge)
        results.append(CaseResult(case, tuple(failures), tuple(misheard)))
        moves += taken
    return Outcome(tuple(results), coverage(flows, moves))


def coverage(flows: Flows, moves: Sequence[Move]) -> Coverage:
    """Which states and transitions these moves came through; those that nothing leads to do not count as missing."""
    can_come = reachable(flows)
    wanted = [edge for edge in edges(flows) if edge.source in can_come or edge.source not in flows.states]
    seen = {edge for edge in (as_edge(flows, move) for move in moves) if edge in wanted}
    states = frozenset(move.target for move in moves) & can_come
    return Coverage(
        states,
        tuple(name for name in flows.states if name in can_come - states),
        frozenset(edge for edge in seen if edge),
        tuple(edge for edge in wanted if edge not in seen),
    )


def report(outcome: Outcome) -> str:
    """The outcome in lines to print: failures first, then the counts, then what is not covered."""
    covered = outcome.coverage
    lines = []
    for result in outcome.results:
        if result.failures:
            lines.append(f"failed: {result.case.name}")
            lines += [f"  {failure}" for failure in result.failures]
    misheard = [line for result in outcome.results for line in result.misheard]
    if misheard:
        lines += ["turns that were heard otherwise:", *(f"  {line}" for line in misheard)]
    failed = sum(bool(result.failures) for result in outcome.results)
    lines.append(f"{len(outcome.results) - failed} of {len(outcome.results)} conversations went as written")
    lines.append(_share("states", len(covered.states), len(covered.missing_states)))
    lines.append(_share("transitions", len(covered.transitions), len(covered.missing_transitions)))
    lines += [f"  not covered: state {name}" for name in covered.missing_states]
    lines += [f"  not covered: {edge.source} --{edge.label}--> {edge.target}" for edge in covered.missing_transitions]
    return "\n".join(lines)


def _share(what: str, seen: int, missing: int) -> str:
    total = seen + missing
    return f"{what} covered: {seen} of {total} ({100 * seen / total if total else 100:.0f} %)"


def _run_case(flows: Flows, case: Case, hear: Hear | None, judge: Judge) -> tuple[list[str], list[str], list[Move]]:
    opened = begin(flows, case.seed)
    moves = list(opened.moves)
    failures: list[str] = []
    misheard: list[str] = []
    texts = " ".join(reply.text for reply in opened.replies)
    if case.opens and not _matches(case.opens, texts):
        failures.append(f"{case.file}:{case.line}: opens with `{texts}`, expected `{case.opens}`")
    state = opened.state
    for turn in case.turns:
        said = None
        if turn.user is not None:
            said = hear(turn, asked(flows, state)) if hear else as_written(turn)
        event = said or _event(turn, state)
        taken = step(flows, state, event)
        moves += taken.moves
        where = f"{case.file}:{turn.line}"
        differences = [f"{where}: {problem}" for problem in _misheard(flows, turn, said)]
        if judge == "understanding":
            failures += differences
        else:
            misheard += [*_other_words(where, turn, said), *differences]
        problems = [*_outline(turn, taken), *([] if judge == "course" else _details(turn, taken))]
        failures += [f"{where}: {problem}" for problem in problems]
        state = taken.state
    return failures, misheard, moves


def _event(turn: Turn, state: DialogState) -> Event:
    pending = state.pending.number if state.pending else -1
    match turn.event:
        case "silence":
            return NoInput()
        case "time-out":
            return TimedOut()
        case "undo":
            return Undo()
        case "reset":
            return Reset()
        case "late result":
            return ActionDone(-1, {"answer": "too late"})
        case _:
            return ActionDone(pending, turn.result or {})


def _misheard(flows: Flows, turn: Turn, said: Said | None) -> Iterator[str]:
    """How what was understood differs from the case; the flows' own phrases make up for a model's other intent."""
    if said is None:
        return
    expected, heard = understand(flows, as_written(turn)), understand(flows, said)
    routed = [name if name in flows.intents else "unknown" for name in (expected.intent, heard.intent)]
    if routed[0] != routed[1]:
        yield f"`{said.text}` was understood as {heard.intent or 'nothing'}, expected {expected.intent or 'nothing'}"
    texts = [_as_said(slots) for slots in (turn.slots, said.intent.slots if said.intent else ())]
    if texts[0] != texts[1]:
        yield f"`{said.text}` gave the slots {texts[1]}, expected {texts[0]}"


def _as_said(slots: Sequence[Slot]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for slot in slots:
        found.setdefault(slot.name, []).append(slot.text.lower())
    return dict(sorted(found.items()))


def _outline(turn: Turn, taken: Step) -> Iterator[str]:
    """What went otherwise in the course of the conversation: states and actions."""
    if turn.result is not None and not any(move.kind != "stay" for move in taken.moves):
        yield "nobody waited for this result"
    if turn.state is not None and taken.state.at != turn.state:
        yield f"comes to state {taken.state.at}, expected {turn.state}"
    names = [action.name for action in taken.actions]
    if turn.action is not None and names != ([turn.action] if turn.action else []):
        yield f"asks for {names or 'no action'}, expected {turn.action or 'no action'}"
    if turn.request is not None and not taken.actions:
        yield f"requests nothing, expected {dict(turn.request)}"


def _details(turn: Turn, taken: Step) -> Iterator[str]:
    """What went otherwise in the words: replies, requests and what is kept."""
    texts = [reply.text for reply in taken.replies]
    if turn.says is not None and not (len(texts) == len(turn.says) and all(map(_matches, turn.says, texts))):
        yield f"says {texts}, expected {list(turn.says)}"
    if turn.says_somewhere and not _matches(turn.says_somewhere, " ".join(texts)):
        yield f"says {texts}, expected `{turn.says_somewhere}`"
    if turn.request is not None and taken.actions and dict(taken.actions[0].request) != dict(turn.request):
        yield f"requests {dict(taken.actions[0].request)}, expected {dict(turn.request)}"
    yield from _context_problems(turn.context, taken.state.context)


def _other_words(where: str, turn: Turn, said: Said | None) -> Iterator[str]:
    if said is not None and normal(said.text) != normal(turn.user or ""):
        yield f"{where}: heard `{said.text}`, expected `{turn.user}`"


def _context_problems(expected: Mapping[str, Value], context: Mapping[str, Value]) -> Iterator[str]:
    for key, value in expected.items():
        held = context.get(key, "")
        if held != value:
            yield f"keeps `{key}` as `{spoken(held)}`, expected `{spoken(value)}`"


def _matches(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None
