"""The values that flow through Overtone: frozen, standard library only, seconds from the start of the recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

SentimentLabel = Literal["negative", "neutral", "positive"]
SENTIMENT_LABELS: tuple[SentimentLabel, ...] = ("negative", "neutral", "positive")

SpeakerRole = Literal["agent", "customer", "unknown"]
SPEAKER_ROLES: tuple[SpeakerRole, ...] = ("agent", "customer", "unknown")

CallStatus = Literal["live", "complete"]


@dataclass(frozen=True)
class Word:
    """One recognised word with its time in the recording."""

    text: str
    start_s: float
    end_s: float
    confidence: float | None = None  # 0..1, None where the recogniser has none


@dataclass(frozen=True)
class Sentiment:
    """How a sentence feels; ``scores`` holds a probability for each of the three labels, summing to 1."""

    label: SentimentLabel
    scores: Mapping[SentimentLabel, float]
    model: str  # "name@version"

    @property
    def polarity(self) -> float:
        """-1 (surely negative) .. 1 (surely positive): P(positive) - P(negative)."""
        return self.scores["positive"] - self.scores["negative"]


@dataclass(frozen=True)
class Slot:
    """A piece of information inside a request; ``start``/``end`` are character offsets into the text, end exclusive."""

    name: str
    value: str  # normalised
    text: str  # as said
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Intent:
    """What a sentence asks for."""

    name: str
    score: float
    slots: tuple[Slot, ...]
    model: str  # "name@version"


@dataclass(frozen=True)
class Sentence:
    """One speaker's sentence; ``index`` counts from 0 in the order of the conversation, ``channel`` from 1."""

    call_id: str
    index: int
    channel: int
    speaker: SpeakerRole
    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...] = ()
    sentiment: Sentiment | None = None
    intent: Intent | None = None
    recogniser: str = ""  # "name@version" of the speech model


@dataclass(frozen=True)
class Call:
    """One call; ``id`` comes from the SHA-256 of the source's bytes, so ingesting twice is one call."""

    id: str
    source: str  # the file's name as given, without its folder; or the address of a live stream
    started_at: datetime  # aware, UTC
    duration_s: float
    speakers: tuple[SpeakerRole, ...]  # one per channel
    agent: str | None = None
    customer: str | None = None
    status: CallStatus = "complete"
    attributes: Mapping[str, str] = field(default_factory=dict)  # what else the phone system told us: queue, team ...


@dataclass(frozen=True)
class Label:
    """A person's correction of one field of one sentence; it stands beside the prediction, never over it."""

    call_id: str
    index: int
    field: Literal["sentiment", "intent"]
    value: str
    reviewer: str
    at: datetime  # aware, UTC


ConversationChannel = Literal["text", "voice", "phone"]
TurnEvent = Literal["opened", "said", "silence", "time-out", "reset", "undo"]


@dataclass(frozen=True)
class Conversation:
    """One conversation of a person with the assistant."""

    id: str
    started_at: datetime  # aware, UTC
    channel: ConversationChannel
    person: str = ""  # a name or number, where somebody told us
    ended_at: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)  # what else is known: the phone system's call id, say


@dataclass(frozen=True)
class Performed:
    """An action that the assistant carried out for a turn: what was asked of which service, and what came back."""

    name: str  # weather | retail | hand_over ...
    request: Mapping[str, str | tuple[str, ...]]
    status: str  # as docs/flows.md lists them
    answer: str  # in words; "" where the status says it all
    source: str  # who answered; "" where nobody did
    as_of: datetime | None  # aware, UTC: when the answer was true


@dataclass(frozen=True)
class Turn:
    """One step of a conversation: what the person did, what was understood, done and answered.

    Number 0 is what the assistant says before anybody asks (``event`` "opened"), so numbers count from there.
    """

    conversation_id: str
    number: int
    at: datetime  # aware, UTC: when the person had finished speaking or typing
    event: TurnEvent
    user_text: str  # as typed or recognised; "" where nothing was said
    intent: Intent | None  # slots normalised; offsets into user_text
    path: tuple[tuple[str, str, str], ...]  # edges taken in the flows: state, label, state
    state: str  # where the conversation stands afterwards
    actions: tuple[Performed, ...]
    replies: tuple[str, ...]  # what the assistant said, a text a message
    timings_ms: Mapping[str, float] = field(default_factory=dict)  # stage: milliseconds
    recogniser: str = ""  # "name@version" of the speech model; "" for typed words
    error: str = ""  # what failed, in words, where the turn had to apologise


@dataclass(frozen=True)
class TurnLabel:
    """A person's correction of what a turn meant; it stands beside the prediction, never over it.

    ``slots`` are all slots of the sentence with their offsets into ``Turn.user_text``, scores 1.
    """

    conversation_id: str
    number: int
    intent: str
    slots: tuple[Slot, ...]
    reviewer: str
    at: datetime  # aware, UTC


@dataclass(frozen=True)
class SentenceClock:
    """When one sentence of a live call passed each stage on its way to the screen; None where it has not (yet).

    All times are aware and UTC, by the clock of the machine that passed the stage.
    """

    call_id: str
    index: int
    spoken_at: datetime | None = None  # the speaker fell silent
    heard_at: datetime | None = None  # the final text came
    labelled_at: datetime | None = None
    stored_at: datetime | None = None
    sent_at: datetime | None = None  # to the first browser
    painted_at: datetime | None = None  # by the first browser, as it says


AlertVerdict = Literal["right", "wrong"]


@dataclass(frozen=True)
class Alert:
    """A rule that fired on a live call."""

    id: str
    call_id: str
    index: int | None  # of the sentence that set it off; None where it was silence or talk-over
    rule: str  # name of the rule
    severity: Literal["info", "warning", "critical"]
    message: str  # one line for a manager
    at: datetime  # aware, UTC
    verdict: AlertVerdict | None = None  # the last that a person gave
    reviewer: str = ""


@dataclass(frozen=True)
class SuggestionMark:
    """Whether an agent used what was suggested to them on a live call."""

    call_id: str
    index: int  # of the customer's sentence, as it came live
    text: str  # what was suggested
    used: bool  # False: not useful
    agent: str  # who says so
    at: datetime  # aware, UTC


@dataclass(frozen=True)
class Note:
    """What a manager wrote or flagged on a call; ``text`` is empty for a bare flag."""

    call_id: str
    at_s: float  # where in the call
    text: str
    flagged: bool
    author: str
    at: datetime  # aware, UTC
