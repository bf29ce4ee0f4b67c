"""What a question about the temperature wants to know, and whether it comes true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.wishes import Wish, is_about_now, is_yes_or_no, judged, wish


@pytest.mark.parametrize(
    ("question", "said", "side", "limit"),
    [
        ("will it be cold in Denver tomorrow?", "cold", "cold", 10),
        ("is it chilly out", "cool", "cold", 15),
        ("is it hot in Phoenix right now", "hot", "warm", 28),
        ("is there a heat wave coming", "hot", "warm", 28),
        ("is it nice and warm in key west", "warm", "warm", 21),
        ("will it freeze tonight in Boston", "freezing", "cold", 0),
        ("will there be frost tomorrow", "freezing", "cold", 0),
        ("do I need a coat", "cold enough for a coat", "cold", 10),
        ("should I dress the twins warm", "cold enough for a coat", "cold", 10),
        ("should i bring a jacket", "cold enough for a jacket", "cold", 15),
        ("can i get away without a coat", "warm enough to go without a coat", "warm", 10),
        ("is it going to be warm enough to swim", "warm enough to swim", "warm", 24),
        ("is it too cold to swim", "too cold to swim", "cold", 24),
        ("is it too hot for a jacket", "too warm for a jacket", "warm", 15),
        ("can i wear shorts today", "warm enough for shorts", "warm", 21),
        ("would i freeze in shorts", "too cold for shorts", "cold", 21),
        ("will it be cold in hot springs", "cold", "cold", 10),
    ],
)
def test_words_of_warmth(question: str, said: str, side: str, limit: float) -> None:
    read = wish(question, fahrenheit=True)
    assert read
    assert (read.said, read.side, read.limit, read.fahrenheit) == (said, side, limit, None)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("will it be above eighty on Friday", Wish("above 80", "warm", 80, True, True, True)),
        ("is it over a hundred", Wish("above 100", "warm", 100, True, True, True)),
        ("will it drop below thirty two tonight", Wish("below 32", "cold", 32, True, True, True)),
        ("will it hit ninety degrees", Wish("90 or more", "warm", 90, False, True, True)),
        ("will it drop to forty", Wish("40 or less", "cold", 40, False, True, True)),
        ("will it reach minus ten", Wish("minus 10 or less", "cold", -10, False, True, True)),
        ("will it be below -5 °C", Wish("below minus 5", "cold", -5, True, False, True)),
        ("will it be over twenty degrees celsius", Wish("above 20", "warm", 20, True, False, True)),
        ("will it stay above forty", Wish("above 40", "warm", 40, True, True, False, True)),
        ("is it below freezing", Wish("below freezing", "cold", 0, True, None, True)),
        ("will it get down to freezing", Wish("freezing", "cold", 0, False, None, True)),
        ("is it below zero", Wish("below 0", "cold", 0, True, True, True)),
    ],
)
def test_figures(question: str, expected: Wish) -> None:
    assert wish(question, fahrenheit=True) == expected


def test_a_figure_without_a_unit_is_in_the_units_of_the_answer() -> None:
    metric = wish("will it be above thirty", fahrenheit=False)
    imperial = wish("will it be above thirty", fahrenheit=True)
    assert metric
    assert imperial
    assert [metric.holds(30.4), metric.holds(30.6)] == [False, True]  # as read: 30, 31
    assert [imperial.holds(-1.1), imperial.holds(0)] == [False, True]  # 30, 32 degrees Fahrenheit


@pytest.mark.parametrize(
    "question",
    [
        "how cold will it be", "what is the temperature", "do you know how hot it is", "is it mild",
        "hot or cold tomorrow",
        "is it hot or rainy", "will it be warmer tomorrow", "is it hotter than yesterday", "is the lake warm",
        "is it going to warm up later", "is the heat wave over", "is a cold front coming", "will a cardigan do",
        "", "!",
    ],
)  # fmt: skip
def test_what_cannot_be_read(question: str) -> None:
    assert wish(question, fahrenheit=True) is None


def test_the_place_is_no_part_of_the_question() -> None:
    assert wish("is it sunny in Cold Bay", fahrenheit=True)
    assert wish("is it sunny in Cold Bay", "cold bay", fahrenheit=True) is None
    assert wish("is it above ten in Eighty Four, Pennsylvania", "Eighty Four, Pennsylvania", fahrenheit=True)


def test_kinds_of_questions() -> None:
    assert all(map(is_yes_or_no, ("Do I need a coat?", "will it", "and is it cold", "tell me if it's hot")))
    assert not any(map(is_yes_or_no, ("how hot is it", "what's the weather", "weather in Rome", "")))
    assert all(map(is_about_now, ("is it hot in Phoenix", "is it too cold", "are we below zero")))
    assert not any(map(is_about_now, ("is it going to be hot", "is it ever going to be hot", "will it be hot", "")))


COLD = Wish("cold", "cold", 10)
HOT = Wish("hot", "warm", 28)


@pytest.mark.parametrize(
    ("asked", "low", "usual", "high", "verdict"),
    [
        (COLD, -5, 5, 5, "yes"),
        (COLD, 3, 14, 14, "at times"),
        (COLD, 3, 25, 25, "no"),  # a warm day with a cold night
        (COLD, 12, 18, 18, "no"),
        (HOT, 15, 30, 30, "yes"),
        (HOT, 15, 25, 31, "at times"),  # one day of several
        (HOT, 15, 25, 25, "no"),
        (Wish("freezing", "cold", 0, ever=True), 0, 9, 9, "yes"),
        (Wish("freezing", "cold", 0, ever=True), 1, 9, 9, "no"),
        (Wish("above 20", "warm", 20, True, False, True), 5, 15, 21, "yes"),
        (Wish("above 20", "warm", 20, True, False, throughout=True), 5, 21, 21, "no"),
        (Wish("below 20", "cold", 20, True, False, throughout=True), 5, 19, 19, "yes"),
    ],
)
def test_whether_it_comes_true(asked: Wish, low: float, usual: float, high: float, verdict: str) -> None:
    assert judged(asked, low, usual, high) == verdict


@given(st.text(max_size=120), st.text(max_size=40), st.booleans())
def test_any_question_can_be_read(question: str, location: str, fahrenheit: bool) -> None:
    read = wish(question, location, fahrenheit=fahrenheit)
    assert read is None or judged(read, 1, 2, 3) in ("yes", "at times", "no")
