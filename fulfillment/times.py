"""What people call a time, as days and hours: "tomorrow morning", "this weekend", "2026-11-23" (English). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from fulfillment.feasts import feast
from fulfillment.words import figures

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
# Hours of the day, the end may lie after midnight.
_PARTS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 23), "night": (20, 30)}
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_LOOSE = re.compile(
    r"\b(1st thing|this coming|this time|the|on|for|in|at|over|during|about|around|between|maybe|like|early|mid|late|"
    r"later|half hour|all)\b"
)
# Said instead of a clock time or a part of the day.
_MEANT = {
    "tonight": "today night", "overnight": "night", "lunchtime": "noon", "lunch": "noon", "dawn": "morning",
    "sunrise": "morning", "dusk": "evening", "sunset": "evening", "dinner time": "evening", "dinnertime": "evening",
}  # fmt: skip
_RANGE = re.compile(r"(.+) (?:to|till|until|through|thru) (.+)")
_CLOCK = r"(?:half past |quarter past |quarter to )?\d{1,2}(?: [0-5]\d)?(?: ?o ?clock)?|noon|midday|midnight"
_CLOCKS = re.compile(rf"\b({_CLOCK})(?: (?:and|to|till|until) ({_CLOCK}))? ?(a ?m|p ?m)?\b")
_COUNTS = {"couple": 2, "few": 3, "several": 4}


@dataclass(frozen=True)
class Period:
    """Days, and the hours of them that are meant."""

    first: date
    last: date  # included
    hours: tuple[int, int] = (0, 24)  # of the first day; the end is excluded and may lie after midnight, up to 30
    words: str = "today"  # as said in an answer: "tomorrow morning", "on Saturday"
    now: bool = False  # this very moment is meant

    @property
    def whole_days(self) -> bool:
        """Whether no hours were named."""
        return self.hours == (0, 24)


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


def period(text: str, now: datetime) -> Period | None:
    """The period that a text means when it is ``now`` there; without a text, today. None if it means nothing known.

    ISO 8601 dates, times and intervals are understood too.
    """
    today = now.date()
    iso = _iso(text, today)
    if iso:
        return iso
    words = figures(text)
    words = " ".join(_LOOSE.sub(" ", figures(text)).split())
    if not words:
        return Period(today, today)
    if re.fullmatch(r"(right )?now|currently|moment|outside", words):
        return Period(today, today, words="right now", now=True)
    words, hours, part = _hours(words)
    days = _days(words, today, now)
    if days is None:
        return None
    first, last = days
    if part == "night" and first == last == today and now.hour < 4:
        first = last = today - timedelta(days=1)  # at two in the morning "tonight" is the night under way
    return Period(first, last, hours, _said(first, last, part, words, today))


def _iso(text: str, today: date) -> Period | None:
    found = re.fullmatch(
        r"\s*(\d{4}-\d\d-\d\d)(?:[T ](\d\d):\d\d[^\s/]*)?(?:\s*/\s*(\d{4}-\d\d-\d\d)(?:[T ](\d\d):\d\d\S*)?)?\s*", text
    )
    if not found:
        return None
    try:
        first = date.fromisoformat(found[1])
        last = date.fromisoformat(found[3]) if found[3] else first
    except ValueError:
        return None
    if last < first:
        return None
    hours, part = (0, 24), ""
    if found[2] and int(found[2]) < 24:
        start = int(found[2])
        end = start + 1
        if found[4] and (last - first).days <= 1:
            end = int(found[4]) + 24 * (last - first).days
            last = first
        hours = (start, max(start + 1, min(end, 30)))
        part = next((name for name, span in _PARTS.items() if span[0] <= start < span[1]), "night")
    return Period(first, last, hours, _said(first, last, part, "", today))


def _hours(words: str) -> tuple[str, tuple[int, int], str]:
    """The words without their hours, the hours, and the part of the day that they lie in."""
    for said, meant in _MEANT.items():
        words = re.sub(rf"\b{said}\b", meant, words)
    part = next((name for name in _PARTS if re.search(rf"\b{name}\b", words)), "")
    rest = " ".join((re.sub(rf"\b{part}\b", " ", words) if part else words).split())
    clock = _CLOCKS.search(rest)
    if clock:
        without = " ".join(rest.replace(clock[0], " ").split())
        alone = not without or re.fullmatch(rf"(this|today|tomorrow|(this |next )?({'|'.join(WEEKDAYS)}))", without)
        sure = re.search(r"noon|mid(day|night)|past|quarter|clock|[ap] ?m$", clock[0])
        if sure or (alone and (part or not clock[0].isdecimal() or without)):
            start = _hour(clock[1], clock[3] or "", part)
            end = _hour(clock[2], clock[3] or "", part) if clock[2] else start + 1
            end += 24 if end <= start <= 24 and end < 6 else 0
            return without, (start, max(end, start + 1)), part or _part_of(start)
    return rest, _PARTS.get(part, (0, 24)), part


def _hour(clock: str, half: str, part: str) -> int:
    """The hour 0..24 of a clock time; before seven without more, the afternoon is meant."""
    if clock == "midnight":
        return 24
    if clock in ("noon", "midday"):
        return 12
    number = re.search(r"\d+", clock)
    hour = int(number[0]) if number else 0
    hour -= clock.startswith("quarter to")
    if half.startswith("a") or part == "morning":
        return hour % 12
    if hour < 12 and (half or part or hour < 7):
        return hour + 12
    return min(hour, 24)


def _part_of(hour: int) -> str:
    return next((name for name, (start, end) in _PARTS.items() if start <= hour < end), "night")


def _days(words: str, today: date, now: datetime) -> tuple[date, date] | None:
    day = timedelta(days=1)
    monday = today - today.weekday() * day
    if words in ("", "today", "day", "this", "next", "these days", "rest of day", "rest day"):
        return today, today
    if words in ("tomorrow", "tomorrows"):
        return today + day, today + day
    if words == "day after tomorrow":
        return today + 2 * day, today + 2 * day
    if words in ("yesterday", "last"):  # "last night" without its night
        return today - day, today - day
    weekend = re.fullmatch(r"(this |next |coming |last )?weekends?( after next)?", words)
    if weekend:
        weeks = 2 if weekend[2] else {"next ": 1, "last ": -1}.get(weekend[1], 0)
        saturday = monday + (5 + 7 * weeks) * day
        return (saturday if weeks < 0 else max(saturday, today)), saturday + day
    if words in ("last week", "week after next"):
        start = monday + (-7 if words == "last week" else 14) * day
        return start, start + 6 * day
    onward = re.fullmatch(r"(?:a |1 )?week (of|from) (.+)", words)
    base = _days(onward[2], today, now) if onward and onward[2] != "now" else None
    if onward and base:
        return (base[0], base[0] + 6 * day) if onward[1] == "of" else (base[0] + 7 * day, base[1] + 7 * day)
    two = _RANGE.fullmatch(words)
    ends = two and (_days(two[1], today, now), _days(two[2], today, now))
    if ends and ends[0] and ends[1]:
        last = ends[1][1] + (7 * day if ends[1][1] < ends[0][0] else 0 * day)
        return (ends[0][0], last) if last >= ends[0][0] else None
    if words in ("week", "this week", "rest of week"):
        return today, monday + 6 * day
    if words in ("next week", "week from now"):
        return monday + 7 * day, monday + 13 * day
    span = re.fullmatch(r"(?:next|coming|in|within)? ?(\d+|couple|few|several)? ?(?:of )?(days?|weeks?|hours?|minutes?)"
                        r"(?: from now| forecast)?", words)  # fmt: skip
    if span:
        return _span(span[1], span[2], "next" in words or "coming" in words, today, now)
    return _named(words, today) or _month(words, today) or _parsed(words, now)


def _parsed(words: str, now: datetime) -> tuple[date, date] | None:
    """The day that dateparser reads in words of another form than ours: "3 weeks ago", "november 5 2027"."""
    if not re.search(r"\d|\bago\b", words) or not re.search(r"[a-z]{3}", words):
        return None  # without a figure it only guesses
    import dateparser  # a quarter of a second to load, and seldom needed

    settings = {"RELATIVE_BASE": now.replace(tzinfo=None), "PREFER_DATES_FROM": "future", "REQUIRE_PARTS": ["day"]}
    found = dateparser.parse(words, languages=["en"], settings=settings)
    return _single(found.date() if found else None)


def _span(number: str | None, unit: str, onward: bool, today: date, now: datetime) -> tuple[date, date]:
    count = _COUNTS.get(number or "", 0) or int((number or "3")[:3])
    if unit.startswith(("hour", "minute")):
        length = timedelta(hours=count) if unit.startswith("hour") else timedelta(minutes=count)
        return today, (now + length).date()
    length = timedelta(days=count * (7 if unit.startswith("week") else 1))
    if onward or not number or (unit.startswith("day") and number in _COUNTS):
        return today, today + length
    return today + length, today + length


def _named(words: str, today: date) -> tuple[date, date] | None:
    """The next day of a weekday's or a feast's name; "next Friday" is the one of next week."""
    found = re.fullmatch(r"(this |next |coming |last )?(\w+day)s?( next week| week)?", words)
    if found and found[2] in WEEKDAYS:
        ahead = (WEEKDAYS.index(found[2]) - today.weekday()) % 7
        if found[1] == "next " or found[3]:
            monday = today + timedelta(days=7 - today.weekday())
            chosen = monday + timedelta(days=WEEKDAYS.index(found[2]))
            return chosen, chosen
        chosen = today + timedelta(days=ahead)
        if found[1] == "last ":
            chosen = today - timedelta(days=7 - ahead or 7)
        return chosen, chosen
    return _single(feast(words, today))


def _month(words: str, today: date) -> tuple[date, date] | None:
    """A date ("july 4th", "4th of july", "12th") or a whole month or season."""
    day = re.search(r"\b(\d{1,2})(?:st|nd|rd|th)?\b", words)
    month = next((number for number, name in enumerate(MONTHS, 1) if re.search(rf"\b{name}\b", words)), 0)
    left = re.sub(rf"\b({'|'.join(MONTHS)}|of|\d{{1,2}}(st|nd|rd|th)?)\b", " ", words).split()
    if day and not left and (month or re.search(r"\d(st|nd|rd|th)\b", words)):
        return _single(_next_date(month, int(day[1]), today))
    if words == "last month":
        end = today.replace(day=1) - timedelta(days=1)
        return end.replace(day=1), end
    if words in ("next month", "this month", "rest of month"):
        start = _first_after(today) if words == "next month" else today
        return start, _first_after(start) - timedelta(days=1)
    season = next((number for name, number in _SEASONS.items() if name in words.split()), 0)
    if month or season:
        opening = _next_date(month or season, 1, today.replace(day=1))
        return (opening, opening + timedelta(days=27)) if opening else None
    return None


def _single(day: date | None) -> tuple[date, date] | None:
    return (day, day) if day else None


def _next_date(month: int, day: int, today: date) -> date | None:
    """The next such date from today on; without a month, in this month or the next that has it."""
    for ahead in range(13):
        number = today.month - 1 + ahead
        try:
            found = date(today.year + number // 12, number % 12 + 1, day)
        except ValueError:
            continue
        if found >= today and month in (0, found.month):
            return found
    return None


def _first_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _said(first: date, last: date, part: str, words: str, today: date) -> str:
    """The period in words: days within a week by their names, later ones by their dates."""
    if first == last:
        return _said_day(first, part, today)
    if words in ("next week", "week from now"):
        return "next week"
    if first == today:
        return "this week" if words in ("week", "this week", "rest of week") else f"until {_day_name(last, today)}"
    if (last - first).days == 1 and (last - today).days <= 7:
        return f"on {_day_name(first, today)} and {WEEKDAYS[last.weekday()].capitalize()}"
    return f"from {_day_name(first, today)} to {_day_name(last, today)}"


def _said_day(day: date, part: str, today: date) -> str:
    if day == today:
        return {"night": "tonight", "": "today"}.get(part, f"this {part}")
    name = _day_name(day, today)
    if name in ("tomorrow", "yesterday"):
        return f"{name} {part}".strip()
    return f"on {name} {part}".strip()


def _day_name(day: date, today: date) -> str:
    ahead = (day - today).days
    if ahead in (-1, 0, 1):
        return ("yesterday", "today", "tomorrow")[ahead + 1]
    name = WEEKDAYS[day.weekday()].capitalize()
    return name if 1 < ahead < 7 else f"{name}, {MONTHS[day.month - 1].capitalize()} {day.day}"


def clock_time(text: str, *, evening: bool = False) -> time | None:
    """The time of day in a text: "half past eight", "9 p m", "noon", "19:30"; None where there is none.

    Without a.m. or p.m. an hour up to 12 is taken as it stands, or after noon if ``evening``.
    """
    stated = re.fullmatch(
        r"\s*(?:\d{4}-\d\d-\d\d[T ])?([01]?\d|2[0-3]):([0-5]\d)(?::\d\d)?(\s*[ap]\.?m\.?)?\S*\s*", text, re.I
    )
    words = figures(text)
    if re.search(r"\b(noon|midday)\b", words):
        return time(12)
    if "midnight" in words:
        return time(0)
    found = re.search(r"\b(half past |half |quarter past |quarter after |quarter to )?(\d{1,2})(?: (\d\d))?\b", words)
    if stated:
        hour, minute = int(stated[1]), int(stated[2])
        half = (stated[3] or "").strip().lower()
    elif found:
        hour, minute = int(found[2]), int(found[3] or 0)
        half = "p" if re.search(r"\bp ?m\b|afternoon|evening|night", words) else ""
        half = "a" if re.search(r"\ba ?m\b|morning", words) else half
        part = (found[1] or " ").split()
        minute = {"half": 30, "quarter": 45 if part[-1:] == ["to"] else 15}.get("".join(part[:1]), minute)
        hour -= part == ["quarter", "to"]
    else:
        return None
    if hour < 12 and (half.startswith("p") or (not half and not stated and evening)):
        hour += 12
    if half.startswith("a") and hour == 12:
        hour = 0
    return time(hour % 24, minute) if 0 <= hour <= 24 and minute < 60 else None


def shop_time(text: str, *, closing: bool) -> time | None:
    """The time of day in a text, as people mean it of a shop: until ten is at night, from nine is in the morning."""
    bare = re.fullmatch(r"[1-6]", figures(text))
    return clock_time(text, evening=closing or bare is not None)
