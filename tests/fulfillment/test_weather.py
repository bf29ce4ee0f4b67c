"""The embedded weather, and figures for parts of days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from statistics import mean
from zoneinfo import ZoneInfo

import pytest

from fulfillment.cities import Cities
from fulfillment.errors import AmbiguousPlaceError
from fulfillment.weather import SampleWeather, Weather, outlook, plain_place, rest_of_today
from tests.fulfillment.conftest import NOON, at_noon

TODAY = date(2026, 11, 23)


@pytest.fixture
def weather(cities: Cities) -> Weather:
    return SampleWeather(cities, at_noon).look_up("Denver", TODAY + timedelta(days=6))


def test_a_place_has_the_same_weather_on_a_day_whenever_it_is_asked(cities: Cities, weather: Weather) -> None:
    later = SampleWeather(cities, lambda: NOON + timedelta(days=2)).look_up(
        "denver colorado", TODAY + timedelta(days=6)
    )
    known = {day.date: day for day in weather.days}
    assert [known[day.date] for day in later.days if day.date in known] == [
        day for day in weather.days if day.date >= later.days[0].date
    ]


def test_places_and_days_differ(cities: Cities, weather: Weather) -> None:
    other = SampleWeather(cities, at_noon).look_up("Boulder", TODAY + timedelta(days=6))
    assert [day.high_c for day in other.days] != [day.high_c for day in weather.days]
    assert len({day.high_c for day in weather.days}) > 1


@pytest.mark.parametrize(("cold", "warm"), [("Anchorage", "Miami"), ("Oslo", "Nairobi"), ("Montreal", "Sydney")])
def test_the_climate_is_that_of_the_latitude_and_season(cities: Cities, cold: str, warm: str) -> None:
    service = SampleWeather(cities, at_noon)
    highs = [mean(day.high_c for day in service.look_up(p, TODAY + timedelta(days=12)).days) for p in (cold, warm)]
    assert highs[0] + 5 < highs[1]


def test_it_snows_in_the_cold_and_rains_in_the_warm(cities: Cities) -> None:
    january = datetime(2027, 1, 15, 12, tzinfo=UTC)
    service = SampleWeather(cities, lambda: january)
    for places, cold in ((("Fairbanks", "Tromso", "Winnipeg"), True), (("Singapore", "Nairobi", "Honolulu"), False)):
        found = [service.look_up(place, january.date() + timedelta(days=12)) for place in places]
        hours = [moment for weather in found for day in weather.days for moment in day.hours]
        assert any(m.snow_chance >= 0.5 for m in hours) == cold
        assert cold or any(m.rain_chance >= 0.5 for m in hours)


def test_the_day_is_that_of_the_place(cities: Cities) -> None:
    evening = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # still Monday in Denver, Tuesday in Sydney
    service = SampleWeather(cities, lambda: evening)
    assert service.look_up("Denver", TODAY).days[0].date == TODAY
    assert service.look_up("Sydney", TODAY + timedelta(days=1)).days[0].date == TODAY + timedelta(days=1)


def test_namesakes_are_asked_about(cities: Cities) -> None:
    with pytest.raises(AmbiguousPlaceError) as caught:
        SampleWeather(cities, at_noon).look_up("Springfield")
    assert "Springfield, Illinois" in caught.value.choices


def test_hours_that_have_passed_no_longer_count(weather: Weather) -> None:
    zone = ZoneInfo("America/Denver")
    morning_rain = tuple(
        replace(moment, rain_chance=0.9 if moment.at.hour < 9 else 0.0) for moment in weather.days[0].hours
    )
    wet = replace(weather, days=(replace(weather.days[0], hours=morning_rain), *weather.days[1:]))
    before = outlook(rest_of_today(wet, datetime(2026, 11, 23, 7, tzinfo=zone)), TODAY)
    after = outlook(rest_of_today(wet, datetime(2026, 11, 23, 15, tzinfo=zone)), TODAY)
    assert before
    assert after
    assert (before.rain_chance, after.rain_chance) == (0.9, 0.0)
    late = outlook(rest_of_today(wet, datetime(2026, 11, 23, 23, 59, tzinfo=zone)), TODAY)
    assert late


def test_a_night_reaches_into_the_next_day(weather: Weather) -> None:
    zone = ZoneInfo("America/Denver")
    next_day = replace(
        weather.days[1],
        hours=tuple(replace(m, snow_chance=0.8 if m.at.hour == 3 else 0.0) for m in weather.days[1].hours),
    )
    snowy = replace(weather, days=(weather.days[0], next_day, *weather.days[2:]))
    night = outlook(snowy, TODAY, (20, 30))
    assert night
    assert night.snow_chance == 0.8
    assert next_day.hours[1].at == datetime(2026, 11, 24, 3, tzinfo=zone)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Denver; London", "Denver London"),
        ("fetch:ip-address", "fetch ip-address"),
        ("St. John's", "St. John's"),
        ("99501", "99501"),
        ("São Paulo", "São Paulo"),
        ("a\nb\x00c", "a b c"),
    ],
)
def test_names_are_cleared_of_what_an_api_would_read_into_them(text: str, plain: str) -> None:
    assert plain_place(text) == plain
