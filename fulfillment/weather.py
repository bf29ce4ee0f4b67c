"""The weather now and on the next days: the values, what a weather service is, and the embedded one.

The embedded service invents its weather from the place and the day, always the same for both, and its answers say so:
``Weather.sample`` is true. The services behind an API are in `weatherstack.py` and `open_meteo.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from fulfillment.cities import Cities, City
from fulfillment.errors import OutOfRangeError, UnknownPlaceError
from fulfillment.times import utc_now

Condition = Literal[
    "clear", "partly cloudy", "cloudy", "fog", "drizzle", "rain", "heavy rain", "freezing rain", "sleet", "snow",
    "heavy snow", "thunderstorm",
]  # fmt: skip
SNOWY: frozenset[Condition] = frozenset({"snow", "heavy snow", "sleet"})
WET: frozenset[Condition] = frozenset({"drizzle", "rain", "heavy rain", "freezing rain", "sleet", "thunderstorm"})
LIKELY = 0.5  # a chance from which on rain or snow is expected
_FAHRENHEIT_COUNTRIES = frozenset(
    {"us", "united states", "united states of america", "usa", "bahamas", "bs", "belize", "bz", "liberia", "lr",
     "palau", "pw", "cayman islands", "ky", "puerto rico", "pr", "guam", "gu"}
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where the weather is; ``region`` and ``country`` may be empty, ``country`` is a name or an ISO 3166-1 code."""

    name: str
    region: str
    country: str
    timezone: str  # IANA

    @property
    def uses_fahrenheit(self) -> bool:
        """Whether people there speak of degrees Fahrenheit, miles and inches."""
        return self.country.lower() in _FAHRENHEIT_COUNTRIES


@dataclass(frozen=True)
class Moment:
    """The weather at one time. Temperatures in degrees Celsius, chances and shares 0..1."""

    at: datetime  # aware, in the place's time zone
    condition: Condition
    temperature_c: float
    cloud: float
    humidity: float
    wind_kmh: float
    rain_mm: float = 0.0  # since the previous moment
    rain_chance: float = 0.0
    snow_chance: float = 0.0


@dataclass(frozen=True)
class Day:
    """One day by the place's calendar, with its moments in order, at most three hours apart."""

    date: date
    low_c: float
    high_c: float
    snow_cm: float
    hours: tuple[Moment, ...]


@dataclass(frozen=True)
class Weather:
    """What a service knows: the weather now (None if unknown) and from today on, day by day."""

    place: Place
    now: Moment | None
    days: tuple[Day, ...]
    source: str
    as_of: datetime  # aware, UTC
    sample: bool = False


@dataclass(frozen=True)
class Outlook:
    """A stretch of one day in a few figures; the chances are the highest of any hour in it."""

    date: date
    condition: Condition
    low_c: float
    high_c: float
    rain_chance: float
    snow_chance: float
    rain_mm: float
    cloud: float
    humidity: float
    wind_kmh: float


class WeatherService(Protocol):
    """Knows the weather of places by their names."""

    def look_up(self, place: str, last: date | None = None) -> Weather:
        """The weather now, and with ``last`` from today through that day.

        Raises UnknownPlaceError, AmbiguousPlaceError, OutOfRangeError for a day that the service cannot see, and other
        kinds of FulfilmentError where the service fails.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def outlook(weather: Weather, day: date, hours: tuple[int, int] = (0, 24)) -> Outlook | None:
    """A day's weather in a few figures, between two hours of it (the end may be up to 30); None if nothing is known."""
    start = datetime.combine(day, time(), ZoneInfo(weather.place.timezone)) + timedelta(hours=hours[0])
    end = start + timedelta(hours=hours[1] - hours[0])
    moments = [m for known in weather.days for m in known.hours if start <= m.at < end]
    if not moments:  # a stretch between two moments
        near = [m for known in weather.days for m in known.hours if abs(m.at - start) <= timedelta(hours=3)]
        moments = [min(near, key=lambda m: abs(m.at - start))] if near else []
    if not moments:
        return None
    whole = next((known for known in weather.days if known.date == day), None) if hours == (0, 24) else None
    seen = (
        [m for m in moments if 6 <= m.at.hour <= 21] or moments if whole else moments
    )  # nobody asks for the small hours
    return Outlook(
        date=day,
        condition=_prevailing(seen),
        low_c=whole.low_c if whole else min(m.temperature_c for m in moments),
        high_c=whole.high_c if whole else max(m.temperature_c for m in moments),
        rain_chance=max(m.rain_chance for m in seen),
        snow_chance=max(m.snow_chance for m in seen),
        rain_mm=sum(m.rain_mm for m in seen),
        cloud=_mean([m.cloud for m in seen]),
        humidity=_mean([m.humidity for m in seen]),
        wind_kmh=max(m.wind_kmh for m in seen),
    )


def rest_of_today(weather: Weather, now: datetime) -> Weather:
    """The weather without the hours of today that have passed, but for the present one."""
    local = now.astimezone(ZoneInfo(weather.place.timezone))
    days = tuple(
        replace(day, hours=tuple(m for m in day.hours if m.at > local - timedelta(hours=3)) or day.hours[-1:])
        for day in weather.days
    )
    return replace(weather, days=days)


def days_until(last: date, today: date, most: int) -> int:
    """How many days from today through ``last``, at least 1. Raises OutOfRangeError where the service sees fewer.

    One day more than asked is counted, because today may be tomorrow already where the place is.
    """
    count = (last - today).days + 2
    if last < today - timedelta(days=1):
        raise OutOfRangeError(f"{last} is past", spoken="Sorry, I only know the weather from today on.")
    if (last - today).days >= most:
        raise OutOfRangeError(
            f"{last} is more than {most} days ahead",
            spoken=f"Sorry, I can only see {most} days ahead, and that is later.",
        )
    return max(1, min(count, most))


def plain_place(text: str) -> str:
    """A place's name fit for a query: letters, figures, spaces and ``' , . -`` only.

    What else an API would read there (several places at once, an address to locate) is no place's name.
    Raises UnknownPlaceError where no letter is left.
    """
    kept = "".join(c if c.isalnum() or c in " ',.-" else " " for c in text[:80])
    name = " ".join(kept.split())
    if not any(c.isalpha() for c in name) and not (name.isdecimal() and len(name) == 5):  # a ZIP code
        raise UnknownPlaceError(
            f"{text[:60]!r} is no place's name", spoken="Sorry, I didn't get the name of the place."
        )
    return name


class SampleWeather:
    """Invented weather that looks like the place's climate, the same for a place and day whenever it is asked for."""

    SOURCE = "sample weather"
    MOST_DAYS = 14

    def __init__(self, cities: Cities, clock: Callable[[], datetime] = utc_now) -> None:
        self._cities = cities
        self._clock = clock

    def look_up(self, place: str, last: date | None = None) -> Weather:
        """As WeatherService says; every place of the list of cities has weather."""
        city = self._cities.find(place)
        as_of = self._clock()
        local = as_of.astimezone(ZoneInfo(city.timezone))
        count = days_until(last, local.date(), self.MOST_DAYS) if last else 1
        days = tuple(_invented_day(city, local.date() + timedelta(days=ahead)) for ahead in range(count))
        present = max((m for m in days[0].hours if m.at <= local), key=lambda m: m.at, default=days[0].hours[0])
        return Weather(
            place=Place(city.name, city.region, city.country, city.timezone),
            now=replace(present, at=local),
            days=days if last else (),
            source=self.SOURCE,
            as_of=as_of,
            sample=True,
        )

    def close(self) -> None:
        """Nothing to let go of."""


def _invented_day(city: City, day: date) -> Day:
    """A day of a climate guessed from the latitude: colder towards the poles and in the winter of its hemisphere."""
    north = abs(city.latitude)
    season = math.cos(2 * math.pi * (day.timetuple().tm_yday - 201) / 365.25)  # 1 on July 20
    warmth = 27 - 0.38 * max(0.0, north - 15) + (0.22 * north) * math.copysign(season, season * city.latitude)
    middle = warmth + 8 * (_chance(city, day, "warmth") - 0.5)
    spread = 3 + 4 * _chance(city, day, "spread")
    wetness = 0.05 + 0.4 * _chance(city, date.min, "wetness")  # of the place, on all days
    wet = _chance(city, day, "wet") < wetness
    hours = []
    for number in range(0, 24, 3):
        at = datetime.combine(day, time(number), ZoneInfo(city.timezone))
        temperature = middle + spread * math.cos(2 * math.pi * (number - 15) / 24)
        chance = _chance(city, day, f"rain at {number}")
        chance = 0.35 + 0.6 * chance if wet else 0.25 * chance
        cloud = 0.6 + 0.4 * chance if wet else _chance(city, day, "cloud") * (0.5 + 0.5 * chance)
        cold = temperature < 1
        hours.append(
            Moment(
                at=at,
                condition=_invented_condition(chance, cloud, cold=cold),
                temperature_c=round(temperature, 1),
                cloud=round(cloud, 2),
                humidity=round(min(0.98, 0.35 + 0.3 * wetness + 0.35 * cloud), 2),
                wind_kmh=round(4 + 30 * _chance(city, day, f"wind at {number}"), 1),
                rain_mm=round(6 * (chance - 0.4), 1) if chance >= LIKELY and not cold else 0.0,
                rain_chance=0.0 if cold else round(chance, 2),
                snow_chance=round(chance, 2) if cold else 0.0,
            )
        )
    temperatures = [m.temperature_c for m in hours]
    snow = sum(4 * (m.snow_chance - 0.4) for m in hours if m.snow_chance >= LIKELY)
    return Day(day, min(temperatures), max(temperatures), round(snow, 1), tuple(hours))


def _invented_condition(chance: float, cloud: float, *, cold: bool) -> Condition:
    if chance >= 0.85:
        return "heavy snow" if cold else "heavy rain"
    if chance >= LIKELY:
        return "snow" if cold else "rain"
    return _sky(cloud)


def _chance(city: City, day: date, what: str) -> float:
    """A number 0..1 that depends on nothing but its arguments."""
    seed = sha256(f"{city.full_name}|{day.isoformat()}|{what}".encode()).digest()
    return int.from_bytes(seed[:4]) / 0xFFFFFFFF


def _prevailing(moments: Sequence[Moment]) -> Condition:
    """What a day is called: by its likely rain or snow, else by its sky."""
    falling = [m for m in moments if max(m.rain_chance, m.snow_chance) >= LIKELY and m.condition in SNOWY | WET]
    if falling:
        return max(falling, key=lambda m: max(m.rain_chance, m.snow_chance)).condition
    if sum(m.condition == "fog" for m in moments) * 2 > len(moments):
        return "fog"
    return _sky(_mean([m.cloud for m in moments]))


def _sky(cloud: float) -> Condition:
    if cloud < 0.25:
        return "clear"
    return "partly cloudy" if cloud < 0.65 else "cloudy"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
