"""Open-Meteo's client: finding places, its limits, its failures, gaps at the end of a forecast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from fulfillment.errors import (
    AmbiguousPlaceError,
    ExhaustedError,
    FulfilmentError,
    UnavailableError,
    UnknownPlaceError,
    UnreadableError,
)
from fulfillment.http import Patience
from fulfillment.open_meteo import OpenMeteo
from fulfillment.weather import outlook
from tests.fulfillment.api import Api, Reply, serving
from tests.fulfillment.conftest import NOON, at_noon
from tests.fulfillment.weather_apis import meteo_error, open_meteo, open_meteo_places

TODAY = date(2026, 11, 23)
PATIENCE = Patience(attempts=2, first_pause_s=0.01)


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(open_meteo(NOON)) as running:
        yield running


@pytest.fixture
def places() -> Iterator[Api]:
    with serving(open_meteo_places) as running:
        yield running


@pytest.fixture
def service(api: Api, places: Api) -> Iterator[OpenMeteo]:
    opened = OpenMeteo(base_url=api.url, places_url=places.url, patience=PATIENCE, clock=at_noon)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("said", "region"),
    [
        ("London", "England"),
        ("london ontario", "Ontario"),
        ("London, Canada", "Ontario"),
        ("london united kingdom", "England"),
        ("springfield massachusetts", "Massachusetts"),
        ("Springfield, Ohio", "Ohio"),
    ],
)
def test_places_with_their_state_or_country(service: OpenMeteo, said: str, region: str) -> None:
    assert service.look_up(said).place.region == region


def test_namesakes_of_about_one_size_are_asked_about(service: OpenMeteo) -> None:
    with pytest.raises(AmbiguousPlaceError) as caught:
        service.look_up("Springfield")
    assert caught.value.choices == ("Springfield, Missouri", "Springfield, Massachusetts", "Springfield, Illinois")


def test_a_state_that_has_no_such_city(service: OpenMeteo) -> None:
    with pytest.raises(UnknownPlaceError):
        service.look_up("denver ontario")


def test_a_place_is_looked_up_once(service: OpenMeteo, api: Api, places: Api) -> None:
    service.look_up("Denver")
    service.look_up("Denver", TODAY)
    service.look_up("Denver", TODAY)
    assert len(places.calls) == 1
    assert len(api.calls) == 2
    assert api.calls[0].query["timezone"] == "auto"
    assert "apikey" not in api.calls[0].query


def test_a_customer_sends_the_key(api: Api, places: Api) -> None:
    service = OpenMeteo("k3y", base_url=api.url, places_url=places.url, clock=at_noon)
    service.look_up("Denver")
    service.close()
    assert api.calls[0].query["apikey"] == places.calls[0].query["apikey"] == "k3y"


def test_codes_and_chances(service: OpenMeteo) -> None:
    tomorrow = outlook(service.look_up("Denver", TODAY + timedelta(days=5)), TODAY + timedelta(days=1))
    assert tomorrow
    assert tomorrow.condition == "rain"
    assert tomorrow.rain_chance == 0.82
    assert tomorrow.snow_chance == 0
    assert round(tomorrow.rain_mm, 1) == 6.4  # 16 hours of the day at 0.4 mm


def test_days_beyond_the_model_are_left_out(service: OpenMeteo) -> None:
    weather = service.look_up("Denver", TODAY + timedelta(days=5))
    assert [day.date for day in weather.days] == [TODAY + timedelta(days=ahead) for ahead in range(5)]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (meteo_error(429, "Minutely API request limit exceeded. Please try again in one minute."), ExhaustedError),
        (meteo_error(429, "Daily API request limit exceeded. Please try again tomorrow."), ExhaustedError),
        (meteo_error(429, ""), ExhaustedError),
        (meteo_error(400, "Cannot initialize from invalid String value"), UnreadableError),
        (meteo_error(502, "Bad gateway"), UnavailableError),
        (Reply(b"<html>"), UnreadableError),
        (Reply({"timezone": "Nowhere/None", "current": {}}), UnreadableError),
        (Reply({"timezone": "America/Denver", "current": {"time": "noon"}}), UnreadableError),
        (Reply({"timezone": "America/Denver"}), UnreadableError),
    ],
)
def test_failures(service: OpenMeteo, api: Api, reply: Reply, kind: type[FulfilmentError]) -> None:
    api.speaks = lambda call: reply
    with pytest.raises(kind) as caught:
        service.look_up("Denver")
    assert caught.value.spoken.startswith("Sorry, ")


@pytest.mark.parametrize(
    "body",
    [{"results": "many"}, {"results": [1]}, {"results": [{"name": "Denver"}]},
     {"results": [{"name": "Denver", "latitude": "north", "longitude": 1, "country": "US"}]}],
)  # fmt: skip
def test_places_that_cannot_be_read(service: OpenMeteo, places: Api, body: dict[str, object]) -> None:
    places.speaks = lambda call: Reply(body)
    with pytest.raises(UnreadableError):
        service.look_up("Denver")


def test_a_limit_spares_the_service(service: OpenMeteo, api: Api) -> None:
    api.speaks = lambda call: meteo_error(429, "Hourly API request limit exceeded.")
    for ahead in (0, 1):
        with pytest.raises(ExhaustedError) as caught:
            service.look_up("Denver", TODAY + timedelta(days=ahead))
    assert caught.value.wait_s
    assert len(api.calls) == 1
