"""Sentences: the weather by kind and period, prices, stock and places, and that sample data are called so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fulfillment.answers import closed_answer, money, places_answer, price_answer, stock_answer, weather_answer
from fulfillment.answers.phrases import (
    chance,
    clock,
    degree,
    is_plural,
    listed,
    rain_depth,
    sentence,
    snow_depth,
    thing,
)
from fulfillment.answers.weather import KINDS
from fulfillment.catalogue import Span
from fulfillment.places import Business, Found, PlaceQuery
from fulfillment.products import Money, Offer, Offers, ProductQuery
from fulfillment.times import Period, period
from fulfillment.weather import Condition, Day, Moment, Place, Weather

ZONE = ZoneInfo("America/Denver")
NOON = datetime(2026, 11, 23, 12, tzinfo=ZONE)  # a Monday
DENVER = Place("Denver", "Colorado", "United States", "America/Denver")
LONDON = Place("London", "England", "United Kingdom", "Europe/London")


def day(
    ahead: int, condition: Condition = "clear", *, rain: float = 0.0, snow: float = 0.0, cloud: float = 0.1,
    low: float = 2.0, high: float = 12.0, humidity: float = 0.5, mm: float = 0.0, cm: float = 0.0,
) -> Day:  # fmt: skip
    """A day that is the same at all hours but for its temperature, highest at three in the afternoon."""
    on = date(2026, 11, 23) + timedelta(days=ahead)
    hours = tuple(
        Moment(
            at=datetime(on.year, on.month, on.day, hour, tzinfo=ZONE),
            condition=condition,
            temperature_c=high if hour == 15 else low if hour == 6 else (low + high) / 2,
            cloud=cloud,
            humidity=humidity,
            wind_kmh=10,
            rain_mm=mm / 6,
            rain_chance=rain,
            snow_chance=snow,
        )
        for hour in range(0, 24, 3)
    )
    return Day(on, low, high, cm, hours)


def weather(*days: Day, place: Place = DENVER, now: Condition = "clear", sample: bool = False) -> Weather:
    present = Moment(NOON, now, 10.0, cloud=0.1, humidity=0.5, wind_kmh=5)
    return Weather(place, present, days, "test", NOON.astimezone(UTC), sample)


def said(kind: str, found: Weather, when: str = "", units: str = "") -> str:
    meant = period(when, NOON)
    assert meant
    return weather_answer(kind, found, meant, NOON, units)  # type: ignore[arg-type]


WET = weather(day(0), day(1, "rain", rain=0.8, cloud=0.9, mm=12))
SNOWY = weather(day(0), day(1, "snow", snow=0.7, cloud=0.9, low=-6, high=-1, cm=9))
MAYBE = weather(day(0), day(1, "partly cloudy", rain=0.4, cloud=0.5))
DRY = weather(day(0), day(1))


@pytest.mark.parametrize(
    ("kind", "found", "answer"),
    [
        ("rainfall_yes_no", WET,
         "Yes, rain is likely in Denver tomorrow, with an 80 percent chance and about 0.5 inches."),
        ("rainfall", WET, "Rain is likely in Denver tomorrow, with an 80 percent chance and about 0.5 inches."),
        ("rainfall_yes_no", MAYBE, "Maybe. There's a 40 percent chance of rain in Denver tomorrow."),
        ("rainfall_yes_no", DRY, "No, I don't expect rain in Denver tomorrow."),
        ("rainfall_yes_no", SNOWY, "No, snow is more likely than rain in Denver tomorrow."),
        ("snow_yes_no", SNOWY, "Yes, snow is likely in Denver tomorrow, with a 70 percent chance and about 4 inches."),
        ("snow_yes_no", WET, "No, rain is more likely than snow in Denver tomorrow."),
        ("snow", DRY, "I don't expect snow in Denver tomorrow."),
        ("sunny", DRY, "Yes, it should be sunny in Denver tomorrow."),
        ("sunny", MAYBE, "Partly. Expect sun and some clouds in Denver tomorrow."),
        ("sunny", WET, "No, it looks wet in Denver tomorrow."),
        ("cloudy", WET, "Yes, it will be cloudy in Denver tomorrow."),
        ("cloudy", DRY, "No, the sky should be mostly clear in Denver tomorrow."),
        ("temperature", DRY, "In Denver tomorrow, expect a high of 54 and a low of 36 degrees."),
        ("temperature_yes_no", SNOWY, "It will be freezing in Denver tomorrow, between 21 and 30 degrees."),
        ("humidity", DRY, "The humidity in Denver tomorrow is about 50 percent."),
        ("humidity_yes_no", DRY, "No, it's not very humid in Denver tomorrow, at about 50 percent."),
        ("general", WET, "In Denver tomorrow, expect rain, with a high of 54 and a low of 36 degrees."),
        ("general", MAYBE,
         "In Denver tomorrow, expect a few clouds and a 40 percent chance of rain, with a high of 54 and a low of 36 "
         "degrees."),
        ("anything else", DRY, "In Denver tomorrow, expect clear skies, with a high of 54 and a low of 36 degrees."),
    ],
)  # fmt: skip
def test_tomorrow(kind: str, found: Weather, answer: str) -> None:
    assert said(kind, found, "tomorrow") == answer


@pytest.mark.parametrize(
    ("kind", "now", "answer"),
    [
        ("general", "rain", "It's raining in Denver right now, at 50 degrees."),
        ("temperature", "clear", "It's 50 degrees in Denver right now."),
        ("temperature_yes_no", "clear", "It's cool in Denver right now, at 50 degrees."),
        ("rainfall_yes_no", "rain", "Yes, it's raining in Denver right now."),
        ("rainfall_yes_no", "clear", "No, it's clear in Denver right now."),
        ("snow_yes_no", "heavy snow", "Yes, it's snowing heavily in Denver right now."),
        ("sunny", "clear", "Yes, it's clear in Denver right now."),
        ("cloudy", "clear", "No, it's clear in Denver right now."),
        ("humidity", "clear", "The humidity in Denver right now is about 50 percent."),
    ],
)
def test_right_now(kind: str, now: Condition, answer: str) -> None:
    assert said(kind, weather(now=now), "right now") == answer


@pytest.mark.parametrize(
    ("question", "found", "when", "answer"),
    [
        ("will it be cold in Denver tomorrow?", SNOWY, "tomorrow",
         "Yes, it will be freezing in Denver tomorrow, between 21 and 30 degrees."),
        ("will it be cold", DRY, "tomorrow",
         "Yes, at times it will be cold in Denver tomorrow, between 36 and 54 degrees."),
        ("will it be hot", DRY, "tomorrow",
         "No, it won't be hot in Denver tomorrow. It will be cool, between 36 and 54 degrees."),
        ("will it freeze", SNOWY, "tomorrow",
         "Yes, it will be freezing in Denver tomorrow, between 21 and 30 degrees."),
        ("will it freeze", DRY, "tomorrow",
         "No, it won't be freezing in Denver tomorrow. It will be between 36 and 54 degrees."),
        ("is it going to be above fifty", DRY, "tomorrow",
         "Yes, it will be above 50 in Denver tomorrow, between 36 and 54 degrees."),
        ("will it be above fifty four", DRY, "tomorrow",
         "No, it won't be above 54 in Denver tomorrow. It will be between 36 and 54 degrees."),
        ("will it be above twelve celsius", DRY, "tomorrow",
         "No, it won't be above 12 in Denver tomorrow. It will be between 2 and 12 degrees Celsius."),
        ("will it be warm enough to swim", DRY, "tomorrow",
         "No, it won't be warm enough to swim in Denver tomorrow. It will be between 36 and 54 degrees."),
        ("is it cold in Denver", DRY, "", "No, it isn't cold in Denver right now. It's cool, at 50 degrees."),
        ("is it chilly in Denver", DRY, "", "Yes, it's cool in Denver right now, at 50 degrees."),
        ("is it chilly in Denver today", DRY, "", "Yes, it will be cool in Denver today, between 36 and 54 degrees."),
        ("is it above freezing", DRY, "right now", "Yes, it's above freezing in Denver right now, at 50 degrees."),
        ("is it mild", DRY, "tomorrow", "It will be cool in Denver tomorrow, between 36 and 54 degrees."),
        ("will it be cold", weather(), "tomorrow", "Sorry, I don't know what the weather will be in Denver tomorrow."),
    ],
)  # fmt: skip
def test_yes_or_no_about_the_temperature(question: str, found: Weather, when: str, answer: str) -> None:
    meant = period(when, NOON)
    assert meant
    assert weather_answer("temperature_yes_no", found, meant, NOON, "", question, "Denver") == answer


def test_yes_or_no_is_read_in_other_kinds_where_the_question_is_one() -> None:
    meant = period("tomorrow", NOON)
    assert meant
    coat = weather_answer("general", SNOWY, meant, NOON, "", "do I need a coat")
    assert coat == "Yes, it will be cold enough for a coat in Denver tomorrow, between 21 and 30 degrees."
    for kind, question in (("temperature", "how cold will it be"), ("rainfall_yes_no", "will it be cold")):
        assert weather_answer(kind, DRY, meant, NOON, "", question) == said(kind, DRY, "tomorrow")


def test_the_units_are_those_of_the_place_or_of_the_settings() -> None:
    london = replace(WET, place=LONDON)
    answer = weather_answer(
        "temperature", london, Period(date(2026, 11, 24), date(2026, 11, 24), words="tomorrow"), NOON
    )
    assert answer == "In London tomorrow, expect a high of 12 and a low of 2 degrees."
    assert said("temperature", WET, "tomorrow", "metric").endswith("a high of 12 and a low of 2 degrees Celsius.")
    assert said("temperature", london, "tomorrow", "imperial").endswith(
        "a high of 54 and a low of 36 degrees Fahrenheit."
    )
    assert "about 12 millimeters" in said("rainfall", WET, "tomorrow", "metric")
    assert "about 9 centimeters" in said("snow", SNOWY, "tomorrow", "metric")
    assert "minus 6" in said("temperature", SNOWY, "tomorrow", "metric")


def test_several_days() -> None:
    week = weather(
        *(day(n, "rain" if n in (1, 4) else "clear", rain=0.9 if n in (1, 4) else 0.0, high=10 + n) for n in range(8))
    )
    assert said("rainfall_yes_no", week, "next three days") == (
        "Yes, rain is likely in Denver until Thursday, tomorrow."
    )
    assert (
        said("rainfall_yes_no", week, "this week") == "Yes, rain is likely in Denver this week, tomorrow and on Friday."
    )
    assert said("general", week, "this week") == (
        "In Denver this week, highs are between 50 and 61 degrees, with rain likely tomorrow and on Friday."
    )
    assert said("general", week, "this weekend") == (
        "In Denver, Saturday brings clear skies and a high of 59, and Sunday brings clear skies and a high of 61 "
        "degrees."
    )
    assert said("temperature", week, "this week") == "In Denver this week, it will be between 36 and 61 degrees."
    assert said("snow_yes_no", week, "this weekend") == "No, I don't expect snow in Denver on Saturday and Sunday."


def test_parts_of_a_day_are_of_their_own() -> None:
    mixed = day(1)
    hours = tuple(replace(m, rain_chance=0.9, condition="rain") if m.at.hour >= 18 else m for m in mixed.hours)
    found = weather(day(0), replace(mixed, hours=hours), day(2))
    assert said("rainfall_yes_no", found, "tomorrow morning").startswith(
        "No, I don't expect rain in Denver tomorrow morning"
    )
    assert said("rainfall_yes_no", found, "tomorrow evening").startswith(
        "Yes, rain is likely in Denver tomorrow evening"
    )
    assert said("temperature", found, "three p m") == "It will be about 54 degrees in Denver this afternoon."


def test_what_has_passed_today_no_longer_counts() -> None:
    morning = day(0)
    hours = tuple(replace(m, rain_chance=0.9) if m.at.hour < 9 else m for m in morning.hours)
    assert said("rainfall_yes_no", weather(replace(morning, hours=hours), day(1))).startswith("No, ")


def test_only_the_present_is_known() -> None:
    assert said("general", weather(now="rain")) == "It's raining in Denver right now, at 50 degrees."
    assert said("general", weather(), "tomorrow") == "Sorry, I don't know what the weather will be in Denver tomorrow."


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", ["", "right now", "tomorrow", "tomorrow night", "this week"])
@pytest.mark.parametrize("found", [WET, SNOWY, MAYBE, DRY])
def test_sample_weather_says_that_it_is_sample_data(kind: str, when: str, found: Weather) -> None:
    plain, sample = said(kind, found, when), said(kind, replace(found, sample=True), when)
    assert sample == f"{plain} This is sample data."
    assert "sample" not in plain
    assert plain[0].isupper()
    assert plain.endswith(".")
    assert ".." not in plain
    assert "  " not in plain


def offer(
    name: str = "wool sweater", color: str = "", size: str = "", price: int | None = 5900, quantity: int | None = None,
    store: str = "", city: str = "", url: str = "", *, asked_for: bool = True,
) -> Offer:  # fmt: skip
    paid = None if price is None else Money(price, "USD")
    return Offer(name, color, size, paid, quantity, store, city, url, asked_for)


def offers(
    *found: Offer, nearly: tuple[Offer, ...] = (), place: str = "", sample: bool = False, **query: object
) -> Offers:
    asked = ProductQuery(**{"item": "wool sweater", **query})  # type: ignore[arg-type]
    return Offers(asked, found, nearly, place, "test", NOON.astimezone(UTC), sample)


MEMORY = tuple(offer("laptop memory", size=s, price=p) for s, p in (("8 GB", 2999), ("16 GB", 4999), ("32 GB", 9499)))


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (offers(offer(), offer(color="blue")), "The wool sweater costs $59."),
        (offers(offer(color="blue"), color="blue"), "The blue wool sweater costs $59."),
        (offers(offer("running shoes", size="10.5", price=8950), size="10.5"),
         "The running shoes in size 10.5 cost $89.50."),
        (offers(*MEMORY, item="laptop memory"),
         "The laptop memory costs $29.99 for 8 GB, $49.99 for 16 GB, and $94.99 for 32 GB."),
        (offers(MEMORY[1], item="laptop memory", size="16 GB"), "The 16 GB laptop memory costs $49.99."),
        (offers(offer("eggs", size="12 pack", price=449), pack="12 pack"), "The 12 pack of eggs costs $4.49."),
        (offers(offer("cotton sweater", price=3900), offer(), item="sweater"),
         "The cotton sweater costs $39 and the wool sweater costs $59."),
        (offers(offer("dining chair", price=8900), item="dining chairs", quantity=6),
         "The dining chair costs $89. For 6, that's $534."),
        (offers(offer("student laptop", price=37900), offer("pro laptop"), item="laptop", order="cheapest"),
         "The cheapest laptop is the student laptop, at $379."),
        (offers(offer("OLED TV", price=249900), offer("smart TV"), item="tv", order="dearest"),
         "The most expensive tv is the OLED TV, at $2,499."),
        (offers(*(offer(price=p, size=s) for s, p in zip("SMLXYZ", range(1000, 7000, 1000), strict=True))),
         "The wool sweater costs from $10 to $60."),
        (offers(offer("Blue Sweater A", url="u", price=2450), offer("Blue Sweater B", url="u", price=3999)),
         "On test, prices for wool sweater go from $24.50 to $39.99. The first is Blue Sweater A, at $24.50."),
        (offers(offer("Blue Sweater A", url="u", price=2450)), "On test, Blue Sweater A costs $24.50."),
        (offers(nearly=(offer(color="blue", asked_for=False), offer(color="red", asked_for=False)), color="green"),
         "Sorry, there is no green wool sweater. It comes in blue and red."),
        (offers(nearly=tuple(offer("running shoes", size=s, asked_for=False) for s in ("9", "10", "7")), size="13",
                item="running shoes"),
         "Sorry, there are no running shoes in size 13. They come in 7, 9, and 10."),
        (offers(nearly=(offer(price=None),)), "Sorry, the wool sweater is out of stock everywhere."),
    ],
)  # fmt: skip
def test_prices(found: Offers, answer: str) -> None:
    assert price_answer(found) == answer


def test_a_price_on_average() -> None:
    assert (
        price_answer(offers(offer(price=2999), offer(price=5000)), average=True)
        == "On average, the wool sweater costs $40."
    )


NORTH = [offer(size=s, quantity=3, store="Northfield", city="Denver") for s in ("L", "S", "M")]
CITIES = [
    offer(quantity=3, store="Northfield", city=city) for city in ("Denver", "Chicago", "London", "Boston", "Miami")
]


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (offers(*NORTH), "Yes, the wool sweater is in stock at Northfield in Denver, in S, M, and L."),
        (offers(NORTH[0], size="L"), "Yes, the wool sweater in size L is in stock at Northfield in Denver, 3 of them."),
        (offers(offer(quantity=1, store="Northfield", city="Denver")),
         "Yes, the wool sweater is in stock at Northfield in Denver, the last one."),
        (offers(*CITIES),
         "Yes, the wool sweater is in stock at Northfield in Denver, Chicago, London, and 2 more cities."),
        (offers(*CITIES[:2], offer(quantity=2, store="Summit", city="Reno")),
         "Yes, the wool sweater is in stock at Northfield in Denver, Northfield in Chicago, and Summit in Reno."),
        (offers(offer("tents", quantity=2, store="A", city="B"), offer("stoves", quantity=2, store="A", city="B")),
         "Yes, the tents and the stoves are in stock at A in B."),
        (offers(offer("Sweater", url="u", quantity=3)), "Yes, test has Sweater for $59, at least 3 of them."),
        (offers(offer("Sweater", url="u")), "Yes, test has Sweater for $59."),
        (offers(nearly=tuple(CITIES[:2]), place="in Reno"),
         "Sorry, the wool sweater is out of stock in Reno. It is at Northfield in Denver and Chicago."),
        (offers(nearly=tuple(CITIES[:1]), quantity=9),
         "Sorry, there aren't 9 of them in one place. Northfield in Denver has 3."),
        (offers(nearly=(offer(color="blue", store="A", city="B", asked_for=False),), color="green", place="at A in B"),
         "Sorry, there is no green wool sweater at A in B. It comes in blue."),
        (offers(place="in Denver"), "Sorry, the wool sweater is out of stock in Denver."),
    ],
)  # fmt: skip
def test_stock(found: Offers, answer: str) -> None:
    assert stock_answer(found) == answer


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (offers(*NORTH), "There are 9 of the wool sweater in stock at Northfield in Denver."),
        (offers(offer(quantity=1, store="Northfield", city="Denver")),
         "There is 1 of the wool sweater in stock at Northfield in Denver."),
        (offers(*CITIES),
         "There are 15 of the wool sweater in stock at Northfield in Denver, Chicago, London, and 2 more cities."),
        (offers(offer("tents", quantity=2, store="A", city="B"), offer("stoves", quantity=3, store="A", city="B")),
         "There are 2 of the tents and 3 of the stoves in stock at A in B."),
        (offers(offer(store="A", city="B"), offer(quantity=3, store="A", city="B")),
         "Yes, the wool sweater is in stock at A in B, 3 of them."),
        (offers(offer("Sweater", url="u", quantity=3)), "Yes, test has Sweater for $59, at least 3 of them."),
        (offers(place="in Denver"), "Sorry, the wool sweater is out of stock in Denver."),
    ],
)  # fmt: skip
def test_how_many_there_are(found: Offers, answer: str) -> None:
    assert stock_answer(found, counted=True) == answer


WEEK = tuple(Span(weekday, 9 * 60, 22 * 60) for weekday in range(7))
NONNA = Business("Nonna Rosa", "1418 Echo Park Avenue", "Denver", "1", ("x",), 4.8, 900, 2, WEEK, "America/Denver")
SLICE = replace(NONNA, name="Slice Union", rating=4.2)


def places(*found: Business, total: int | None = None, sample: bool = False, **query: object) -> Found:
    asked = PlaceQuery(**{"area": "denver", "what": "pasta", **query})  # type: ignore[arg-type]
    count = len(found) if total is None else total
    return Found(asked, "Denver", found, count, "test", NOON.astimezone(UTC), sample)


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (places(NONNA), "Nonna Rosa is at 1418 Echo Park Avenue in Denver, with 4.8 stars. It's open until 10 p.m."),
        (places(NONNA, SLICE, order="best rated"),
         "The best rated is Nonna Rosa at 1418 Echo Park Avenue in Denver, with 4.8 stars. It's open until 10 p.m. "
         "There is also Slice Union."),
        (places(replace(NONNA, hours=())), "Nonna Rosa is at 1418 Echo Park Avenue in Denver, with 4.8 stars."),
        (places(replace(NONNA, hours=WEEK[1:2])),
         "Nonna Rosa is at 1418 Echo Park Avenue in Denver, with 4.8 stars. It opens at 9 a.m. tomorrow."),
        (places(replace(NONNA, hours=(Span(4, 540, 600),))),
         "Nonna Rosa is at 1418 Echo Park Avenue in Denver, with 4.8 stars. It opens at 9 a.m. on Friday."),
        (places(replace(NONNA, hours=tuple(Span(weekday, 0, 1440) for weekday in range(7)), rating=None)),
         "Nonna Rosa is at 1418 Echo Park Avenue in Denver. It never closes."),
        (places(replace(NONNA, address="", hours=(), rating=4.0)), "Nonna Rosa is in Denver, with 4 stars."),
        (places(), "Sorry, I couldn't find any pasta in Denver."),
        (places(open_at=NOON), "Sorry, I couldn't find any pasta in Denver that's open then."),
        (places(prices=(1,), least_rating=4.0),
         "Sorry, I couldn't find any pasta in Denver in that price range with 4 stars."),
        (places(what="", name="Target"), "Sorry, I couldn't find target in Denver."),
    ],
)  # fmt: skip
def test_places(found: Found, answer: str) -> None:
    assert places_answer(found, NOON) == answer


def test_a_place_that_is_open_on_another_day() -> None:
    friday = NOON + timedelta(days=4)
    assert places_answer(places(NONNA, open_at=friday), NOON).endswith("It's open until 10 p.m. on Friday.")


def test_whether_a_place_is_open_is_answered_first() -> None:
    named = places(NONNA, what="", name="Nonna Rosa", open_at=NOON)
    answer = places_answer(named, NOON, "and is nonna rosa open now")
    assert answer.startswith("Yes, it's open until 10 p.m. Nonna Rosa is at 1418 Echo Park Avenue in Denver")
    closed = places(replace(NONNA, hours=WEEK[1:2]), what="", name="Nonna Rosa")
    assert places_answer(closed, NOON, "is nonna rosa open right now").startswith(
        "No, it opens at 9 a.m. tomorrow. Nonna"
    )
    sunday = places(NONNA, what="", name="Nonna Rosa", open_on=NOON.date() + timedelta(days=6))
    assert places_answer(sunday, NOON, "is nonna rosa open on sunday").startswith("Yes, it opens at 9 a.m. on Sunday.")
    for question in ("where is nonna rosa open now", "which nonna rosa is open"):
        assert not places_answer(named, NOON, question).startswith("Yes")
    assert not places_answer(places(NONNA, open_at=NOON), NOON, "is there pasta").startswith("Yes")


def test_a_named_place_that_is_closed_then() -> None:
    there = places(NONNA, what="", name="Nonna Rosa")
    late = NOON.replace(hour=23)
    no = "No, Nonna Rosa at 1418 Echo Park Avenue in Denver is closed"
    assert (
        closed_answer(there, replace(there.query, open_at=late), late)
        == f"{no} right now. It opens at 9 a.m. tomorrow."
    )
    assert closed_answer(there, replace(there.query, open_at=late), NOON) == f"{no} then. It opens at 9 a.m. tomorrow."
    weekdays = places(replace(NONNA, hours=WEEK[:5]), what="", name="Nonna Rosa")
    sunday = NOON.date() + timedelta(days=6 - NOON.weekday())
    assert closed_answer(weekdays, replace(there.query, open_on=sunday), NOON) == (
        f"{no} on Sunday. It opens at 9 a.m. on Monday."
    )


def test_the_sample_catalogue_is_named() -> None:
    for answer in (
        price_answer(offers(offer(), sample=True)),
        price_answer(offers(sample=True)),
        stock_answer(offers(*NORTH, sample=True)),
        stock_answer(offers(sample=True)),
        places_answer(places(NONNA, sample=True), NOON),
        places_answer(places(sample=True), NOON),
    ):
        assert answer.endswith(" That's from the sample catalogue.")


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Money(2450, "USD"), "$24.50"),
        (Money(5900, "USD"), "$59"),
        (Money(249900, "USD"), "$2,499"),
        (Money(1, "GBP"), "£0.01"),
        (Money(2450, "JPY"), "¥2,450"),
        (Money(250, "CHF"), "2.50 CHF"),
        (Money(1234567, "KWD"), "1,234.567 KWD"),
    ],
)
def test_money(amount: Money, written: str) -> None:
    assert money(amount) == written


def test_phrases() -> None:
    assert listed([]) == ""
    assert listed(["a", "b", "c"], "or") == "a, b, or c"
    assert degree(-5) == "minus 5"
    assert (chance(0.8), chance(0.44)) == ("an 80 percent chance", "a 40 percent chance")
    assert (rain_depth(0.2, inches=True), rain_depth(25.4, inches=True)) == ("", "about 1 inch")
    assert (rain_depth(1.2, inches=False), rain_depth(6, inches=False)) == ("about 1 millimeter", "about 6 millimeters")
    assert (snow_depth(0.3, inches=False), snow_depth(2.54, inches=True)) == ("", "about 1 inch")
    assert [clock(NOON.replace(hour=h, minute=m)) for h, m in ((0, 0), (12, 0), (9, 30), (13, 0))] == [
        "midnight", "noon", "9:30 a.m.", "1 p.m.",
    ]  # fmt: skip
    assert [is_plural(name) for name in ("running shoes", "dress", "jeans", "bus", "eggs", "")] == [
        True, False, True, False, True, False,
    ]  # fmt: skip
    assert thing("eggs", "brown", "6 pack") == ("6 pack of brown eggs", False)
    assert thing("jeans", "blue", "XL") == ("blue jeans in size XL", True)
    assert sentence("it's 10 p.m.") == "It's 10 p.m."
    assert sentence("") == ""
