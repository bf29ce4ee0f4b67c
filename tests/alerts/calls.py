"""Sentences of a call to hold rules against."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pipeline.alerts.evaluate import CallState, Passed, Spoken, advance
from pipeline.alerts.reading import read
from pipeline.alerts.rules import Rule
from pipeline.calls import Alert, Call, Sentence, Sentiment, SentimentLabel, SpeakerRole

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
CALL_ID = "ca11000000000001"


def rules(text: str) -> tuple[Rule, ...]:
    return read(f"rules:\n{text}", "test.yml")


def feeling(polarity: float) -> Sentiment:
    positive, negative = max(polarity, 0.0), max(-polarity, 0.0)
    label: SentimentLabel = "positive" if polarity > 0.3 else "negative" if polarity < -0.3 else "neutral"
    scores: dict[SentimentLabel, float] = {
        "negative": negative,
        "neutral": 1 - positive - negative,
        "positive": positive,
    }
    return Sentiment(label, scores, "sentiment@1")


def said(
    index: int,
    text: str = "Well.",
    *,
    speaker: SpeakerRole = "customer",
    polarity: float | None = 0.0,
    start_s: float | None = None,
    end_s: float | None = None,
    call_id: str = CALL_ID,
) -> Sentence:
    """A sentence of two seconds, one after the other unless its times are given."""
    start = 3.0 * index if start_s is None else start_s
    return Sentence(
        call_id=call_id,
        index=index,
        channel=1 if speaker == "agent" else 2,
        speaker=speaker,
        text=text,
        start_s=start,
        end_s=start + 2.0 if end_s is None else end_s,
        sentiment=None if polarity is None else feeling(polarity),
        recogniser="words@1",
    )


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def play(given: Sequence[Rule], events: Sequence[Passed | Sentence]) -> list[Alert]:
    """The alerts of a call; a bare sentence is stored as it ends."""
    state = CallState(CALL_ID, START)
    alerts: list[Alert] = []
    for event in events:
        step = Spoken(event, at(event.end_s)) if isinstance(event, Sentence) else event
        state, found = advance(state, step, given)
        alerts += found
    return alerts


def live_call(call_id: str = CALL_ID) -> Call:
    return Call(
        id=call_id,
        source="line 1",
        started_at=datetime.now(UTC),
        duration_s=0.0,
        speakers=("agent", "customer"),
        agent="Maya Lindqvist",
        customer="Dana Whitfield",
        status="live",
        attributes={"queue": "billing", "team": "north"},
    )
