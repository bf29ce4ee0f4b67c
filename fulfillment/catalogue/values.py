"""The values of a catalogue: stores with their hours, products, and what of them is where at which price."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """One stretch of opening hours, weekly; minutes count from midnight, ``closes`` may lie after the next one."""

    day: int  # 0 is Monday
    opens_min: int
    closes_min: int  # 1440 is midnight at the end of the day


@dataclass(frozen=True)
class Store:
    """A store or restaurant."""

    id: str
    name: str
    kinds: tuple[str, ...]  # what it is and what it has, in people's words: "italian restaurant", "pasta"
    address: str
    city: str
    region: str
    country: str  # ISO 3166-1
    timezone: str  # IANA
    phone: str
    rating: float | None  # 0..5 stars
    reviews: int
    price_level: int | None  # 1 cheap .. 4 dear
    hours: tuple[Span, ...]


@dataclass(frozen=True)
class Product:
    """Something that is sold; ``aliases`` are other names that people use for it."""

    id: str
    name: str
    brand: str
    kind: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Variant:
    """A product in one colour and size, either empty where it has none; ``prices`` are minor units by currency."""

    id: str
    product_id: str
    color: str
    size: str
    prices: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Stock:
    """How many of a variant a store has."""

    variant_id: str
    store_id: str
    quantity: int
