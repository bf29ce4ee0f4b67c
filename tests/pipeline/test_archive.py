"""The archive's days: CSV that a spreadsheet opens safely, training rows that our trainer reads, deletion."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from finetune import nemo
from finetune.config import Source
from pipeline.archive import COLUMNS, LABELS, delete_before, export, turn_row
from pipeline.calls import Conversation, Intent, Performed, Slot, Turn, TurnLabel
from pipeline.errors import InputError
from pipeline.settings import DATA
from pipeline.store import Store, open_store

DAY = date(2026, 11, 20)
AT = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/overtone.db") as opened:
        yield opened


def slot(text: str, words: str, name: str) -> Slot:
    start = text.index(words)
    return Slot(name, words.lower(), words, start, start + len(words), 0.9)


def said(
    number: int, text: str, *slots: Slot, at: datetime = AT, conversation: str = "c1", intent: str = "unknown"
) -> Turn:
    return Turn(
        conversation_id=conversation,
        number=number,
        at=at,
        event="said",
        user_text=text,
        intent=Intent(intent, 0.75, slots, "nara@1"),
        path=(("listen", intent, "weather"),),
        state="listen",
        actions=(
            Performed("weather", {"location": "Rome", "item.color": ("red", "blue")}, "ok", "Sunny.", "sample", AT),
        ),
        replies=("Sunny.", "Anything else?"),
        timings_ms={"understand_ms": 2.5, "extra_ms": 1.0},
        recogniser="ear@1",
        error="",
    )


QUESTION = "Will it rain in Los Angeles, tomorrow?"
RED = "what about the Ruby-red one"


@pytest.fixture
def filled(store: Store) -> Store:
    store.begin_conversation(Conversation("c1", AT, "text", "=cmd()|x", None, {"queue": "web"}))
    store.begin_conversation(Conversation("c2", AT, "voice", "Ann"))
    store.add_turn(Turn("c1", 0, AT, "opened", "", None, (), "listen", (), ("Hello!",)))
    store.add_turn(said(1, QUESTION, slot(QUESTION, "Los Angeles", "location")))
    store.add_turn(said(2, "=1+1", at=AT + timedelta(seconds=5)))
    store.add_turn(said(1, RED, conversation="c2"))
    store.add_turn(said(2, "too late", conversation="c2", at=AT + timedelta(minutes=1)))
    return store


def review(store: Store) -> None:
    place, time = slot(QUESTION, "Los Angeles", "location"), slot(QUESTION, "tomorrow", "weathertime")
    wrong = TurnLabel("c1", 1, "unknown", (), "Bob", AT)
    store.add_turn_label(wrong)
    store.add_turn_label(TurnLabel("c1", 1, "weather.rainfall_yes_no", (place, time), "Ann", AT + timedelta(days=3)))
    colour = slot(RED, "Ruby-red", "item.color")
    store.add_turn_label(TurnLabel("c2", 1, "my.intent", (colour,), "Ann", AT))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_day_without_reviews_is_a_csv_and_says_what_waits(filled: Store, tmp_path: Path) -> None:
    done = export(filled, DAY, tmp_path / "out")
    assert (done.turns, done.reviewed, done.waiting) == (4, 0, 3)
    assert list(files(tmp_path / "out")) == ["2026-11-20/turns.csv"]
    rows = list(csv.DictReader(io.StringIO((done.folder / "turns.csv").read_text())))
    assert list(rows[0]) == [*COLUMNS, "extra_ms"]
    assert [row["number"] for row in rows] == ["0", "1", "2", "1"]
    row = rows[1]
    assert row["user_text"] == QUESTION
    assert (row["intent"], row["intent_score"], row["intent_model"]) == ("unknown", "0.7500", "nara@1")
    assert json.loads(row["slots"])[0]["text"] == "Los Angeles"
    assert json.loads(row["action_requests"]) == [{"location": "Rome", "item.color": ["red", "blue"]}]
    assert row["replies"] == "Sunny. | Anything else?"
    assert (row["understand_ms"], row["extra_ms"], row["fulfil_ms"]) == ("2.500", "1.000", "")
    assert (row["at"], row["reviewed_intent"]) == ("2026-11-20T23:59:00Z", "")
    assert (row["person"], rows[2]["user_text"]) == ("'=cmd()|x", "'=1+1")  # no formula for a spreadsheet


def test_reviewed_turns_are_training_rows_that_the_trainer_reads(filled: Store, tmp_path: Path) -> None:
    review(filled)
    done = export(filled, DAY, tmp_path)
    assert (done.turns, done.reviewed, done.waiting) == (4, 2, 1)
    folder = done.folder / "nara"
    assert sorted(path.name for path in folder.iterdir()) == [
        "dict.intents.csv", "dict.slots.csv", "train.tsv", "train_slots.tsv",
    ]  # fmt: skip
    shipped = (LABELS / "dict.slots.csv").read_text()
    assert (folder / "dict.slots.csv").read_text() == shipped
    assert (folder / "dict.intents.csv").read_text().endswith("my.intent\n")
    source = Source("train.tsv", "nemo")
    labels = nemo.labels(source, {"repository": folder})
    rows, defects = nemo.read(source, folder, labels)
    assert not defects
    assert [(row.text, row.intent, row.tags) for row in rows] == [
        (
            "will it rain in los angeles tomorrow",
            "weather.rainfall_yes_no",
            ("O", "O", "O", "O", "B-location", "I-location", "B-weathertime"),
        ),
        ("what about the ruby red one", "my.intent", ("O", "O", "O", "B-item.color", "I-item.color", "O")),
    ]
    known = nemo.labels(Source("nara/train.tsv", "nemo"), {"repository": DATA / "training"})
    assert labels.intents[: len(known.intents)] == known.intents  # numbers are those of the shipped rows
    (row,) = [row for row in csv.DictReader(io.StringIO((done.folder / "turns.csv").read_text())) if row["reviewer"]][
        :1
    ]
    assert (row["reviewed_intent"], row["reviewer"]) == ("weather.rainfall_yes_no", "Ann")


def test_a_rerun_gives_the_same_bytes_and_replaces_what_was_there(filled: Store, tmp_path: Path) -> None:
    review(filled)
    first = files(export(filled, DAY, tmp_path).folder)
    (tmp_path / "2026-11-20" / "stray").write_text("x")
    assert files(export(filled, DAY, tmp_path).folder) == first
    assert export(filled, date(2020, 1, 1), tmp_path).turns == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["2020-01-01", "2026-11-20"]


def test_a_review_that_does_not_fit_its_turn_is_named_and_nothing_is_written(filled: Store, tmp_path: Path) -> None:
    both = (slot(RED, "Ruby-red", "item.color"), slot(RED, "red", "item.size"))
    filled.add_turn_label(TurnLabel("c2", 1, "inventory_check", both, "Ann", AT))
    with pytest.raises(InputError, match=r"turn 1 of conversation c2 has a slot item\.size"):
        export(filled, DAY, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written: .*choose another by --to"):
        export(filled, DAY, tmp_path / "file")


def test_old_conversations_go_with_all_that_is_theirs(filled: Store) -> None:
    review(filled)
    filled.begin_conversation(Conversation("c3", AT + timedelta(minutes=1), "text"))
    assert delete_before(filled, DAY) == 0
    assert delete_before(filled, DAY + timedelta(days=1)) == 2
    assert [row.conversation.id for row in filled.conversations().rows] == ["c3"]
    assert filled.turns_between(AT - timedelta(days=1), AT + timedelta(days=1)) == []


def test_a_turn_as_json_holds_everything() -> None:
    row = json.loads(json.dumps(turn_row(said(1, QUESTION, slot(QUESTION, "Los Angeles", "location")))))
    assert row["intent"]["slots"] == [
        {"name": "location", "value": "los angeles", "text": "Los Angeles", "start": 16, "end": 27, "score": 0.9}
    ]
    assert row["actions"][0] == {
        "name": "weather",
        "request": {"location": "Rome", "item.color": ["red", "blue"]},
        "status": "ok",
        "answer": "Sunny.",
        "source": "sample",
        "as_of": "2026-11-20T23:59:00Z",
    }
    assert row["path"] == [["listen", "unknown", "weather"]]
