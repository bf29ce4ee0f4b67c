"""Punctuated text becomes words, marks and writing; text whose writing is no example is left out."""

from __future__ import annotations

import random

import numpy as np
import pytest

from finetune import punctuation
from finetune.encoder import tokenizer
from finetune.punctuation import Written, written
from tests.finetune.conftest import REPOSITORY


def test_marks_and_writing_are_read_from_text() -> None:
    made = written("Well, I'm from the USA; is Bob's two-year plan OK?")
    assert made is not None
    assert made.words == ("well", "i'm", "from", "the", "usa", "is", "bob's", "two", "year", "plan", "ok")
    assert [punctuation.MARKS[m] for m in made.marks] == [",", "", "", "", ".", "", "", "", "", "", "?"]
    assert [punctuation.CASES[c][0] for c in made.cases] == list(
        "CClLUlClllU".lower().replace("u", "U").replace("c", "C")
    )


@pytest.mark.parametrize(
    "text",
    [
        "no capital.",
        "No mark",
        "ALL LOUD HERE.",
        "See http://x.com.",
        "I like [NAME].",
        "Nice :)",
        "Schön war es.",
        "Yes.",
    ],
)
def test_text_that_is_no_example_is_left_out(text: str) -> None:
    assert written(text) is None


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("Stop it!", ["", "."]),
        ('He said "no".', ["", "", "."]),
        ("One - two.", [",", "."]),
        ("It cost 4.50.", ["", "", "."]),
    ],
)
def test_other_marks_become_ours(text: str, marks: list[str]) -> None:
    made = written(text)
    assert made is not None
    assert [punctuation.MARKS[m] for m in made.marks] == marks


def test_runs_hold_all_texts_within_the_length() -> None:
    pieces = [Written((f"w{i}",) * 10, (0,) * 9 + (2,), (1,) * 10) for i in range(50)]
    runs = punctuation.joined(pieces, longest=25, rng=random.Random(1))
    assert max(len(run.words) for run in runs) <= 25
    assert {run.words[0] for run in runs} <= {f"w{i}" for i in range(50)}
    assert all(len(run.words) == len(run.marks) == len(run.cases) for run in runs)
    assert any(run.marks[-1] == 0 for run in runs)


def test_labels_stand_at_the_first_token_of_each_word() -> None:
    pieces = [Written(("unbelievableness", "is", "here"), (1, 0, 2), (1, 0, 0))]
    coder = tokenizer(REPOSITORY / "data" / "models" / "sentiment", 128)
    (example,) = punctuation.examples(pieces, coder, max_tokens=128, seed=1, epoch=0)
    marks, cases = example.target
    assert [m for m in marks if m >= 0] == [1, 0, 2]
    assert [c for c in cases if c >= 0] == [1, 0, 0]
    assert marks[0] == marks[-1] == -100
    assert len(marks) == len(example.ids) > 5
    scores = np.zeros((len(example.ids), 4))
    true, said = punctuation.labelled([example], [scores], 0)
    assert (true.tolist(), said.tolist()) == ([1, 0, 2], [0, 0, 0])
