"""Finding things by what people call them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.matching import CLOSE, Index

THINGS = (
    "wool sweater", "cotton sweater", "laptop memory", "gaming laptop", "sleeping bag", "bookshelf", "running shoes",
    "AA batteries", "T-shirt", "milk", "oat milk", "wireless earbuds", "organic bananas",
)  # fmt: skip
INDEX = Index((name, name) for name in THINGS)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("wool sweater", ["wool sweater"]),
        ("a wool sweater please", ["wool sweater"]),
        ("wool sweaters", ["wool sweater"]),
        ("woll swetter", ["wool sweater"]),
        ("sweaters", ["wool sweater", "cotton sweater"]),
        ("laptop memory", ["laptop memory"]),
        ("laptop", ["laptop memory", "gaming laptop"]),
        ("laptop bag", []),  # neither a laptop nor a sleeping bag
        ("book shelf", ["bookshelf"]),
        ("book shelves", ["bookshelf"]),
        ("wireless ear buds", ["wireless earbuds"]),
        ("aa battery", ["AA batteries"]),
        ("tshirts", ["T-shirt"]),
        ("t shirt", ["T-shirt"]),
        ("milk", ["milk"]),
        ("oat milk", ["oat milk"]),
        ("organic milk", []),
        ("xylophone", []),
        ("", []),
        ("the", []),
        ("🍕", []),
    ],
)
def test_what_is_meant(said: str, meant: list[str]) -> None:
    assert INDEX.best(said) == meant


def test_what_is_only_close() -> None:
    assert INDEX.best("organic milk", CLOSE) == ["milk"]
    assert "sleeping bag" in INDEX.best("laptop bag", CLOSE)


def test_the_very_name_is_the_best() -> None:
    for name in THINGS:
        found = INDEX.search(name)[0]
        assert found.key == name
        assert found.score == pytest.approx(1.0)


def test_many_names_are_searched_quickly() -> None:
    large = Index((number, f"thing{number} of kind{number % 97} model{number % 1013}") for number in range(20_000))
    assert large.best("thing12345 of kind26 model189") == [12345]
    assert large.search("thang123 model1")  # alike ones are looked up among all words


@given(st.text(max_size=500))
def test_any_question_has_ordered_answers(text: str) -> None:
    scores = [match.score for match in INDEX.search(text)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1.0001 for score in scores)


def test_nothing_to_search() -> None:
    assert Index[str]([]).best("milk") == []
    assert Index([("a", "!!!")]).best("milk") == []
