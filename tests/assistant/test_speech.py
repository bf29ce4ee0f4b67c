"""Replies in the pieces that a voice says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assistant import sentences_of
from pipeline.assistant.speech import SHORT


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Hello!", ["Hello!"]),
        ("It is open until 9 p.m. today. Bye.", ["It is open until 9 p.m. today.", "Bye."]),
        ("It is on Main St. Denver. It costs $24.50. OK?", ["It is on Main St. Denver.", "It costs $24.50.", "OK?"]),
        ("\"Really?\" \"Yes.\" No", ['"Really?"', '"Yes."', "No"]),
        (
            "On Friday in Denver it will be sunny, with a high of 24 degrees, and no rain at all is due. Bye.",
            ["On Friday in Denver it will be sunny,", "with a high of 24 degrees, and no rain at all is due.", "Bye."],
        ),
        ("Short now. " + "But this one, which comes later, may be as long as it likes, " * 2 + "fine.",
         ["Short now.", ("But this one, which comes later, may be as long as it likes, " * 2 + "fine.")]),
    ],
)  # fmt: skip
def test_pieces(text: str, pieces: list[str]) -> None:
    assert sentences_of(text) == pieces


def test_a_long_first_sentence_without_clauses_stays_whole() -> None:
    text = "word " * 40 + "end."
    assert sentences_of(text) == [text]


@given(st.text(alphabet="abc ABC.,!? 0", max_size=200))
def test_nothing_is_lost(text: str) -> None:
    pieces = sentences_of(text)
    assert " ".join(pieces) == " ".join(text.split())
    assert all(pieces)
    assert len(pieces) < 2 or len(pieces[0]) <= max(SHORT, len(text))
