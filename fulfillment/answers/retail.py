"""Answers about prices, stock and places, in the words of the question. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from fulfillment.answers.phrases import clock, is_plural, listed, money, sentence, thing
from fulfillment.places import Business, Found, PlaceQuery, closing, is_open, opening
from fulfillment.products import Money, Offer, Offers
from fulfillment.times import WEEKDAYS
from fulfillment.words import shown, size, size_rank

SAMPLE = "That's from the sample catalogue."
_MOST_TOLD = 3
_NOW = timedelta(minutes=5)
_WHETHER = re.compile(r"^(?:(?:and|so|hey|okay|ok|uh|um|well)\b,? )*(?:is|are|will)\b.*\bopen\b", re.IGNORECASE)


def price_answer(offers: Offers, *, average: bool = False) -> str:
    """One or two sentences about what a thing costs; ``average`` tells the mean. Sample data are called so."""
    priced = [offer for offer in offers.offers if offer.price]
    if not priced:
        return _with_origin(_not_so(offers, in_stock=False), offers.sample)
    if priced[0].url:
        return _listings(offers, priced)
    if average:
        return _with_origin(_average(priced, offers), offers.sample)
    names = list(dict.fromkeys(offer.name for offer in priced))
    if offers.query.order != "best match":
        word = "cheapest" if offers.query.order == "cheapest" else "most expensive"
        first = priced[0]
        what = f"The {word} {offers.query.item}"
        said = f"{what} {_is(offers.query.item)} the {_called(first, offers)[0]}, at {_price(first)}."
        if first.name.endswith(offers.query.item) and len(names) == 1:
            said = f"The {word} one is the {thing(first.name, first.color, first.size)[0]}, at {_price(first)}."
        return _with_origin(said, offers.sample)
    told = [_cost([offer for offer in priced if offer.name == name], offers) for name in names[:_MOST_TOLD]]
    total = _total(priced, offers) if len(names) == 1 else ""
    return _with_origin(f"{sentence(listed(told))}{total}", offers.sample)


def stock_answer(offers: Offers, *, counted: bool = False) -> str:
    """One or two sentences about where a thing is in stock and how many there are. Sample data are called so.

    ``counted``: how many there are was the question.
    """
    if not offers.offers:
        return _with_origin(_not_so(offers, in_stock=True), offers.sample)
    first = offers.offers[0]
    if not first.store:
        count = f", at least {first.quantity} of them" if first.quantity and first.quantity > 1 else ""
        price = f" for {_price(first)}" if first.price else ""
        return f"Yes, {offers.source} has {first.name}{price}{count}."
    names = list(dict.fromkeys(offer.name for offer in offers.offers))
    called = [_called(offer, offers) for offer in _one_each(offers.offers, names)[:_MOST_TOLD]]
    what = listed([f"the {words}" for words, _ in called])
    shops = list(dict.fromkeys((offer.store, offer.city) for offer in offers.offers))
    counts = _counts(offers, names) if counted else ()
    if counts:
        pieces = listed([f"{count} of the {words}" for count, (words, _) in zip(counts, called, strict=False)])
        verb = "is" if counts[0] == 1 else "are"
        return _with_origin(f"There {verb} {pieces} in stock at {_shops(shops)}.", offers.sample)
    verb = "are" if len(called) > 1 or called[0][1] else "is"
    if len(shops) == 1:
        store, city = shops[0]
        return _with_origin(f"Yes, {what} {verb} in stock at {store} in {city}{_choice(offers)}.", offers.sample)
    return _with_origin(f"Yes, {what} {verb} in stock at {_shops(shops)}.", offers.sample)


def places_answer(found: Found, asked_at: datetime, question: str = "") -> str:
    """One to three sentences about the first place found and the names of the next; ``asked_at`` is aware.

    Whoever asks whether a place that they name is open hears yes first. Sample data are called so.
    """
    if not found.businesses:
        return _with_origin(_no_place(found), found.sample)
    first, others = found.businesses[0], found.businesses[1:]
    query = found.query
    word = {"best rated": "The best rated is ", "cheapest": "The cheapest is ", "worst rated": "The lowest rated is ",
            "dearest": "The most upscale is "}.get(query.order, "")  # fmt: skip
    if len(found.businesses) == 1 and found.total <= 1:
        word = ""
    where = f" at {first.address}" if first.address else ""
    city = f" in {first.city}" if first.city else ""
    stars = f", with {first.rating:g} stars" if first.rating is not None else ""
    verb = "" if word else " is"
    text = f"{word}{first.name}{verb}{where}{city}{stars}."
    hours = _hours(first, _when(query, first, asked_at), asked_at)
    if hours and query.name and _WHETHER.match(question):
        wanted = query.open_at or query.open_on is not None  # what was found is open then
        text = f"{'No' if not wanted and hours.startswith('It opens') else 'Yes'}, {hours[0].lower()}{hours[1:]} {text}"
    elif hours:
        text += f" {hours}"
    if others:
        names = list(dict.fromkeys(b.name for b in others if b.name != first.name))
        if names:
            text += f" There {'are' if len(names) > 1 else 'is'} also {listed(names)}."
    return _with_origin(text, found.sample)


def closed_answer(found: Found, asked: PlaceQuery, asked_at: datetime) -> str:
    """That the first place found is closed when ``asked`` wants it open, and when it opens next.

    Sample data are called so.
    """
    first = found.businesses[0]
    at = _when(asked, first, asked_at)
    then = "right now" if abs(at - asked_at) < _NOW else "then"
    if asked.open_on is not None:
        then = f"on {WEEKDAYS[at.weekday()].capitalize()}"
    where = f" at {first.address}" if first.address else ""
    text = f"No, {first.name}{where} in {first.city or found.area} is closed {then}. {_hours(first, at, asked_at)}"
    return _with_origin(text.rstrip(), found.sample)


def _when(query: PlaceQuery, business: Business, asked_at: datetime) -> datetime:
    """The moment, or the beginning of the day, at which a place shall be open; now where that is no matter."""
    if query.open_on is not None:
        return datetime.combine(query.open_on, time(), ZoneInfo(business.timezone or "UTC"))
    return query.open_at or asked_at


def _with_origin(text: str, sample: bool) -> str:
    return f"{text} {SAMPLE}" if sample else text


def _called(offer: Offer, offers: Offers) -> tuple[str, bool]:
    """The thing with as much of its colour and size as was asked for, and whether its verb is in the plural."""
    asked = offers.query
    color = offer.color if asked.color else ""
    return thing(offer.name, color, offer.size if asked.size or asked.pack else "")


def _is(name: str) -> str:
    return "are" if is_plural(name) else "is"


def _price(offer: Offer) -> str:
    return money(offer.price) if offer.price else ""


def _cost(offers: Sequence[Offer], asked: Offers) -> str:
    """ "the blue wool sweater costs $59", or from .. to with the sizes that make the difference."""
    words, plural = _called(offers[0], asked)
    verb = "cost" if plural else "costs"
    prices = sorted({offer.price.amount_minor for offer in offers if offer.price})
    what = f"the {words}"
    if len(prices) == 1:
        return f"{what} {verb} {_price(offers[0])}"
    by_size = {offer.size: _price(offer) for offer in sorted(offers, key=_minor) if offer.size}
    if len(by_size) == len(prices) <= _MOST_TOLD + 1:
        return f"{what} {verb} {listed([f'{price} for {size}' for size, price in by_size.items()])}"
    ordered = sorted(offers, key=_minor)
    return f"{what} {verb} from {_price(ordered[0])} to {_price(ordered[-1])}"


def _minor(offer: Offer) -> int:
    return offer.price.amount_minor if offer.price else 0


def _total(offers: Sequence[Offer], asked: Offers) -> str:
    """The price of several, where all cost the same."""
    count = asked.query.quantity
    prices = {offer.price for offer in offers if offer.price}
    if count < 2 or len(prices) != 1:
        return ""
    price = prices.pop()
    return f" For {count}, that's {money(Money(price.amount_minor * count, price.currency))}."


def _average(priced: Sequence[Offer], offers: Offers) -> str:
    currency = priced[0].price.currency if priced[0].price else ""
    amounts = [offer.price.amount_minor for offer in priced if offer.price and offer.price.currency == currency]
    mean = Money(round(sum(amounts) / len(amounts)), currency)
    item = offers.query.item
    verb = f"{item} cost" if is_plural(item) else f"the {item} costs"
    return f"On average, {verb} {money(mean)}."


def _listings(offers: Offers, priced: Sequence[Offer]) -> str:
    amounts = sorted(priced, key=_minor)
    if len(priced) == 1 or amounts[0].price == amounts[-1].price:
        return f"On {offers.source}, {priced[0].name} costs {_price(priced[0])}."
    return (
        f"On {offers.source}, prices for {offers.query.item} go from {_price(amounts[0])} to {_price(amounts[-1])}. "
        f"The first is {priced[0].name}, at {_price(priced[0])}."
    )


def _one_each(offers: Sequence[Offer], names: Sequence[str]) -> list[Offer]:
    return [next(offer for offer in offers if offer.name == name) for name in names]


def _counts(offers: Offers, names: Sequence[str]) -> tuple[int, ...]:
    """How many there are of each of the first things, in all places; empty where that is not known of every offer."""
    told = [[offer.quantity for offer in offers.offers if offer.name == name] for name in names[:_MOST_TOLD]]
    known = [[count for count in counts if count is not None] for counts in told]
    return tuple(map(sum, known)) if known == told else ()


def _choice(offers: Offers) -> str:
    """How many there are of one thing, or in which sizes it is there."""
    asked = offers.query
    sizes = sorted({offer.size for offer in offers.offers if offer.size}, key=size_rank)
    count = sum(offer.quantity or 0 for offer in offers.offers)
    if len({offer.name for offer in offers.offers}) > 1:
        return ""
    if len(sizes) > 1 and not asked.size and asked.quantity < 2:
        return f", in {listed(sizes)}" if len(sizes) <= 6 else f", in {len(sizes)} sizes"
    return f", {count} of them" if count > 1 else ", the last one" if count == 1 else ""


def _shops(shops: Sequence[tuple[str, str]]) -> str:
    """ "Northfield in Denver, Chicago, and 3 more"."""
    told = shops[:_MOST_TOLD]
    more = len(shops) - len(told)
    if len({store for store, _ in shops}) == 1:
        rest = [f"{more} more {'cities' if more > 1 else 'city'}"] if more else []
        return f"{shops[0][0]} in {listed([*(city for _, city in told), *rest])}"
    rest = [f"{more} more store{'s' * (more > 1)}"] if more else []
    return listed([*(f"{store} in {city}" for store, city in told), *rest])


def _not_so(offers: Offers, *, in_stock: bool) -> str:
    """What there is instead of the thing asked for."""
    asked, near, there = offers.query, offers.nearly, f" {offers.place}" if offers.place else ""
    name = near[0].name if near else shown(asked.item)
    what, plural = thing(name, shown(asked.color) if asked.color else "", size(asked.size))
    are, they = ("are", "they") if plural else ("is", "it")
    if asked.least is not None or asked.most is not None:
        comparable = [o for o in near if o.asked_for and o.price and near[0].price]
        comparable = [o for o in comparable if o.price and near[0].price and o.price.currency == near[0].price.currency]
        more = f" {sentence(_cost([min(comparable, key=_minor)], offers))}" if comparable else ""
        return f"Sorry, there {are} no {what}{there} at that price.{more}"
    same = [offer for offer in near if offer.asked_for and offer.store]
    if in_stock and same:
        most = max(same, key=lambda offer: offer.quantity or 0)
        if (most.quantity or 0) < asked.quantity:
            where = f"{most.store} in {most.city} has {most.quantity}"
            return f"Sorry, there aren't {asked.quantity} of them in one place{there}. {where}."
        shops = list(dict.fromkeys((offer.store, offer.city) for offer in same))
        return f"Sorry, the {what} {are} out of stock{there}. {they.capitalize()} {are} at {_shops(shops)}."
    colors = list(dict.fromkeys(offer.color for offer in near if offer.color and offer.name == name))
    sizes = sorted({offer.size for offer in near if offer.size and offer.name == name}, key=size_rank)
    come = "come" if plural else "comes"
    if asked.color and colors and asked.color not in colors:
        return f"Sorry, there {are} no {what}{there}. {they.capitalize()} {come} in {listed(colors[:6])}."
    if asked.size and sizes:
        return f"Sorry, there {are} no {what}{there}. {they.capitalize()} {come} in {listed(sizes[:8])}."
    return f"Sorry, the {what} {are} out of stock{there or ' everywhere'}."


def _no_place(found: Found) -> str:
    query = found.query
    what = shown(query.name) if query.name else f"any {shown(query.what)}"
    limits = []
    if query.prices:
        limits.append(" in that price range")
    if query.least_rating:
        limits.append(f" with {query.least_rating:g} stars")
    if query.open_at or query.open_on is not None:
        limits.append(" that's open then")
    return f"Sorry, I couldn't find {what} in {found.area}{''.join(limits)}."


def _hours(business: Business, at: datetime, asked_at: datetime) -> str:
    """When a place closes if it is open then, else when it opens next; empty without hours or their time zone."""
    if not business.hours or not business.timezone:
        return ""
    zone = ZoneInfo(business.timezone)
    local = at.astimezone(zone)
    now = abs(at - asked_at) < _NOW
    end = closing(business.hours, local)
    if end and end - local >= timedelta(days=6):
        return "It never closes."
    if end and is_open(business.hours, local):
        today = now or local.date() == asked_at.astimezone(zone).date()
        day = "" if today else f" on {WEEKDAYS[local.weekday()].capitalize()}"
        return sentence(f"it's open until {clock(end)}{day}")
    start = opening(business.hours, local)
    if start is None:
        return ""
    ahead = (start.date() - asked_at.astimezone(zone).date()).days
    day = "" if ahead == 0 else " tomorrow" if ahead == 1 else f" on {WEEKDAYS[start.weekday()].capitalize()}"
    return sentence(f"it opens at {clock(start)}{day}")
