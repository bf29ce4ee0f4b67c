"""Yelp and eBay as their documentation has them, for a server in a thread.

Shapes, codes and messages: https://docs.developer.yelp.com (business search, rate limiting, errors) and
https://developer.ebay.com/api-docs (Browse API, client credentials grant).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fulfillment.api import Call, Reply

YELP_KEY = "yelp-k3y-" + "x" * 119
CLIENT, SECRET = "Overtone-app-PRD-1", "PRD-s3cr3t-cert"
EBAY_KEY = f"{CLIENT}:{SECRET}"
_BASIC = "Basic " + base64.b64encode(EBAY_KEY.encode()).decode()


def yelp(call: Call) -> Reply:
    """Yelp's business search, with a handful of businesses in Denver and Los Angeles."""
    if call.headers.get("authorization") != f"Bearer {YELP_KEY}":
        return yelp_error(401, "TOKEN_INVALID", "Invalid access token or authorization header.")
    if call.path != "/v3/businesses/search":
        return yelp_error(404, "NOT_FOUND", "Resource could not be found.")
    query = call.query
    if "open_now" in query and "open_at" in query:
        return yelp_error(400, "VALIDATION_ERROR", "open_at and open_now cannot be used together.")
    city = query.get("location", "").lower().partition(",")[0].removesuffix(" colorado")
    if city not in ("denver", "los angeles", "reno"):
        return yelp_error(400, "LOCATION_NOT_FOUND", "Could not execute search, try specifying a more exact location.")
    words = re.findall(r"[a-z]+", query.get("term", "").lower())
    levels = {int(level) for level in query.get("price", "").split(",") if level}
    found = [
        b
        for b in BUSINESSES
        if city == str(b["city"]).lower()
        and (not words or any(word.rstrip("s") in str(b["about"]).lower() for word in words))
        and (not levels or len(str(b["price"])) in levels)
        and ("open_now" not in query or b["open"])
    ]
    if query.get("sort_by") == "rating":
        found.sort(key=lambda b: -float(str(b["rating"])))
    limit = int(query.get("limit", "20"))
    return Reply(
        {"businesses": [_yelp_business(b) for b in found[:limit]], "total": len(found), "region": {"center": {}}},
        headers={"RateLimit-DailyLimit": "300", "RateLimit-Remaining": "299"},
    )


def yelp_error(status: int, code: str, description: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A failure as Yelp answers it."""
    return Reply({"error": {"code": code, "description": description}}, status, headers or {})


BUSINESSES: tuple[Mapping[str, object], ...] = (
    {"name": "Cucina Alta", "city": "Denver", "about": "italian pasta restaurant", "rating": 4.7, "price": "$$$",
     "open": True},
    {"name": "Pasta Presto", "city": "Denver", "about": "italian pasta restaurant", "rating": 4.1, "price": "$",
     "open": False},
    {"name": "Mile Coffee", "city": "Denver", "about": "coffee cafe", "rating": 4.4, "price": "$", "open": True},
    {"name": "Spaghetti West", "city": "Los Angeles", "about": "italian pasta restaurant", "rating": 4.3,
     "price": "$$", "open": True},
)  # fmt: skip


def _yelp_business(b: Mapping[str, object]) -> Mapping[str, object]:
    alias = str(b["name"]).lower().replace(" ", "-")
    return {
        "id": f"id-{b['name']}", "alias": "alias", "name": b["name"], "image_url": "", "is_closed": False,
        "url": f"https://www.yelp.com/biz/{alias}?adjust_creative=abc&utm_campaign=x",
        "review_count": 120, "categories": [{"alias": "x", "title": str(b["about"]).title()}], "rating": b["rating"],
        "coordinates": {"latitude": 39.7, "longitude": -104.9}, "transactions": [], "price": b["price"],
        "location": {"address1": "1 Main St", "address2": None, "city": b["city"], "zip_code": "80202",
                     "country": "US", "state": "CO", "display_address": ["1 Main St"]},
        "phone": "+13035550100", "display_phone": "(303) 555-0100", "distance": 803.2,
        "business_hours": [{"open": [{"is_overnight": False, "start": "1100", "end": "2200", "day": day}
                                     for day in range(7)], "hours_type": "REGULAR", "is_open_now": b["open"]}],
    }  # fmt: skip


@dataclass
class EbayApi:
    """eBay's token service and Browse API; tokens can be made invalid."""

    tokens: list[str] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    expires_in: int = 7200

    def __call__(self, call: Call) -> Reply:
        if call.path == "/identity/v1/oauth2/token":
            return self._token(call)
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.valid:
            return ebay_error(401, 1001, "OAuth", "Invalid access token")
        assert call.headers["x-ebay-c-marketplace-id"] == "EBAY_US"
        if call.path == "/buy/browse/v1/item_summary/search":
            return self._search(call.query)
        found = re.fullmatch(r"/buy/browse/v1/item/(v1\|(\d+)\|0)", call.path)
        if not found:
            return ebay_error(404, 11001, "API_BROWSE", "The specified item Id was not found.")
        left = LEFT[found[2]]
        if left is None:
            return ebay_error(404, 11001, "API_BROWSE", "The specified item Id was not found.")
        return Reply({"itemId": found[1], "title": "x", "estimatedAvailabilities": [left]})

    def _token(self, call: Call) -> Reply:
        if call.headers.get("authorization") != _BASIC:
            body = {"error": "invalid_client", "error_description": "client authentication failed"}
            return Reply(body, 401)
        assert call.form == {"grant_type": "client_credentials", "scope": "https://api.ebay.com/oauth/api_scope"}
        token = f"t0k3n-{len(self.tokens)}"
        self.tokens.append(token)
        self.valid.add(token)
        return Reply({"access_token": token, "expires_in": self.expires_in, "token_type": "Application Access Token"})

    def _search(self, query: Mapping[str, str]) -> Reply:
        if not query.get("q"):
            message = "The call must have a valid 'q', 'category_ids', 'charity_ids', 'epid' or 'gtin' query parameter."
            return ebay_error(400, 12001, "API_BROWSE", message)
        assert len(query["q"]) <= 100
        words = [word.rstrip("s") for word in query["q"].lower().split()]
        found = [item for item in ITEMS if all(word in item[1].lower() for word in words)]
        bounds = re.search(r"price:\[([\d.]*)\.\.([\d.]*)\],priceCurrency:USD", query.get("filter", ""))
        if bounds:
            least, most = float(bounds[1] or 0), float(bounds[2] or 1e9)
            found = [item for item in found if least <= float(item[2]) <= most]
        if query.get("sort"):
            found.sort(key=lambda item: float(item[2]), reverse=query["sort"] == "-price")
        summaries = [
            {
                "itemId": f"v1|{number}|0", "title": title, "price": {"value": value, "currency": "USD"},
                "condition": "New", "conditionId": "1000", "buyingOptions": ["FIXED_PRICE"],
                "itemWebUrl": f"https://www.ebay.com/itm/{number}?_skw=x&hash=item1",
                "itemLocation": {"postalCode": "100**", "country": "US"}, "seller": {"username": "seller"},
            }
            for number, title, value in found
        ]  # fmt: skip
        body: dict[str, object] = {"href": "x", "total": len(found), "limit": 10, "offset": 0}
        return Reply({**body, "itemSummaries": summaries} if summaries else body)


ITEMS = (
    ("101", "Men's Blue Wool Sweater Pullover, new", "24.50"),
    ("102", "Blue Merino Wool Sweater", "39.99"),
    ("103", "Red Wool Sweater", "31.00"),
    ("104", "Laptop Memory 16GB DDR5", "62"),
    ("105", "Sold Out Gadget", "10.00"),
    ("106", "Gone Gadget", "11.00"),
)
LEFT: Mapping[str, Mapping[str, object] | None] = {
    "101": {"estimatedAvailabilityStatus": "IN_STOCK", "estimatedAvailableQuantity": 3, "estimatedSoldQuantity": 4},
    "102": {"estimatedAvailabilityStatus": "IN_STOCK", "availabilityThreshold": 10,
            "availabilityThresholdType": "MORE_THAN"},
    "103": {"estimatedAvailabilityStatus": "LIMITED_STOCK"},
    "104": {"estimatedAvailabilityStatus": "IN_STOCK", "estimatedAvailableQuantity": 1},
    "105": {"estimatedAvailabilityStatus": "OUT_OF_STOCK", "estimatedAvailableQuantity": 0},
    "106": None,
}  # fmt: skip


def ebay_error(status: int, code: int, domain: str, message: str) -> Reply:
    """A failure as eBay answers it."""
    error = {"errorId": code, "domain": domain, "category": "REQUEST", "message": message, "longMessage": message}
    return Reply({"errors": [error]}, status)
