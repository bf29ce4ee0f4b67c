"""Fills a database with a catalogue from CSV files, one per table, each with the table's columns in its first line."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Column, Engine, Integer, Numeric, Table, create_engine, insert

from fulfillment.catalogue.tables import TABLES, metadata

SAMPLE = Path(__file__).resolve().parent.parent.parent / "data" / "catalogue"
_BATCH = 1000


class CsvError(ValueError):
    """A CSV file that does not fit its table; the message names the file and the line."""


def load(engine: Engine, folder: Path) -> dict[str, int]:
    """The number of rows that went into each table; tables that are not there are made, old rows replaced.

    All or nothing: raises CsvError, or the database's own errors, and then nothing has changed.
    """
    counts: dict[str, int] = {}
    with engine.begin() as connection:
        metadata.create_all(connection)
        for table in reversed(TABLES):
            connection.execute(table.delete())
        for table in TABLES:
            counts[table.name] = 0
            batch: list[dict[str, Any]] = []
            for row in _rows(folder / f"{table.name}.csv", table):
                batch.append(row)
                counts[table.name] += 1
                if len(batch) == _BATCH:
                    connection.execute(insert(table), batch)
                    batch = []
            if batch:
                connection.execute(insert(table), batch)
    return counts


def sample_database(home: Path, folder: Path = SAMPLE) -> Path:
    """The SQLite file in ``home`` that holds the CSV files of ``folder``, made when it is not there yet.

    Its name carries the files' digest, so a changed CSV file makes a new one; several processes may ask at once.
    """
    digest = sha256()
    for table in TABLES:
        digest.update((folder / f"{table.name}.csv").read_bytes())
    path = home / f"catalogue-{digest.hexdigest()[:12]}.db"
    if path.exists():
        return path
    home.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="catalogue-", suffix=".making", dir=home)
    os.close(handle)
    making = Path(name)
    engine = create_engine(URL.create("sqlite", database=str(making)))
    try:
        load(engine, folder)
        engine.dispose()
        making.replace(path)
    finally:
        engine.dispose()
        making.unlink(missing_ok=True)
    return path


def _rows(path: Path, table: Table) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = {column.name for column in table.columns} - set(reader.fieldnames or ())
        if missing:
            raise CsvError(f"{path.name} has no column {', '.join(sorted(missing))}")
        for row in reader:
            try:
                yield {column.name: _value(column, row[column.name]) for column in table.columns}
            except (ValueError, TypeError) as error:
                raise CsvError(f"{path.name}, line {reader.line_num}: {error}") from error


def _value(column: Column[Any], text: str | None) -> Any:
    if text is None:
        raise ValueError(f"{column.name} is missing")
    if isinstance(column.type, Integer | Numeric):
        if not text and column.nullable:
            return None
        return int(text) if isinstance(column.type, Integer) else float(text)
    return text.strip()
