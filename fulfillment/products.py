"""What things cost and where they are in stock: the values, what a product service is, and the catalogue's.

The service behind eBay's API is in `ebay.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from fulfillment.catalogue import Catalogue, Product, Store, Variant
from fulfillment.cities import Cities
from fulfillment.errors import AmbiguousError, NotFoundError
from fulfillment.places import stores_in
from fulfillment.times import utc_now
from fulfillment.words import colour_likeness, shown, size, split_colour

MOST_KINDS = 3  # products that are told in one answer; of more the person is asked which
MOST_NEARLY = 40
_WITHOUT_MINOR = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "PYG", "UGX", "XAF", "XOF"})  # ISO 4217
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_CURRENCY_OF = {"GB": "GBP"}  # a store's country, where it is not the catalogue's first currency

Order = Literal["best match", "cheapest", "dearest"]


@dataclass(frozen=True)
class Money:
    """An amount in the currency's minor unit: 2450 USD is 24 dollars and 50 cents, 2450 JPY is 2450 yen."""

    amount_minor: int
    currency: str  # ISO 4217

    @property
    def amount(self) -> Decimal:
        """The amount in the currency's main unit."""
        return Decimal(self.amount_minor).scaleb(-minor_digits(self.currency))


def minor_digits(currency: str) -> int:
    """How many digits of an amount come after the point: 2, but 0 for yen and 3 for some dinars (ISO 4217)."""
    return 0 if currency in _WITHOUT_MINOR else 3 if currency in _THOUSANDTHS else 2


@dataclass(frozen=True)
class ProductQuery:
    """What somebody asks about; all but the item may be empty."""

    item: str
    color: str = ""
    size: str = ""
    store: str = ""
    area: str = ""
    pack: str = ""  # "gallon", "dozen": a size that is meant only where the thing comes in it
    quantity: int = 1
    least: Decimal | None = None  # price bounds, in main units of the currency
    most: Decimal | None = None
    order: Order = "best match"


@dataclass(frozen=True)
class Offer:
    """A thing at a price, in a store where ``store`` says so."""

    name: str
    color: str
    size: str
    price: Money | None
    quantity: int | None = None  # at least so many; None: in stock, or not asked for
    store: str = ""
    city: str = ""
    url: str = ""
    asked_for: bool = True  # False: in another colour or size than asked for


@dataclass(frozen=True)
class Offers:
    """What fits a query, the best first. Where nothing does, ``nearly`` has the same thing in other colours and sizes,
    and what is only elsewhere.
    """

    query: ProductQuery
    offers: tuple[Offer, ...]
    nearly: tuple[Offer, ...]
    place: str  # the store and the area as the service calls them: "at Northfield in Denver"; empty: everywhere
    source: str
    as_of: datetime  # aware, UTC
    sample: bool = False


class ProductService(Protocol):
    """Knows prices and stock."""

    def prices(self, query: ProductQuery) -> Offers:
        """What the thing costs, without a look at what is in stock.

        Raises NotFoundError for an unknown thing or store, AmbiguousError where too many things may be meant,
        UnknownPlaceError or AmbiguousPlaceError for the area, and other kinds of FulfilmentError where the service
        fails.
        """
        ...

    def stock(self, query: ProductQuery) -> Offers:
        """Where the thing is in stock and how many there are; raises as `prices` does."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class CatalogueProducts:
    """A ProductService of what a catalogue holds; prices are in ``currency`` where the place does not say another."""

    def __init__(
        self,
        catalogue: Catalogue,
        cities: Cities,
        clock: Callable[[], datetime] = utc_now,
        *,
        currency: str = "USD",
    ) -> None:
        self._catalogue = catalogue
        self._cities = cities
        self._clock = clock
        self._currency = currency

    def prices(self, query: ProductQuery) -> Offers:
        """As ProductService says."""
        query, products, variants = self._find(query)
        place, stores = self._stores(query)
        currency = _currency(stores, self._currency) if place else self._currency
        fitting, others = _sorted_out(variants, query)
        offers = [_offer(products[v.product_id], v, currency) for v in fitting]
        offers = [offer for offer in offers if _within(offer, query)]
        nearly = [replace(_offer(products[v.product_id], v, currency), asked_for=False) for v in others]
        return self._offers(query, self._ordered(offers, query), nearly if not offers else [], place)

    def stock(self, query: ProductQuery) -> Offers:
        """As ProductService says."""
        query, products, variants = self._find(query)
        place, allowed = self._stores(query)
        stores = {store.id: store for store in allowed}
        everywhere = {store.id: store for store in self._catalogue.stores()}
        fitting, others = _sorted_out(variants, query)
        by_id = {variant.id: variant for variant in variants}
        wanted = {variant.id for variant in fitting}
        offers: list[Offer] = []
        nearly: list[Offer] = []
        for held in self._catalogue.stock([variant.id for variant in (*fitting, *others)]):
            store = everywhere.get(held.store_id)
            if store is None:
                continue
            variant = by_id[held.variant_id]
            currency = _currency([store], self._currency)
            offer = replace(
                _offer(products[variant.product_id], variant, currency),
                quantity=held.quantity,
                store=store.name,
                city=store.city,
                asked_for=held.variant_id in wanted,
            )
            good = held.variant_id in wanted and store.id in stores and held.quantity >= query.quantity
            (offers if good and _within(offer, query) else nearly).append(offer)
        return self._offers(query, self._ordered(offers, query), nearly if not offers else [], place)

    def close(self) -> None:
        """Close the catalogue."""
        self._catalogue.close()

    def _find(self, query: ProductQuery) -> tuple[ProductQuery, dict[str, Product], list[Variant]]:
        """The query with its colour apart, the products that it may mean by id, and their variants."""
        query, found = self._named(query)
        if not found:
            close = list(dict.fromkeys(product.name for product in self._catalogue.near_products(query.item)))
            like = f" The closest is the {close[0]}." if close else ""
            raise NotFoundError(
                f"no product is called {query.item[:60]!r}",
                spoken=f"Sorry, I couldn't find {shown(query.item)} in {self._catalogue.name}.{like}",
            )
        variants = self._catalogue.variants([product.id for product in found])
        if len(found) > MOST_KINDS and query.order == "best match" and query.least is None and query.most is None:
            fitting = {variant.product_id for variant in _sorted_out(variants, query)[0]}
            found = [product for product in found if product.id in fitting] or found
            if len(found) > MOST_KINDS:
                raise AmbiguousError(
                    f"{len(found)} products are called {query.item[:60]!r}",
                    spoken=f"There are {len(found)} kinds of {shown(query.item)}.",
                    choices=[product.name for product in found[:6]],
                )
        kept = {product.id: product for product in found}
        return query, kept, [variant for variant in variants if variant.product_id in kept]

    def _named(self, query: ProductQuery) -> tuple[ProductQuery, list[Product]]:
        """The products that the item names; a colour or size before its name ("queen mattress") is taken apart."""
        found = self._catalogue.find_products(query.item)
        color, rest = split_colour(query.item)
        if color and not query.color:
            plain = self._catalogue.find_products(rest)
            known = self._catalogue.variants([product.id for product in plain]) if found else []
            if plain and (not found or any(v.color and colour_likeness(color, v.color) for v in known)):
                query, found = replace(query, item=rest, color=color), plain
        words = query.item.split()
        for count in range(min(3, len(words) - 1), 0, -1) if not found and not query.size else ():
            wanted, rest = size(" ".join(words[:count])), " ".join(words[count:]).removeprefix("of ")
            plain = self._catalogue.find_products(rest)
            variants = self._catalogue.variants([product.id for product in plain])
            if any(size(variant.size) == wanted for variant in variants if variant.size):
                return replace(query, item=rest, size=wanted), plain
        return query, found

    def _stores(self, query: ProductQuery) -> tuple[str, Sequence[Store]]:
        """The stores that the query allows, and where that is in words. Raises NotFoundError for an unknown store."""
        stores: Sequence[Store] = self._catalogue.stores()
        place = ""
        if query.area:
            area, stores = stores_in(self._catalogue, self._cities, query.area)
            place = f"in {area}"
        if query.store:
            named = {store.id for store in self._catalogue.find_stores(query.store)}
            if not named:
                raise NotFoundError(
                    f"no store is called {query.store[:60]!r}",
                    spoken=f"Sorry, I don't know a store called {shown(query.store)}.",
                )
            names = {store.name for store in self._catalogue.stores() if store.id in named}
            stores = [store for store in stores if store.id in named]
            place = f"at {names.pop() if len(names) == 1 else query.store} {place}".strip()
        return place, stores

    def _offers(self, query: ProductQuery, offers: Sequence[Offer], nearly: Sequence[Offer], place: str) -> Offers:
        usual_first = sorted(nearly, key=lambda offer: offer.price is None or offer.price.currency != self._currency)
        return Offers(
            query=query,
            offers=tuple(offers),
            nearly=tuple(usual_first[:MOST_NEARLY]),
            place=place,
            source=self._catalogue.name,
            as_of=self._clock(),
            sample=self._catalogue.sample,
        )

    def _ordered(self, offers: Sequence[Offer], query: ProductQuery) -> list[Offer]:
        """The offers by price where the query wants that; those in other currencies come last."""
        if query.order == "best match":
            return list(offers)
        sign = 1 if query.order == "cheapest" else -1
        priced = [(offer.price.currency != self._currency, sign * offer.price.amount_minor, offer)
                  for offer in offers if offer.price]  # fmt: skip
        return [offer for _, _, offer in sorted(priced, key=lambda ranked: ranked[:2])]


def _sorted_out(variants: Sequence[Variant], query: ProductQuery) -> tuple[list[Variant], list[Variant]]:
    """The variants in the colour and size asked for, and the rest; shades do where the colour itself is missing."""
    wanted = size(query.size)
    if query.pack and not wanted and any(size(v.size) == size(query.pack) for v in variants if v.size):
        wanted = size(query.pack)
    sized = [v for v in variants if not wanted or not v.size or size(v.size) == wanted]
    fitting = sized
    if query.color:
        likeness = {v.id: colour_likeness(query.color, v.color) if v.color else 0 for v in sized}
        best = max(likeness.values(), default=0)
        fitting = [v for v in sized if best and likeness[v.id] == best]
    kept = {v.id for v in fitting}
    return fitting, [v for v in variants if v.id not in kept]


def _offer(product: Product, variant: Variant, currency: str) -> Offer:
    named = dict(variant.prices)
    known = currency if currency in named else next(iter(named), "")
    price = Money(named[known], known) if known else None
    return Offer(name=product.name, color=variant.color, size=variant.size, price=price)


def _within(offer: Offer, query: ProductQuery) -> bool:
    if query.least is None and query.most is None:
        return True
    if offer.price is None:
        return False
    amount = offer.price.amount
    return (query.least is None or amount >= query.least) and (query.most is None or amount <= query.most)


def _currency(stores: Sequence[Store], usual: str) -> str:
    found = {_CURRENCY_OF.get(store.country, usual) for store in stores}
    return found.pop() if len(found) == 1 else usual
