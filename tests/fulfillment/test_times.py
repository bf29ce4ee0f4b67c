"""What people call a time, as days and hours."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.times import Period, clock_time, period

NOW = datetime(2026, 11, 25, 9, 0)  # a Wednesday
TODAY = NOW.date()


def day(number: int, month: int = 11, year: int = 2026) -> date:
    return date(year, month, number)


@pytest.mark.parametrize(
    ("said", "first", "last", "hours", "words"),
    [
        ("", TODAY, TODAY, (0, 24), "today"),
        ("today", TODAY, TODAY, (0, 24), "today"),
        ("tonight", TODAY, TODAY, (20, 30), "tonight"),
        ("this afternoon", TODAY, TODAY, (12, 18), "this afternoon"),
        ("tomorrow", day(26), day(26), (0, 24), "tomorrow"),
        ("tomorrow morning", day(26), day(26), (6, 12), "tomorrow morning"),
        ("first thing tomorrow", day(26), day(26), (0, 24), "tomorrow"),
        ("day after tomorrow", day(27), day(27), (0, 24), "on Friday"),
        ("this weekend", day(28), day(29), (0, 24), "on Saturday and Sunday"),
        ("next weekend", day(5, 12), day(6, 12), (0, 24), "from Saturday, December 5 to Sunday, December 6"),
        ("this week", TODAY, day(29), (0, 24), "this week"),
        ("rest of the week", TODAY, day(29), (0, 24), "this week"),
        ("next week", day(30), day(6, 12), (0, 24), "next week"),
        ("friday", day(27), day(27), (0, 24), "on Friday"),
        ("wednesday", TODAY, TODAY, (0, 24), "today"),
        ("next friday", day(4, 12), day(4, 12), (0, 24), "on Friday, December 4"),
        ("friday next week", day(4, 12), day(4, 12), (0, 24), "on Friday, December 4"),
        ("saturday night", day(28), day(28), (20, 30), "on Saturday night"),
        ("six p m", TODAY, TODAY, (18, 19), "this evening"),
        ("half past six", TODAY, TODAY, (18, 19), "this evening"),
        ("quarter to nine", TODAY, TODAY, (8, 9), "this morning"),
        ("noon", TODAY, TODAY, (12, 13), "this afternoon"),
        ("six and eight tonight", TODAY, TODAY, (18, 20), "tonight"),
        ("noon and three tomorrow", day(26), day(26), (12, 15), "tomorrow afternoon"),
        ("five tomorrow", day(26), day(26), (17, 18), "tomorrow afternoon"),
        ("next three days", TODAY, day(28), (0, 24), "until Saturday"),
        ("in three days", day(28), day(28), (0, 24), "on Saturday"),
        ("next few hours", TODAY, TODAY, (0, 24), "today"),
        ("july fourth", day(4, 7, 2027), day(4, 7, 2027), (0, 24), "on Sunday, July 4"),
        ("twelfth of june", day(12, 6, 2027), day(12, 6, 2027), (0, 24), "on Saturday, June 12"),
        ("the tenth", day(10, 12), day(10, 12), (0, 24), "on Thursday, December 10"),
        ("christmas day", day(25, 12), day(25, 12), (0, 24), "on Friday, December 25"),
        ("next month", day(1, 12), day(31, 12), (0, 24), "from Tuesday to Thursday, December 31"),
        ("2026-11-28", day(28), day(28), (0, 24), "on Saturday"),
        ("2026-11-28/2026-11-29", day(28), day(29), (0, 24), "on Saturday and Sunday"),
        ("2026-11-26T18:00:00-07:00", day(26), day(26), (18, 19), "tomorrow evening"),
        ("2026-11-26T06:00/2026-11-26T12:00", day(26), day(26), (6, 12), "tomorrow morning"),
    ],
)
def test_periods(said: str, first: date, last: date, hours: tuple[int, int], words: str) -> None:
    assert period(said, NOW) == Period(first, last, hours, words)


@pytest.mark.parametrize("said", ["right now", "now", "currently"])
def test_this_very_moment(said: str) -> None:
    assert period(said, NOW) == Period(TODAY, TODAY, words="right now", now=True)


@pytest.mark.parametrize("said", ["rubbish", "30th of february", "2026-13-40", "2026-11-28/2026-11-27", "ramadan"])
def test_what_means_no_time_that_we_know(said: str) -> None:
    assert period(said, NOW) is None


def test_in_the_small_hours_tonight_is_the_night_under_way() -> None:
    found = period("tonight", datetime(2026, 11, 25, 2, 0))
    assert found
    assert found.first == day(24)


@pytest.mark.parametrize(
    ("said", "meant", "evening"),
    [
        ("half past eight", time(8, 30), False),
        ("half past eight", time(20, 30), True),
        ("nine p m", time(21), False),
        ("9 p.m.", time(21), False),
        ("19:30", time(19, 30), True),
        ("noon", time(12), False),
        ("midnight", time(0), True),
        ("quarter to five", time(16, 45), True),
        ("ten at night", time(22), False),
        ("twelve a m", time(0), False),
        ("2026-11-25T17:15", time(17, 15), False),
        ("whenever", None, False),
        ("99", None, False),
    ],
)
def test_clock_times(said: str, meant: time | None, evening: bool) -> None:
    assert clock_time(said, evening=evening) == meant


@given(st.text(max_size=300) | st.from_regex(r"(next|this|in|the)? ?\d{0,4}[a-z ]{0,20}\d{0,9}", fullmatch=True))
def test_any_text_is_a_period_or_none(text: str) -> None:
    found = period(text, NOW)
    if found:
        assert found.first <= found.last
        assert 0 <= found.hours[0] < found.hours[1] <= 48
    clock_time(text)
