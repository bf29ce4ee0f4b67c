"""Opening hours, the catalogue's places, and Yelp's client: what it sends, its limits and failures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fulfillment.catalogue import Catalogue, Span
from fulfillment.cities import Cities
from fulfillment.errors import (
    AmbiguousPlaceError,
    ExhaustedError,
    FulfilmentError,
    RefusedError,
    UnavailableError,
    UnknownPlaceError,
    UnreadableError,
)
from fulfillment.http import Patience
from fulfillment.places import CataloguePlaces, PlaceQuery, Yelp, closing, is_open, opening
from tests.fulfillment.api import Api, Reply, serving
from tests.fulfillment.conftest import NOON, at_noon
from tests.fulfillment.retail_apis import YELP_KEY, yelp, yelp_error

DENVER = ZoneInfo("America/Denver")
DAYS = tuple(Span(day, 9 * 60, 17 * 60) for day in range(5))
BAR = (Span(4, 17 * 60, 27 * 60), Span(5, 17 * 60, 27 * 60))  # Friday and Saturday until three
ALWAYS = tuple(Span(day, 0, 1440) for day in range(7))
LUNCH = (Span(0, 11 * 60 + 30, 14 * 60 + 30), Span(0, 17 * 60, 22 * 60))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in Denver in the week of Monday, 23 November 2026."""
    return datetime(2026, 11, 23 + day, hour, minute, tzinfo=DENVER)


@pytest.mark.parametrize(
    ("hours", "when", "until"),
    [
        (DAYS, at(0, 9), at(0, 17)),
        (DAYS, at(0, 8, 59), None),
        (DAYS, at(0, 16, 59), at(0, 17)),
        (DAYS, at(0, 17), None),
        (DAYS, at(5, 12), None),
        (BAR, at(4, 23), at(5, 3)),
        (BAR, at(5, 2, 59), at(5, 3)),
        (BAR, at(5, 3), None),
        (BAR, at(6, 1), at(6, 3)),
        (BAR, at(0, 1), None),
        (LUNCH, at(0, 13), at(0, 14, 30)),
        (LUNCH, at(0, 15), None),
        (LUNCH, at(0, 18), at(0, 22)),
        ((), at(0, 12), None),
    ],
)
def test_when_a_place_closes(hours: tuple[Span, ...], when: datetime, until: datetime | None) -> None:
    assert closing(hours, when) == until
    assert is_open(hours, when) == (until is not None)


def test_a_place_that_never_closes() -> None:
    end = closing(ALWAYS, at(2, 15))
    assert end
    assert end - at(2, 15) > timedelta(days=6)
    assert is_open(ALWAYS, at(6, 23, 59))


def test_a_sunday_night_reaches_into_monday() -> None:
    hours = (Span(6, 20 * 60, 26 * 60),)
    assert closing(hours, datetime(2026, 11, 23, 1, tzinfo=DENVER)) == datetime(2026, 11, 23, 2, tzinfo=DENVER)


@pytest.mark.parametrize(
    ("hours", "when", "next_time"),
    [
        (DAYS, at(0, 8), at(0, 9)),
        (DAYS, at(0, 12), at(1, 9)),
        (DAYS, at(4, 18), datetime(2026, 11, 30, 9, tzinfo=DENVER)),
        (LUNCH, at(0, 15), at(0, 17)),
        ((), at(0, 8), None),
    ],
)
def test_when_a_place_opens_next(hours: tuple[Span, ...], when: datetime, next_time: datetime | None) -> None:
    assert opening(hours, when) == next_time


def test_hours_are_by_the_clock_on_the_wall_when_summer_time_begins() -> None:
    before = datetime(2027, 3, 14, 1, 30, tzinfo=DENVER)  # at two the clocks go to three
    end = closing((Span(5, 20 * 60, 29 * 60),), before)
    assert end
    assert (end.hour, end.utcoffset()) == (5, timedelta(hours=-6))


@pytest.fixture
def stores(sample: Catalogue, cities: Cities) -> CataloguePlaces:
    return CataloguePlaces(sample, cities, at_noon)


def names(stores: CataloguePlaces, query: PlaceQuery) -> list[str]:
    return [business.name for business in stores.search(query).businesses]


def test_open_now_is_by_the_clock_of_the_place(stores: CataloguePlaces) -> None:
    midnight = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)  # half past midnight in Denver, Tuesday
    query = PlaceQuery(area="denver", what="restaurants", limit=20)
    assert names(stores, PlaceQuery(area="denver", what="restaurants", open_at=midnight)) == []
    friday = datetime(2026, 11, 28, 7, 30, tzinfo=UTC)
    assert set(names(stores, PlaceQuery(area="denver", what="pizza", open_at=friday))) == {"Slice Union"}
    assert "Mile High Grill" in names(stores, query)


def test_open_on_a_day(stores: CataloguePlaces) -> None:
    monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
    assert names(stores, PlaceQuery(area="denver", what="steakhouse", open_on=monday)) == []
    assert names(stores, PlaceQuery(area="denver", what="steakhouse", open_on=tuesday)) == ["Mile High Grill"]


def test_the_best_pasta_in_los_angeles(stores: CataloguePlaces) -> None:
    assert names(stores, PlaceQuery(area="los angeles", what="pasta", order="best rated"))[0] == "Nonna Rosa"


def test_where_a_ware_is_sold(stores: CataloguePlaces) -> None:
    assert names(stores, PlaceQuery(area="new york", what="laptop memory")) == ["Brightwire"]


@pytest.mark.parametrize("name", ["northfield", "north field", "Northfields"])
def test_a_store_by_its_name(stores: CataloguePlaces, name: str) -> None:
    assert names(stores, PlaceQuery(area="chicago", name=name)) == ["Northfield"]


def test_a_store_that_is_not_there(stores: CataloguePlaces) -> None:
    assert names(stores, PlaceQuery(area="chicago", name="target")) == []


def test_a_whole_state(stores: CataloguePlaces) -> None:
    found = stores.search(PlaceQuery(area="california", what="electronics store", limit=9))
    assert {business.city for business in found.businesses} == {"Los Angeles", "San Francisco"}
    assert found.area == "California"


def test_a_city_without_stores_is_known_all_the_same(stores: CataloguePlaces) -> None:
    assert stores.search(PlaceQuery(area="reno", what="pasta")).area == "Reno"
    with pytest.raises(AmbiguousPlaceError):
        stores.search(PlaceQuery(area="springfield", what="pasta"))


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(yelp) as running:
        yield running


@pytest.fixture
def client(api: Api) -> Iterator[Yelp]:
    opened = Yelp(YELP_KEY, base_url=api.url, patience=Patience(attempts=2, first_pause_s=0.01), clock=at_noon)
    yield opened
    opened.close()


def test_what_yelp_is_asked(client: Yelp, api: Api) -> None:
    client.search(PlaceQuery(area="Denver", what="pasta", open_at=NOON, prices=(2, 1), order="best rated"))
    call = api.calls[0]
    assert (call.method, call.path) == ("GET", "/v3/businesses/search")
    assert call.query == {
        "location": "Denver", "term": "pasta", "open_now": "true", "price": "1,2", "sort_by": "rating", "limit": "12",
    }  # fmt: skip
    assert call.headers["authorization"] == f"Bearer {YELP_KEY}"


def test_yelp_is_asked_for_a_later_time(client: Yelp, api: Api) -> None:
    later = NOON + timedelta(hours=6)
    client.search(PlaceQuery(area="Denver", what="pasta", open_at=later))
    assert api.calls[0].query["open_at"] == str(int(later.timestamp()))
    assert "open_now" not in api.calls[0].query


def test_what_yelp_says_of_a_business(client: Yelp) -> None:
    found = client.search(PlaceQuery(area="denver", what="coffee"))
    coffee = found.businesses[0]
    assert (coffee.name, coffee.rating, coffee.reviews, coffee.price_level) == ("Mile Coffee", 4.4, 120, 1)
    assert coffee.url == "https://www.yelp.com/biz/mile-coffee"
    assert len(coffee.hours) == 7
    assert is_open(coffee.hours, at(0, 12))
    assert found.source == "Yelp"


def test_yelps_answers_are_kept_for_ten_minutes_only(api: Api) -> None:
    now = [NOON]
    client = Yelp(YELP_KEY, base_url=api.url, clock=lambda: now[0])
    for minutes in (0, 9, 11):
        now[0] = NOON + timedelta(minutes=minutes)
        found = client.search(PlaceQuery(area="denver", what="pasta"))
    client.close()
    assert len(api.calls) == 2
    assert found.as_of == now[0]


@pytest.mark.parametrize(
    ("reply", "kind", "spoken"),
    [
        (yelp_error(401, "TOKEN_INVALID", "Invalid."), RefusedError, "doesn't let me in"),
        (yelp_error(403, "AUTHORIZATION_ERROR", "Plan."), RefusedError, "doesn't let me in"),
        (yelp_error(400, "VALIDATION_ERROR", "Bad."), UnreadableError, "can't read"),
        (yelp_error(400, "LOCATION_NOT_FOUND", "Where?"), UnknownPlaceError, "don't know that place"),
        (yelp_error(429, "TOO_MANY_REQUESTS_PER_SECOND", "Slow."), ExhaustedError, "too often"),
        (yelp_error(500, "INTERNAL_ERROR", "Oops."), UnavailableError, "can't reach the place search right now"),
        (Reply(b"", 504), UnavailableError, "can't reach"),
        (Reply({"total": 1}), UnreadableError, "can't read"),
        (Reply({"businesses": [{"name": "X", "rating": "good"}], "total": 1}), UnreadableError, "can't read"),
        (Reply({"businesses": [None], "total": 1}), UnreadableError, "can't read"),
        (Reply({"businesses": {}, "total": "many"}), UnreadableError, "can't read"),
        (
            Reply({"businesses": [{"name": "X", "business_hours": [{"open": [{"day": 1}]}]}], "total": 1}),
            UnreadableError,
            "can't read",
        ),
    ],
)
def test_yelps_failures(client: Yelp, api: Api, reply: Reply, kind: type[FulfilmentError], spoken: str) -> None:
    api.speaks = lambda call: reply
    with pytest.raises(kind) as caught:
        client.search(PlaceQuery(area="denver", what="pasta"))
    assert spoken in caught.value.spoken
    assert YELP_KEY not in f"{caught.value}{caught.value!r}"


def test_a_moment_of_too_many_questions_passes(client: Yelp, api: Api) -> None:
    api.queue += [yelp_error(429, "TOO_MANY_REQUESTS_PER_SECOND", "Slow down.")]
    assert client.search(PlaceQuery(area="denver", what="pasta")).businesses


def test_a_used_up_day_is_waited_out(client: Yelp, api: Api) -> None:
    reset = {"RateLimit-ResetTime": "2026-11-24T00:00:00+00:00"}
    api.speaks = lambda call: yelp_error(429, "ACCESS_LIMIT_REACHED", "You've reached the access limit.", reset)
    for what in ("pasta", "coffee"):
        with pytest.raises(ExhaustedError) as caught:
            client.search(PlaceQuery(area="denver", what=what))
    assert caught.value.wait_s
    assert len(api.calls) == 1


def test_a_business_with_next_to_nothing_said(client: Yelp, api: Api) -> None:
    api.speaks = lambda call: Reply({"businesses": [{"name": "X"}], "total": 1})
    found = client.search(PlaceQuery(area="denver")).businesses[0]
    assert (found.rating, found.price_level, found.hours, found.address) == (None, None, (), "")


def test_places_that_closed_for_good_are_left_out(client: Yelp, api: Api) -> None:
    api.speaks = lambda call: Reply({"businesses": [{"name": "X", "is_closed": True}], "total": 1})
    assert client.search(PlaceQuery(area="denver")).businesses == ()
