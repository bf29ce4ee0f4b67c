"""The JSON objects that the pages' own scripts get: calls and sentences, times in seconds or UTC milliseconds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.calls import SENTIMENT_LABELS, Call, Sentence


def milliseconds(moment: datetime) -> int:
    """UTC milliseconds since 1970 of an aware time, as JavaScript's Date counts."""
    return round(moment.timestamp() * 1000)


def call_object(call: Call) -> dict[str, Any]:
    """id, source, agent, customer, status, started_ms, duration_s and the speaker of each channel."""
    return {
        "id": call.id,
        "source": call.source,
        "agent": call.agent,
        "customer": call.customer,
        "status": call.status,
        "started_ms": milliseconds(call.started_at),
        "duration_s": round(call.duration_s, 3),
        "speakers": list(call.speakers),
    }


def sentence_object(sentence: Sentence) -> dict[str, Any]:
    """index, channel, speaker, text, start_s, end_s; label, scores (negative, neutral, positive), polarity, model.

    The last four are None where the sentence has no sentiment.
    """
    sentiment = sentence.sentiment
    return {
        "index": sentence.index,
        "channel": sentence.channel,
        "speaker": sentence.speaker,
        "text": sentence.text,
        "start_s": round(sentence.start_s, 3),
        "end_s": round(sentence.end_s, 3),
        "label": sentiment and sentiment.label,
        "scores": sentiment and [round(sentiment.scores[label], 4) for label in SENTIMENT_LABELS],
        "polarity": sentiment and round(sentiment.polarity, 4),
        "model": sentiment and sentiment.model,
    }
