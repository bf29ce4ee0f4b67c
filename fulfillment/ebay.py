"""Prices and availability from eBay's Browse API (https://developer.ebay.com/api-docs/buy/browse/overview.html).

- A token by the client-credentials grant: ``POST /identity/v1/oauth2/token`` with the keyset's client id and secret; it
  lasts two hours and is renewed a minute earlier, or at once when a call answers 401.
- ``GET /buy/browse/v1/item_summary/search`` with ``q`` (100 characters at most), ``filter`` and ``sort``;
  ``GET /buy/browse/v1/item/{id}`` for what is left. A new keyset may make 5,000 calls a day.
- Failures are ``{"errors": [{"errorId", "domain", …}]}``; 2001 (status 429) is the used-up allowance; the token's own
  are ``{"error": "invalid_client", …}``.

eBay's API licence wants listings shown fresh (none older than six hours) and not mixed with other sellers'; ours stay
in memory for ten minutes and are never stored.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from fulfillment.errors import FulfilmentError, NotFoundError, RefusedError
from fulfillment.http import (
    PATIENCE,
    Answer,
    JsonApi,
    Patience,
    Service,
    exhausted,
    label,
    number,
    refused,
    undocumented,
    unreadable,
)
from fulfillment.products import Money, Offer, Offers, ProductQuery, minor_digits
from fulfillment.times import utc_now
from fulfillment.words import shown

SERVICE = Service("eBay", "the product search", "OVERTONE_PRODUCTS_KEY")
SCOPE = "https://api.ebay.com/oauth/api_scope"
KEEP_S = 600.0
MOST = 10  # listings of one search
_LONGEST_Q = 100
_EARLIER = timedelta(seconds=60)
_DAILY_REST_S = 3600.0
_CURRENCY_OF = {"EBAY_US": "USD", "EBAY_GB": "GBP", "EBAY_CA": "CAD", "EBAY_AU": "AUD"}  # else euros
_SORTS = {"best match": "", "cheapest": "price", "dearest": "-price"}


class TokenRefusedError(RefusedError):
    """The token is not, or no longer, accepted."""


class Ebay:
    """A ProductService behind eBay's API. Threads may share it; close it when done."""

    def __init__(
        self,
        key: str,
        *,
        marketplace: str = "EBAY_US",
        base_url: str = "https://api.ebay.com",
        patience: Patience = PATIENCE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """``key`` is the keyset's "client-id:client-secret". Raises RefusedError for anything else."""
        client, _, secret = key.partition(":")
        if not client or not secret:
            raise refused(SERVICE, "the key is not client-id:client-secret")
        self._basic = base64.b64encode(f"{client}:{secret}".encode()).decode()
        self._marketplace = marketplace
        self._clock = clock
        self._api = JsonApi(SERVICE, base_url, judge=_judge, patience=patience, clock=clock)
        self._lock = threading.Lock()
        self._token = ""
        self._token_ends = datetime.min.replace(tzinfo=utc_now().tzinfo)

    def prices(self, query: ProductQuery) -> Offers:
        """As ProductService says; an offer is a listing of a new thing at a fixed price."""
        found, as_of = self._search(query)
        return _offers(query, [offer for offer, _ in found], as_of)

    def stock(self, query: ProductQuery) -> Offers:
        """As ProductService says; the numbers are eBay's estimates. It has no stores, so no store's name is known."""
        found, as_of = self._search(query)
        for offer, item in found[:2]:  # the first may be gone since
            left = self._left(item)
            if left is None or left >= query.quantity:
                return _offers(query, [replace(offer, quantity=left)], as_of)
        return _offers(query, [], as_of)

    def close(self) -> None:
        """Close the connections and forget the token."""
        self._api.close()
        self._token = ""

    def _search(self, query: ProductQuery) -> tuple[list[tuple[Offer, str]], datetime]:
        """Listings with their ids. Raises NotFoundError where there is none."""
        if query.store:
            raise NotFoundError(
                f"eBay has no store {query.store[:60]!r}", spoken="Sorry, I can't look into a single store."
            )
        words = _plain(f"{query.color} {query.size} {query.item}")
        if not words:
            raise NotFoundError("a search without words", spoken="Sorry, I didn't get what you are looking for.")
        filters = ["buyingOptions:{FIXED_PRICE}", "conditions:{NEW}"]
        if query.least is not None or query.most is not None:
            least, most = (f"{bound:.2f}" if bound is not None else "" for bound in (query.least, query.most))
            currency = _CURRENCY_OF.get(self._marketplace, "EUR")
            filters += [f"price:[{least}..{most}]", f"priceCurrency:{currency}"]
        asked = {"q": words, "limit": str(MOST), "filter": ",".join(filters), "sort": _SORTS[query.order]}
        answer = self._get("/buy/browse/v1/item_summary/search", {k: v for k, v in asked.items() if v})
        body = answer.body or {}
        try:
            found = [
                (_offer(item), str(item["itemId"])) for item in body.get("itemSummaries") or () if item.get("price")
            ]
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            raise undocumented(SERVICE, error) from error
        if not found:
            raise NotFoundError(
                f"eBay lists no {words!r}", spoken=f"Sorry, I couldn't find {shown(query.item)} on eBay."
            )
        return found, answer.as_of

    def _left(self, item: str) -> int | None:
        """How many of a listing's thing are left, at least; None where eBay says only that there are some."""
        try:
            body = self._get(f"/buy/browse/v1/item/{quote(item, safe='')}", {}).body or {}
        except NotFoundError:
            return 0
        try:
            left = (body.get("estimatedAvailabilities") or [{}])[0]
            if left.get("estimatedAvailabilityStatus") == "OUT_OF_STOCK":
                return 0
            known = left.get("estimatedAvailableQuantity", left.get("availabilityThreshold"))
            return None if known is None else int(number(known))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise undocumented(SERVICE, error) from error

    def _get(self, path: str, params: Mapping[str, str]) -> Answer:
        """The answer to a GET with a token, with a new one where the old one was refused."""
        token = self._current_token()
        try:
            return self._api.get(path, params, headers=self._headers(token), keep_s=KEEP_S)
        except TokenRefusedError:
            with self._lock:
                if self._token == token:
                    self._token = ""
            return self._api.get(path, params, headers=self._headers(self._current_token()), keep_s=KEEP_S)

    def _headers(self, token: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {token}", "X-EBAY-C-MARKETPLACE-ID": self._marketplace}

    def _current_token(self) -> str:
        with self._lock:  # the others wait for the one that fetches it
            if not self._token or self._clock() >= self._token_ends:
                answer = self._api.post_form(
                    "/identity/v1/oauth2/token",
                    {"grant_type": "client_credentials", "scope": SCOPE},
                    headers={"Authorization": f"Basic {self._basic}"},
                )
                try:
                    body = answer.body or {}
                    token, lasts = str(body["access_token"]), timedelta(seconds=number(body["expires_in"]))
                except (KeyError, TypeError, ValueError, OverflowError) as error:
                    raise unreadable(SERVICE, "holds no token") from error
                self._token, self._token_ends = token, answer.as_of + lasts - _EARLIER
            return self._token


def _offers(query: ProductQuery, offers: Sequence[Offer], as_of: datetime) -> Offers:
    return Offers(query=query, offers=tuple(offers), nearly=(), place="", source=SERVICE.name, as_of=as_of)


def _offer(item: Mapping[str, Any]) -> Offer:
    price = item["price"]
    currency = str(price["currency"])
    amount = Decimal(str(price["value"])).scaleb(minor_digits(currency))
    return Offer(
        name=" ".join(str(item["title"]).split())[:80],
        color="",
        size="",
        price=Money(int(amount.to_integral_value()), currency),
        city=str((item.get("itemLocation") or {}).get("city") or ""),
        url=str(item.get("itemWebUrl") or "").partition("?")[0],
    )


def _plain(words: str) -> str:
    """The words without what the search would read as an operator: commas, brackets, stars, quotes, minus signs."""
    kept = "".join(c if c.isalnum() or c in " .'" else " " for c in words[: 2 * _LONGEST_Q])
    return " ".join(kept.split())[:_LONGEST_Q].strip()


def _judge(answer: Answer) -> FulfilmentError | None:
    body = answer.body or {}
    if answer.status < 400:
        return None
    if isinstance(body.get("error"), str):  # the token service
        return refused(SERVICE, label(body["error"])) if answer.status < 500 else None
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else None
    if first is None:
        return None
    code = label(first.get("errorId"))
    if answer.status == 401:
        message = f"eBay refused the token (error {code}); check {SERVICE.setting}"
        return TokenRefusedError(message, spoken=refused(SERVICE, code).spoken)
    if answer.status == 429:
        return exhausted(SERVICE, f"has no calls left for now (error {code})", wait_s=_DAILY_REST_S)
    if answer.status == 404:
        return NotFoundError(f"eBay lists that no longer (error {code})", spoken="That is no longer on eBay.")
    if answer.status == 403:
        return refused(SERVICE, f"error {code}")
    return None if answer.status >= 500 else unreadable(SERVICE, f"is error {code}")
