"""What every place service keeps to: the catalogue's on SQLite and PostgreSQL, and Yelp's client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulfillment.catalogue import Catalogue
from fulfillment.cities import Cities
from fulfillment.errors import FulfilmentError, UnknownPlaceError
from fulfillment.http import Patience
from fulfillment.places import CataloguePlaces, PlaceQuery, PlaceService, Yelp
from tests.fulfillment.api import serving
from tests.fulfillment.conftest import NOON, at_noon
from tests.fulfillment.retail_apis import YELP_KEY, yelp


@pytest.fixture(scope="module", params=["sample", "company", "yelp"])
def service(request: pytest.FixtureRequest, cities: Cities) -> Iterator[PlaceService]:
    if request.param == "yelp":
        with serving(yelp) as api:
            client = Yelp(YELP_KEY, base_url=api.url, patience=Patience(first_pause_s=0.01), clock=at_noon)
            yield client
            client.close()
        return
    catalogue: Catalogue = request.getfixturevalue(request.param)
    yield CataloguePlaces(catalogue, cities, at_noon)  # whoever made the catalogue closes it


def test_places_of_a_kind_in_a_city(service: PlaceService) -> None:
    query = PlaceQuery(area="Denver", what="pasta")
    found = service.search(query)
    assert found.query == query
    assert found.area == "Denver"
    assert found.businesses
    assert found.total >= len(found.businesses)
    assert found.source
    assert found.as_of == NOON
    assert found.as_of.tzinfo == UTC
    for business in found.businesses:
        assert business.name
        assert business.city == "Denver"
        assert business.address
        assert business.phone
        assert 0 <= (business.rating or 0) <= 5
        assert business.price_level in (None, 1, 2, 3, 4)


def test_only_what_we_ship_is_a_sample(service: PlaceService, sample: Catalogue) -> None:
    is_sample = isinstance(service, CataloguePlaces) and service._catalogue is sample
    assert service.search(PlaceQuery(area="denver", what="pasta")).sample == is_sample


def test_the_best_rated_comes_first(service: PlaceService) -> None:
    found = service.search(PlaceQuery(area="denver", what="restaurants", order="best rated", limit=10))
    stars = [business.rating or 0 for business in found.businesses]
    assert len(stars) > 1
    assert stars == sorted(stars, reverse=True)


def test_the_worst_rated_comes_first(service: PlaceService) -> None:
    found = service.search(PlaceQuery(area="denver", what="restaurants", order="worst rated", limit=10))
    stars = [business.rating or 0 for business in found.businesses]
    assert stars == sorted(stars)


@pytest.mark.parametrize(("order", "sign"), [("cheapest", 1), ("dearest", -1)])
def test_by_price_level(service: PlaceService, order: str, sign: int) -> None:
    query = PlaceQuery(area="denver", what="restaurants", order=order, limit=10)  # type: ignore[arg-type]
    levels = [sign * (business.price_level or 0) for business in service.search(query).businesses]
    assert levels == sorted(levels)


def test_price_levels_and_ratings_limit(service: PlaceService) -> None:
    cheap = service.search(PlaceQuery(area="denver", what="restaurants", prices=(1,), limit=10))
    assert cheap.businesses
    assert {business.price_level for business in cheap.businesses} == {1}
    good = service.search(PlaceQuery(area="denver", what="restaurants", least_rating=4.5, limit=10))
    assert good.businesses
    assert all((business.rating or 0) >= 4.5 for business in good.businesses)


def test_a_limit_cuts_the_list_and_not_the_total(service: PlaceService) -> None:
    found = service.search(PlaceQuery(area="denver", what="restaurants", limit=1))
    assert len(found.businesses) == 1
    assert found.total > 1


def test_nothing_of_the_kind_is_no_error(service: PlaceService) -> None:
    for area in ("denver", "reno"):
        found = service.search(PlaceQuery(area=area, what="zeppelin hangar"))
        assert found.businesses == ()
        assert found.source


@pytest.mark.parametrize("area", ["zzyzxville", "", "   ", "🍕", "' OR 1=1 --"])
def test_an_unknown_area(service: PlaceService, area: str) -> None:
    with pytest.raises(UnknownPlaceError) as caught:
        service.search(PlaceQuery(area=area, what="pasta"))
    assert caught.value.spoken


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    area=st.sampled_from(["denver", "x"]) | st.text(max_size=40), what=st.text(max_size=80), name=st.text(max_size=40)
)
def test_any_words_are_answered_or_told(service: PlaceService, area: str, what: str, name: str) -> None:
    with suppress(FulfilmentError):
        assert service.search(PlaceQuery(area=area, what=what, name=name)).source
