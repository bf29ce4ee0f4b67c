"""Calls and sentences to put into a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.calls import (
    Alert,
    Call,
    CallStatus,
    Conversation,
    ConversationChannel,
    Intent,
    Performed,
    Sentence,
    Sentiment,
    SentimentLabel,
    Slot,
    SpeakerRole,
    Turn,
    Word,
)

START = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)


def a_call(
    id: str = "c0ffee0000000001",
    *,
    source: str = "billing dispute.wav",
    minutes: float = 0,
    duration_s: float = 61.5,
    agent: str | None = "Ada Agent",
    customer: str | None = "Carl Customer",
    status: CallStatus = "complete",
) -> Call:
    """A stereo call that started ``minutes`` after START."""
    return Call(
        id=id,
        source=source,
        started_at=START + timedelta(minutes=minutes),
        duration_s=duration_s,
        speakers=("agent", "customer"),
        agent=agent,
        customer=customer,
        status=status,
        attributes={"queue": "billing", "équipe": "b\n2"},
    )


def sentiment(polarity: float, model: str = "sentiment@2026.11.1") -> Sentiment:
    """A sentiment with that polarity, -1..1."""
    positive, negative = max(polarity, 0.0), max(-polarity, 0.0)
    label: SentimentLabel = "positive" if polarity > 0.5 else "negative" if polarity < -0.5 else "neutral"
    scores: dict[SentimentLabel, float] = {
        "negative": negative,
        "neutral": 1 - positive - negative,
        "positive": positive,
    }
    return Sentiment(label, scores, model)


def a_sentence(
    call_id: str = "c0ffee0000000001",
    index: int = 0,
    *,
    speaker: SpeakerRole | None = None,
    text: str = "My bill is wrong.",
    polarity: float | None = -0.6,
) -> Sentence:
    """A sentence of 2 s, by agent and customer in turn, with words, an intent and unless None a sentiment."""
    who: SpeakerRole = speaker or ("customer" if index % 2 else "agent")
    start_s = 2.5 * index
    return Sentence(
        call_id=call_id,
        index=index,
        channel=1 if who == "agent" else 2,
        speaker=who,
        text=text,
        start_s=start_s,
        end_s=start_s + 2.0,
        words=(Word("My", start_s, start_s + 0.25, 0.93), Word("bill", start_s + 0.25, start_s + 0.5)),
        sentiment=None if polarity is None else sentiment(polarity),
        intent=Intent("billing.dispute", 0.81, (Slot("thing", "bill", "bill", 3, 7, 0.5),), "intent@1"),
        recogniser="whisper-tiny.en@1",
    )


def conversation(
    call_id: str = "c0ffee0000000001", polarities: tuple[float | None, ...] = (0.1, -0.6, 0.2, 0.8)
) -> list[Sentence]:
    """One sentence for each polarity, agent and customer in turn."""
    return [
        a_sentence(call_id, index, text=f"Sentence number {index}.", polarity=polarity)
        for index, polarity in enumerate(polarities)
    ]


def a_talk(
    id: str = "ta1k000000000001", *, minutes: float = 0, channel: ConversationChannel = "voice", person: str = "Pat"
) -> Conversation:
    """A conversation with the assistant that started ``minutes`` after START."""
    started_at = START + timedelta(minutes=minutes)
    return Conversation(id, started_at, channel, person, attributes={"phone call": "CA1", "équipe": "b\n2"})


def a_turn(
    conversation_id: str = "ta1k000000000001",
    number: int = 1,
    *,
    text: str = "Will it rain in Oslo?",
    intent: str | None = "weather.rain",
    score: float = 0.9,
    replies: tuple[str, ...] = ("Yes, in the afternoon.", "Anything else?"),
    error: str = "",
) -> Turn:
    """A turn at ``number`` minutes after START in which every field says something."""
    at = START + timedelta(minutes=number)
    slots = (Slot("location", "oslo", "Oslo", 16, 20, 0.75),)
    asked: dict[str, str | tuple[str, ...]] = {"location": "Oslo", "store.type": ("thai", "food")}
    return Turn(
        conversation_id=conversation_id,
        number=number,
        at=at,
        event="said",
        user_text=text,
        intent=None if intent is None else Intent(intent, score, slots, "intent-slot@1"),
        path=(("start", "weather", "ask"), ("ask", "", "answered")),
        state="answered",
        actions=(
            Performed("weather", asked, "ok", "Rain.", "sample", at),
            Performed("hand_over", {}, "no", "", "", None),
        ),
        replies=replies,
        timings_ms={"understand": 3.5, "total": 120},
        recogniser="whisper-tiny.en@1",
        error=error,
    )


def an_alert(id: str = "a1", call_id: str = "c0ffee0000000001", *, rule: str = "angry", minutes: float = 0) -> Alert:
    """An alert that was raised ``minutes`` after START."""
    return Alert(id, call_id, 1, rule, "warning", "The customer is angry.", START + timedelta(minutes=minutes))
