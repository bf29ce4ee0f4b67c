"""An event of the person and all that follows from it, up to the next time that the person is waited for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.assistant.performing import EFFECTS, Performer
from pipeline.calls import Performed
from pipeline.dialog import (
    Action,
    ActionDone,
    DialogState,
    Event,
    Flows,
    Move,
    Reply,
    Step,
    TimedOut,
    step,
    waits,
)

MOST_ACTIONS = 8  # for one event; only flows that ask round in a circle need more


@dataclass(frozen=True)
class Exchange:
    """What an event has led to; ``pending`` are actions that were asked for and not performed yet, ``later`` what else
    the person asked for, which waits until this is answered.
    """

    event: Event | None
    state: DialogState
    replies: tuple[Reply, ...] = ()
    moves: tuple[Move, ...] = ()
    pending: tuple[Action, ...] = ()
    later: tuple[Event, ...] = ()
    performed: tuple[Performed, ...] = ()
    dialog_ms: float = 0.0
    fulfil_ms: float = 0.0
    error: str = ""  # of an action that failed

    @property
    def timings_ms(self) -> dict[str, float]:
        """Milliseconds by stage; ``fulfil_ms`` only where something was asked."""
        fulfil = {"fulfil_ms": self.fulfil_ms} if self.performed else {}
        return {"dialog_ms": self.dialog_ms, **fulfil}


def nothing(state: DialogState) -> Exchange:
    """No event at all."""
    return Exchange(None, state)


def opened(first: Step) -> Exchange:
    """The beginning of a conversation."""
    return Exchange(None, first.state, first.replies, first.moves)


def begun(flows: Flows, state: DialogState, event: Event, later: Sequence[Event] = ()) -> Exchange:
    """What the event leads to at once; ``later`` events follow as soon as nothing is asked back."""
    return _stepped(flows, Exchange(event, state, later=tuple(later)), event)


def carried_on(
    flows: Flows, begun: Exchange, performer: Performer, *, rest: str = "", reading_only: bool = False
) -> Exchange:
    """The exchange after its actions, and theirs, were performed; ``reading_only`` stops before one with effects.

    Where it comes to the state ``rest``, what was asked for besides has its turn. An action that takes longer than its
    state allows is given up: the flow gets a time-out, and the late result is dropped.
    """
    now = begun
    while now.pending or (now.later and now.state.at == rest):
        if not now.pending:
            event, now = now.later[0], replace(now, later=now.later[1:])
            now = _stepped(flows, now, event)
            continue
        if reading_only and now.pending[0].name in EFFECTS:
            break
        if len(now.performed) >= MOST_ACTIONS:
            return replace(now, pending=(), error=f"gave up after {MOST_ACTIONS} actions in one turn")
        action = now.pending[0]
        started = time.perf_counter()
        answer = performer.perform(action, waits(flows, now.state).time_out_s)
        took_ms = 1000 * (time.perf_counter() - started)
        now = replace(
            now,
            pending=now.pending[1:],
            performed=(*now.performed, answer.performed),
            fulfil_ms=now.fulfil_ms + took_ms,
            error="; ".join(part for part in (now.error, answer.error) if part),
        )
        event = TimedOut() if answer.result is None else ActionDone(action.number, answer.result)
        now = _stepped(flows, now, event)
    return now


def _stepped(flows: Flows, now: Exchange, event: Event) -> Exchange:
    started = time.perf_counter()
    taken = step(flows, now.state, event)
    return replace(
        now,
        state=taken.state,
        replies=(*now.replies, *taken.replies),
        moves=(*now.moves, *taken.moves),
        pending=(*now.pending, *taken.actions),
        dialog_ms=now.dialog_ms + 1000 * (time.perf_counter() - started),
    )
