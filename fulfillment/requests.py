"""What the texts of a dialog action's request ask for: slots as people say them, read into queries. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal

from fulfillment.places import Order as PlaceOrder
from fulfillment.places import PlaceQuery
from fulfillment.products import Order as ProductOrder
from fulfillment.products import ProductQuery
from fulfillment.times import period, shop_time
from fulfillment.words import amounts, figures, fold

LONGEST = 120  # characters of one slot
MOST_AT_ONCE = 3  # things that one question asks about
_HERE = re.compile(
    r"(right )?(near(by| here| me| us)?|close( by| to me| to us)?|around( here| me| us| the corner)?|here|there|"
    r"outside|home|nearest|closest|(in )?(my|the|this) (area|city|town|place|location|neighbou?rhood)|town|downtown|"
    r"uptown|midtown|beach|airport|current location|where i am)"
)
_BEST = re.compile(r"\b(best|highest|top|most popular|number one)\b")
_LEAST = re.compile(r"\b(cheapest|lowest|least|most affordable|best price)\b")
_DEAREST = re.compile(r"\b(most expensive|highest|priciest|dearest|fanciest)\b")
_STARS = re.compile(r"(\d(?:\.\d)?)(?: stars?| star)?\b")
_PACKS = re.compile(r"\b(dozen|gallon|quart|liter|litre|pack|pound)s?\b")
_COUNT = re.compile(
    r"\b(how many|how much (?:stock|of (?:it|them|that|those))|(?:what|whats) (?:is )?the (?:count|number))\b"
)
_HOURS_OF = {"morning": 9, "afternoon": 15, "evening": 19, "tonight": 21, "late": 23, "night": 22, "midnight": 24}


def text(value: str | Sequence[str] | None) -> str:
    """One text of a slot that was said once or several times: the last counts, but "paris", "paris texas" are one."""
    if value is None or isinstance(value, str):
        return (value or "").strip()[:LONGEST]
    parts = [part.strip() for part in value if part.strip()]
    last = parts[-1] if parts else ""
    longer = [part for part in parts if last and part != last and part.lower().startswith(f"{last.lower()} ")]
    return (longer[-1] if longer else last)[:LONGEST]


def texts(request: Mapping[str, str | Sequence[str]]) -> dict[str, str]:
    """The request with one text per key; colours keep all that were said ("red and black")."""
    return {
        key: " and ".join(value)[:LONGEST] if key == "item.color" and not isinstance(value, str) else text(value)
        for key, value in request.items()
    }


def each(request: Mapping[str, str | Sequence[str]], key: str) -> list[dict[str, str | Sequence[str]]]:
    """The requests that one request is, which names up to three values of ``key``: one for each of them.

    What else was said as often belongs to them in the same order: "a red hat and a blue coat".
    """
    named = list(dict.fromkeys(request.get(key, ())))[:MOST_AT_ONCE]
    if isinstance(request.get(key, ""), str) or len(named) < 2:
        return [dict(request)]
    paired = {name for name, value in request.items() if not isinstance(value, str) and len(value) == len(named)}
    return [
        {name: value[number] if name in paired else value for name, value in request.items()} | {key: one}
        for number, one in enumerate(named)
    ]


def is_here(location: str) -> bool:
    """Whether a location says no more than "here": nobody told us where that is."""
    return not fold(location) or _HERE.fullmatch(fold(location)) is not None


def product_query(asked: Mapping[str, str]) -> ProductQuery:
    """The thing that a price or inventory check is about; ``item`` is empty where none is named."""
    named = [asked.get("item.name", ""), asked.get("item.type", "")]
    said = fold(f"{asked.get('cost.low', '')} {asked.get('cost.high', '')}")
    order: ProductOrder = "best match"
    if _LEAST.search(said):
        order = "cheapest"
    elif _DEAREST.search(said):
        order = "dearest"
    least, most = price_bounds(asked)
    count, pack = quantity(asked.get("item.quantity", ""))
    location = asked.get("location", "")
    return ProductQuery(
        item=" ".join(part for part in named if part),
        color=asked.get("item.color", ""),
        size=asked.get("item.size", ""),
        store=asked.get("store.name", ""),
        area="" if is_here(location) else location,
        pack=pack,
        quantity=count,
        least=least,
        most=most,
        order=order,
    )


def place_query(asked: Mapping[str, str], now: datetime) -> PlaceQuery:
    """The place that somebody looks for when it is ``now`` (aware) there; the area may still be "here"."""
    wants_thing = not asked.get("store.type") and not asked.get("store.name")
    thing = " ".join(part for part in (asked.get("item.name", ""), asked.get("item.type", "")) if part)
    cost, rating = fold(asked.get("cost.low", "")), fold(asked.get("rating.high", ""))
    high = fold(asked.get("cost.high", ""))
    order: PlaceOrder = "best match"
    prices: tuple[int, ...] = ()
    if _BEST.search(rating):
        order = "best rated"
    elif asked.get("rating.low"):
        order = "worst rated"
    elif _LEAST.search(cost):
        order = "cheapest"
    elif _DEAREST.search(high):
        order = "dearest"
    if not prices and order not in ("cheapest", "dearest"):
        prices = (1, 2) if cost else (3, 4) if high else (2, 3) if asked.get("cost.average") else ()
    least = 0.0
    if rating and order != "best rated":
        stars = _STARS.search(figures(rating))
        least, order = (min(5.0, float(stars[1])) if stars else 4.0), "best rated"
    elif asked.get("rating.average"):
        least = 3.0
    open_at, whole_day = open_time(asked, now)
    return PlaceQuery(
        area=asked.get("location", ""),
        what=asked.get("store.type", "") or (thing if wants_thing else ""),
        name=asked.get("store.name", ""),
        open_at=None if whole_day else open_at,
        open_on=open_at.date() if open_at and whole_day else None,
        prices=prices,
        least_rating=least,
        order=order,
    )


def open_time(asked: Mapping[str, str], now: datetime) -> tuple[datetime | None, bool]:
    """When a place shall be open (None: no matter), and whether any time of that day will do.

    "Open until ten" asks for a minute before ten, "open now" for now; hours without a.m. or p.m. are taken as people
    mean them: until ten is at night, from nine is in the morning.
    """
    day_words, start, end = (asked.get(f"store.hour.{part}", "") for part in ("day", "start", "end"))
    status, part = fold(asked.get("store.status", "")), fold(asked.get("time.period_of_time", ""))
    meant = period(day_words, now) or period("", now)
    day = meant.first if meant else now.date()
    midnight = datetime.combine(day, time(), now.tzinfo)
    if end:
        until = shop_time(end, closing=True)
        if until:
            end_at = midnight + timedelta(hours=until.hour or 24, minutes=until.minute - 1)
            return end_at, False
    if start:
        since = shop_time(start, closing=False)
        if since:
            hour = since.hour + (24 if since.hour < 5 else 0)  # "after midnight" is the night of that day
            return midnight + timedelta(hours=hour, minutes=since.minute + 1), False
    for word, hour in _HOURS_OF.items():
        if word in (*part.split(), *fold(day_words).split(), *status.split()):
            return midnight + timedelta(hours=hour, minutes=-1 if hour == 24 else 0), False
    if day_words:
        return midnight, True
    if "now" in part.split() or part == "currently" or "open" in status.split():
        return now, False
    return None, False


def price_bounds(asked: Mapping[str, str]) -> tuple[Decimal | None, Decimal | None]:
    """The least and the most that a thing may cost, from amounts that were said."""
    low = amounts(asked.get("cost.low", ""))
    high = amounts(asked.get("cost.high", ""))
    span = amounts(asked.get("cost.average", ""))
    if len(span) > 1:
        return min(span), max(span)
    return (high[-1] if high else None), (low[-1] if low else None)


def wants_count(question: str) -> bool:
    """Whether somebody wants to know how many there are, not whether there are enough."""
    return _COUNT.search(fold(question)) is not None


def quantity(said: str) -> tuple[int, str]:
    """How many are wanted, and the pack they come in: "two gallons" gives (2, "1 gallon"), "a dozen" (1, "12 pack")."""
    words = figures(said)
    number = re.search(r"\d+", words)
    count = int(number[0][:6]) if number else 2 if re.search(r"\b(couple|pair)\b", words) else 1
    if re.search(r"\bpair", words) and not number:
        count = 1
    found = _PACKS.search(words)
    if not found:
        return max(1, count), ""
    if found[1] == "dozen":
        return max(1, count), "12 pack"
    if found[1] == "pack":
        return 1, f"{count} pack"
    return max(1, count), f"1 {found[1]}"
