"""eBay's client: tokens and their renewal, what it sends, availability, failures."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from fulfillment.ebay import Ebay
from fulfillment.errors import (
    ExhaustedError,
    FulfilmentError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnreadableError,
)
from fulfillment.http import Patience
from fulfillment.products import Money, ProductQuery
from tests.fulfillment.api import Api, Reply, serving
from tests.fulfillment.conftest import NOON
from tests.fulfillment.retail_apis import EBAY_KEY, SECRET, EbayApi, ebay_error

PATIENCE = Patience(attempts=2, first_pause_s=0.01)
SWEATER = ProductQuery("wool sweater", color="blue")
TOKENS = "/identity/v1/oauth2/token"


class Clock:
    """A clock that the test moves."""

    now = NOON


@pytest.fixture
def ebay() -> EbayApi:
    return EbayApi()


@pytest.fixture
def api(ebay: EbayApi) -> Iterator[Api]:
    with serving(ebay) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(api: Api, clock: Clock) -> Iterator[Ebay]:
    opened = Ebay(EBAY_KEY, base_url=api.url, patience=PATIENCE, clock=lambda: clock.now)
    yield opened
    opened.close()


def test_what_ebay_is_asked(client: Ebay, api: Api) -> None:
    client.prices(ProductQuery("wool sweater", color="blue", size="L", most=Decimal(30), order="cheapest"))
    token, search = api.calls
    assert (token.method, token.path) == ("POST", TOKENS)
    assert token.headers["content-type"] == "application/x-www-form-urlencoded"
    assert search.query == {
        "q": "blue L wool sweater",
        "limit": "10",
        "filter": "buyingOptions:{FIXED_PRICE},conditions:{NEW},price:[..30.00],priceCurrency:USD",
        "sort": "price",
    }
    assert search.headers["authorization"] == "Bearer t0k3n-0"


def test_offers(client: Ebay) -> None:
    first, second = client.prices(SWEATER).offers
    assert first.price == Money(2450, "USD")
    assert first.name == "Men's Blue Wool Sweater Pullover, new"
    assert first.url == "https://www.ebay.com/itm/101"
    assert second.price == Money(3999, "USD")


@pytest.mark.parametrize(
    ("item", "quantity"),
    [("pullover", 3), ("merino wool", 10), ("red wool sweater", None), ("laptop memory", 1)],
)
def test_how_many_are_left(client: Ebay, item: str, quantity: int | None) -> None:
    offer = client.stock(ProductQuery(item)).offers[0]
    assert offer.quantity == quantity


@pytest.mark.parametrize("item", ["sold out gadget", "gone gadget"])
def test_what_is_gone_is_not_offered(client: Ebay, item: str) -> None:
    assert client.stock(ProductQuery(item)).offers == ()


def test_more_than_are_left(client: Ebay) -> None:
    assert client.stock(ProductQuery("laptop memory", quantity=5)).offers == ()


def test_a_token_serves_until_a_minute_before_its_end(client: Ebay, ebay: EbayApi, clock: Clock) -> None:
    client.prices(SWEATER)
    clock.now += timedelta(seconds=7200 - 61)
    client.prices(SWEATER)
    assert len(ebay.tokens) == 1
    clock.now += timedelta(seconds=2)
    client.prices(ProductQuery("red wool sweater"))
    assert len(ebay.tokens) == 2


def test_a_token_that_is_refused_is_renewed_once(client: Ebay, ebay: EbayApi, api: Api) -> None:
    client.prices(SWEATER)
    ebay.valid.clear()
    assert client.prices(ProductQuery("red wool sweater")).offers
    assert len(ebay.tokens) == 2
    api.queue += [ebay_error(401, 1001, "OAuth", "Invalid access token")]
    assert client.prices(ProductQuery("laptop memory")).offers
    assert len(ebay.tokens) == 3


def test_a_key_that_stays_refused_is_told(client: Ebay, api: Api) -> None:
    good = api.speaks
    api.speaks = lambda call: good(call) if call.path == TOKENS else ebay_error(401, 1001, "OAuth", "Invalid")
    with pytest.raises(RefusedError, match="1001"):
        client.prices(SWEATER)
    assert [call.path for call in api.calls].count(TOKENS) == 2


def test_threads_share_one_token(client: Ebay, ebay: EbayApi) -> None:
    threads = [threading.Thread(target=client.prices, args=(SWEATER,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ebay.tokens) == 1


@pytest.mark.parametrize("key", ["", "client", ":", "client:", ":secret"])
def test_a_key_of_another_form(key: str) -> None:
    with pytest.raises(RefusedError, match="client-id:client-secret"):
        Ebay(key)


def test_a_wrong_secret(api: Api) -> None:
    client = Ebay("Overtone-app-PRD-1:wr0ng", base_url=api.url, patience=PATIENCE)
    with pytest.raises(RefusedError, match="invalid_client") as caught:
        client.prices(SWEATER)
    client.close()
    assert "doesn't let me in" in caught.value.spoken


@pytest.mark.parametrize(
    ("reply", "kind", "spoken"),
    [
        (ebay_error(429, 2001, "ACCESS", "Too many requests."), ExhaustedError, "too often"),
        (ebay_error(403, 1100, "ACCESS", "Insufficient permissions"), RefusedError, "doesn't let me in"),
        (ebay_error(400, 12001, "API_BROWSE", "The call must have"), UnreadableError, "can't read"),
        (ebay_error(500, 12000, "API_BROWSE", "Internal"), UnavailableError, "can't reach the product search"),
        (Reply(b"", 503), UnavailableError, "can't reach"),
        (Reply({"itemSummaries": [{"price": {"value": "cheap", "currency": "USD"}}]}), UnreadableError, "can't read"),
        (Reply({"itemSummaries": [{"price": 5, "title": "x", "itemId": "1"}]}), UnreadableError, "can't read"),
        (Reply({"itemSummaries": "none"}), UnreadableError, "can't read"),
        (Reply({"itemSummaries": [{"price": {"value": "1", "currency": "USD"}}]}), UnreadableError, "can't read"),
        (Reply({"total": 0}), NotFoundError, "couldn't find wool sweater on eBay"),
        (Reply({"errors": "odd", "total": 0}), NotFoundError, "couldn't find"),
    ],
)
def test_failures(client: Ebay, api: Api, reply: Reply, kind: type[FulfilmentError], spoken: str) -> None:
    good = api.speaks
    api.speaks = lambda call: good(call) if call.path == TOKENS else reply
    with pytest.raises(kind) as caught:
        client.prices(SWEATER)
    assert spoken in caught.value.spoken


@pytest.mark.parametrize(
    "reply",
    [Reply({}), Reply({"access_token": "x"}), Reply({"access_token": "x", "expires_in": "soon"}), Reply(b"<html>")],
)
def test_a_token_that_cannot_be_read(client: Ebay, api: Api, reply: Reply) -> None:
    api.speaks = lambda call: reply
    with pytest.raises(UnreadableError):
        client.prices(SWEATER)


def test_availability_that_cannot_be_read(client: Ebay, api: Api) -> None:
    good = api.speaks
    odd = Reply({"estimatedAvailabilities": [{"estimatedAvailableQuantity": "lots"}]})
    api.speaks = lambda call: odd if "/item/" in call.path else good(call)
    with pytest.raises(UnreadableError):
        client.stock(SWEATER)


def test_a_store_is_not_known(client: Ebay) -> None:
    with pytest.raises(NotFoundError, match="no store"):
        client.stock(ProductQuery("milk", store="Target"))


def test_operators_are_taken_out_of_the_words(client: Ebay, api: Api) -> None:
    with pytest.raises(NotFoundError):
        client.prices(ProductQuery('(iphone, ipad) -case "new"*' + " x" * 200))
    assert api.calls[-1].query["q"].startswith("iphone ipad case new x")
    assert len(api.calls[-1].query["q"]) <= 100


def test_prices_without_minor_units(client: Ebay, api: Api) -> None:
    good = api.speaks
    item = {"itemId": "1", "title": "Teapot", "price": {"value": "2450", "currency": "JPY"}}
    api.speaks = lambda call: good(call) if call.path == TOKENS else Reply({"itemSummaries": [item]})
    assert client.prices(ProductQuery("teapot")).offers[0].price == Money(2450, "JPY")


def test_the_secret_is_in_no_log_no_error_and_no_repr(client: Ebay, api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client.prices(SWEATER)
    seen = [repr(client)]
    api.speaks = lambda call: ebay_error(401, 1001, "OAuth", "Invalid")
    try:
        client.prices(ProductQuery("other"))
    except FulfilmentError as error:
        seen += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
    text = "\n".join([*seen, caplog.text])
    assert SECRET not in text
    assert "t0k3n" not in text
    assert client._basic not in text
