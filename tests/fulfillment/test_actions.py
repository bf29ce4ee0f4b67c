"""The actions of the dialog flows over the real embedded services, and over services that fail."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulfillment.actions import perform
from fulfillment.http import Patience
from fulfillment.places import Yelp
from fulfillment.services import Services, open_services
from fulfillment.weatherstack import WeatherStack
from tests.fulfillment.api import Reply, serving
from tests.fulfillment.conftest import at_noon
from tests.fulfillment.test_requests import SLOTS
from tests.fulfillment.weather_apis import KEY

KINDS = ("price_check", "inventory_check", "store_location")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    opened = open_services(tmp_path_factory.mktemp("home"), clock=at_noon)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("request_", "status", "part"),
    [
        (
            {"kind": "rainfall_yes_no", "location": "Los Angeles", "weathertime": "next week"},
            "ok",
            "in Los Angeles next week",
        ),
        ({"kind": "temperature", "location": "denver"}, "ok", "degrees in Denver right now"),
        (
            {"kind": "general", "location": "london", "weathertime": "tomorrow morning"},
            "ok",
            "In London tomorrow morning",
        ),
        ({"kind": "general", "location": ("boston", "denver")}, "ok", "In Denver today"),
        ({"kind": "general", "location": "denver", "weathertime": "the harvest moon"}, "ok",
         "not sure which day you mean"),
        ({"kind": "general"}, "no_location", ""),
        ({"kind": "general", "location": "near me"}, "no_location", ""),
        ({"kind": "general", "location": "zzyzx"}, "no_such_place", "I don't know zzyzx."),
        ({"kind": "general", "location": "springfield"}, "several_places", "more than one springfield"),
        ({"kind": "snow_yes_no", "location": "denver", "weathertime": "july fourth"}, "out_of_range",
         "14 days ahead"),
        ({"kind": "general", "location": "denver", "weathertime": "yesterday"}, "out_of_range", "from today on"),
    ],
)  # fmt: skip
def test_weather(services: Services, request_: dict[str, str], status: str, part: str) -> None:
    result = perform(services, "weather", request_)
    assert set(result) == {"weather_status", "answer", "source", "as_of", "choices"}
    assert result["weather_status"] == status
    assert part in result["answer"]
    if status == "ok":
        assert result["source"] == "sample weather"
        assert result["as_of"] == "2026-11-23T19:30:00Z"
        assert str(result["answer"]).endswith("This is sample data.")
    if status == "several_places":
        assert "Springfield, Illinois" in result["choices"]


@pytest.mark.parametrize(
    ("request_", "status", "part"),
    [
        ({"kind": "price_check", "item.type": "wool sweater", "item.color": "blue"}, "ok",
         "The blue wool sweater costs $59."),
        ({"kind": "price_check", "item.type": "laptop", "cost.low": "cheapest"}, "ok",
         "is the student laptop, at $379"),
        ({"kind": "price_check", "item.type": "mattress", "cost.average": "average price"}, "ok",
         "On average, the mattress"),
        ({"kind": "price_check", "item.name": "flux capacitor"}, "nothing_found", "couldn't find flux capacitor"),
        ({"kind": "price_check", "item.type": "laptop"}, "several_items", "4 kinds of laptop"),
        ({"kind": "price_check", "item.type": "milk", "store.name": "target"}, "nothing_found",
         "a store called target"),
        ({"kind": "inventory_check", "item.type": "wool sweater", "item.color": "blue", "location": "denver"}, "ok",
         "Yes, the blue wool sweater is in stock at Northfield in Denver"),
        ({"kind": "inventory_check", "item.type": "wool sweater", "item.color": "green"}, "nothing_found",
         "comes in blue"),
        ({"kind": "inventory_check", "item.type": "milk", "location": "zzyzx"}, "no_such_place", ""),
        ({"kind": "inventory_check", "item.type": "milk", "location": "near me"}, "ok",
         "Yes, the whole milk is in stock"),
        ({"kind": "store_location", "item.type": "pasta", "rating.high": "best", "location": "los angeles"}, "ok",
         "The best rated is Nonna Rosa at 1418 Echo Park Avenue in Los Angeles, with 4.8 stars. It opens at 5 p.m."),
        ({"kind": "store_location", "store.type": "pharmacy", "location": "denver", "store.status": "open now"}, "ok",
         "Elm Street Pharmacy is at 1001 Lincoln Street in Denver, with 4.2 stars. It's open until 9 p.m."),
        ({"kind": "store_location", "store.name": "northfield", "location": "denver", "store.status": "open now",
          "question": "is northfield in denver open now"}, "ok", "Yes, it's open until 9 p.m. Northfield is at"),
        ({"kind": "store_location", "store.name": "northfield", "location": "denver", "store.hour.end": "11 p.m.",
          "question": "is northfield in denver open until eleven p.m."}, "ok",
         "No, Northfield at 500 16th Street in Denver is closed then. It opens at 10 a.m."),
        ({"kind": "store_location", "store.type": "pharmacy", "location": "here"}, "no_location", ""),
        ({"kind": "store_location", "store.type": "pharmacy"}, "no_location", ""),
        ({"kind": "store_location", "store.type": "thai food", "location": "reno"}, "nothing_found",
         "thai food in Reno"),
        ({"kind": "store_location", "store.type": "bank", "location": "springfield"}, "several_places",
         "more than one"),
    ],
)  # fmt: skip
def test_retail(services: Services, request_: dict[str, str], status: str, part: str) -> None:
    result = perform(services, "retail", request_)
    assert set(result) == {"retail_status", "answer", "source", "as_of", "choices"}
    assert result["retail_status"] == status
    assert part in result["answer"]
    if status == "ok":
        assert result["source"] == "the sample catalogue"
        assert result["as_of"] == "2026-11-23T19:30:00Z"
        assert str(result["answer"]).endswith("That's from the sample catalogue.")


def test_days_are_those_of_the_place(tmp_path: Path) -> None:
    evening = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)  # Monday evening in Denver
    services = open_services(tmp_path, clock=lambda: evening)
    answer = perform(services, "weather", {"kind": "general", "location": "denver", "weathertime": "tuesday"})["answer"]
    assert "In Denver tomorrow" in answer
    answer = perform(services, "weather", {"kind": "general", "location": "sydney", "weathertime": "tuesday"})["answer"]
    assert "In Sydney today" in answer
    services.close()


def test_a_service_that_fails_is_told_and_not_replaced(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    with serving(lambda call: Reply({}, 503)) as api:
        patience = Patience(attempts=1)
        failing = replace(
            services,
            weather=WeatherStack(KEY, base_url=api.url, patience=patience, clock=at_noon),
            places=Yelp(KEY, base_url=api.url, patience=patience, clock=at_noon),
        )
        weather = perform(failing, "weather", {"kind": "general", "location": "denver"})
        places = perform(failing, "retail", {"kind": "store_location", "store.type": "bank", "location": "denver"})
        failing.weather.close()
        failing.places.close()
    assert weather == {
        "weather_status": "unavailable",
        "answer": "Sorry, I can't reach the weather service right now.",
        "source": "",
        "as_of": "",
        "choices": (),
    }
    assert places["retail_status"] == "unavailable"
    assert places["answer"] == "Sorry, I can't reach the place search right now."
    assert "OVERTONE_WEATHER_KEY" in caplog.text
    assert KEY not in caplog.text


def test_units_of_the_settings(services: Services) -> None:
    request = {"kind": "temperature", "location": "denver", "weathertime": "tomorrow"}
    assert "Celsius" in perform(replace(services, units="metric"), "weather", request)["answer"]


def test_the_question_itself_is_answered(services: Services) -> None:
    asked = {"kind": "temperature_yes_no", "location": "denver", "weathertime": "tomorrow"}
    answer = perform(services, "weather", {**asked, "question": "will it be boiling in Denver tomorrow?"})["answer"]
    assert str(answer).startswith("No, it won't be hot in Denver tomorrow.")
    stock = {"kind": "inventory_check", "item.type": "wool sweater", "item.color": "blue", "location": "denver"}
    enough = perform(services, "retail", {**stock, "item.quantity": "fifteen", "question": "do you have fifteen"})
    counted = perform(services, "retail", {**stock, "item.quantity": "five hundred", "question": "how many are there"})
    assert str(enough["answer"]).startswith(("Yes, ", "Sorry, there aren't 15"))
    assert str(counted["answer"]).startswith("There are ")  # all of them, whatever number was said before


def test_an_unknown_action(services: Services) -> None:
    with pytest.raises(ValueError, match="weather, retail"):
        perform(services, "hand_over", {})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    action=st.sampled_from(["weather", "retail"]),
    kind=st.sampled_from([*KINDS, "general", "rainfall_yes_no", "nonsense"]),
    slots=st.dictionaries(
        st.sampled_from([*SLOTS, "weathertime"]),
        st.text(max_size=60)
        | st.lists(st.text(max_size=30), max_size=3)
        | st.sampled_from(["denver", "wool sweater", "tomorrow", "'; DROP TABLE stores; --", "northfield", "pasta"]),
        max_size=8,
    ),
)
def test_any_request_has_a_result_that_can_be_said(
    services: Services, action: str, kind: str, slots: dict[str, str | list[str]]
) -> None:
    logging.disable(logging.WARNING)
    result = perform(services, action, {**slots, "kind": kind})
    logging.disable(logging.NOTSET)
    assert result[f"{action}_status"]
    assert isinstance(result["answer"], str)
    assert len(result["answer"]) < 600
    assert all(isinstance(choice, str) for choice in result["choices"])
    if result[f"{action}_status"] not in ("no_location",):
        assert result["answer"]


def test_each_place_and_each_thing_that_was_named_is_told_of(services: Services) -> None:
    result = perform(services, "weather", {"kind": "general", "location": ("paris", "london")})
    assert result["weather_status"] == "ok"
    assert "In Paris today" in result["answer"]
    assert "In London today" in result["answer"]
    assert str(result["answer"]).count("This is sample data.") == 1
    things = ("wool sweater", "running shoes")
    result = perform(services, "retail", {"kind": "price_check", "item.type": things, "item.color": ("blue", "white")})
    assert "blue wool sweater" in result["answer"]
    assert "white running shoes" in result["answer"]


def test_one_of_several_that_must_be_asked_back_is_asked_first(services: Services) -> None:
    result = perform(services, "retail", {"kind": "price_check", "item.type": ("laptop", "wool sweater")})
    assert result["retail_status"] == "several_items"
    assert result["choices"]


def test_a_place_that_nobody_knows_comes_with_the_one_it_sounds_like(services: Services) -> None:
    for action, request_ in (
        ("weather", {"kind": "general", "location": "pears"}),
        ("retail", {"kind": "store_location", "store.type": "pharmacy", "location": "pears"}),
    ):
        result = perform(services, action, request_)
        assert result[f"{action}_status"] == "no_such_place"
        assert result["choices"] == ("Paris",)
    assert perform(services, "weather", {"kind": "general", "location": "zzyzx"})["choices"] == ()
