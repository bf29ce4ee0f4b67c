"""Inverse text normalisation: what becomes figures, and what does not."""

from __future__ import annotations

import pytest

from pipeline.server.text_forms import written


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("thirty five percent of forty equals fourteen", "35 % of 40 equals 14"),
        ("Five per cent. One hundred percent sure", "5 %. 100 % sure"),
        ("five to ten percent", "5 to 10 %"),
        ("ninety nine point nine percent", "99.9 %"),
        ("three point one four", "3.14"),
        ("one hundred and five dollars and twenty cents", "$105.20"),
        ("Twenty-five dollars.", "$25."),
        ("two million dollars or one point two million euros", "$2 million or €1.2 million"),
        ("a hundred dollars", "$100"),
        ("a hundred and five people", "105 people"),
        ("twenty five thousand", "25,000"),
        ("one million two hundred thousand", "1.2 million"),
        ("in nineteen eighty four, and twenty twenty six", "in 1984, and 2026"),
        ("two thousand nineteen and nineteen oh five", "2019 and 1905"),
        ("the nineteen eighties", "the 1980s"),
        ("at seven thirty or nine fifteen a m", "at 7:30 or 9:15 a.m."),
        ("It was five p.m. sharp", "It was 5 p.m. sharp"),
        ("seven oh five pm", "7:05 p.m."),
        ("five o'clock", "5 o'clock"),
        ("the twenty third of may, may third", "the 23rd of may, may 3rd"),
        ("five five five one two three four", "555-1234"),
        ("call one eight hundred five five five zero one nine nine now", "call 1-800-555-0199 now"),
        ("double oh seven, nine one one", "007, 911"),
        ("account 4 4 1 7 or 5-5-5-1-2-3-4", "account 4417 or 555-1234"),
        ("press one for room twelve", "press 1 for room 12"),
        ("(twenty one)", "(21)"),
        ("35% or 105 dollars and 20 cents", "35 % or $105.20"),
    ],
)
def test_numbers_become_figures(said: str, expected: str) -> None:
    assert written(said) == expected


@pytest.mark.parametrize(
    "said",
    [
        "one of the best",
        "no one knows what one wants",
        "I have one cat and two dogs",
        "first of all, a third party",
        "the second one, give me a second",
        "one, two, three",
        "two and a half, two thirds, a twentieth",
        "a hundred people, a couple hundred dollars, half a million dollars",
        "I am five",
        "at this point",
        "two fifty",
        "the nineties",
        "for one or two people",
        "$2 million at 7:30 p.m. on 1/2, 12345 and 25,000",
        "double check",
        "oh one more thing",
        "",
    ],
)
def test_what_is_no_figure_stays(said: str) -> None:
    assert written(said) == said
