"""A connection pool with transactions to read and to write in, and errors in the words of Overtone."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipeline.errors import BackendError, ConfigError

SETTING = "OVERTONE_DATABASE_URL"
EXAMPLE = "postgresql+psycopg://user@host/database or sqlite:////folder/overtone.db"
_SECRETS = ("password", "sslpassword")
_MIGRATION_LOCK = 0x6F766572746F6E65  # "overtone"


class Database:
    """An open database: SQLite in a file, or PostgreSQL. Thread-safe; close it when done.

    ``lock_wait_s`` is how long a writer waits for other programs that write before it gives up.
    Raises ConfigError for an address that cannot be used and BackendError for a database that cannot be reached.
    """

    def __init__(self, url: str, *, lock_wait_s: float = 30.0) -> None:
        parsed = _parsed(url)
        self._lock_wait_s = lock_wait_s  # how long a writer waits for the others
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.address = str(parsed.database) if self.is_sqlite else _masked(parsed)
        # SQLite polls for its write lock, which is unfair among threads; a lock of our own makes them queue.
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()
        self.engine = self._sqlite(parsed) if self.is_sqlite else self._postgresql(parsed)
        self._writing_engine = self.engine.execution_options(overtone_writes=True)
        if self.is_sqlite:
            try:
                with self.errors_translated():
                    _use_wal(self.engine, self._lock_wait_s)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close all connections that are not in use; those in use close when they are done."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that only reads; on SQLite all its statements see one state."""
        with self.errors_translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction that is committed at the end, or rolled back where an error passes."""
        with self.errors_translated(), self._turn, self._writing_engine.begin() as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """As `writing`, for changes of the tables: one process at a time, and SQLite may rebuild a table."""
        with self.errors_translated(), self._turn, self._writing_engine.connect() as connection:
            if self.is_sqlite:
                driver: Any = connection.connection.driver_connection  # inside a transaction this would do nothing
                driver.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    if not self.is_sqlite:
                        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
                    yield connection
            finally:
                connection.invalidate()  # its foreign keys are off

    @contextmanager
    def errors_translated(self) -> Iterator[None]:
        """What the database raises inside becomes a BackendError that names the database and the setting."""
        try:
            yield
        except DBAPIError as error:
            raise self._backend_error(error.orig or error) from error
        except PoolTimeout as error:
            text = f"all connections to the database {self.address} are busy: try again, or run fewer jobs"
            raise BackendError(text, retryable=True) from error
        except self.engine.dialect.loaded_dbapi.Error as error:  # from a connection used without SQLAlchemy
            raise self._backend_error(error) from error

    def _sqlite(self, url: URL) -> Engine:
        path = Path(self.address)
        if not self.address.startswith("file:"):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(
                    f"the folder {path.parent} of the database cannot be made: {error.strerror or error};"
                    f" choose another with OVERTONE_HOME or {SETTING}"
                ) from error
        engine = create_engine(
            url,
            connect_args={"timeout": self._lock_wait_s, "isolation_level": None},
            pool_size=8,
            max_overflow=56,
            **_JSON,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _postgresql(self, url: URL) -> Engine:
        defaults = {"connect_timeout": "10", "application_name": "overtone"}
        wanted = {name: value for name, value in defaults.items() if name not in url.query}
        try:
            # A server has 100 connections as it comes, and several of our processes share it.
            engine = create_engine(url, connect_args=wanted, pool_size=5, max_overflow=15, pool_pre_ping=True, **_JSON)
        except ImportError as error:
            raise ConfigError(
                f"{SETTING} asks for PostgreSQL, whose driver is not installed: pip install 'overtone[postgres]'"
            ) from error
        event.listen(engine, "connect", self._prepare_postgresql)
        return engine

    def _prepare_postgresql(self, connection: Any, _record: object) -> None:
        # Writers queue on one row: one that hangs must not hold the others for ever.
        connection.execute("SET timezone = 'UTC'")
        connection.execute(f"SET lock_timeout = {round(self._lock_wait_s * 1000)}")
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")
        connection.commit()

    def _backend_error(self, error: BaseException) -> BackendError:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        if not self.is_sqlite:
            state = getattr(error, "sqlstate", None)
            # Without a state there was no connection; 08, 57, 53, 40, 55: lost, shut down, full, collided, locked.
            retryable = not state or state[:2] in ("08", "57", "53", "40", "55")
            return BackendError(f"the database {self.address} ({SETTING}) failed: {lines[0]}", retryable=retryable)
        name = f"the database {self.address} (OVERTONE_HOME or {SETTING})"
        for words, (what, retryable) in _SQLITE_ERRORS.items():
            if words in lines[0]:
                return BackendError(f"{name} {what}", retryable=retryable)
        return BackendError(f"{name} failed: {lines[0]}")


_JSON: dict[str, Any] = {
    "json_serializer": partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
    "json_deserializer": json.loads,
}

_SQLITE_ERRORS = {
    "unable to open": ("cannot be opened: check that the folder is there and may be written", False),
    "readonly": ("cannot be written: check who owns the file and whether its disk is mounted read-only", False),
    "not a database": ("is not an SQLite database, or is damaged: move it away or restore a copy", False),
    "malformed": ("is damaged: move it away or restore a copy", False),
    "locked": ("is locked by another program: try again when that is done", True),
    "is full": ("has no room left: free some space on its disk", True),
    "disk I/O": ("cannot be read or written: check its disk", True),
}


def _parsed(url: str) -> URL:
    try:
        # Many tools still write postgres://, which SQLAlchemy does not know.
        parsed = make_url(re.sub(r"^postgres(?=:|\+)", "postgresql", url))
        backend, driver = parsed.get_backend_name(), parsed.get_driver_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        # The address itself may hold a password, and where it starts is not known, so it is not shown.
        raise ConfigError(f"{SETTING} is not a database address: give {EXAMPLE}") from error
    if (backend, driver) not in (("sqlite", "pysqlite"), ("postgresql", "psycopg")):
        raise ConfigError(f"{SETTING} asks for {backend} by {driver}, which Overtone does not know: give {EXAMPLE}")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigError(f"{SETTING} names no file: other processes must see the database, so give {EXAMPLE}")
    if backend == "postgresql" and not parsed.database:
        raise ConfigError(f"{SETTING} names no database: give {EXAMPLE}")
    return parsed


def _masked(url: URL) -> str:
    hidden = {name: "***" for name in _SECRETS if name in url.query}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("overtone_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_wal(engine: Engine, wait_s: float) -> None:
    """Put the file into WAL mode, which lasts; SQLite does not wait for the lock this takes, so we do."""
    deadline = time.monotonic() + wait_s
    raw = engine.raw_connection()
    try:
        while True:
            try:
                raw.cursor().execute("PRAGMA journal_mode=WAL").fetchall()
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)
    finally:
        raw.close()
