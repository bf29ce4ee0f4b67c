"""Folders in NeMo's format become sentences with tags; every defect is named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune import nemo
from finetune.config import Source
from finetune.nemo import Labels
from pipeline.errors import InputError
from tests.finetune.conftest import REPOSITORY

KNOWN = Labels(("weather", "unknown"), ("B-location", "I-location", "O"))
TRAIN = Source("train.tsv", format="nemo")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sentences with their labels, and one sentence in another format."""
    (tmp_path / "dict.intents.csv").write_text("weather\nunknown\n")
    (tmp_path / "dict.slots.csv").write_text("B-location\nI-location\nO\n")
    (tmp_path / "train.tsv").write_text("sentence\tlabel\nsunny in new york\t0\ntell me a joke\t1\n")
    (tmp_path / "train_slots.tsv").write_text("2 2 0 1\n2 2 2 2\n")
    (tmp_path / "more.tsv").write_text("unknown\tWhere's my Card?\n")
    return tmp_path


def test_sentences_tags_and_other_formats_are_read(folder: Path) -> None:
    roots = {"repository": folder}
    assert nemo.labels(TRAIN, roots) == KNOWN
    sources = [Source("train.tsv", format="nemo", repeat=3, weight=0.5), Source("more.tsv", format="labelled")]
    sunny, joke, card = nemo.load(sources, roots, KNOWN, seed=1)
    assert (sunny.text, sunny.intent, sunny.line, sunny.repeat, sunny.weight) == (
        "sunny in new york", "weather", 2, 3, 0.5,
    )  # fmt: skip
    assert sunny.tags == ("O", "O", "B-location", "I-location")
    assert joke.intent == "unknown"
    assert (card.words, card.tags) == (("where's", "my", "card"), ("O",) * 3)
    assert nemo.without([sunny, joke], [sunny]) == [joke]


def test_public_files_bring_labels_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "flights.tsv").write_text("flight\tto new york\tO B-city I-city\nfare\thow much\tO O\n")
    (tmp_path / "dev.tsv").write_text("meal\tlunch\tB-meal\nbroken\tone two\tO\n")
    train, dev = Source("flights.tsv", format="tokens"), Source("dev.tsv", format="tokens")
    public = Source("dev.tsv", format="tokens", root="datasets")
    roots = {"repository": tmp_path, "datasets": tmp_path}
    known = nemo.known_labels([train], [public], roots)
    assert known == Labels(("fare", "flight", "meal"), ("B-city", "I-city", "B-meal", "I-meal", "O"))
    flight, fare = nemo.load([train], roots, known, seed=1)
    assert (flight.intent, flight.text, flight.tags) == ("flight", "to new york", ("O", "B-city", "I-city"))
    assert fare.tags == ("O", "O")
    assert [row.intent for row in nemo.load([public], roots, known, seed=1)] == ["meal"]
    with pytest.raises(InputError, match=r"dev\.tsv:2: needs intent, tokens and as many tags as tokens"):
        nemo.load([dev], roots, known, seed=1)


def test_a_source_can_be_cut_and_limited(folder: Path) -> None:
    roots = {"repository": folder}
    only = Source("train.tsv", format="nemo", only=("unknown",))
    assert [row.intent for row in nemo.load([only], roots, KNOWN, seed=1)] == ["unknown"]
    assert len(nemo.load([Source("train.tsv", format="nemo", limit=1)], roots, KNOWN, seed=1)) == 1


def test_all_defects_are_named_at_once(folder: Path) -> None:
    (folder / "train.tsv").write_text("sentence\tlabel\nsunny in york\t0\ntell me a joke\t7\nno number\nnegative\t-1\n")
    (folder / "train_slots.tsv").write_text("2 2\n2 2 2 2\n2 2\n2\n")
    missing = Source("gone.tsv", format="nemo")
    with pytest.raises(InputError) as caught:
        nemo.load([TRAIN, missing], {"repository": folder}, KNOWN, seed=1)
    said = str(caught.value)
    assert "5 defects" in said
    assert "train.tsv:2: has 3 words and 2 tags" in said
    assert all(f"train.tsv:{line}: names an intent or tag by no number" in said for line in (3, 4, 5))
    assert "gone.tsv:0: cannot be read" in said


def test_files_of_different_length_and_labels_that_stand_twice_are_refused(folder: Path) -> None:
    (folder / "train_slots.tsv").write_text("2 2 0 1\n")
    with pytest.raises(InputError, match="has 1 lines for 2 sentences"):
        nemo.load([TRAIN], {"repository": folder}, KNOWN, seed=1)
    (folder / "dict.intents.csv").write_text("weather\nweather\n")
    with pytest.raises(InputError, match="stand twice"):
        nemo.labels(TRAIN, {"repository": folder})
    (folder / "dict.slots.csv").unlink()
    (folder / "dict.intents.csv").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        nemo.labels(TRAIN, {"repository": folder})


def test_the_shipped_sentences_have_no_defect() -> None:
    roots = {"repository": REPOSITORY}
    sources = [Source(f"data/training/nara/{name}.tsv", format="nemo") for name in ("train", "test")]
    known = nemo.labels(sources[0], roots)
    rows = nemo.load(sources, roots, known, seed=1)
    assert {row.intent for row in rows} == set(known.intents)
    assert {tag for row in rows for tag in row.tags} <= set(known.slots)
