"""Flows as values: every kind of state, and what holds for all states of a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

INIT = "init"  # where every conversation begins
END = "END"  # the conversation is over
RETURN = "return"  # back to the interrupted question, else home, else END


@dataclass(frozen=True)
class State:
    """What every state has; ``targets`` leads from a transition's label to a state, END or RETURN."""

    name: str
    flow: str  # its file's name without .yml
    line: int
    targets: Mapping[str, str]


@dataclass(frozen=True)
class Message(State):
    """Says one of its texts and goes on; several take turns, from a place that the conversation's seed chooses."""

    texts: tuple[str, ...]
    delay_s: float = 0.0


@dataclass(frozen=True)
class Patience:
    """How a question waits: what it says to the first, second ... silence or useless answer, and for how long."""

    no_input: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()
    no_input_s: float | None = None
    time_out_s: float | None = None


@dataclass(frozen=True)
class Asking(State):
    """What states that wait for a person share."""

    patience: Patience = field(default_factory=Patience)
    resume: str = ""  # where to go on after a digression; empty: do not come back


@dataclass(frozen=True)
class Question(Asking):
    """Waits for the person's words and fills the context from them (input_user, input_context)."""

    understanding: Literal["empty", "jarvis", "riva"] = "empty"
    entities: Mapping[str, str] = field(default_factory=dict)  # context key <- slot
    match_any: tuple[str, ...] = ()
    require_match: bool = False
    require_intent: bool = False


@dataclass(frozen=True)
class Confirm(Asking):
    """Asks yes or no; with a ``key`` only if its value is new, not among ``unless`` and not confirmed before."""

    texts: tuple[str, ...] = ()
    key: str = ""
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change(State):
    """Deletes keys of the context, then sets keys."""

    del_keys: tuple[str, ...]
    update_keys: Mapping[str, str]


@dataclass(frozen=True)
class Exists(State):
    """Goes to ``exists`` if any of its keys holds something, else to ``notexists``."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class Equal(State):
    """Goes to ``equal`` or ``notequal``."""

    value1: str
    value2: str


@dataclass(frozen=True)
class Restart(State):
    """Clears the context and goes to ``init``."""


@dataclass(frozen=True)
class Repeat(State):
    """Says again what was said last; an intent that leads here leaves the conversation where it is."""


@dataclass(frozen=True)
class Work(State):
    """Asks for an action and waits for its result, which leaves by the label that is its status, else by next_state."""

    action: str
    request: Mapping[str, str] = field(default_factory=dict)
    whole_context: bool = False  # as the old language did: the request is everything known
    time_out_s: float | None = None


@dataclass(frozen=True)
class Route:
    """Where an intent leads, and what it sets on the way."""

    flow: str  # of the target
    target: str
    sets: Mapping[str, str] = field(default_factory=dict)  # templates of the moment when the intent was said
    returns: bool = True  # False: an interrupted question is dropped
    stand_ins: Mapping[str, str] = field(default_factory=dict)  # in a follow-up: a slot as heard -> as meant


@dataclass(frozen=True)
class Defaults:
    """What questions do that do not say it themselves."""

    patience: Patience = field(default_factory=Patience)
    targets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Forgetting:
    """Which keys are forgotten when something new is said, unless they are said with it.

    With ``naming``: when one of these slots is given a new value. Without: by every new question.
    ``intents`` narrows the rule to questions of these intents.
    """

    forget: tuple[str, ...]
    naming: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flows:
    """A folder of flows, checked and merged; every name in it leads somewhere."""

    states: Mapping[str, State]
    intents: Mapping[str, Route] = field(default_factory=dict)
    home: str = ""  # where RETURN leads when nothing was interrupted
    defaults: Defaults = field(default_factory=Defaults)
    slots: tuple[str, ...] = ()
    phrases: Mapping[str, str] = field(default_factory=dict)  # a whole utterance -> its intent
    openings: Mapping[str, str] = field(default_factory=dict)  # how an utterance begins -> its intent
    fillers: frozenset[str] = frozenset()
    small_words: frozenset[str] = frozenset()
    negations: frozenset[str] = frozenset()
    corrections: frozenset[str] = frozenset()
    memory: tuple[Forgetting, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)  # an intent as a model spells it -> as the flows do
    results: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # an action's name -> keys it brings
    task_slots: Mapping[str, frozenset[str]] = field(default_factory=dict)  # a flow -> slots its actions ask with
