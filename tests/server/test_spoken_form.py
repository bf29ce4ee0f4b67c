"""Figures read out."""

from __future__ import annotations

import pytest

from pipeline.server.text_forms import spoken


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ("35 % of 40.", "thirty five percent of forty."),
        ("99.9%", "ninety nine point nine percent"),
        ("$3.50 at 7:05", "three dollars and fifty cents at seven oh five"),
        (
            "$1, $0.99, £5.01 and ¥1,000",
            "one dollar, ninety nine cents, five pounds and one penny and one thousand yen",
        ),
        ("$2 million or $2.5m", "two million dollars or two point five million dollars"),
        ("at 7:00 or 7:00 p.m. or 14:45", "at seven o'clock or seven p.m. or fourteen forty five"),
        ("the 2nd and the 21st", "the second and the twenty first"),
        ("in 1984, 1900, 2000, 2005, 2026, 1905", None),
        ("the 1980s and the 80s", "the nineteen eighties and the eighties"),
        ("1,234 people", "one thousand two hundred thirty four people"),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("1-800-555-0199.", "one, eight zero zero, five five five, zero one nine nine."),
        ("90210, 25000, 007", "nine zero two one zero, twenty five thousand, zero zero seven"),
        ("covid-19 b2b #1", "covid nineteen b two b number one"),
        (
            "1/2, 24/7, 10-15, 1984-1990",
            "one half, twenty four seven, ten to fifteen, nineteen eighty four to nineteen ninety",
        ),
        ("-5 & 20°c", "minus five and twenty degrees celsius"),
        ("no figures here", "no figures here"),
        ("Order 66. 35 people came", "Order sixty six. Thirty five people came"),
        ("35 people came", "thirty five people came"),
    ],
)
def test_figures_are_read_out(figures: str, expected: str | None) -> None:
    years = (
        "in nineteen eighty four, nineteen hundred, two thousand, two thousand five, twenty twenty six, "
        "nineteen oh five"
    )
    assert spoken(figures) == (expected or years)
