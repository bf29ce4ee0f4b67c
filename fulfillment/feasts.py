"""The days of feasts and public holidays that people name instead of a date (those of the United States). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from dateutil.easter import easter
from dateutil.relativedelta import MO, SU, TH, relativedelta, weekday

_FIXED = {
    "new years": (1, 1), "groundhog": (2, 2), "valentines": (2, 14), "saint patricks": (3, 17), "st patricks": (3, 17),
    "april fools": (4, 1), "cinco de mayo": (5, 5), "juneteenth": (6, 19), "canada": (7, 1), "independence": (7, 4),
    "bastille": (7, 14), "halloween": (10, 31), "veterans": (11, 11), "christmas eve": (12, 24), "christmas": (12, 25),
    "boxing": (12, 26), "new years eve": (12, 31),
}  # fmt: skip


def _of_month(month: int, which: weekday) -> Callable[[int], date]:
    # A count from the end starts on the last day; relativedelta moves day=31 into a shorter month.
    return lambda year: date(year, month, 1) + relativedelta(day=31 if (which.n or 1) < 0 else 1, weekday=which)


def _after(feast: Callable[[int], date], days: int) -> Callable[[int], date]:
    return lambda year: feast(year) + timedelta(days=days)


_MOVING: dict[str, Callable[[int], date]] = {
    "martin luther king": _of_month(1, MO(3)), "mlk": _of_month(1, MO(3)), "presidents": _of_month(2, MO(3)),
    "good friday": _after(easter, -2), "easter": easter, "easter sunday": easter, "easter monday": _after(easter, 1),
    "mothers": _of_month(5, SU(2)), "memorial": _of_month(5, MO(-1)), "fathers": _of_month(6, SU(3)),
    "labor": _of_month(9, MO(1)), "columbus": _of_month(10, MO(2)), "thanksgiving": _of_month(11, TH(4)),
    "black friday": _after(_of_month(11, TH(4)), 1), "cyber monday": _after(_of_month(11, TH(4)), 4),
    "super bowl sunday": _of_month(2, SU(2)),
}  # fmt: skip


def feast(words: str, today: date) -> date | None:
    """The next such day from ``today`` on, of a name in lower case without apostrophes; None for other names."""
    name = re.sub(r"( day)?( weekend)?$", "", words)
    for year in (today.year, today.year + 1):
        if name in _FIXED:
            found = date(year, *_FIXED[name])
        elif name in _MOVING:
            found = _MOVING[name](year)
        else:
            return None
        if found >= today:
            return found
    return None
