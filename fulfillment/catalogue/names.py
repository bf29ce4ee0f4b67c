"""What a catalogue's stores and products are called, ready to be searched."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from fulfillment.catalogue.tables import hours, products, stores
from fulfillment.catalogue.values import Product, Span, Store
from fulfillment.matching import Index

_KIND_SMALL = frozenset({"food", "restaurants", "restaurant", "store", "stores", "shop", "shops"})


class Names:
    """Stores and products with the indices of their names, which hold positions; it never changes."""

    def __init__(self, stores: tuple[Store, ...], products: tuple[Product, ...]) -> None:
        self.stores = stores
        self.products = products
        self.by_product = Index(
            (number, name)
            for number, product in enumerate(products)
            for name in (product.name, f"{product.brand} {product.name}", product.kind, *product.aliases)
        )
        self.by_store = Index((number, store.name) for number, store in enumerate(stores))
        kinds = [(number, kind) for number, store in enumerate(stores) for kind in store.kinds]
        self.by_kind = Index(kinds)
        self.by_kind_loosely = Index(kinds, small=_KIND_SMALL)


def read_names(connection: Connection, known: Names | None) -> Names:
    """The names in the database; ``known`` itself where nothing has changed since, as the indices take time to build.

    Raises ValueError, TypeError, ZoneInfoNotFoundError for values that make no sense, and SQLAlchemy's own errors.
    """
    spans: dict[str, list[Span]] = {}
    for row in connection.execute(select(hours).order_by(hours.c.day, hours.c.opens)):
        opens, closes = _minutes(row.opens), _minutes(row.closes)
        span = Span(int(row.day), opens, closes if closes > opens else closes + 1440)
        spans.setdefault(row.store_id, []).append(span)
    found_stores = tuple(
        Store(
            id=row.id,
            name=row.name,
            kinds=_parts(row.kinds),
            address=row.address or "",
            city=row.city or "",
            region=row.region or "",
            country=row.country or "",
            timezone=ZoneInfo(row.timezone).key,
            phone=row.phone or "",
            rating=None if row.rating is None else float(row.rating),
            reviews=int(row.reviews or 0),
            price_level=row.price_level,
            hours=tuple(spans.get(row.id, ())),
        )
        for row in connection.execute(select(stores).order_by(stores.c.id))
    )
    found_products = tuple(
        Product(row.id, row.name, row.brand or "", row.kind or "", _parts(row.aliases))
        for row in connection.execute(select(products).order_by(products.c.id))
    )
    if known and (known.stores, known.products) == (found_stores, found_products):
        return known
    return Names(found_stores, found_products)


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(";") if part.strip())


def _minutes(clock: object) -> int:
    """Minutes from midnight of "HH:MM" (or a database's own time)."""
    hour, minute = str(clock).split(":")[:2]
    return int(hour) * 60 + int(minute)
