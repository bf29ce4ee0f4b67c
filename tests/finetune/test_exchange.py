"""Values take each other's place, whole, and nothing else changes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from finetune import exchange
from pipeline.errors import InputError

WORDS = ["how", "much", "is", "a", "red", "wool", "hat", "in", "rome"]
TAGS = ["O", "O", "O", "O", "B-item.color", "B-item.type", "I-item.type", "O", "B-location"]


@pytest.fixture
def values(tmp_path: Path) -> exchange.Values:
    """Two lists; rome stands in none."""
    (tmp_path / "color.txt").write_text("# slots: item.color\nred\norange\n")
    (tmp_path / "type.txt").write_text("# slots: item.type other\nwool hat\n# a comment\nbig umbrella stand\n")
    return exchange.read(tmp_path)


def test_listed_values_take_each_others_place(values: exchange.Values) -> None:
    rng = random.Random(1)
    made = {" ".join(exchange.exchanged(WORDS, TAGS, values, rng, 1.0)[0]) for _ in range(100)}
    assert made == {
        f"how much is {article} {color} {kind} in rome"
        for article, color in (("a", "red"), ("an", "orange"))
        for kind in ("wool hat", "big umbrella stand")
    }


def test_tags_go_with_their_words(values: exchange.Values) -> None:
    rng = random.Random(2)
    for _ in range(50):
        said, kept = exchange.exchanged(WORDS, TAGS, values, rng, 1.0)
        assert len(said) == len(kept)
        assert kept.count("B-item.type") == 1
        assert kept.count("I-item.type") == (1 if "hat" in said else 2)
    assert exchange.exchanged(WORDS, TAGS, values, rng, 0.0) == (WORDS, TAGS)


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="here"):
        exchange.read(tmp_path)
    (tmp_path / "a.txt").write_text("red\n")
    with pytest.raises(InputError, match=r"first in a\.txt"):
        exchange.read(tmp_path)
