"""The dialog engine: a state and an event give the next state, replies and actions. Pure: no clock, chance or I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce

from pipeline.dialog.flows import END, INIT, Asking, Flows, Work
from pipeline.dialog.heard import hear, leave, missed
from pipeline.dialog.text import clean
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
    Waits,
)
from pipeline.dialog.walk import START, Walk, blank, go, put, status_key, take

UNDO, RESET = "!undo", "!reset"  # typed commands
LONGEST_RESULT = 2000  # characters of one value that an action brings back


def begin(flows: Flows, seed: int = 0) -> Step:
    """The first step of a conversation: what is said before anybody asks; ``seed`` varies the wording."""
    return _finish(go(flows, Walk(DialogState(at=INIT, seed=seed)), START))


def step(flows: Flows, state: DialogState, event: Event) -> Step:
    """The step that an event leads to; an event that nobody waits for (a late result) is kept and changes nothing."""
    event = _command(event)
    state = replace(state, events=(*state.events, event))
    if isinstance(event, Undo):
        return _undo(flows, state)
    return _finish(_take(flows, Walk(state), event))


def replay(flows: Flows, events: Iterable[Event], seed: int = 0) -> DialogState:
    """The state after these events: ``replay(flows, state.events, state.seed) == state``."""
    return reduce(lambda state, event: step(flows, state, event).state, events, begin(flows, seed).state)


def waits(flows: Flows, state: DialogState) -> Waits:
    """How long to wait in this state before sending NoInput or TimedOut."""
    node = flows.states.get(state.at)
    if isinstance(node, Work):
        return Waits(time_out_s=node.time_out_s)
    if isinstance(node, Asking):
        own, default = node.patience, flows.defaults.patience
        return Waits(
            default.no_input_s if own.no_input_s is None else own.no_input_s,
            default.time_out_s if own.time_out_s is None else own.time_out_s,
        )
    return Waits()


def ended(state: DialogState) -> bool:
    """Whether the conversation is over; words said after it begin it anew."""
    return state.at == END


def _command(event: Event) -> Event:
    typed = event.text.strip().lower() if isinstance(event, Said) else ""
    return Undo() if typed == UNDO else Reset() if typed == RESET else event


def _take(flows: Flows, walk: Walk, event: Event) -> Walk:
    node = flows.states.get(walk.state.at)
    match event:
        case Said():
            return hear(flows, walk, event)
        case Reset():
            return go(flows, replace(walk, state=blank(walk.state)), Move(walk.state.at, "reset", INIT))
        case ActionDone(number, result):
            pending = walk.state.pending
            if isinstance(node, Work) and pending and pending.number == number:
                received = {key: _received(value) for key, value in result.items()}
                return _done(flows, put(walk, received), node)
        case NoInput():
            if isinstance(node, Asking):
                return missed(flows, walk, node, "no_input")
        case TimedOut():
            if isinstance(node, Work):
                return _done(flows, put(walk, {status_key(node.action): "timed_out"}), node)
            if isinstance(node, Asking):
                return leave(flows, walk, node, "timed_out") or missed(flows, walk, node, "no_input")
        case Undo():
            pass
    return walk


def _done(flows: Flows, walk: Walk, node: Work) -> Walk:
    status = walk.state.context.get(status_key(node.action), "")
    return take(flows, walk, node, status if isinstance(status, str) and status in node.targets else "next_state")


def _received(value: str | Sequence[str]) -> Value:
    if isinstance(value, str):
        return clean(value, LONGEST_RESULT)
    return tuple(clean(part, LONGEST_RESULT) for part in value)


def _finish(walk: Walk) -> Step:
    state = replace(walk.state, said=walk.replies) if walk.replies else walk.state
    return Step(state, walk.replies, walk.actions, walk.moves)


def _undo(flows: Flows, state: DialogState) -> Step:
    """The step back to before the person's last turn, and further back where an action was under way then.

    An action's number is the count of events before it, and no event is ever taken off, so none is used twice.
    """
    now = begin(flows, state.seed).state
    history: list[tuple[Event, DialogState]] = []  # an event and the state before it
    for event in (*state.events[:-1], Undo()):
        if isinstance(event, Undo):
            events = (*now.events, event)
            now = replace(_before_last_turn(history, now), events=events)
        else:
            history.append((event, now))
            now = step(flows, now, event).state
    return Step(now, now.said, (), (Move(state.at, "undo", now.at, "stay"),))


def _before_last_turn(history: list[tuple[Event, DialogState]], now: DialogState) -> DialogState:
    """The state before the person's last turn that did not cut into an action; takes what follows off the history."""
    while history:
        event, now = history.pop()
        if isinstance(event, Said | Reset) and not now.pending:
            break
    return now
