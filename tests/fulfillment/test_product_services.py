"""What every product service keeps to: the catalogue's on SQLite and PostgreSQL, and eBay's client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulfillment.catalogue import Catalogue
from fulfillment.cities import Cities
from fulfillment.ebay import Ebay
from fulfillment.errors import FulfilmentError, NotFoundError
from fulfillment.http import Patience
from fulfillment.products import CatalogueProducts, ProductQuery, ProductService
from tests.fulfillment.api import serving
from tests.fulfillment.conftest import NOON, at_noon
from tests.fulfillment.retail_apis import EBAY_KEY, EbayApi


@pytest.fixture(scope="module", params=["sample", "company", "ebay"])
def service(request: pytest.FixtureRequest, cities: Cities) -> Iterator[ProductService]:
    if request.param == "ebay":
        with serving(EbayApi()) as api:
            client = Ebay(EBAY_KEY, base_url=api.url, patience=Patience(first_pause_s=0.01), clock=at_noon)
            yield client
            client.close()
        return
    catalogue: Catalogue = request.getfixturevalue(request.param)
    yield CatalogueProducts(catalogue, cities, at_noon)


def test_what_a_thing_costs(service: ProductService) -> None:
    query = ProductQuery(item="wool sweater", color="blue")
    found = service.prices(query)
    assert found.query == query
    assert found.offers
    assert found.source
    assert found.as_of == NOON
    for offer in found.offers:
        assert "sweater" in offer.name.lower()
        assert offer.price
        assert offer.price.currency == "USD"
        assert offer.price.amount_minor > 0
        assert offer.price.amount == Decimal(offer.price.amount_minor) / 100


def test_whether_a_thing_is_in_stock(service: ProductService) -> None:
    found = service.stock(ProductQuery(item="wool sweater", color="blue"))
    assert found.offers
    assert all(offer.quantity is None or offer.quantity > 0 for offer in found.offers)
    assert all(offer.store for offer in found.offers) == isinstance(service, CatalogueProducts)


def test_the_cheapest_and_the_dearest(service: ProductService) -> None:
    cheap = service.prices(ProductQuery(item="wool sweater", order="cheapest")).offers
    dear = service.prices(ProductQuery(item="wool sweater", order="dearest")).offers
    assert cheap[0].price
    assert dear[0].price
    assert cheap[0].price.amount <= dear[0].price.amount
    amounts = [offer.price.amount for offer in cheap if offer.price]
    assert amounts == sorted(amounts)


def test_price_bounds(service: ProductService) -> None:
    everything = service.prices(ProductQuery(item="sweater"))
    most = sorted(offer.price.amount for offer in everything.offers if offer.price)[0]
    found = service.prices(ProductQuery(item="sweater", most=most))
    assert found.offers
    assert all(offer.price and offer.price.amount <= most for offer in found.offers)


@pytest.mark.parametrize("item", ["flux capacitor", "", "🍕", "'; DROP TABLE products; --", "x" * 4000])
def test_an_unknown_thing(service: ProductService, item: str) -> None:
    for ask in (service.prices, service.stock):
        with pytest.raises(NotFoundError) as caught:
            ask(ProductQuery(item=item))
        assert caught.value.spoken.startswith("Sorry, I ")
        assert len(caught.value.spoken) < 200
        assert not caught.value.retryable


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    item=st.sampled_from(["wool sweater", "x"]) | st.text(max_size=60),
    color=st.text(max_size=30),
    size=st.text(max_size=30),
    store=st.text(max_size=30),
    area=st.text(max_size=30),
    quantity=st.integers(-5, 10**9),
)
def test_any_words_are_answered_or_told(
    service: ProductService, item: str, color: str, size: str, store: str, area: str, quantity: int
) -> None:
    query = ProductQuery(item=item, color=color, size=size, store=store, area=area, quantity=quantity)
    for ask in (service.prices, service.stock):
        with suppress(FulfilmentError):
            assert ask(query).source
