"""Reads a catalogue: stores and products by the names that people use, variants and stock by bound parameters only."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from zoneinfo import ZoneInfoNotFoundError

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from fulfillment.catalogue.loading import SAMPLE, sample_database
from fulfillment.catalogue.names import Names, read_names
from fulfillment.catalogue.tables import TABLES, prices, stock, variants
from fulfillment.catalogue.values import Product, Stock, Store, Variant
from fulfillment.errors import FulfilmentError, RefusedError, UnavailableError, UnreadableError
from fulfillment.matching import CLOSE

SETTING = "OVERTONE_CATALOGUE_URL"
EXAMPLE = "postgresql+psycopg://user@host/database or sqlite:////folder/shop.db"
REFRESH_S = 300.0  # how old what is kept of stores' and products' names may be
SPOKEN = "Sorry, I can't reach the catalogue right now."
_log = logging.getLogger(__name__)
_MOST_IDS = 500  # in one statement
_LONGEST_STATEMENT_MS = 4000  # the dialog waits for six seconds


class Catalogue:
    """An open catalogue. Threads may share it; close it when done. It only reads.

    Names of stores and products are kept in memory, and read anew ``refresh_s`` later by a thread of their own, so that
    no question waits for it; prices and stock are read each time.
    ``sample`` says that it is the one we ship; ``name`` is what people are told, ``address`` is for the log.
    """

    def __init__(self, engine: Engine, address: str, *, sample: bool, refresh_s: float = REFRESH_S) -> None:
        self.name = "the sample catalogue" if sample else "the catalogue"
        self.sample = sample
        self._address = address
        self._engine = engine
        self._refresh_s = refresh_s
        self._lock = threading.Lock()
        self._names: Names | None = None
        self._stale_at = 0.0  # time.monotonic()
        self._refreshing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def stores(self) -> tuple[Store, ...]:
        """All stores. Raises UnavailableError, and UnreadableError for values that make no sense."""
        return self._read_names().stores

    def products(self) -> tuple[Product, ...]:
        """All products. Raises UnavailableError."""
        return self._read_names().products

    def find_products(self, words: str) -> list[Product]:
        """The products that the words name best, several where they are equally good. Raises UnavailableError."""
        names = self._read_names()
        return [names.products[number] for number in names.by_product.best(words)]

    def near_products(self, words: str) -> list[Product]:
        """Products that are like what the words name, for want of any that they name. Raises UnavailableError."""
        names = self._read_names()
        return [names.products[number] for number in names.by_product.best(words, CLOSE)]

    def find_stores(self, words: str) -> list[Store]:
        """The stores whose own name the words are. Raises UnavailableError."""
        names = self._read_names()
        return [names.stores[number] for number in names.by_store.best(words)]

    def stores_of_kind(self, words: str) -> list[Store]:
        """The stores of a kind, or that have a dish or a ware: "thai food", "pasta". Raises UnavailableError."""
        names = self._read_names()
        found = names.by_kind.best(words) or names.by_kind_loosely.best(words)
        return [names.stores[number] for number in found]

    def variants(self, product_ids: Sequence[str]) -> list[Variant]:
        """The variants of some products with their prices. Raises UnavailableError."""
        found: dict[str, Variant] = {}
        with self._reading() as connection:
            for ids in _batches(product_ids):
                rows = connection.execute(
                    select(variants, prices.c.currency, prices.c.amount_minor)
                    .outerjoin(prices, prices.c.variant_id == variants.c.id)
                    .where(variants.c.product_id.in_(ids))
                    .order_by(variants.c.id, prices.c.currency)
                )
                for row in rows:
                    before = found[row.id].prices if row.id in found else ()
                    new = ((str(row.currency), int(row.amount_minor)),) if row.currency is not None else ()
                    found[row.id] = Variant(row.id, row.product_id, row.color or "", row.size or "", before + new)
        return list(found.values())

    def stock(self, variant_ids: Sequence[str]) -> list[Stock]:
        """What all stores have of some variants, none left out but those with nothing. Raises UnavailableError."""
        found: list[Stock] = []
        with self._reading() as connection:
            for ids in _batches(variant_ids):
                rows = connection.execute(
                    select(stock).where(stock.c.variant_id.in_(ids), stock.c.quantity > 0).order_by(stock.c.store_id)
                )
                found += [Stock(row.variant_id, row.store_id, int(row.quantity)) for row in rows]
        return found

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _unavailable(self._address, error) from error

    def _read_names(self) -> Names:
        """The names, read at the first question and then anew beside the questions that find them too old."""
        with self._lock:
            names = self._names
            if names is None:
                names = self._names = self._fresh_names(None)
                self._stale_at = time.monotonic() + self._refresh_s
            elif time.monotonic() >= self._stale_at and not self._refreshing:
                self._refreshing = True
                threading.Thread(target=self._refresh, name="catalogue", daemon=True).start()
            return names

    def _refresh(self) -> None:
        try:
            names = self._fresh_names(self._names)
            with self._lock:
                self._names = names
        except FulfilmentError as error:
            _log.warning("%s; what was known of it serves on", error)
        finally:
            with self._lock:
                self._stale_at = time.monotonic() + self._refresh_s
                self._refreshing = False

    def _fresh_names(self, known: Names | None) -> Names:
        with self._reading() as connection:
            try:
                return read_names(connection, known)
            except (ValueError, TypeError, ZoneInfoNotFoundError) as error:
                text = f"the catalogue at {self._address} holds a value that makes no sense: {error}"
                raise UnreadableError(text, spoken=SPOKEN) from error


def open_catalogue(url: str, *, refresh_s: float = REFRESH_S) -> Catalogue:
    """A company's own catalogue at an SQLAlchemy address of PostgreSQL or SQLite.

    Raises RefusedError for an address that cannot be used and for a database without the tables, and UnavailableError
    where it cannot be reached; passwords are masked.
    """
    parsed = _parsed(url)
    address = _masked(parsed)
    try:
        engine = create_engine(parsed, pool_pre_ping=True, **_options(parsed))
    except ImportError as error:
        raise RefusedError(
            f"{SETTING} asks for {parsed.drivername}, whose driver is not installed: pip install 'overtone[postgres]'",
            spoken=SPOKEN,
        ) from error
    if parsed.get_backend_name() == "postgresql":
        event.listen(engine, "begin", _only_read)
    try:
        missing = _missing(engine)
        if missing:
            lacks = f"the catalogue at {address} ({SETTING}) lacks {', '.join(missing)}"
            raise RefusedError(f"{lacks}; docs/fulfilment.md says which tables it needs", spoken=SPOKEN)
    except SQLAlchemyError as error:
        engine.dispose()
        raise _unavailable(address, error) from error
    except FulfilmentError:
        engine.dispose()
        raise
    return Catalogue(engine, address, sample=False, refresh_s=refresh_s)


def open_sample(home: Path, folder: Path = SAMPLE) -> Catalogue:
    """The catalogue of the CSV files in ``folder``, in an SQLite file in ``home``. Raises CsvError, OSError."""
    path = sample_database(home, folder)
    engine = create_engine(
        URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"})
    )
    return Catalogue(engine, str(path), sample=True, refresh_s=float("inf"))


def _only_read(connection: Connection) -> None:
    """Limits of each transaction, not of the session, which a connection pooler may hand to somebody else."""
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {_LONGEST_STATEMENT_MS}")


def _missing(engine: Engine) -> list[str]:
    """What the database lacks: "stock", "stores.rating"."""
    seen = inspect(engine)
    missing = []
    for table in TABLES:
        if not seen.has_table(table.name):  # views too
            missing.append(table.name)
            continue
        there = {column["name"] for column in seen.get_columns(table.name)}
        missing += [f"{table.name}.{column.name}" for column in table.columns if column.name not in there]
    return missing


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(re.sub(r"^postgres(?:ql)?(?=:)", "postgresql+psycopg", url))
        known = (parsed.get_backend_name(), parsed.get_driver_name())
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise RefusedError(f"{SETTING} is not a database address: give {EXAMPLE}", spoken=SPOKEN) from error
    if known not in (("sqlite", "pysqlite"), ("postgresql", "psycopg")):
        raise RefusedError(f"{SETTING} asks for {'+'.join(known)}: give {EXAMPLE}", spoken=SPOKEN)
    return parsed


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {}
    wanted = {"connect_timeout": "5", "application_name": "overtone"}
    return {"connect_args": {name: value for name, value in wanted.items() if name not in url.query}, "pool_size": 4}


def _masked(url: URL) -> str:
    hidden = {name: "***" for name in ("password", "sslpassword") if name in url.query}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def _unavailable(address: str, error: SQLAlchemyError) -> UnavailableError:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return UnavailableError(f"the catalogue at {address} ({SETTING}) failed: {lines[0][:200]}", spoken=SPOKEN)


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _MOST_IDS):
        yield ids[start : start + _MOST_IDS]
