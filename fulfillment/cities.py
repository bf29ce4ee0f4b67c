"""A list of cities, states and countries with their time zones: where the embedded services know their way about."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rapidfuzz import fuzz, process

from fulfillment.errors import AmbiguousPlaceError, UnknownPlaceError
from fulfillment.sounding import Sounds
from fulfillment.words import fold, shown

SAME_CALIBRE = 0.6  # a namesake with at least this share of the largest one's people may be meant as well
CLOSE_ENOUGH = 88.0  # of 100: how alike a misheard name must be
_COUNTRIES = {
    "usa": "US", "us": "US", "united states": "US", "united states of america": "US", "america": "US", "uk": "GB",
    "united kingdom": "GB", "great britain": "GB", "britain": "GB", "canada": "CA", "netherlands": "NL",
}  # fmt: skip
_REGIONS = {"dc": "district of columbia", "d c": "district of columbia"}


@dataclass(frozen=True)
class City:
    """A place on the list; ``region`` is empty where the country is enough, ``country`` is an ISO 3166-1 code."""

    name: str
    region: str
    country: str
    country_name: str
    timezone: str  # IANA
    latitude: float  # degrees, north positive
    thousands: int  # of people

    @property
    def full_name(self) -> str:
        """The name with what tells it from others: "Portland, Oregon", "Paris, France"."""
        more = self.region or self.country_name
        return f"{self.name}, {more}" if more != self.name else self.name


class Cities:
    """The list, to look names up in; it never changes, so threads may share it."""

    def __init__(self, cities: Sequence[City]) -> None:
        self._named: dict[str, list[City]] = defaultdict(list)
        for city in cities:
            self._named[_key(city.name)].append(city)
        # Compared without spaces when misheard, since a recogniser may hear two words in one: "sprint field".
        self._joined: dict[str, list[City]] = defaultdict(list)
        for name, namesakes in self._named.items():
            self._joined[name.replace(" ", "")] += namesakes
        self._sounds = Sounds(self._named)
        self._countries = {**{_key(city.country_name): city.country for city in cities}, **_COUNTRIES}

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """All names, as they are written, with the thousands of people of the largest place of that name."""
        sizes: dict[str, int] = {}
        for namesakes in self._named.values():
            for city in namesakes:
                sizes[city.name] = max(sizes.get(city.name, 0), city.thousands)
        return sizes

    def find(self, text: str) -> City:
        """The place that a text names, with or without its state or country, also slightly misheard.

        Raises UnknownPlaceError, and AmbiguousPlaceError where several of about the same size may be meant.
        """
        words = _key(text).removeprefix("the ").removeprefix("city of ")
        found = self._exactly(words) or self._exactly(words.removesuffix(" city").removesuffix(" area"))
        if not found:
            joined = words.replace(" ", "")
            near = process.extractOne(joined, self._joined.keys(), scorer=fuzz.ratio, score_cutoff=CLOSE_ENOUGH)
            found = self._joined[near[0]] if near and len(joined) > 4 else []
        if not found:
            raise UnknownPlaceError(
                f"no place on the list is called {text[:60]!r}", spoken=f"I don't know {shown(text)}."
            )
        return one_of(found, text)

    def sounding_like(self, text: str) -> str:
        """The name of the place that clearly sounds like ``text``, which a recogniser wrote; "" for none.

        For speech only: nobody who types "pears" means Paris.
        """
        name, _ = self._sounds.closest(text)
        return max(self._named[name], key=lambda city: city.thousands).name if name else ""

    def _exactly(self, words: str) -> list[City]:
        if words in self._named:
            return self._named[words]
        parts = words.split()
        for count in range(len(parts) - 1, 0, -1):
            name, rest = " ".join(parts[:count]), " ".join(parts[count:])
            region = _REGIONS.get(rest, rest)
            code = self._countries.get(rest, "")
            namesakes = self._named.get(name, [])
            found = [city for city in namesakes if _key(city.region) == region]
            found = found or [city for city in namesakes if city.country == code]
            if found:
                return found
        return []


def _key(text: str) -> str:
    return " ".join("st" if word == "saint" else word for word in fold(text).split())


def one_of(found: Sequence[City], text: str) -> City:
    """The largest of some namesakes. Raises AmbiguousPlaceError where another is of about its size."""
    ranked = sorted(found, key=lambda city: -city.thousands)
    rivals = [city for city in ranked if city.thousands >= SAME_CALIBRE * ranked[0].thousands]
    names = list(dict.fromkeys(city.full_name for city in rivals))
    if len(names) > 1:
        raise several(text, names)
    return ranked[0]


def several(text: str, names: Sequence[str]) -> AmbiguousPlaceError:
    """The error of a name that several places have; ``names`` tell them apart."""
    return AmbiguousPlaceError(
        f"{len(names)} places are called {text[:60]!r}",
        spoken=f"There is more than one {shown(text)}: {', or '.join(names[:4])}.",
        choices=names[:4],
    )


def load_cities(path: Path) -> Cities:
    """The list in a CSV file with the columns name, region, country, country_name, timezone, latitude, thousands."""
    with path.open(encoding="utf-8", newline="") as file:
        return Cities(
            [
                City(
                    name=row["name"],
                    region=row["region"],
                    country=row["country"],
                    country_name=row["country_name"],
                    timezone=row["timezone"],
                    latitude=float(row["latitude"]),
                    thousands=int(row["thousands"]),
                )
                for row in csv.DictReader(file)
            ]
        )
