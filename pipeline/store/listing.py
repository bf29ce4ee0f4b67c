"""What lists have in common: a slice of what matches, a text looked for literally, a row by the start of its id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, func, select

from pipeline.errors import InputError
from pipeline.store import rows

LONGEST_TEXT = 1000  # characters to look for; SQLite refuses a pattern of 50,000 bytes

Contains = Callable[[ColumnElement[str]], ColumnElement[bool]]


def sliced(
    connection: Connection,
    table: FromClause,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]],
    limit: int,
    offset: int,
) -> tuple[Sequence[Row[Any]], int]:
    """Rows ``offset`` to ``offset + limit`` of ``table`` (with a column id) that match, and how many match in all.

    Raises InputError for a limit or an offset below 0.
    """
    if limit < 0 or offset < 0:
        raise InputError(f"a page starts at 0 or above and has 0 rows or more, not {offset} and {limit}")
    # Ids first: sorting narrow rows is what keeps a page fast.
    ids = (
        select(table.c.id, func.count().over().label("total"))
        .where(*conditions)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    wanted = select(table, ids.c.total).join(ids, ids.c.id == table.c.id).order_by(*order)
    found = connection.execute(wanted).all()
    if found:
        return found, int(found[0].total)
    if not offset and limit:
        return (), 0
    total = connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()
    return (), int(total)


def containing(connection: Connection, text: str) -> Contains:
    """The condition that a column holds ``text`` literally, in either case of the Latin letters.

    Raises InputError for a text that is too long or that no column can hold.
    """
    rows.storable(text, "the text to look for")
    if len(text) > LONGEST_TEXT:
        raise InputError(f"the text to look for has {len(text)} characters: give at most {LONGEST_TEXT}")
    # SQLite's LIKE ignores the case of ASCII letters as it is; asked to ignore it, SQLAlchemy would slow it down.
    contains = ColumnElement.contains if connection.dialect.name == "sqlite" else ColumnElement.icontains
    return lambda column: contains(column, text, autoescape=True)


def within(column: ColumnElement[Any], since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Conditions that a time lies at ``since`` or later and before ``until``, aware times; None bounds nothing."""
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions.append(column >= rows.aware(since, f"the time {since}"))
    if until is not None:
        conditions.append(column < rows.aware(until, f"the time {until}"))
    return conditions


def by_start_of_id(connection: Connection, table: FromClause, wanted: str, *, noun: str, advice: str = "") -> Row[Any]:
    """The row of ``table`` whose id is ``wanted``, or the only one whose id starts so.

    Raises InputError for none or several, in which ``noun`` is what the table holds and ``advice`` how to list them.
    """
    rows.storable(wanted, f"the id of the {noun} to look for")
    row = connection.execute(select(table).where(table.c.id == wanted)).first()
    if row is not None:
        return row
    if not wanted:
        raise InputError(f"no {noun} was named: give its id or the start of it")
    starts = select(table).where(table.c.id.startswith(wanted, autoescape=True)).order_by(table.c.id).limit(3)
    found = connection.execute(starts).all()
    if not found:
        raise InputError(f"there is no {noun} {wanted!r} in the store{advice}")
    if len(found) > 1:
        examples = ", ".join(row.id for row in found[:2])
        raise InputError(f"more than one {noun} starts with {wanted!r} ({examples} ...): give more of the id")
    return found[0]
