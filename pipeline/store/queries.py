"""The questions the store answers and the values it answers with: frozen, standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import sqrt
from typing import Literal

from pipeline.calls import (
    Alert,
    Call,
    CallStatus,
    Conversation,
    ConversationChannel,
    Label,
    Note,
    Sentence,
    Sentiment,
    SentimentLabel,
    SpeakerRole,
)

Order = Literal["newest", "oldest", "worst", "best", "longest"]
Role = Literal["agent", "customer"]
Grouping = Literal["agent", "customer", "day"]
ChangeKind = Literal["began", "sentence", "finished", "stored", "label", "deleted", "alert", "verdict", "note"]
PredictionKind = Literal["sentiment", "intent"]
ConversationOrder = Literal["newest", "oldest", "unsure"]
ReviewOrder = Literal["unsure", "disagreed"]

MOOD_EDGE = 0.1  # a call's mood is neutral between -MOOD_EDGE and MOOD_EDGE


def mood_label(mood: float | None) -> SentimentLabel | None:
    """The word for a mood of -1..1: negative below -MOOD_EDGE, positive above MOOD_EDGE; None for no mood."""
    if mood is None:
        return None
    return "negative" if mood < -MOOD_EDGE else "positive" if mood > MOOD_EDGE else "neutral"


@dataclass(frozen=True)
class CallQuery:
    """Which calls to list and in which order; a field left at its default does not narrow the list.

    ``text`` is looked for, literally and in either case of the Latin letters, in the source, the agent, the customer
    and every sentence. ``since`` (inclusive) and ``until`` (exclusive) are aware times that bound ``started_at``.
    ``worst`` and ``best`` order by mood, calls without one last.
    """

    text: str = ""
    agent: str | None = None
    customer: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: CallStatus | None = None
    mood: SentimentLabel | None = None  # as mood_label names it
    order: Order = "newest"


@dataclass(frozen=True)
class CallSummary:
    """A call as a list shows it, without reading its sentences."""

    call: Call
    sentences: int
    labels: Mapping[SentimentLabel, int]  # scored sentences of all speakers by label; all three labels are there
    mood: float | None  # mean polarity (-1..1) of the customer's scored sentences, else of everybody's; None: no scores
    trend: tuple[float, ...]  # up to 30 mean polarities, start of the call first, of the sentences that make the mood
    stored_at: datetime  # aware, UTC: when the call was first stored


@dataclass(frozen=True)
class Page:
    """A slice of a list of calls; ``total`` counts all calls that match."""

    rows: tuple[CallSummary, ...]
    total: int


@dataclass(frozen=True)
class MoodPoint:
    """How the calls of one group felt: of an agent, a customer, a day, or one of those people on one day.

    The unit is the call: ``mood`` is the mean of the calls' moods and ``variance`` the sample variance between them, so
    that a chatty call weighs no more than a short one and intervals are not narrowed by sentences of one call.
    """

    group: str  # the person's name; "" where only days are grouped
    day: date | None  # UTC day on which the calls started; None: over all days asked for
    calls: int
    scored_calls: int  # calls with a mood
    sentences: int
    labels: Mapping[SentimentLabel, int]  # scored sentences of all speakers by label
    duration_s: float  # of all calls together
    mood: float | None  # -1..1
    variance: float | None  # None for fewer than two scored calls

    @property
    def standard_error(self) -> float | None:
        """Standard error of ``mood``; about 95 % of intervals ``mood +- 1.96 * standard_error`` hold the true mean."""
        return None if self.variance is None else sqrt(self.variance / self.scored_calls)


@dataclass(frozen=True)
class Change:
    """One thing that was committed; numbers grow in the order of the commits and are never used twice.

    ``began`` and ``finished`` are the ends of a live call, ``stored`` is a complete call that was stored at once (its
    sentences come just before it), ``deleted`` names a call that is gone: of its ``call`` only ``id`` then has meaning.
    """

    number: int
    kind: ChangeKind
    stored_at: datetime  # aware, UTC
    call: Call  # as it stands when it is read, not as it stood then
    sentence: Sentence | None = None  # of a "sentence", words included
    label: Label | None = None  # of a "label"
    alert: Alert | None = None  # of an "alert" or a "verdict", with the verdict it has when it is read
    note: Note | None = None  # of a "note"


@dataclass(frozen=True)
class ConversationQuery:
    """Which conversations to list and in which order; a field left at its default does not narrow the list.

    ``text`` is looked for, literally and in either case of the Latin letters, in the person and in what was said and
    answered in every turn. ``since`` (inclusive) and ``until`` (exclusive) are aware times that bound ``started_at``.
    ``unsure`` puts the conversation with the least certain intent first, those without any last.
    """

    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    channel: ConversationChannel | None = None
    intent: str | None = None  # as understood in at least one turn
    reviewed: bool | None = None  # whether a person has labelled at least one turn
    order: ConversationOrder = "newest"


@dataclass(frozen=True)
class ConversationSummary:
    """A conversation as a list shows it."""

    conversation: Conversation
    turns: int
    intents: tuple[str, ...]  # understood, each once, in the order in which they first came
    last_text: str  # what the person said last; "" where nothing was said
    errors: int  # turns that had to apologise
    labelled: int  # turns with a person's label


@dataclass(frozen=True)
class ConversationPage:
    """A slice of a list of conversations; ``total`` counts all conversations that match."""

    rows: tuple[ConversationSummary, ...]
    total: int


@dataclass(frozen=True)
class ReviewQuery:
    """Which sentences a reviewer is to judge, and in which order; a field left at its default does not narrow them.

    ``unsure``: the smallest distance between the two most probable sentiments first. ``disagreed``: models that
    contradict each other, the opposite and the most decided first, and then reviewers who do. ``since`` (inclusive) and
    ``until`` (exclusive) are aware times that bound the calls' starts.
    """

    reviewer: str
    order: ReviewOrder = "unsure"
    agent: str | None = None
    speaker: SpeakerRole | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class ReviewItem:
    """A sentence to judge, with those around it and what is known of it."""

    call: Call
    before: Sentence | None
    sentence: Sentence
    after: Sentence | None
    opinions: tuple[Sentiment, ...]  # of all models, the current one first
    labels: tuple[Label, ...]  # of sentiment, by people; the oldest first
    asked_by: str | None = None  # who wants a second opinion on it


@dataclass(frozen=True)
class GivenLabel:
    """A label with what is known of the moment at which it was given."""

    label: Label
    said: tuple[Sentiment, ...]  # by the models then, the current one first; of a sentiment
    retracted_at: datetime | None  # aware, UTC: when its reviewer took it back


@dataclass(frozen=True)
class Agreement:
    """How often two models say the same of the sentences that both have scored."""

    sentences: int
    same: int


@dataclass(frozen=True)
class Disagreement:
    """A sentence, with the current sentiment, of which another model says something else."""

    call: Call
    sentence: Sentence
    other: Sentiment
