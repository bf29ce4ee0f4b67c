"""What agents say of the suggestions that they got: every mark is a row, and the last one on a suggestion counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from pipeline.calls import SuggestionMark
from pipeline.errors import InputError
from pipeline.store import rows
from pipeline.store.database import Database
from pipeline.store.listing import within
from pipeline.store.tables import suggestion_marks
from pipeline.store.writing import existing_call


def mark(database: Database, given: SuggestionMark) -> None:
    """Store a mark beside those before it; InputError where there is no such call and for what cannot be stored."""
    row = _row(given)
    with database.writing() as connection:
        existing_call(connection, given.call_id)
        connection.execute(insert(suggestion_marks), row)


def marks(
    connection: Connection, call_id: str | None, agent: str | None, since: datetime | None, until: datetime | None
) -> list[SuggestionMark]:
    """The last mark on each suggestion, in the order in which they were given; what is None narrows nothing."""
    wanted = select(suggestion_marks).where(*within(suggestion_marks.c.at, since, until))
    if call_id is not None:
        wanted = wanted.where(suggestion_marks.c.call_id == rows.storable(call_id, "the id of the call"))
    if agent is not None:
        wanted = wanted.where(suggestion_marks.c.agent == rows.storable(agent, "the agent"))
    newest = suggestion_marks.alias("newest")
    last = select(func.max(newest.c.number)).where(
        newest.c.call_id == suggestion_marks.c.call_id, newest.c.idx == suggestion_marks.c.idx
    )
    counting = wanted.where(suggestion_marks.c.number == last.scalar_subquery()).order_by(suggestion_marks.c.number)
    return [
        SuggestionMark(row.call_id, row.idx, row.text, row.used, row.agent, row.at)
        for row in connection.execute(counting)
    ]


def _row(given: SuggestionMark) -> dict[str, Any]:
    what = f"the mark on a suggestion of call {given.call_id!r}"
    if not 0 <= given.index < 2**31:
        raise InputError(f"{what} is on sentence {given.index}: indices count from 0")
    if not given.agent.strip():
        raise InputError(f"{what} names nobody: say who gives it")
    return {
        "call_id": given.call_id,
        "idx": given.index,
        "text": rows.storable(given.text, f"the text of {what}"),
        "used": given.used,
        "agent": rows.storable(given.agent, f"the agent of {what}"),
        "at": rows.aware(given.at, f"the time of {what}"),
    }
