"""WeatherStack's client: its failures, its quota, what it sends and what it makes of odd answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from fulfillment.errors import (
    ExhaustedError,
    FulfilmentError,
    RefusedError,
    UnavailableError,
    UnknownPlaceError,
    UnreadableError,
)
from fulfillment.http import Patience
from fulfillment.weather import outlook
from fulfillment.weatherstack import WeatherStack
from tests.fulfillment.api import Api, Reply, serving
from tests.fulfillment.conftest import NOON, at_noon
from tests.fulfillment.weather_apis import KEY, stack_error, weatherstack

TODAY = date(2026, 11, 23)
PATIENCE = Patience(attempts=2, first_pause_s=0.01)


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(weatherstack(NOON)) as running:
        yield running


@pytest.fixture
def service(api: Api) -> Iterator[WeatherStack]:
    opened = WeatherStack(KEY, base_url=api.url, patience=PATIENCE, clock=at_noon)
    yield opened
    opened.close()


def test_it_asks_for_no_more_days_than_needed(service: WeatherStack, api: Api) -> None:
    service.look_up("Denver")
    service.look_up("Denver", TODAY + timedelta(days=2))
    current, forecast = api.calls
    assert (current.path, current.query) == ("/current", {"access_key": KEY, "query": "Denver", "units": "m"})
    assert forecast.path == "/forecast"
    assert forecast.query["forecast_days"] == "4"  # one more, since it may be tomorrow there already
    assert forecast.query["hourly"] == "1"


def test_codes_and_chances(service: WeatherStack) -> None:
    weather = service.look_up("Denver", TODAY + timedelta(days=2))
    tomorrow = outlook(weather, TODAY + timedelta(days=1))
    assert tomorrow
    assert tomorrow.condition == "rain"
    assert tomorrow.rain_chance == 0.82
    assert tomorrow.high_c == 14
    assert weather.now
    assert weather.now.condition == "clear"


def test_the_same_question_within_ten_minutes_is_one_call(service: WeatherStack, api: Api) -> None:
    for _ in range(3):
        service.look_up("Denver")
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "spoken"),
    [
        (stack_error(101, "invalid_access_key", "No."), RefusedError, "doesn't let me in"),
        (stack_error(101, "unauthorized", "No.", 401), RefusedError, "doesn't let me in"),
        (stack_error(102, "inactive_user", "No."), RefusedError, "doesn't let me in"),
        (stack_error(104, "usage_limit_reached", "Your monthly volume."), ExhaustedError, "too often"),
        (stack_error(429, "too_many_requests", "Allowance.", 429), ExhaustedError, "too often"),
        (stack_error(601, "missing_query", "Query."), UnknownPlaceError, "don't know that place"),
        (stack_error(615, "request_failed", "Failed."), UnknownPlaceError, "don't know that place"),
        (stack_error(105, "function_access_restricted", "Plan."), RefusedError, "right now, not the days ahead"),
        (stack_error(606, "invalid_unit", "Unit."), UnreadableError, "can't read"),
        (stack_error(999, "<script>", "New."), UnreadableError, "can't read"),
        (Reply({}, 503), UnavailableError, "can't reach the weather service right now"),
    ],
)
def test_failures(service: WeatherStack, api: Api, reply: Reply, kind: type[FulfilmentError], spoken: str) -> None:
    api.speaks = lambda call: reply
    with pytest.raises(kind) as caught:
        service.look_up("Denver")
    assert spoken in caught.value.spoken
    assert KEY not in f"{caught.value!r}{caught.value}{caught.value.spoken}"
    assert "<" not in str(caught.value)


def test_a_used_up_allowance_is_not_asked_again_soon(service: WeatherStack, api: Api) -> None:
    api.speaks = lambda call: stack_error(104, "usage_limit_reached", "Your monthly API request volume.")
    for place in ("Denver", "London"):
        with pytest.raises(ExhaustedError):
            service.look_up(place)
    assert len(api.calls) == 1


def test_a_plan_without_forecasts_still_knows_the_present(service: WeatherStack, api: Api) -> None:
    api.speaks = weatherstack(NOON, forecasts=False)
    weather = service.look_up("Denver", TODAY)
    assert weather.now
    assert weather.days == ()
    with pytest.raises(RefusedError, match="plan has no forecasts"):
        service.look_up("Denver", TODAY + timedelta(days=1))
    service.look_up("London", TODAY)
    assert [call.path for call in api.calls] == ["/forecast", "/current", "/forecast", "/current"]


def _without(*path: str) -> Callable[[dict[str, Any]], None]:
    def spoil(body: dict[str, Any]) -> None:
        for key in path[:-1]:
            body = body[key]
        del body[path[-1]]

    return spoil


def _with(value: object, *path: str) -> Callable[[dict[str, Any]], None]:
    def spoil(body: dict[str, Any]) -> None:
        for key in path[:-1]:
            body = body[key]
        body[path[-1]] = value

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        _without("location"),
        _without("current"),
        _without("location", "timezone_id"),
        _without("current", "temperature"),
        _with(None, "current"),
        _with([], "location"),
        _with("Mars/Olympus", "location", "timezone_id"),
        _with("../../etc/passwd", "location", "timezone_id"),
        _with("warm", "current", "temperature"),
        _with(None, "current", "humidity"),
        _with("sunny", "current", "weather_code"),
        _with({"2026-11-23": {"date": "2026-11-23"}}, "forecast"),
        _with({"x": {"date": "someday", "hourly": []}}, "forecast"),
        _with([1, 2], "forecast"),
    ],
)
def test_an_answer_without_what_was_promised(
    service: WeatherStack, api: Api, spoil: Callable[[dict[str, Any]], None]
) -> None:
    good = weatherstack(NOON)

    def spoiled(call: Any) -> Reply:
        body = json.loads(json.dumps(good(call).body))
        spoil(body)
        return Reply(body)

    api.speaks = spoiled
    with pytest.raises(UnreadableError):
        service.look_up("Denver", TODAY + timedelta(days=1))


def test_an_unknown_weather_code_is_taken_for_clouds(service: WeatherStack, api: Api) -> None:
    good = weatherstack(NOON)

    def speak(call: Any) -> Reply:
        body = json.loads(json.dumps(good(call).body))
        body["current"]["weather_code"] = 777
        return Reply(body)

    api.speaks = speak
    now = service.look_up("Denver").now
    assert now
    assert now.condition == "cloudy"
