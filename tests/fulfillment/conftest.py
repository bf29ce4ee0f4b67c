"""Services over real databases and real servers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from fulfillment.catalogue import Catalogue, open_catalogue, open_sample
from fulfillment.catalogue.loading import load
from fulfillment.cities import Cities, load_cities
from fulfillment.services import SAMPLE
from tests.store import postgres as postgresql

NOON = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)  # a Monday; half past twelve in Denver


def at_noon() -> datetime:
    """The time in all tests that ask for it."""
    return NOON


@pytest.fixture(scope="session")
def cities() -> Cities:
    """The list of cities that we ship."""
    return load_cities(SAMPLE / "cities.csv")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """The catalogue that we ship, in SQLite."""
    with open_sample(tmp_path_factory.mktemp("home")) as catalogue:
        yield catalogue


@pytest.fixture(scope="session")
def company_url(postgres: postgresql.Server) -> str:
    """A PostgreSQL database with the same rows, as a company would have its own."""
    url = postgres.database()
    engine = create_engine(url)
    load(engine, Path(SAMPLE))
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def company(company_url: str) -> Iterator[Catalogue]:
    """That database as a catalogue."""
    with open_catalogue(company_url) as catalogue:
        yield catalogue
