"""What the slots of a request ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.places import PlaceQuery
from fulfillment.products import ProductQuery
from fulfillment.requests import is_here, open_time, place_query, product_query, quantity, text, texts, wants_count

ZONE = ZoneInfo("America/Denver")
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=ZONE)  # a Monday
SLOTS = (
    "kind", "location", "store.type", "store.name", "store.status", "store.hour.day", "store.hour.start",
    "store.hour.end", "item.type", "item.name", "item.color", "item.size", "item.quantity", "cost.low", "cost.average",
    "cost.high", "rating.high", "rating.average", "rating.low", "time.period_of_time",
)  # fmt: skip


@pytest.mark.parametrize(
    "location",
    [
        "",
        "here",
        "near me",
        "right here",
        "nearby",
        "nearest",
        "closest",
        "around here",
        "my area",
        "outside",
        "downtown",
    ],
)
def test_here_is_no_place(location: str) -> None:
    assert is_here(location)


@pytest.mark.parametrize("location", ["denver", "nearham", "hereford", "main street", "home town heroes"])
def test_a_name_is_a_place(location: str) -> None:
    assert not is_here(location)


def test_what_was_said_several_times() -> None:
    assert text(("boston", "denver")) == "denver"
    assert text(("paris texas", "paris")) == "paris texas"
    assert text(["", "denver "]) == "denver"
    assert text(()) == text(None) == ""
    assert len(text("x" * 5000)) == 120
    assert texts({"item.color": ("red", "black")})["item.color"] == "red and black"


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"item.type": "wool sweater", "item.color": "blue"}, ProductQuery("wool sweater", color="blue")),
        ({"item.name": "sony", "item.type": "headphones"}, ProductQuery("sony headphones")),
        ({"item.type": "milk", "item.quantity": "gallon"}, ProductQuery("milk", pack="1 gallon")),
        ({"item.type": "laptop", "cost.low": "cheapest"}, ProductQuery("laptop", order="cheapest")),
        ({"item.type": "laptop", "cost.high": "most expensive"}, ProductQuery("laptop", order="dearest")),
        ({"item.type": "laptop", "cost.low": "five hundred dollars"}, ProductQuery("laptop", most=Decimal(500))),
        ({"item.type": "laptop", "cost.high": "ten bucks"}, ProductQuery("laptop", least=Decimal(10))),
        (
            {"item.type": "grill", "cost.average": "fifty and a hundred dollars"},
            ProductQuery("grill", least=Decimal(50), most=Decimal(100)),
        ),
        ({"item.type": "tv", "location": "near me", "store.name": "target"}, ProductQuery("tv", store="target")),
        ({"item.type": "tv", "location": "denver"}, ProductQuery("tv", area="denver")),
        ({}, ProductQuery("")),
    ],
)
def test_products(asked: Mapping[str, str], query: ProductQuery) -> None:
    assert product_query(asked) == query


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"item.type": "pasta", "rating.high": "best"}, PlaceQuery("denver", "pasta", order="best rated")),
        ({"store.type": "hotel", "cost.low": "cheap"}, PlaceQuery("denver", "hotel", prices=(1, 2))),
        ({"store.type": "hotel", "cost.low": "cheapest"}, PlaceQuery("denver", "hotel", order="cheapest")),
        ({"store.type": "hotel", "cost.high": "fancy"}, PlaceQuery("denver", "hotel", prices=(3, 4))),
        ({"store.type": "hotel", "cost.high": "most expensive"}, PlaceQuery("denver", "hotel", order="dearest")),
        ({"store.type": "hotel", "cost.average": "mid range"}, PlaceQuery("denver", "hotel", prices=(2, 3))),
        (
            {"store.type": "gym", "rating.high": "good"},
            PlaceQuery("denver", "gym", least_rating=4.0, order="best rated"),
        ),
        (
            {"store.type": "gym", "rating.high": "four and a half stars"},
            PlaceQuery("denver", "gym", least_rating=4.5, order="best rated"),
        ),
        ({"store.type": "gym", "rating.average": "decent"}, PlaceQuery("denver", "gym", least_rating=3.0)),
        ({"store.type": "gym", "rating.low": "worst"}, PlaceQuery("denver", "gym", order="worst rated")),
        ({"store.name": "ikea", "item.type": "sofa"}, PlaceQuery("denver", name="ikea")),
        ({"store.type": "bank", "store.status": "open now"}, PlaceQuery("denver", "bank", open_at=NOW)),
        ({"store.type": "bank", "store.hour.day": "friday"}, PlaceQuery("denver", "bank", open_on=date(2026, 11, 27))),
    ],
)
def test_places(asked: Mapping[str, str], query: PlaceQuery) -> None:
    assert place_query({**asked, "location": "denver"}, NOW) == query


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("asked", "when"),
    [
        ({"store.status": "open"}, NOW),
        ({"store.status": "open", "time.period_of_time": "right now"}, NOW),
        ({"time.period_of_time": "right now"}, NOW),
        ({"store.hour.end": "ten p m"}, at(23, 21, 59)),
        ({"store.hour.end": "eleven"}, at(23, 22, 59)),
        ({"store.hour.end": "midnight", "store.hour.day": "friday"}, at(27, 23, 59)),
        ({"store.hour.start": "nine a m", "store.hour.day": "tomorrow"}, at(24, 9, 1)),
        ({"store.hour.start": "nine"}, at(23, 9, 1)),
        ({"store.hour.start": "six"}, at(23, 18, 1)),
        ({"store.hour.start": "midnight"}, at(24, 0, 1)),
        ({"store.hour.start": "2026-11-23T17:30:00"}, at(23, 17, 31)),
        ({"store.status": "open", "time.period_of_time": "late at night"}, at(23, 23, 0)),
        ({"store.hour.day": "tonight"}, at(23, 21, 0)),
        ({"time.period_of_time": "this morning"}, at(23, 9, 0)),
        ({"store.status": "closed"}, None),
        ({"store.hour.start": "whenever"}, None),
        ({}, None),
    ],
)
def test_when_a_place_shall_be_open(asked: Mapping[str, str], when: datetime | None) -> None:
    assert open_time(asked, NOW) == (when, False)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", (1, "")),
        ("two", (2, "")),
        ("twelve", (12, "")),
        ("a dozen", (1, "12 pack")),
        ("two dozen", (2, "12 pack")),
        ("gallon", (1, "1 gallon")),
        ("two gallons", (2, "1 gallon")),
        ("twenty four pack", (1, "24 pack")),
        ("a pair", (1, "")),
        ("two pairs", (2, "")),
        ("a couple", (2, "")),
        ("zero", (1, "")),
        ("minus five", (5, "")),
        ("999999999999999", (999999, "")),
    ],
)
def test_how_many(said: str, meant: tuple[int, str]) -> None:
    assert quantity(said) == meant


def test_whether_the_number_is_wanted() -> None:
    assert all(map(wants_count, ("How many do you have?", "and how many are left", "how much of it is there")))
    assert not any(map(wants_count, ("do you have fifteen", "how much is it", "")))


@given(st.dictionaries(st.sampled_from(SLOTS), st.text(max_size=80) | st.lists(st.text(max_size=40), max_size=3)))
def test_any_request_can_be_read(request: dict[str, str | list[str]]) -> None:
    asked = texts(request)
    product_query(asked)
    place_query(asked, NOW)
