"""The same store tests run over SQLite and over PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.store import Store, open_store
from tests.store.postgres import Server

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def migrated(postgres: Server) -> str:
    """URL of a PostgreSQL database with our tables and no rows, to be copied."""
    url = postgres.database()
    open_store(url).close()
    return url


@pytest.fixture(scope="session")
def reused(postgres: Server, migrated: str) -> str:
    """URL of a PostgreSQL database that tests use one after the other."""
    return postgres.database(like=migrated)


@pytest.fixture(params=DATABASES)
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables; on SQLite not even the file is there."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/home/overtone.db"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.database()
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Makes the URL of a new empty store on the database that is named."""

    def make(database: str) -> str:
        if database == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('store')}/overtone.db"
        server: Server = request.getfixturevalue("postgres")
        return server.database(like=request.getfixturevalue("migrated"))

    return make


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, new_url: Callable[[str], str]) -> Iterator[str]:
    """URL of an empty store."""
    if request.param == "sqlite":
        yield new_url("sqlite")
        return
    # Emptied and used again: making and dropping a database takes longer than most tests.
    server: Server = request.getfixturevalue("postgres")
    reused: str = request.getfixturevalue("reused")
    yield reused
    server.empty(reused)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A new empty store."""
    with open_store(url) as opened:
        yield opened


@pytest.fixture(params=DATABASES, scope="module")
def shared_store(request: pytest.FixtureRequest, new_url: Callable[[str], str]) -> Iterator[Store]:
    """A store that the many examples of a property test share."""
    with open_store(new_url(request.param)) as opened:
        yield opened
