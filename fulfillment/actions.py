"""Performs the actions of the dialog flows: the request's texts in, the result's texts out (docs/flows.md, Actions).

A result always holds all keys of its action. Its status is ``ok``, ``nothing_found``, ``no_location``,
``no_such_place``, ``several_places``, ``several_items``, ``out_of_range``, or ``unavailable`` with an answer that says
what failed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from fulfillment.answers import (
    closed_answer,
    places_answer,
    price_answer,
    retail,
    stock_answer,
    weather,
    weather_answer,
)
from fulfillment.errors import (
    AmbiguousError,
    AmbiguousPlaceError,
    FulfilmentError,
    NotFoundError,
    OutOfRangeError,
    UnknownPlaceError,
)
from fulfillment.requests import each, is_here, place_query, product_query, texts, wants_count
from fulfillment.services import Services
from fulfillment.times import Period, period
from fulfillment.words import fold

Result = dict[str, str | tuple[str, ...]]

ACTIONS = ("weather", "retail")
_SEVERAL = {"weather": "location", "retail": "item.type"}  # what a person names several of, to hear about each
_log = logging.getLogger(__name__)


def perform(services: Services, action: str, request: Mapping[str, str | Sequence[str]]) -> Result:
    """The result of an action, ready for the dialog engine; a service's failure is a result too.

    Raises ValueError for an action that is not one of ``ACTIONS``.
    """
    if action not in ACTIONS:
        raise ValueError(f"no action is called {action!r}; there are {', '.join(ACTIONS)}")
    result = _joined([_performed(services, action, texts(one)) for one in each(request, _SEVERAL.get(action, ""))])
    return {f"{action}_status": result.pop("status"), **result}


def _performed(services: Services, action: str, asked: Mapping[str, str]) -> Result:
    do: Callable[[Services, Mapping[str, str]], Result] = _weather
    if action == "retail":
        do = {"price_check": _price, "inventory_check": _stock}.get(asked.get("kind", ""), _places)
    try:
        return do(services, asked)
    except UnknownPlaceError as error:
        location = asked.get("location", "")
        alike = services.cities.sounding_like(location)
        meant = [alike] if fold(alike) not in ("", fold(location)) else []  # for the flow to ask about
        return _result("no_such_place", error.spoken, choices=meant)
    except FulfilmentError as error:
        return _failed(error)


def _joined(results: Sequence[Result]) -> Result:
    """Several answers as one, where each has something to say; else the first, which asks something back."""
    if len(results) == 1 or not all(result["answer"] and not result["choices"] for result in results):
        return results[0]
    answers = [str(result["answer"]) for result in results]
    for origin in (retail.SAMPLE, weather.SAMPLE):  # said once, at the end
        if sum(answer.endswith(origin) for answer in answers) > 1:
            answers = [*(answer.removesuffix(origin).rstrip() for answer in answers[:-1]), answers[-1]]
    good = [result for result in results if result["status"] == "ok"] or list(results)
    return {**good[0], "answer": " ".join(answers)}


def _weather(services: Services, asked: Mapping[str, str]) -> Result:
    location = asked.get("location", "")
    if is_here(location):
        return _result("no_location")
    words = asked.get("weathertime", "")
    now = services.clock()
    there = now.astimezone(_zone(services, location))
    rough = period(words, there) or Period(there.date(), there.date())
    weather = services.weather.look_up(location, None if rough.now else rough.last)
    local = now.astimezone(ZoneInfo(weather.place.timezone))
    meant = period(words, local)
    if meant and meant.last < local.date():
        raise OutOfRangeError(f"{meant.last} is past", spoken="Sorry, I only know the weather from today on.")
    answer = weather_answer(
        asked.get("kind", ""),
        weather,
        meant or Period(local.date(), local.date()),
        now,
        services.units,
        asked.get("question", ""),
        location,
    )
    if meant is None:
        answer = f"I'm not sure which day you mean by {words[:60]}. {answer}"
    return _result("ok", answer, weather.source, weather.as_of)


def _price(services: Services, asked: Mapping[str, str]) -> Result:
    query = product_query(asked)
    offers = services.products.prices(query)
    answer = price_answer(offers, average="average" in asked.get("cost.average", ""))
    return _result("ok" if offers.offers else "nothing_found", answer, offers.source, offers.as_of)


def _stock(services: Services, asked: Mapping[str, str]) -> Result:
    query, counted = product_query(asked), wants_count(asked.get("question", ""))
    offers = services.products.stock(replace(query, quantity=1) if counted else query)
    answer = stock_answer(offers, counted=counted)
    return _result("ok" if offers.offers else "nothing_found", answer, offers.source, offers.as_of)


def _places(services: Services, asked: Mapping[str, str]) -> Result:
    location = asked.get("location", "")
    if is_here(location):
        return _result("no_location")
    now = services.clock()
    query = place_query(asked, now.astimezone(_zone(services, location)))
    found = services.places.search(query)
    if not found.businesses and query.name and (query.open_at or query.open_on is not None):
        there = services.places.search(replace(query, open_at=None, open_on=None))
        if there.businesses and there.businesses[0].hours:  # what is closed is there all the same
            return _result("ok", closed_answer(there, query, now), there.source, there.as_of)
    answer = places_answer(found, now, asked.get("question", ""))
    return _result("ok" if found.businesses else "nothing_found", answer, found.source, found.as_of)


def _zone(services: Services, location: str) -> ZoneInfo:
    """The time zone of an area, of UTC where the list of cities does not know it."""
    try:
        return ZoneInfo(services.cities.find(location).timezone)
    except (NotFoundError, AmbiguousError):
        return ZoneInfo("UTC")


def _result(
    status: str, answer: str = "", source: str = "", as_of: datetime | None = None, choices: Sequence[str] = ()
) -> Result:
    at = as_of.strftime("%Y-%m-%dT%H:%M:%SZ") if as_of else ""
    return {"status": status, "answer": answer, "source": source, "as_of": at, "choices": tuple(choices)}


def _failed(error: FulfilmentError) -> Result:
    if isinstance(error, AmbiguousError):
        status = "several_places" if isinstance(error, AmbiguousPlaceError) else "several_items"
        return _result(status, error.spoken, choices=error.choices)
    if isinstance(error, NotFoundError):
        return _result("nothing_found", error.spoken)
    if isinstance(error, OutOfRangeError):
        return _result("out_of_range", error.spoken)
    _log.warning("%s", error)
    return _result("unavailable", error.spoken)
