"""One stored call as JSON or CSV: what `overtone report` prints and the dashboard's export buttons give.

The schema is documented in docs/formats.md and stays stable: fields are added, never renamed or removed.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC
from typing import Any

from pipeline.calls import SENTIMENT_LABELS, Call, Sentence
from pipeline.store import Store
from pipeline.store.queries import CallSummary

COLUMNS = (
    "call_id",
    "source",
    "index",
    "channel",
    "speaker",
    "start_s",
    "end_s",
    "text",
    "sentiment",
    *SENTIMENT_LABELS,
    "model",
    "corrected",
)
# A spreadsheet runs a cell that begins with one of these as a formula, and a caller may say anything.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def call_row(call: Call) -> dict[str, Any]:
    """The JSON object of a call: id, source, times in seconds, ISO 8601 UTC start, speakers per channel."""
    return {
        "id": call.id,
        "source": call.source,
        "started_at": call.started_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "duration_s": round(call.duration_s, 3),
        "status": call.status,
        "speakers": list(call.speakers),
        "agent": call.agent,
        "customer": call.customer,
        "attributes": dict(call.attributes),
    }


def summary_row(summary: CallSummary) -> dict[str, Any]:
    """The JSON object of a call in `overtone calls`: the call, its sentences counted by label, and its mood (-1..1)."""
    row = call_row(summary.call) | {"sentences": summary.sentences}
    for label in SENTIMENT_LABELS:
        row[label] = summary.labels[label]
    return row | {"mood": None if summary.mood is None else round(summary.mood, 4)}


def sentence_row(sentence: Sentence, corrected: str | None = None) -> dict[str, Any]:
    """The JSON object of a sentence; ``corrected`` is the label a person gave instead, None where nobody did."""
    sentiment = sentence.sentiment
    return {
        "index": sentence.index,
        "channel": sentence.channel,
        "speaker": sentence.speaker,
        "start_s": round(sentence.start_s, 3),
        "end_s": round(sentence.end_s, 3),
        "text": sentence.text,
        "recogniser": sentence.recogniser,
        "sentiment": None
        if sentiment is None
        else {
            "label": sentiment.label,
            "scores": {label: round(sentiment.scores[label], 6) for label in SENTIMENT_LABELS},
            "model": sentiment.model,
        },
        "corrected": corrected,
        "words": [
            {
                "text": word.text,
                "start_s": round(word.start_s, 3),
                "end_s": round(word.end_s, 3),
                "confidence": None if word.confidence is None else round(word.confidence, 4),
            }
            for word in sentence.words
        ],
    }


def call_json(store: Store, call_id: str) -> dict[str, Any]:
    """``{"call": {...}, "sentences": [...]}`` of one call; ``call_id`` may be a unique prefix. Raises InputError."""
    call = store.call(call_id)
    corrected = corrections(store, call.id)
    return {
        "call": call_row(call),
        "sentences": [sentence_row(s, corrected.get(s.index)) for s in store.sentences(call.id)],
    }


def call_csv(store: Store, call_id: str) -> str:
    """The sentences of one call as CSV with a header (RFC 4180); safe to open in a spreadsheet. Raises InputError."""
    call = store.call(call_id)
    corrected = corrections(store, call.id)
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for s in store.sentences(call.id):
        scores = [""] * 3 if s.sentiment is None else [f"{s.sentiment.scores[label]:.6f}" for label in SENTIMENT_LABELS]
        rows.writerow(
            [
                call.id,
                _cell(call.source),
                s.index,
                s.channel,
                s.speaker,
                f"{s.start_s:.3f}",
                f"{s.end_s:.3f}",
                _cell(s.text),
                "" if s.sentiment is None else s.sentiment.label,
                *scores,
                "" if s.sentiment is None else s.sentiment.model,
                corrected.get(s.index, ""),
            ]
        )
    return out.getvalue()


def corrections(store: Store, call_id: str) -> dict[int, str]:
    """The latest sentiment that a person gave, by sentence index."""
    return {label.index: label.value for label in store.labels(call_id) if label.field == "sentiment"}


def _cell(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA) else text
