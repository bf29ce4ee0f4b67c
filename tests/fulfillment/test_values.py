"""Slot values as machines read them, at a fixed time."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.feasts import feast
from fulfillment.values import normalise

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # a Wednesday

TIMES = {
    "today": "2026-11-25",
    "Tomorrow": "2026-11-26",
    "this weekend": "2026-11-28/2026-11-29",
    "next weekend": "2026-12-05/2026-12-06",
    "weekend after next": "2026-12-12/2026-12-13",
    "last week": "2026-11-16/2026-11-22",
    "next week": "2026-11-30/2026-12-06",
    "next three days": "2026-11-25/2026-11-28",
    "in three days": "2026-11-28",
    "a week from saturday": "2026-12-05",
    "monday through friday": "2026-11-30/2026-12-04",
    "next tuesday at five": "2026-12-01T17:00",
    "half past six": "2026-11-25T18:30",
    "quarter to nine tonight": "2026-11-25T20:45",
    "seven thirty tomorrow": "2026-11-26T07:30",
    "friday at 8pm": "2026-11-27T20:00",
    "noon": "2026-11-25T12:00",
    "lunchtime": "2026-11-25T12:00",
    "right now": "2026-11-25T09:00",
    "in two hours": "2026-11-25T11:00",
    "half an hour ago": "2026-11-25T08:30",
    "tomorrow morning": "2026-11-26T06:00/2026-11-26T12:00",
    "tonight": "2026-11-25T20:00/2026-11-26T06:00",
    "last night": "2026-11-24T20:00/2026-11-25T06:00",
    "between three and five this saturday afternoon": "2026-11-28T15:00/2026-11-28T17:00",
    "july fourth": "2027-07-04",
    "the twenty first": "2026-12-21",
    "december 25th at noon": "2026-12-25T12:00",
    "november fifth twenty twenty seven": "2027-11-05",
    "three weeks ago": "2026-11-04",
    "thanksgiving": "2026-11-26",
    "memorial day": "2027-05-31",
    "2026-11-28": "2026-11-28",
    "ramadan": "ramadan",
    "": "",
}


@pytest.mark.parametrize(("said", "meant"), TIMES.items())
def test_times_are_iso_8601(said: str, meant: str) -> None:
    assert normalise("weathertime", said, NOW) == meant


@pytest.mark.parametrize(
    ("slot", "said", "meant"),
    [
        ("store.hour.start", "five", "17:00"),
        ("store.hour.start", "seven thirty", "07:30"),
        ("store.hour.start", "noon", "12:00"),
        ("store.hour.end", "ten", "22:00"),
        ("store.hour.end", "half seven", "19:30"),
        ("store.hour.end", "closing", "closing"),
        ("store.hour.day", "this saturday", "2026-11-28"),
        ("store.hour.day", "weekdays", "weekdays"),
        ("time.period_of_time", "two hours", "PT2H"),
        ("time.period_of_time", "a couple of nights", "P2D"),
        ("time.period_of_time", "half an hour", "PT30M"),
        ("time.period_of_time", "three weeks", "P3W"),
        ("time.period_of_time", "late", "late"),
        ("time.period_of_time", "this week", "2026-11-25/2026-11-29"),
        ("item.quantity", "a dozen", "12"),
        ("item.quantity", "half a dozen", "6"),
        ("item.quantity", "two pairs", "2"),
        ("item.quantity", "half a pound", "0.5"),
        ("item.quantity", "twelve pack", "12"),
        ("item.quantity", "three hundred", "300"),
        ("item.quantity", "case", "case"),
        ("cost.low", "under fifty bucks", "50"),
        ("cost.low", "nine ninety nine", "9.99"),
        ("cost.low", "dirt cheap", "dirt cheap"),
        ("cost.average", "twenty and forty dollars", "20/40"),
        ("cost.average", "three to four hundred", "300/400"),
        ("cost.high", "two grand", "2000"),
        ("rating.high", "four and a half stars", "4.5"),
        ("rating.high", "four stars or more", "4"),
        ("rating.high", "best rated", "best rated"),
        ("item.size", "size ten and a half", "10.5"),
        ("item.size", "sixteen gigs", "16 gb"),
        ("item.size", "extra large", "xl"),
        ("item.color", "Grey", "gray"),
        ("location", " New  York ", "new york"),
        ("store.name", "Trader Joe's", "trader joe's"),
        ("item.name", "", ""),
    ],
)
def test_values_of_other_slots(slot: str, said: str, meant: str) -> None:
    assert normalise(slot, said, NOW) == meant


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("new years day", date(2027, 1, 1)),
        ("mlk day", date(2027, 1, 18)),
        ("super bowl sunday", date(2027, 2, 14)),
        ("good friday", date(2027, 3, 26)),
        ("mothers day", date(2027, 5, 9)),
        ("labor day weekend", date(2027, 9, 6)),
        ("black friday", date(2026, 11, 27)),
        ("christmas", date(2026, 12, 25)),
        ("sunday", None),
    ],
)
def test_feasts(name: str, day: date | None) -> None:
    assert feast(name, NOW.date()) == day


@given(
    st.sampled_from(
        ("weathertime", "time.period_of_time", "store.hour.end", "item.quantity", "cost.low", "rating.low")
    ),
    st.text(max_size=300)
    | st.from_regex(r"(next|in|half|last)? ?\d{0,6} ?(dozen|hours|weeks|days ago|to 500)?", fullmatch=True),
)
def test_any_text_has_a_value(slot: str, text: str) -> None:
    assert isinstance(normalise(slot, text, NOW), str)
