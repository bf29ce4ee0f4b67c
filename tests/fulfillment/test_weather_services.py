"""What every weather service keeps to: the embedded one, WeatherStack's client and Open-Meteo's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulfillment.cities import Cities
from fulfillment.errors import FulfilmentError, OutOfRangeError, UnknownPlaceError
from fulfillment.http import Patience
from fulfillment.open_meteo import OpenMeteo
from fulfillment.weather import SampleWeather, WeatherService, outlook
from fulfillment.weatherstack import WeatherStack
from tests.fulfillment.api import serving
from tests.fulfillment.conftest import NOON, at_noon
from tests.fulfillment.weather_apis import KEY, open_meteo, open_meteo_places, weatherstack

TODAY = date(2026, 11, 23)
PATIENCE = Patience(first_pause_s=0.01)


@pytest.fixture(scope="module", params=["sample", "weatherstack", "open-meteo"])
def service(request: pytest.FixtureRequest, cities: Cities) -> Iterator[WeatherService]:
    with ExitStack() as stack:
        if request.param == "sample":
            opened: WeatherService = SampleWeather(cities, at_noon)
        elif request.param == "weatherstack":
            api = stack.enter_context(serving(weatherstack(NOON)))
            opened = WeatherStack(KEY, base_url=api.url, patience=PATIENCE, clock=at_noon)
        else:
            api = stack.enter_context(serving(open_meteo(NOON)))
            places = stack.enter_context(serving(open_meteo_places))
            opened = OpenMeteo(base_url=api.url, places_url=places.url, patience=PATIENCE, clock=at_noon)
        stack.callback(opened.close)
        yield opened


def test_the_weather_now(service: WeatherService) -> None:
    weather = service.look_up("Denver")
    assert weather.place.name == "Denver"
    assert weather.place.region == "Colorado"
    assert weather.place.timezone == "America/Denver"
    assert weather.place.uses_fahrenheit
    assert weather.days == ()
    assert weather.now
    assert abs(weather.now.at - NOON) < timedelta(hours=1)
    assert weather.now.at.utcoffset() == timedelta(hours=-7)
    assert weather.source
    assert weather.as_of == NOON
    assert weather.as_of.tzinfo == UTC
    assert weather.sample == isinstance(service, SampleWeather)


def test_the_days_from_today_on(service: WeatherService) -> None:
    weather = service.look_up("denver", TODAY + timedelta(days=3))
    assert [day.date for day in weather.days][:3] == [TODAY + timedelta(days=ahead) for ahead in range(3)]
    for day in weather.days:
        assert day.low_c <= day.high_c
        assert day.snow_cm >= 0
        times = [moment.at for moment in day.hours]
        assert times == sorted(times)
        assert all(moment.at.tzinfo == ZoneInfo("America/Denver") for moment in day.hours)
        assert all(moment.at.date() == day.date for moment in day.hours)
        assert max(b - a for a, b in pairwise(times)) <= timedelta(hours=3)
        for moment in day.hours:
            shares = (moment.cloud, moment.humidity, moment.rain_chance, moment.snow_chance)
            assert all(0 <= share <= 1 for share in shares)


def test_parts_of_a_day_are_known(service: WeatherService) -> None:
    weather = service.look_up("denver", TODAY + timedelta(days=2))
    tomorrow = TODAY + timedelta(days=1)
    whole, morning, night = (outlook(weather, tomorrow, hours) for hours in ((0, 24), (6, 12), (20, 30)))
    assert whole
    assert morning
    assert night
    assert whole.low_c <= morning.low_c <= morning.high_c <= whole.high_c
    assert outlook(weather, tomorrow, (13, 14))
    assert outlook(weather, TODAY - timedelta(days=9)) is None


@pytest.mark.parametrize("place", ["zzyzx", "Xyzzyville", "1.2.3.4", "fetch:ip", "🍕", ";;", ""])
def test_an_unknown_place(service: WeatherService, place: str) -> None:
    with pytest.raises(UnknownPlaceError) as caught:
        service.look_up(place)
    assert caught.value.spoken
    assert not caught.value.retryable


@pytest.mark.parametrize("ahead", [40, 400, -2, -30])
def test_days_that_nobody_can_see(service: WeatherService, ahead: int) -> None:
    with pytest.raises(OutOfRangeError) as caught:
        service.look_up("Denver", TODAY + timedelta(days=ahead))
    assert caught.value.spoken.startswith("Sorry, I ")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.text(max_size=60) | st.sampled_from(["Denver; London", "' OR 1=1 --", "Denver&units=f", "x" * 5000]))
def test_any_name_is_answered_or_told(service: WeatherService, place: str) -> None:
    with suppress(FulfilmentError):
        assert service.look_up(place).source
