"""Stores and restaurants in a city: the values, what a place service is, the catalogue's, and Yelp's.

Yelp: ``GET https://api.yelp.com/v3/businesses/search`` with the key as a bearer token
(https://docs.developer.yelp.com/reference/v3_business_search); failures are ``{"error": {"code", "description"}}``. Its
terms forbid keeping what it answers for longer than 24 hours, in bulk at all, and ask for the name and a link to Yelp
wherever an answer is shown. Ours stay in memory for ten minutes. 429 comes with TOO_MANY_REQUESTS_PER_SECOND, which
passes, or ACCESS_LIMIT_REACHED, which lasts until the time in RateLimit-ResetTime (midnight UTC).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

from fulfillment.catalogue import Catalogue, Span, Store
from fulfillment.cities import Cities, City
from fulfillment.errors import FulfilmentError, UnknownPlaceError
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
from fulfillment.times import utc_now
from fulfillment.words import fold

SERVICE = Service("Yelp", "the place search", "OVERTONE_PLACES_KEY")
KEEP_S = 600.0
MOST = 50  # results of one search
_LEAST_REVIEWS = 5  # fewer say little about a rating

Order = Literal["best match", "best rated", "worst rated", "cheapest", "dearest"]


@dataclass(frozen=True)
class PlaceQuery:
    """What somebody is looking for: ``what`` is a kind of place, a dish or a ware, ``name`` a place's own name."""

    area: str  # a city, with its state or country if need be
    what: str = ""
    name: str = ""
    open_at: datetime | None = None  # aware; open then, now in most cases
    open_on: date | None = None  # open at some time of that day, by the place's calendar
    prices: tuple[int, ...] = ()  # of 1 cheap .. 4 dear; empty: any
    least_rating: float = 0.0
    order: Order = "best match"
    limit: int = 3


@dataclass(frozen=True)
class Business:
    """A store or restaurant; None is what the service does not say."""

    name: str
    address: str
    city: str
    phone: str
    kinds: tuple[str, ...]
    rating: float | None  # 0..5 stars
    reviews: int
    price_level: int | None  # 1 cheap .. 4 dear
    hours: tuple[Span, ...]  # by the place's own clock, empty if unknown
    timezone: str  # IANA, empty if unknown
    url: str = ""


@dataclass(frozen=True)
class Found:
    """What a search found, in its order; ``total`` counts those beyond the limit too."""

    query: PlaceQuery
    area: str  # the city as the service calls it
    businesses: tuple[Business, ...]
    total: int
    source: str
    as_of: datetime  # aware, UTC
    sample: bool = False


class PlaceService(Protocol):
    """Finds stores and restaurants."""

    def search(self, query: PlaceQuery) -> Found:
        """What fits, nothing where nothing does.

        Raises UnknownPlaceError or AmbiguousPlaceError for the area, and other kinds of FulfilmentError where it
        fails.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def is_open(hours: Sequence[Span], at: datetime) -> bool:
    """Whether a place is open at a local time, also in a night that began the day before."""
    return closing(hours, at) is not None


def closing(hours: Sequence[Span], at: datetime) -> datetime | None:
    """When a place that is open at a local time closes, a week later if it never does; None if it is closed then."""
    minute = at.hour * 60 + at.minute
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    ends = [
        midnight + timedelta(minutes=span.closes_min - 1440 * ago)
        for span in hours
        for ago in (0, 1)
        if span.day == (at.weekday() - ago) % 7 and span.opens_min <= minute + 1440 * ago < span.closes_min
    ]
    if not ends:
        return None
    end = max(ends)
    for _ in range(7):  # open around the clock: the next day's hours go on
        if end.hour or end.minute:
            break
        following = [s for s in hours if s.day == end.weekday() and s.opens_min == 0]
        if not following:
            break
        end += timedelta(minutes=max(s.closes_min for s in following))
    return end


def opening(hours: Sequence[Span], at: datetime) -> datetime | None:
    """When a place next opens after a local time; None without hours."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [
        midnight + timedelta(days=ahead, minutes=span.opens_min)
        for ahead in range(8)
        for span in hours
        if span.day == (at.weekday() + ahead) % 7
    ]
    return min((start for start in starts if start > at), default=None)


class CataloguePlaces:
    """A PlaceService of the stores in a catalogue; ``cities`` knows places in which there is none."""

    def __init__(self, catalogue: Catalogue, cities: Cities, clock: Callable[[], datetime] = utc_now) -> None:
        self._catalogue = catalogue
        self._cities = cities
        self._clock = clock

    def search(self, query: PlaceQuery) -> Found:
        """As PlaceService says."""
        area, there = stores_in(self._catalogue, self._cities, query.area)
        wanted = sorted(there, key=lambda store: -(store.rating or 0.0))
        if query.name:
            named = {store.id for store in self._catalogue.find_stores(query.name)}
            wanted = [store for store in wanted if store.id in named]
        if query.what:
            fitting = self._having(query.what, there)
            wanted = [store for store in wanted if store.id in fitting]
        found = [_business(store) for store in wanted]
        if query.open_at:
            at = query.open_at
            found = [b for b in found if is_open(b.hours, at.astimezone(ZoneInfo(b.timezone)))]
        found = _fitting(found, query)
        return Found(
            query=query,
            area=area,
            businesses=tuple(found[: query.limit]),
            total=len(found),
            source=self._catalogue.name,
            as_of=self._clock(),
            sample=self._catalogue.sample,
        )

    def close(self) -> None:
        """Close the catalogue."""
        self._catalogue.close()

    def _having(self, what: str, there: Sequence[Store]) -> set[str]:
        """The stores of a kind or with a dish; else those that have a ware of that name in stock."""
        kinds = {store.id for store in self._catalogue.stores_of_kind(what)}
        if kinds & {store.id for store in there}:
            return kinds
        products = self._catalogue.find_products(what)
        variants = self._catalogue.variants([product.id for product in products])
        return {held.store_id for held in self._catalogue.stock([variant.id for variant in variants])}


def stores_in(catalogue: Catalogue, cities: Cities, area: str) -> tuple[str, list[Store]]:
    """The area by its own name and the catalogue's stores there, none in a place that only the list of cities knows.

    Raises UnknownPlaceError, AmbiguousPlaceError for the area, and UnavailableError.
    """
    words = fold(area)
    if not words:
        raise UnknownPlaceError("a search without an area", spoken="Which city should I look in?")
    stores = catalogue.stores()
    exact = [s for s in stores if words in (fold(s.city), fold(f"{s.city} {s.region}"), fold(s.region))]
    if exact:
        return exact[0].city if len({s.city for s in exact}) == 1 else exact[0].region, exact
    city = cities.find(area)
    return city.name, [s for s in stores if _lies_in(s, city)]


def _lies_in(store: Store, city: City) -> bool:
    if fold(store.city) == fold(city.name):
        return store.country == city.country and fold(store.region) == fold(city.region)
    return fold(store.region) == fold(city.name)  # a whole state


def _business(store: Store) -> Business:
    return Business(
        name=store.name,
        address=store.address,
        city=store.city,
        phone=store.phone,
        kinds=store.kinds,
        rating=store.rating,
        reviews=store.reviews,
        price_level=store.price_level,
        hours=store.hours,
        timezone=store.timezone,
    )


def _fitting(found: Sequence[Business], query: PlaceQuery) -> list[Business]:
    """Those within the query's prices and rating, in its order; what a place does not say speaks against it."""
    kept = [b for b in found if not query.prices or b.price_level in query.prices]
    kept = [b for b in kept if (b.rating or 0.0) >= query.least_rating]
    if query.open_on is not None:
        day = query.open_on.weekday()
        kept = [b for b in kept if not b.hours or any(span.day == day for span in b.hours)]
    stars = {id(b): b.rating or 0.0 for b in kept}
    match query.order:
        case "best rated":
            kept.sort(key=lambda b: (-(stars[id(b)] if b.reviews >= _LEAST_REVIEWS else stars[id(b)] - 1), -b.reviews))
        case "worst rated":
            kept.sort(key=lambda b: (b.rating is None, stars[id(b)]))
        case "cheapest":
            kept.sort(key=lambda b: (b.price_level or 5, -stars[id(b)]))
        case "dearest":
            kept.sort(key=lambda b: (-(b.price_level or 0), -stars[id(b)]))
    return kept


class Yelp:
    """A PlaceService behind Yelp's API. Threads may share it; close it when done."""

    def __init__(
        self,
        key: str,
        *,
        base_url: str = "https://api.yelp.com",
        patience: Patience = PATIENCE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._clock = clock
        self._headers = {"Authorization": f"Bearer {key}"}
        self._api = JsonApi(SERVICE, base_url, judge=_judge, patience=patience, clock=clock)

    def search(self, query: PlaceQuery) -> Found:
        """As PlaceService says. Yelp knows no places without a review."""
        if not fold(query.area):
            raise UnknownPlaceError("a search without an area", spoken="Which city should I look in?")
        asked = {
            "location": query.area[:200],
            "term": " ".join(part for part in (query.name, query.what) if part)[:200],
            "price": ",".join(str(level) for level in sorted(query.prices)),
            "sort_by": "rating" if query.order == "best rated" else "best_match",
            "limit": str(MOST if query.order in ("worst rated", "cheapest", "dearest") else min(MOST, 4 * query.limit)),
        }
        if query.open_at:
            if abs(query.open_at - self._clock()) < timedelta(minutes=5):
                asked["open_now"] = "true"
            else:
                asked["open_at"] = str(int(query.open_at.timestamp()))
        answer = self._api.get(
            "/v3/businesses/search",
            {name: value for name, value in asked.items() if value},
            headers=self._headers,
            keep_s=KEEP_S,
        )
        try:
            body: Mapping[str, Any] = answer.body or {}
            found = [_yelp_business(b) for b in body["businesses"] if not b.get("is_closed")]  # for good, that is
            total = int(body["total"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise undocumented(SERVICE, error) from error
        if query.name:
            named = [b for b in found if set(fold(query.name).split()) & set(fold(b.name).split())]
            found = named or found
        kept = _fitting(found, replace(query, order="best match") if query.order == "best rated" else query)
        return Found(
            query=query,
            area=found[0].city if found else query.area,
            businesses=tuple(kept[: query.limit]),
            total=total if len(kept) == len(found) else len(kept),
            source=SERVICE.name,
            as_of=answer.as_of,
        )

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def _yelp_business(business: Mapping[str, Any]) -> Business:
    location = business.get("location") or {}
    spans = [
        Span(int(part["day"]), opens, closes if closes > opens else closes + 1440)
        for regular in business.get("business_hours") or business.get("hours") or ()
        for part in regular.get("open") or ()
        for opens, closes in [(_clock_minutes(part["start"]), _clock_minutes(part["end"]))]
    ]
    rating = business.get("rating")
    return Business(
        name=str(business["name"]),
        address=str(location.get("address1") or ""),
        city=str(location.get("city") or ""),
        phone=str(business.get("display_phone") or ""),
        kinds=tuple(str(kind["title"]) for kind in business.get("categories") or ()),
        rating=None if rating is None else number(rating),
        reviews=int(business.get("review_count") or 0),
        price_level=len(str(business["price"])) if business.get("price") else None,  # "$$", "££"
        hours=tuple(sorted(spans, key=lambda span: (span.day, span.opens_min))),
        timezone="",
        url=str(business.get("url") or "").partition("?")[0],
    )


def _clock_minutes(clock: str) -> int:
    """Minutes from midnight of "1730"."""
    return int(clock[:2]) * 60 + int(clock[2:4])


def _judge(answer: Answer) -> FulfilmentError | None:
    error = answer.body.get("error") if answer.body else None
    if not isinstance(error, dict):
        return None
    code = label(error.get("code"))
    if code == "LOCATION_NOT_FOUND":
        return UnknownPlaceError("Yelp knows no such area", spoken="I don't know that place.")
    if code == "ACCESS_LIMIT_REACHED":
        return exhausted(SERVICE, "has no calls left today (ACCESS_LIMIT_REACHED)", wait_s=_until_reset(answer))
    if answer.status == 429:
        return exhausted(SERVICE, f"is asked too fast ({code})")
    if answer.status in (401, 403):
        return refused(SERVICE, code)
    return None if answer.status >= 500 else unreadable(SERVICE, f"is error {code}")


def _until_reset(answer: Answer) -> float:
    try:
        reset = datetime.fromisoformat(answer.headers.get("ratelimit-resettime", ""))
        return max(60.0, (reset - answer.as_of).total_seconds())
    except (ValueError, TypeError):
        return 3600.0
