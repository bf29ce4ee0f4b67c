"""The values of a conversation: what happens, what is said, what is asked for, and where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.calls import Intent

Value = str | tuple[str, ...]  # what a context holds under a key: one value, or the several that were said


@dataclass(frozen=True)
class Said:
    """The person said or typed something; ``intent`` is what the model understood, with its slots and scores.

    ``error`` is filled in where the model could not be asked: the flow then says so instead of guessing.
    """

    text: str
    intent: Intent | None = None
    error: str = ""


@dataclass(frozen=True)
class NoInput:
    """The person stayed silent for ``Waits.no_input_s``."""


@dataclass(frozen=True)
class TimedOut:
    """The state took longer than ``Waits.time_out_s``: an action without a result, or a person who went away."""


@dataclass(frozen=True)
class ActionDone:
    """The result of the action with this number; a result that nobody waits for any more changes nothing."""

    number: int
    result: Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Reset:
    """Forget everything and begin again."""


@dataclass(frozen=True)
class Undo:
    """Take the person's last turn back."""


Event = Said | NoInput | TimedOut | ActionDone | Reset | Undo


@dataclass(frozen=True)
class Reply:
    """A text to say or show, after a pause."""

    text: str
    delay_s: float = 0.0


@dataclass(frozen=True)
class Action:
    """A request to the world outside; ``number`` comes back in its ActionDone."""

    number: int
    name: str  # snake_case of the state's type: Weather -> "weather", HandOver -> "hand_over"
    request: Mapping[str, Value]


MoveKind = Literal["transition", "intent", "follow_up", "resume", "home", "stay"]


@dataclass(frozen=True)
class Move:
    """One edge that a conversation took; ``label`` is the transition's name, or the intent's."""

    source: str
    label: str
    target: str
    kind: MoveKind = "transition"


@dataclass(frozen=True)
class Frame:
    """A question that a digression interrupted, and what was known then."""

    question: str
    resume: str
    context: Mapping[str, Value]


@dataclass(frozen=True)
class Task:
    """Something asked for in this conversation, which a follow-up ("and tomorrow?") can ask for again."""

    flow: str
    intent: str


@dataclass(frozen=True)
class DialogState:
    """Where a conversation is; equal to the replay of its events from ``begin`` with the same flows and seed."""

    at: str  # a state's name, or END
    seed: int = 0
    context: Mapping[str, Value] = field(default_factory=dict)
    pending: Action | None = None
    stack: tuple[Frame, ...] = ()  # interrupted questions, the innermost last
    tasks: tuple[Task, ...] = ()  # the most recent first
    misses: int = 0  # answers in a row that this question could not use
    silences: int = 0  # silences in a row at this question
    confirmed: Mapping[str, Value] = field(default_factory=dict)
    visits: Mapping[str, int] = field(default_factory=dict)  # of messages that vary
    said: tuple[Reply, ...] = ()  # the last replies, for "say that again"
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Step:
    """What one event led to: the new state, what to say, what to do, and the edges taken on the way."""

    state: DialogState
    replies: tuple[Reply, ...] = ()
    actions: tuple[Action, ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True)
class Waits:
    """How long to wait for the next event; None is for ever."""

    no_input_s: float | None = None  # then send NoInput
    time_out_s: float | None = None  # then send TimedOut
