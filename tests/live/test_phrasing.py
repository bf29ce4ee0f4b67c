"""The first words of an answer, which must be there soon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.live.phrasing import as_spoken, pieces_of


@pytest.mark.parametrize(
    ("reply", "first"),
    [
        ("Yes, rain is likely in Denver today, with an 80 percent chance.", "Yes, rain is likely"),
        ("It's 57 degrees in Los Angeles right now, with a high of 69.", "It's 57 degrees"),
        ("The red wool sweater costs $59.", "The red wool sweater"),
        ("Trattoria Columbine is at 1625 Wazee Street in Denver, with 4.5 stars.", "Trattoria Columbine"),
        ("In which city?", "In which city?"),
        ("Sure. Which city are you asking about?", "Sure."),
        (
            "Incomprehensibilities notwithstanding everybody laughed.",
            "Incomprehensibilities notwithstanding everybody laughed.",
        ),
    ],
)
def test_the_first_piece_is_a_short_phrase(reply: str, first: str) -> None:
    assert pieces_of([reply])[0] == first


def test_only_the_first_sentence_is_cut() -> None:
    replies = ["The red wool sweater costs $59.", "The blue cotton shirt costs $25."]
    assert pieces_of(replies) == ["The red wool sweater", "costs $59.", "The blue cotton shirt costs $25."]


def test_a_piece_that_goes_on_sounds_so() -> None:
    assert as_spoken("The red wool sweater") == "The red wool sweater,"
    assert as_spoken("In which city?") == "In which city?"


@given(st.lists(st.text(alphabet="ab ,.?inon", max_size=120), max_size=3))
def test_nothing_is_lost(replies: list[str]) -> None:
    assert "".join(pieces_of(replies)).replace(" ", "") == "".join(replies).replace(" ", "")


def test_no_replies_no_pieces() -> None:
    assert pieces_of([]) == []
