"""What a slot's words mean, as one text that a machine reads: ISO 8601 times, figures, sizes in one spelling. Pure.

Numbers in words are read by text2num, feasts by dateutil, moments in other forms than ours by dateparser.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from fulfillment.times import Period, clock_time, period, shop_time
from fulfillment.words import amounts, colour, figures, size

_TIMES = ("weathertime", "store.hour.day", "time.period_of_time")
_UNITS = {"minute": "TM", "hour": "TH", "night": "D", "day": "D", "week": "W", "month": "M", "year": "Y"}
_LASTS = re.compile(rf"(?:for |all )?(\d+|(?:a )?(?:couple|few)|an?|half an)(?: of)? ({'|'.join(_UNITS)})s?")
_AHEAD = re.compile(r"(?:in )?(\d+|(?:a )?couple|an?|half an)(?: of)? (minute|hour)s?( from now| ago| time)?")
_COUNTS = {"a": 1, "an": 1, "couple": 2, "a couple": 2, "few": 3, "a few": 3}
_VAGUE = frozenset(("early", "late", "later", "soon", "mid", "around", "about"))
_STARS = re.compile(r"(\d(?:\.\d)?)(?: plus)? ?(?:stars?|point)?(?: (?:or|and) (?:more|up|above|better|higher))?")
_DOZENS = re.compile(r"\b(?:(\d+|half|half a|a|couple) )?dozens?\b")
_QUANTITY = re.compile(r"\b(\d+(?:\.\d+)?|half|couple|pair)\b")


def normalise(slot_name: str, text: str, now: datetime) -> str:
    """The value of a slot whose words are ``text`` when it is ``now`` (aware) where the person is.

    Times are ISO 8601 on that person's clock: a date, a date with a time, a time of day, a duration ("PT2H"), or an
    interval "start/end" whose end is the last day, or the time that is reached and not included. Quantities, amounts
    of money and stars are figures: "12", "50", "20/40", "4.5". Sizes and colours come in one spelling: "10.5", "xl",
    "64 gb", "gray". Words in which nothing of the slot's kind is meant come back in lower case with single spaces.
    """
    plain = " ".join(text.lower().split())
    found = ""
    if slot_name in _TIMES:
        found = _time(slot_name, plain, now)
    elif slot_name in ("store.hour.start", "store.hour.end"):
        clock = shop_time(plain, closing=slot_name == "store.hour.end")
        found = clock.isoformat("minutes") if clock else ""
    elif slot_name.startswith("cost."):
        found = "/".join(f"{amount.normalize():f}" for amount in sorted(set(amounts(plain))))
    elif slot_name.startswith("rating."):
        stars = _STARS.search(figures(plain))
        found = stars[1] if stars else ""
    elif slot_name == "item.quantity":
        found = _quantity(figures(plain))
    elif slot_name == "item.size":
        found = size(plain)
    elif slot_name == "item.color":
        found = colour(plain)
    return found or plain


def _time(slot_name: str, plain: str, now: datetime) -> str:
    words = figures(plain)
    if _VAGUE.issuperset(words.split()):
        return ""
    if slot_name == "time.period_of_time" and (lasts := _LASTS.fullmatch(words)):
        return _duration(lasts[1], lasts[2])
    if ahead := _AHEAD.fullmatch(words):
        return _moment(ahead, now)
    meant = period(plain, now)
    return _iso(meant, plain, now) if meant else ""


def _duration(count: str, unit: str) -> str:
    """An ISO 8601 duration: "PT30M", "P2D" (two nights as well)."""
    code = _UNITS[unit]
    if count == "half an":
        return "PT30M" if unit == "hour" else ""
    number = _COUNTS.get(count) or int(count[:4])
    return f"PT{number}{code[1:]}" if code.startswith("T") else f"P{number}{code}"


def _moment(said: re.Match[str], now: datetime) -> str:
    """The moment so long before or after now; "the next two hours" is another matter."""
    minutes = 30 if said[1] == "half an" else _COUNTS.get(said[1]) or int(said[1][:4])
    if said[2] == "hour" and said[1] != "half an":
        minutes *= 60
    then = now + timedelta(minutes=-minutes if said[3] == " ago" else minutes)
    return _local(then)


def _iso(meant: Period, plain: str, now: datetime) -> str:
    """A period in ISO 8601; a single hour is a moment, to the minute that was said."""
    if meant.now:
        return _local(now)
    if meant.whole_days:
        return f"{meant.first}" if meant.first == meant.last else f"{meant.first}/{meant.last}"
    midnight = datetime.combine(meant.first, time())
    start, end = (midnight + timedelta(hours=hour) for hour in meant.hours)
    if end - start == timedelta(hours=1):
        clock = clock_time(plain)
        return _local(start + timedelta(minutes=clock.minute if clock else 0))
    return f"{_local(start)}/{_local(end)}"


def _local(at: datetime) -> str:
    """The time on the person's clock, to the minute, without an offset."""
    return at.replace(tzinfo=None).isoformat(timespec="minutes")


def _quantity(words: str) -> str:
    """The count in a quantity: "12" for a dozen, "2" for two pairs, "0.5" for half a pound; empty without one."""
    dozens = _DOZENS.search(words)
    if dozens:
        count = {None: 1.0, "a": 1.0, "couple": 2.0, "half": 0.5, "half a": 0.5}.get(dozens[1])
        return f"{12 * (count if count is not None else float(dozens[1][:6])):g}"
    found = _QUANTITY.search(words)
    if not found:
        return ""
    return {"half": "0.5", "couple": "2", "pair": "1"}.get(found[1], found[1])
