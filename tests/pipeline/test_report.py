from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import report
from pipeline.calls import Call, Label, Sentence, Sentiment, Word
from pipeline.errors import InputError
from pipeline.store import Store, open_store

CALL = Call("abc123", "=cmd.wav", datetime(2026, 11, 22, 9, 14, 3, tzinfo=UTC), 12.3456, ("agent", "customer"), "Dana")
MOOD = Sentiment("negative", {"negative": 0.9, "neutral": 0.08, "positive": 0.02}, "sentiment@1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one call of two sentences, the second corrected by a person, twice."""
    with open_store(f"sqlite:///{tmp_path}/overtone.db") as opened:
        words = (Word("Never", 1.0, 1.5, 0.9), Word("again.", 1.5, 2.0))
        opened.add(
            CALL,
            [
                Sentence("abc123", 0, 1, "agent", '=HYPERLINK("x"), she said', 0.1, 0.9),
                Sentence("abc123", 1, 2, "customer", "Never again.", 1.0, 2.0, words, MOOD, recogniser="w@1"),
            ],
        )
        for value in ("neutral", "positive"):
            opened.add_label(Label("abc123", 1, "sentiment", value, "demo", datetime.now(UTC)))
        yield opened


def test_json_has_the_documented_fields(store: Store) -> None:
    found = json.loads(json.dumps(report.call_json(store, "abc")))
    assert found["call"] == {
        "id": "abc123",
        "source": "=cmd.wav",
        "started_at": "2026-11-22T09:14:03Z",
        "duration_s": 12.346,
        "status": "complete",
        "speakers": ["agent", "customer"],
        "agent": "Dana",
        "customer": None,
        "attributes": {},
    }
    first, second = found["sentences"]
    assert first["sentiment"] is None
    assert first["words"] == []
    assert second["sentiment"] == {
        "label": "negative",
        "scores": {"negative": 0.9, "neutral": 0.08, "positive": 0.02},
        "model": "sentiment@1",
    }
    assert second["corrected"] == "positive", "the latest correction stands beside the prediction"
    assert second["words"][1] == {"text": "again.", "start_s": 1.5, "end_s": 2.0, "confidence": None}
    assert second["recogniser"] == "w@1"


def test_csv_is_safe_in_a_spreadsheet(store: Store) -> None:
    rows = list(csv.DictReader(io.StringIO(report.call_csv(store, "abc123"))))
    assert list(rows[0]) == list(report.COLUMNS)
    assert rows[0]["text"] == '\'=HYPERLINK("x"), she said'
    assert rows[0]["source"] == "'=cmd.wav"
    assert (rows[1]["sentiment"], rows[1]["negative"], rows[1]["corrected"]) == ("negative", "0.900000", "positive")


def test_a_summary_counts_by_label(store: Store) -> None:
    [summary] = store.calls().rows
    row = report.summary_row(summary)
    assert (row["sentences"], row["negative"], row["positive"]) == (2, 1, 0)
    assert row["mood"] == pytest.approx(-0.88, abs=1e-3)


def test_an_unknown_call_is_an_input_error(store: Store) -> None:
    with pytest.raises(InputError):
        report.call_json(store, "zzz")
