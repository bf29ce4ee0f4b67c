"""Prices and stock from the catalogue: colours, sizes, stores, cities, currencies, and what is only nearly right."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fulfillment.catalogue import Catalogue
from fulfillment.cities import Cities
from fulfillment.errors import AmbiguousError, AmbiguousPlaceError, NotFoundError, UnknownPlaceError
from fulfillment.products import CatalogueProducts, Money, Offers, ProductQuery, minor_digits
from tests.fulfillment.conftest import at_noon


@pytest.fixture(params=["sample", "company"])
def products(request: pytest.FixtureRequest, cities: Cities) -> CatalogueProducts:
    return CatalogueProducts(request.getfixturevalue(request.param), cities, at_noon)


def found(offers: Offers) -> set[tuple[str, str, str]]:
    return {(offer.name, offer.color, offer.size) for offer in offers.offers}


@pytest.mark.parametrize("query", [ProductQuery("wool sweater", color="blue"), ProductQuery("blue wool sweaters")])
def test_a_colour_of_its_own_or_before_the_name(products: CatalogueProducts, query: ProductQuery) -> None:
    expected = {("wool sweater", "blue", letter) for letter in ("S", "M", "L", "XL")}
    assert found(products.prices(query)) == expected


def test_a_shade_answers_where_the_colour_is_missing(products: CatalogueProducts) -> None:
    assert {offer.color for offer in products.prices(ProductQuery("polo shirt", color="blue")).offers} == {"navy"}


def test_a_colour_word_that_belongs_to_the_name_stays(products: CatalogueProducts) -> None:
    assert {offer.name for offer in products.prices(ProductQuery("wine glasses")).offers} == {"wine glasses"}
    assert {offer.name for offer in products.prices(ProductQuery("orange juice")).offers} == {"orange juice"}


@pytest.mark.parametrize(
    ("query", "sizes"),
    [
        (ProductQuery("laptop memory", size="sixteen gigs"), {"16 GB"}),
        (ProductQuery("sixteen gigs of laptop memory"), {"16 GB"}),
        (ProductQuery("queen mattress"), {"queen"}),
        (ProductQuery("running shoes", size="size ten and a half"), {"10.5"}),
        (ProductQuery("smart TV", size="sixty five inch"), {"65 inch"}),
        (ProductQuery("milk", pack="gallon"), {"1 quart", "1 gallon"}),  # a pack without a number
        (ProductQuery("milk", pack="1 gallon"), {"1 gallon"}),
        (ProductQuery("sofa", pack="1 gallon"), {""}),
    ],
)
def test_sizes(products: CatalogueProducts, query: ProductQuery, sizes: set[str]) -> None:
    assert {offer.size for offer in products.prices(query).offers} == sizes


def test_another_colour_is_nearly_right(products: CatalogueProducts) -> None:
    for ask in (products.prices, products.stock):
        answer = ask(ProductQuery("wool sweater", color="green"))
        assert answer.offers == ()
        assert {offer.color for offer in answer.nearly} == {"blue", "gray", "red", "cream"}
        assert not any(offer.asked_for for offer in answer.nearly)


def test_another_city_is_nearly_right(products: CatalogueProducts) -> None:
    answer = products.stock(ProductQuery("laptop memory", size="16 GB", area="denver"))
    assert answer.offers == ()
    assert answer.place == "in Denver"
    assert {offer.city for offer in answer.nearly if offer.asked_for} == {"London", "Los Angeles", "New York"}


def test_stock_by_store_and_city(products: CatalogueProducts) -> None:
    answer = products.stock(ProductQuery("wool sweater", color="blue", store="north field", area="denver"))
    assert answer.place == "at Northfield in Denver"
    assert {(offer.store, offer.city) for offer in answer.offers} == {("Northfield", "Denver")}
    assert all(offer.quantity for offer in answer.offers)


def test_more_than_any_store_has(products: CatalogueProducts) -> None:
    answer = products.stock(ProductQuery("dining chairs", quantity=500))
    assert answer.offers == ()
    assert all(offer.asked_for and offer.quantity for offer in answer.nearly)


@pytest.mark.parametrize(("area", "price"), [("london", Money(4800, "GBP")), ("denver", Money(5900, "USD"))])
def test_prices_are_in_the_money_of_the_place(products: CatalogueProducts, area: str, price: Money) -> None:
    answer = products.prices(ProductQuery("wool sweater", area=area))
    assert {offer.price for offer in answer.offers} == {price}
    assert {offer.price for offer in products.stock(ProductQuery("wool sweater", area=area)).offers} == {price}


def test_the_cheapest_laptop(products: CatalogueProducts) -> None:
    first = products.prices(ProductQuery("laptop", order="cheapest")).offers[0]
    assert (first.name, first.price) == ("student laptop", Money(37900, "USD"))
    stock = products.stock(ProductQuery("laptop", order="cheapest")).offers
    assert stock[0].price
    assert stock[0].price.currency == "USD"  # pounds are no less than dollars


def test_price_bounds_make_a_choice_unnecessary(products: CatalogueProducts) -> None:
    answer = products.prices(ProductQuery("laptops", most=Decimal(500)))
    assert {offer.name for offer in answer.offers} == {"student laptop"}


def test_too_many_kinds_are_asked_about(products: CatalogueProducts) -> None:
    with pytest.raises(AmbiguousError) as caught:
        products.prices(ProductQuery("laptop"))
    assert caught.value.choices == ("air laptop", "gaming laptop", "pro laptop", "student laptop")
    for choice in caught.value.choices:
        assert {offer.name for offer in products.prices(ProductQuery(choice)).offers} == {choice}


def test_a_few_kinds_are_told(products: CatalogueProducts) -> None:
    names = {offer.name for offer in products.prices(ProductQuery("sweater")).offers}
    assert names == {"cotton sweater", "wool sweater"}


def test_what_is_unknown_is_not_taken_for_what_is_like_it(products: CatalogueProducts) -> None:
    with pytest.raises(NotFoundError, match="wedding dress") as caught:
        products.prices(ProductQuery("wedding dress"))
    assert "The closest is the" in caught.value.spoken
    with pytest.raises(NotFoundError):
        products.prices(ProductQuery("laptop bag"))


def test_unknown_stores_and_areas(products: CatalogueProducts) -> None:
    with pytest.raises(NotFoundError) as caught:
        products.stock(ProductQuery("milk", store="Target"))
    assert caught.value.spoken == "Sorry, I don't know a store called target."
    with pytest.raises(UnknownPlaceError):
        products.stock(ProductQuery("milk", area="zzyzx"))
    with pytest.raises(AmbiguousPlaceError):
        products.stock(ProductQuery("milk", area="springfield"))


def test_only_the_shipped_catalogue_is_a_sample(sample: Catalogue, company: Catalogue, cities: Cities) -> None:
    for catalogue in (sample, company):
        answer = CatalogueProducts(catalogue, cities, at_noon).prices(ProductQuery("kettle"))
        assert answer.sample == (catalogue is sample)
        assert answer.source == catalogue.name


@pytest.mark.parametrize(
    ("money", "amount", "digits"),
    [
        (Money(2450, "USD"), "24.50", 2),
        (Money(2450, "JPY"), "2450", 0),
        (Money(2450, "KWD"), "2.450", 3),
        (Money(0, "EUR"), "0", 2),
    ],
)
def test_minor_units(money: Money, amount: str, digits: int) -> None:
    assert money.amount == Decimal(amount)
    assert minor_digits(money.currency) == digits
