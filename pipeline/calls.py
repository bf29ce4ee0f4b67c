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
