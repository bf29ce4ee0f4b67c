"""What is likely to be said next, for a recogniser to prefer: names of places where a city is asked for, and so on."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from fulfillment.cities import Cities
from pipeline.asr import Expected
from pipeline.assistant.answering import LOCATION, QUANTITY
from pipeline.dialog import Asked

# On Riva's scale. An answer of one word says little of itself: what is asked for weighs more than in a sentence.
ANSWER, MENTION, COMMAND = 55.0, 30.0, 20.0
_LARGER = 5.0  # more for each step of a place's size: people ask about large ones more often
_SMALL, _LARGE = 100, 1000  # thousands of people
_STEPS = 2
_UNITS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_NUMBERS = (*f"{_UNITS} eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety a hundred".split(),)


class Expectations:
    """What may be said, by what was asked; threads may share it."""

    def __init__(self, cities: Cities, things: Iterable[str] = ()) -> None:
        """``things`` are the names of what is sold and of the stores, where they are known."""
        self._places = cities.sizes
        self._things = tuple(sorted(things))

    def of(self, asked: Asked) -> tuple[Expected, ...]:
        """The phrases to prefer in the answer to what was asked, each kind with its weight."""
        wanted = asked.slots
        found = [Expected(tuple(asked.phrases), COMMAND)]
        found += self._cities(ANSWER if LOCATION in wanted else MENTION)
        if QUANTITY in wanted:
            digits = [str(number) for number in (*range(1, 21), *range(30, 101, 10))]
            found.append(Expected((*_NUMBERS, *digits), MENTION))
        if self._things and (not wanted or any(name.startswith(("item.", "store.")) for name in wanted)):
            found.append(Expected(self._things, MENTION))
        return tuple(one for one in found if one.phrases)

    def _cities(self, least: float) -> list[Expected]:
        steps: dict[int, list[str]] = {}
        for name, thousands in self._places.items():
            steps.setdefault(_step(thousands), []).append(name)
        return [Expected(tuple(names), least + _LARGER * step) for step, names in sorted(steps.items())]


def words_of(phrases: Collection[str]) -> frozenset[str]:
    """All words of some phrases, in lower case."""
    return frozenset(word for phrase in phrases for word in phrase.lower().replace("-", " ").split())


def _step(thousands: int) -> int:
    """0, 1 or 2: up to a hundred thousand people, between, a million and more."""
    share = math.log(max(thousands, _SMALL) / _SMALL) / math.log(_LARGE / _SMALL)
    return round(_STEPS * min(1.0, share))
