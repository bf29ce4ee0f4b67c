"""Spoken words in one spelling."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.words import (
    LONGEST,
    amounts,
    colour,
    colour_likeness,
    figures,
    fold,
    shown,
    size,
    size_rank,
    split_colour,
    stems,
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Crème  BRÛLÉE!", "creme brulee"),
        ("Levi's", "levis"),
        ("Washington, D.C.", "washington d c"),
        ("4.5 stars", "4.5 stars"),
        ("a_b-c", "a b c"),
        ("🍕", ""),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("several", "one"),
    [
        ("running shoes", "running shoe"),
        ("cookies", "cookie"),
        ("batteries", "battery"),
        ("knives", "knife"),
        ("scarves", "scarf"),
        ("boxes", "box"),
        ("tomatoes", "tomato"),
        ("dresses", "dress"),
        ("wine glasses", "wine glass"),
        ("women's coats", "woman coat"),
        ("coffee shops", "coffee store"),
        ("TVs", "tv"),
    ],
)
def test_several_and_one_have_the_same_stems(several: str, one: str) -> None:
    assert stems(several) == stems(one)


@pytest.mark.parametrize("word", ["dress", "glass", "bus", "canvas", "gas"])
def test_words_that_only_look_like_several(word: str) -> None:
    assert stems(word) == (stems(word)[0],)
    assert stems(word)[0][: len(word) - 1] == word[: len(word) - 1]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Size ten and a half", "10.5"),
        ("extra large", "xl"),
        ("a large", "l"),
        ("X L", "xl"),
        ("two x l", "xxl"),
        ("XXL", "xxl"),
        ("sixteen gigs", "16 gb"),
        ("16GB", "16 gb"),
        ("five twelve gigabytes", "512 gb"),
        ("two fifty six gigs", "256 gb"),
        ("one terabyte", "1 tb"),
        ("sixty five inch", "65 inch"),
        ("55-inch", "55 inch"),
        ("queen size", "queen"),
        ("a dozen", "12 pack"),
        ("twenty four pack", "24 pack"),
        ("size ten wide", "10 wide"),
        ("", ""),
    ],
)
def test_sizes(said: str, meant: str) -> None:
    assert size(said) == meant


def test_sizes_sort_as_people_do() -> None:
    assert sorted(["XL", "S", "L", "M"], key=size_rank) == ["S", "M", "L", "XL"]
    assert sorted(["10", "9", "10.5", "7"], key=size_rank) == ["7", "9", "10", "10.5"]
    assert sorted(["1 TB", "500 GB", "2 TB"], key=size_rank) == ["500 GB", "1 TB", "2 TB"]
    assert sorted(["king", "twin", "queen"], key=size_rank) == ["twin", "queen", "king"]


@pytest.mark.parametrize(
    ("asked", "has", "likeness"),
    [
        ("blue", "blue", 2),
        ("grey", "Gray", 2),
        ("navy blue", "navy", 2),
        ("navy", "navy blue", 2),
        ("blue", "navy", 1),
        ("green", "forest green", 1),
        ("red", "burgundy", 1),
        ("navy", "blue", 0),
        ("light blue", "navy", 0),
        ("red", "blue", 0),
        ("black", "black and white", 0),
        ("sparkly", "blue", 0),
        ("", "blue", 0),
    ],
)
def test_how_well_a_colour_answers_another(asked: str, has: str, likeness: int) -> None:
    assert colour_likeness(asked, has) == likeness


@pytest.mark.parametrize(
    ("said", "color", "rest"),
    [
        ("dark green wool coat", "dark green", "wool coat"),
        ("grey sweater", "gray", "sweater"),
        ("orange", "", "orange"),
        ("wool sweater", "", "wool sweater"),
        ("light bulbs", "", "light bulbs"),
    ],
)
def test_a_colour_before_a_thing(said: str, color: str, rest: str) -> None:
    assert split_colour(said) == (color, rest)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("ten dollars", ["10"]),
        ("a hundred and fifty dollars", ["150"]),
        ("nine ninety nine", ["9.99"]),
        ("fifteen hundred dollars", ["1500"]),
        ("two grand", ["2000"]),
        ("couple hundred dollars", ["200"]),
        ("fifty and a hundred dollars", ["50", "100"]),
        ("$1,200.50", ["1200.50"]),
        ("three dollars and five cents", ["3.05"]),
        ("cheap", []),
    ],
)
def test_amounts_of_money(said: str, meant: list[str]) -> None:
    assert amounts(said) == tuple(Decimal(amount) for amount in meant)


@given(st.text(max_size=3000))
def test_any_text_comes_out_short_and_plain(text: str) -> None:
    assert len(fold(text)) <= LONGEST
    assert fold(fold(text)) == fold(text)
    assert len(shown(text)) <= 60
    assert shown(text)
    assert not set("'\";%\n\x00") & set(shown(text))
    for read in (figures, size, colour, stems, amounts, split_colour, size_rank):
        read(text)
    colour_likeness(text, text)
