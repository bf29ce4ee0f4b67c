"""Answers about the weather, in the words of the question. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fulfillment.answers.phrases import Units, chance, degree, degrees, listed, rain_depth, sentence, snow_depth
from fulfillment.times import WEEKDAYS, Period
from fulfillment.weather import LIKELY, SNOWY, WET, Condition, Outlook, Weather, outlook, rest_of_today
from fulfillment.wishes import Wish, is_about_now, is_yes_or_no, judged, wish

SAMPLE = "This is sample data."
_ONE = re.compile(r"\b(1) degrees")
KINDS = (
    "general", "temperature", "temperature_yes_no", "rainfall", "rainfall_yes_no", "snow", "snow_yes_no", "sunny",
    "cloudy", "humidity", "humidity_yes_no",
)  # fmt: skip
POSSIBLE = 0.25  # a chance from which on rain or snow is worth a word
_HUMID, _DRY = 0.65, 0.4
_MOST_DAYS_TOLD = 3
_NOW: Mapping[Condition, str] = {
    "clear": "clear", "partly cloudy": "partly cloudy", "cloudy": "cloudy", "fog": "foggy", "drizzle": "drizzling",
    "rain": "raining", "heavy rain": "raining heavily", "freezing rain": "raining, and the rain is freezing",
    "sleet": "sleeting", "snow": "snowing", "heavy snow": "snowing heavily", "thunderstorm": "stormy, with thunder",
}  # fmt: skip
_LATER: Mapping[Condition, str] = {
    "clear": "clear skies", "partly cloudy": "a few clouds", "cloudy": "clouds", "fog": "fog",
    "thunderstorm": "thunderstorms",
}  # fmt: skip
_FEELS = ((0, "freezing"), (10, "cold"), (15, "cool"), (21, "mild"), (28, "warm"), (99, "hot"))  # below so many Celsius
_STRONGER = {"warm": ("hot",), "cool": ("cold", "freezing"), "cold": ("freezing",)}  # what is more than what was asked
_READ_IN = ("general", "temperature", "temperature_yes_no")  # kinds in which people ask whether it is cold


def weather_answer(
    kind: str,
    weather: Weather,
    period: Period,
    asked_at: datetime,
    units: Units = "",
    question: str = "",
    location: str = "",
) -> str:
    """One to three sentences that answer a question of some kind about a period; ``asked_at`` is aware.

    A kind that is not known is answered as a general question. The person's own words, the ``question``, say what a
    yes or no is about ("will it be cold"); ``location`` is the place as named in them. Sample data are called so.
    """
    speaker = _Speaker(weather, period, asked_at, units)
    asked = None
    if kind == "temperature_yes_no" or (kind in _READ_IN and is_yes_or_no(question)):
        asked = wish(question, location, fahrenheit=speaker.imperial)
    if asked:
        if asked.fahrenheit is not None:  # in the units of the question
            speaker = _Speaker(weather, period, asked_at, "imperial" if asked.fahrenheit else "metric")
        open_time = period.words == "today" and "today" not in question.lower()
        present = period.now or (open_time and is_about_now(question))
        said = speaker.whether(asked, present=present)
    else:
        said = speaker.now(kind) if period.now else speaker.later(kind)
    said = _ONE.sub(r"\1 degree", said)
    return f"{said} {SAMPLE}" if weather.sample else said


class _Speaker:
    """What every sentence of one answer needs."""

    def __init__(self, weather: Weather, period: Period, asked_at: datetime, units: Units) -> None:
        self.weather = weather
        self.period = period
        self.where = f"in {weather.place.name}"
        self.when = period.words
        own = "imperial" if weather.place.uses_fahrenheit else "metric"
        self.imperial = (units or own) == "imperial"
        self.scale = "" if (units or own) == own else " Fahrenheit" if self.imperial else " Celsius"
        coming = rest_of_today(weather, asked_at)
        local_today = asked_at.astimezone(ZoneInfo(weather.place.timezone)).date()
        days = []
        for ahead in range((period.last - period.first).days + 1):
            day = period.first + timedelta(days=ahead)
            found = outlook(coming if day == local_today else weather, day, period.hours)
            days += [found] if found else []
        self.days: Sequence[Outlook] = days

    def now(self, kind: str) -> str:
        """The answer about this moment."""
        now = self.weather.now
        if now is None:
            return self.later(kind)
        warmth = f"{self._degrees(now.temperature_c)} degrees{self.scale}"
        sky = _NOW[now.condition]
        raining, snowing = now.condition in WET, now.condition in SNOWY
        match kind:
            case "temperature":
                return f"It's {warmth} {self.where} right now."
            case "temperature_yes_no":
                return f"It's {_feel(now.temperature_c)} {self.where} right now, at {warmth}."
            case "rainfall" | "rainfall_yes_no":
                return f"{_yes(raining)}, it's {sky} {self.where} right now."
            case "snow" | "snow_yes_no":
                return f"{_yes(snowing)}, it's {sky} {self.where} right now."
            case "sunny":
                return f"{_yes(now.condition == 'clear')}, it's {sky} {self.where} right now."
            case "cloudy":
                return f"{_yes(now.cloud >= LIKELY)}, it's {sky} {self.where} right now."
            case "humidity" | "humidity_yes_no":
                return self._humid(kind, now.humidity, "right now")
        return f"It's {sky} {self.where} right now, at {warmth}."

    def later(self, kind: str) -> str:
        """The answer about days or hours."""
        if not self.days and self.period.words == "today" and self.weather.now is not None:
            return self.now(kind)
        if not self.days:
            return f"Sorry, I don't know what the weather will be {self.where} {self.when}."
        answers: Mapping[str, Callable[[], str]] = {
            "temperature": self._temperature,
            "temperature_yes_no": self._warmth,
            "rainfall": lambda: _plainly(self._rain()),
            "rainfall_yes_no": self._rain,
            "snow": lambda: _plainly(self._snow()),
            "snow_yes_no": self._snow,
            "sunny": self._sun,
            "cloudy": self._clouds,
        }
        if kind.startswith("humidity"):
            humidity = sum(day.humidity for day in self.days) / len(self.days)
            return self._humid(kind, humidity, self.when)
        return answers.get(kind, self._general)()

    def whether(self, asked: Wish, *, present: bool) -> str:
        """Yes or no to a question about the temperature, at this moment or in the days or hours that are meant."""
        now = self.weather.now
        if now is not None and (present or (not self.days and self.period.words == "today")):
            word, warmth = _feel(now.temperature_c), f"{self._degrees(now.temperature_c)} degrees{self.scale}"
            if judged(asked, now.temperature_c, now.temperature_c, now.temperature_c) == "yes":
                return f"Yes, it's {_as_much(asked, word)} {self.where} right now, at {warmth}."
            return f"No, it isn't {asked.said} {self.where} right now. It's {_other(asked, word, 'at ')}{warmth}."
        if not self.days:
            return self.later("temperature")
        usual = sum(day.high_c for day in self.days) / len(self.days)
        low, high = self._extremes()
        verdict, span = judged(asked, low, usual, high), self._span()
        if verdict == "no":
            feel = _other(asked, _feel(usual))
            return f"No, it won't be {asked.said} {self.where} {self.when}. It will be {feel}{span}."
        often = "at times " if verdict == "at times" else ""
        said = asked.said if often else _as_much(asked, _feel(usual))
        return f"Yes, {often}it will be {said} {self.where} {self.when}, {span}."

    def _general(self) -> str:
        if len(self.days) > 1:
            return self._several_days()
        day = self.days[0]
        what = self._falling(day) or _LATER.get(day.condition, day.condition)
        return f"{sentence(f'{self.where} {self.when}')[:-1]}, expect {what}, with {self._range(day)}."

    def _several_days(self) -> str:
        if len(self.days) <= _MOST_DAYS_TOLD:
            skies = [self._falling(day) or _LATER.get(day.condition, day.condition) for day in self.days]
            told = [
                f"{self._day(day)} brings {sky} and a high of {self._degrees(day.high_c)}"
                for day, sky in zip(self.days, skies, strict=True)
            ]
            return f"{sentence(self.where)[:-1]}, {', and '.join(told)} degrees{self.scale}."
        highs = [day.high_c for day in self.days]
        text = (
            f"{sentence(f'{self.where} {self.when}')[:-1]}, highs are between {self._degrees(min(highs))} and "
            f"{self._degrees(max(highs))} degrees{self.scale}"
        )
        falling = [day for day in self.days if max(day.rain_chance, day.snow_chance) >= LIKELY]
        if not falling:
            return f"{text}, and it looks dry."
        kind = "snow" if all(day.snow_chance >= LIKELY for day in falling) else "rain"
        return f"{text}, with {kind} likely {self._on(falling)}."

    def _temperature(self) -> str:
        if len(self.days) > 1:
            low, high = min(day.low_c for day in self.days), max(day.high_c for day in self.days)
            return (
                f"{sentence(f'{self.where} {self.when}')[:-1]}, it will be between {self._degrees(low)} and "
                f"{self._degrees(high)} degrees{self.scale}."
            )
        day = self.days[0]
        now = self.weather.now
        if self.when == "today" and now is not None:
            present = f"{self._degrees(now.temperature_c)} degrees{self.scale}"
            return f"It's {present} {self.where} right now, with {self._range(day)} today."
        if not self.period.whole_days:
            middle = (day.low_c + day.high_c) / 2
            return f"It will be about {self._degrees(middle)} degrees{self.scale} {self.where} {self.when}."
        return f"{sentence(f'{self.where} {self.when}')[:-1]}, expect {self._range(day)}."

    def _warmth(self) -> str:
        high = sum(day.high_c for day in self.days) / len(self.days)
        return f"It will be {_feel(high)} {self.where} {self.when}, {self._span()}."

    def _span(self) -> str:
        """The temperatures of all days: "between 36 and 54 degrees", "at about 54 degrees"."""
        low, high = (self._degrees(celsius) for celsius in self._extremes())
        span = f"at about {low}" if low == high else f"between {low} and {high}"
        return f"{span} degrees{self.scale}"

    def _extremes(self) -> tuple[float, float]:
        return min(day.low_c for day in self.days), max(day.high_c for day in self.days)

    def _rain(self) -> str:
        depth = rain_depth(sum(day.rain_mm for day in self.days), inches=self.imperial)
        other = any(day.snow_chance >= LIKELY for day in self.days)
        return self._chance("rain", [day.rain_chance for day in self.days], depth, "snow" if other else "")

    def _snow(self) -> str:
        known = {day.date: day.snow_cm for day in self.weather.days}
        depth = ""
        if self.period.whole_days:
            depth = snow_depth(sum(known.get(day.date, 0.0) for day in self.days), inches=self.imperial)
        other = any(day.rain_chance >= LIKELY for day in self.days)
        return self._chance("snow", [day.snow_chance for day in self.days], depth, "rain" if other else "")

    def _chance(self, what: str, chances: Sequence[float], depth: str, other: str) -> str:
        most = max(chances)
        if most >= LIKELY and len(self.days) == 1:
            more = f" and {depth}" if depth else ""
            return f"Yes, {what} is likely {self.where} {self.when}, with {chance(min(most, 0.9))}{more}."
        if most >= LIKELY:
            likely = [day for day, share in zip(self.days, chances, strict=True) if share >= LIKELY]
            more = f", with {depth} in all" if depth else ""
            return f"Yes, {what} is likely {self.where} {self.when}, {self._on(likely)}{more}."
        if most >= POSSIBLE:
            return f"Maybe. There's {chance(most)} of {what} {self.where} {self.when}."
        if other:
            return f"No, {other} is more likely than {what} {self.where} {self.when}."
        return f"No, I don't expect {what} {self.where} {self.when}."

    def _sun(self) -> str:
        cloud = sum(day.cloud for day in self.days) / len(self.days)
        dry = max(max(day.rain_chance, day.snow_chance) for day in self.days) < LIKELY
        if cloud < 0.3 and dry:
            return f"Yes, it should be sunny {self.where} {self.when}."
        if cloud < 0.65 and dry:
            return f"Partly. Expect sun and some clouds {self.where} {self.when}."
        return f"No, it looks {'cloudy' if dry else 'wet'} {self.where} {self.when}."

    def _clouds(self) -> str:
        cloud = sum(day.cloud for day in self.days) / len(self.days)
        if cloud >= 0.65:
            return f"Yes, it will be cloudy {self.where} {self.when}."
        if cloud >= 0.3:
            return f"Partly. Expect some clouds {self.where} {self.when}."
        return f"No, the sky should be mostly clear {self.where} {self.when}."

    def _humid(self, kind: str, humidity: float, when: str) -> str:
        figure = f"{round(humidity * 20) * 5} percent"
        if kind.endswith("yes_no"):
            if humidity >= _HUMID:
                return f"Yes, it's humid {self.where} {when}, at about {figure}."
            word = "dry" if humidity < _DRY else "not very humid"
            return f"No, it's {word} {self.where} {when}, at about {figure}."
        return f"The humidity {self.where} {when} is about {figure}."

    def _falling(self, day: Outlook) -> str:
        """The rain or snow that a day brings, in words; empty where little is to be expected."""
        if day.condition in SNOWY | WET and day.condition != "thunderstorm":
            return day.condition
        most, what = max((day.rain_chance, "rain"), (day.snow_chance, "snow"))
        sky = _LATER.get(day.condition, day.condition)
        return f"{sky} and {chance(most)} of {what}" if POSSIBLE <= most < LIKELY else ""

    def _range(self, day: Outlook) -> str:
        """The temperatures of a day: "a high of 20 and a low of 8 degrees"; of a few hours: "about 15 degrees"."""
        low, high = self._degrees(day.low_c), self._degrees(day.high_c)
        if low == high:
            return f"about {high} degrees{self.scale}"
        return f"a high of {high} and a low of {low} degrees{self.scale}"

    def _degrees(self, celsius: float) -> str:
        return degree(degrees(celsius, fahrenheit=self.imperial))

    def _day(self, day: Outlook) -> str:
        today = self.weather.days[0].date if self.weather.days else day.date
        ahead = (day.date - today).days
        return "today" if ahead == 0 else "tomorrow" if ahead == 1 else WEEKDAYS[day.date.weekday()].capitalize()

    def _on(self, days: Sequence[Outlook]) -> str:
        """Which of the days: "today and on Friday", "every day", "on most days"."""
        if len(days) == len(self.days):
            return "every day"
        if len(days) > _MOST_DAYS_TOLD:
            return "on most days" if len(days) * 2 > len(self.days) else "on several days"
        names = [self._day(day) for day in days]
        near = [name for name in names if name.islower()]
        later = [name for name in names if not name.islower()]
        return listed([*near, f"on {listed(later)}"] if later else near)


def _plainly(answer: str) -> str:
    """An answer to a question that was not for yes or no."""
    for start in ("Yes, ", "No, ", "Maybe. "):
        answer = answer.removeprefix(start)
    return sentence(answer)


def _as_much(asked: Wish, feel: str) -> str:
    """What it is, where the answer is yes: as asked, or more than that ("hot" to "is it warm")."""
    return feel if feel in _STRONGER.get(asked.said, ()) else asked.said


def _other(asked: Wish, feel: str, before: str = "") -> str:
    """How it feels instead, to be followed by degrees; empty where that would be no answer to what was asked."""
    plain = asked.said in ("cold", "cool", "warm", "hot") and feel != asked.said
    return f"{feel}, {before}" if plain else ""


def _feel(celsius: float) -> str:
    return next(word for limit, word in _FEELS if celsius < limit)


def _yes(so: bool) -> str:
    return "Yes" if so else "No"
