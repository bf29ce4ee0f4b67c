"""Tags as spans, and the score that keeps strange requests out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.server.bio import decoded, spans, strangeness


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("", []),
        ("O O", []),
        ("B-a I-a O B-b", [(0, 2, "a"), (3, 4, "b")]),
        ("B-a B-a", [(0, 1, "a"), (1, 2, "a")]),
        ("I-a I-a", [(0, 2, "a")]),
        ("B-a I-b I-b", [(0, 1, "a"), (1, 3, "b")]),
        ("B-a O I-a", [(0, 1, "a"), (2, 3, "a")]),
        ("B-a.b-c I-a.b-c", [(0, 2, "a.b-c")]),
    ],
)
def test_tags_are_read_as_conlleval_reads_them(tags: str, found: list[tuple[int, int, str]]) -> None:
    assert spans(tags.split()) == found


def test_strangeness_is_the_energy_and_the_log_odds_of_unknown() -> None:
    logits = np.array([[1.0, 2.0, 3.0], [1000.0, -1000.0, 0.0]])
    energy = strangeness(logits, 2, 0.0)
    assert energy == pytest.approx([-math.log(math.e + math.e**2), -1000.0])
    assert strangeness(logits, 2, 1.0) == pytest.approx([energy[0] + 3.0, energy[1]])


def test_words_of_one_label_stay_together_unless_a_new_span_is_all_but_sure() -> None:
    tags = ["B-a", "I-a", "B-b", "I-b", "O"]
    chances = np.array(
        [
            [0.8, 0.1, 0.0, 0.0, 0.1],
            [0.6, 0.3, 0.0, 0.0, 0.1],  # B likelier than I, but not by far
            [0.9, 0.0, 0.0, 0.0, 0.1],
            [0.0, 0.0, 0.6, 0.1, 0.3],
            [0.0, 0.0, 0.2, 0.2, 0.6],
        ]
    )
    assert decoded(chances, tags) == ["B-a", "I-a", "B-a", "B-b", "O"]
    assert decoded(chances[:0], tags) == []


def test_a_span_begins_with_its_first_word_and_keeps_its_label() -> None:
    tags = ["B-a", "I-a", "B-b", "I-b", "O"]
    split = np.array([[0.6, 0.0, 0.3, 0.0, 0.1], [0.0, 0.4, 0.0, 0.5, 0.1], [0.0, 0.8, 0.0, 0.1, 0.1]])
    assert decoded(split, tags) == ["B-a", "I-a", "I-a"]  # though "I-b" is the likeliest tag of the second word
    alone = np.array([[0.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.5, 0.0, 0.1, 0.4]])
    assert decoded(alone, tags) == ["O", "O"]  # nothing goes on where nothing began


def test_labels_that_are_not_allowed_are_never_said() -> None:
    tags = ["B-a", "I-a", "B-b", "I-b", "O"]
    chances = np.array([[0.6, 0.0, 0.3, 0.0, 0.1], [0.0, 0.6, 0.0, 0.3, 0.1]])
    assert decoded(chances, tags, {"b"}) == ["B-b", "I-b"]
    assert decoded(chances, tags, ()) == ["O", "O"]
