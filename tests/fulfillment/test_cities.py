"""Names of cities, states and countries."""

from __future__ import annotations

from contextlib import suppress
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.cities import Cities
from fulfillment.errors import AmbiguousPlaceError, UnknownPlaceError


@pytest.mark.parametrize(
    ("said", "full_name"),
    [
        ("Denver", "Denver, Colorado"),
        ("denver colorado", "Denver, Colorado"),
        ("Los Angeles, California", "Los Angeles, California"),
        ("new york city", "New York"),
        ("washington d c", "Washington, District of Columbia"),
        ("saint louis", "St Louis, Missouri"),
        ("los angels", "Los Angeles, California"),
        ("sea attle", "Seattle, Washington"),
        ("san fransisco", "San Francisco, California"),
        ("portland", "Portland, Oregon"),
        ("portland maine", "Portland, Maine"),
        ("paris", "Paris, France"),
        ("paris texas", "Paris, Texas"),
        ("london england", "London, England"),
        ("the city of london", "London, England"),
        ("springfield illinois", "Springfield, Illinois"),
        ("lima peru", "Lima, Peru"),
        ("texas", "Texas, United States"),
        ("france", "France"),
    ],
)
def test_places(cities: Cities, said: str, full_name: str) -> None:
    assert cities.find(said).full_name == full_name


def test_several_of_about_one_size(cities: Cities) -> None:
    with pytest.raises(AmbiguousPlaceError) as caught:
        cities.find("springfield")
    assert caught.value.choices == ("Springfield, Missouri", "Springfield, Massachusetts", "Springfield, Illinois")
    for choice in caught.value.choices:
        assert cities.find(choice).full_name == choice


@pytest.mark.parametrize("said", ["zzyzx", "near me", "", "'; DROP TABLE stores; --", "🍕", "a" * 5000])
def test_what_is_no_place(cities: Cities, said: str) -> None:
    with pytest.raises(UnknownPlaceError) as caught:
        cities.find(said)
    assert len(caught.value.spoken) < 100


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("pears", "Paris"),
        ("Bless Angela's.", "Los Angeles"),
        ("Narrowby,", "Nairobi"),
        ("sea-book springs", "Steamboat Springs"),
        ("lanta", "Atlanta"),  # a first syllable that was not heard
        ("troit.", "Detroit"),
        ("land", ""),
        ("awful", ""),
        ("tires", ""),
        ("fribble frabble", ""),
        ("16", ""),
        ("", ""),
        ("🍕", ""),
        ("x" * 5000, ""),
    ],
)
def test_a_place_is_known_by_its_sound_where_one_is_clearly_meant(cities: Cities, heard: str, name: str) -> None:
    assert cities.sounding_like(heard) == name


def test_every_place_has_a_time_zone_and_can_be_named(cities: Cities) -> None:
    for named in list(cities._named.values()):
        for city in named:
            assert ZoneInfo(city.timezone)
            assert -90 <= city.latitude <= 90
            assert cities.find(city.full_name).name == city.name


@given(st.text(max_size=300))
def test_any_text_is_a_place_or_a_told_error(cities: Cities, text: str) -> None:
    with suppress(UnknownPlaceError, AmbiguousPlaceError):
        assert cities.find(text)
