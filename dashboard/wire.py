"""The JSON objects that the pages' own scripts get: calls, sentences, alerts and notes; times in s or UTC ms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.calls import SENTIMENT_LABELS, Alert, Call, Note, Sentence
from pipeline.latency import late_s
from pipeline.store import Store


def milliseconds(moment: datetime) -> int:
    """UTC milliseconds since 1970 of an aware time, as JavaScript's Date counts."""
    return round(moment.timestamp() * 1000)


def call_object(call: Call) -> dict[str, Any]:
    """id, source, agent, customer, queue, team, status, started_ms, duration_s and the speaker of each channel."""
    return {
        "id": call.id,
        "source": call.source,
        "agent": call.agent,
        "customer": call.customer,
        "queue": call.attributes.get("queue"),
        "team": call.attributes.get("team"),
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


def sentence_objects(store: Store, call: Call) -> list[dict[str, Any]]:
    """All sentences of a call, with ``late_s`` while it goes on: the seconds where one was understood late."""
    late = {}
    if call.status == "live":  # a second pass makes other sentences of a call
        late = {clock.index: late_s(clock) for clock in store.clocks(call_id=call.id)}
    return [{**sentence_object(one), "late_s": late.get(one.index)} for one in store.sentences(call.id)]


def alert_object(alert: Alert, call: Call) -> dict[str, Any]:
    """The alert's fields, its time as at_ms, and agent, customer, queue and team of its call."""
    return {
        "id": alert.id,
        "call_id": alert.call_id,
        "index": alert.index,
        "rule": alert.rule,
        "severity": alert.severity,
        "message": alert.message,
        "at_ms": milliseconds(alert.at),
        "verdict": alert.verdict,
        "reviewer": alert.reviewer,
        "agent": call.agent,
        "customer": call.customer,
        "queue": call.attributes.get("queue"),
        "team": call.attributes.get("team"),
    }


def note_object(note: Note) -> dict[str, Any]:
    """at_s (in the call), text, flagged, author and at_ms."""
    return {
        "at_s": round(note.at_s, 3),
        "text": note.text,
        "flagged": note.flagged,
        "author": note.author,
        "at_ms": milliseconds(note.at),
    }
