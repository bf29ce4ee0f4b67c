"""What managers write and flag on calls: added, never replaced."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from pipeline.calls import Note
from pipeline.errors import InputError
from pipeline.store import rows
from pipeline.store.database import Database
from pipeline.store.tables import notes
from pipeline.store.writing import existing_call, next_numbers


def add(database: Database, note: Note) -> None:
    """Store a note; InputError where there is no such call and for values that cannot be stored."""
    row = {**_row(note), "stored_at": datetime.now(UTC)}
    with database.writing() as connection:
        number = next_numbers(connection, database, 1)
        existing_call(connection, note.call_id)
        connection.execute(insert(notes), {**row, "number": number})


def of(connection: Connection, call_id: str) -> list[Note]:
    """The notes on a call in the order in which they were stored; none for an unknown call."""
    own = select(notes).where(notes.c.call_id == rows.storable(call_id, "the id of the call")).order_by(notes.c.number)
    return [note_of(row) for row in connection.execute(own)]


def note_of(row: Row[Any]) -> Note:
    """The note in a row of table notes."""
    return Note(call_id=row.call_id, at_s=row.at_s, text=row.text, flagged=row.flagged, author=row.author, at=row.at)


def _row(note: Note) -> dict[str, Any]:
    what = f"a note on call {note.call_id!r}"
    if rows.finite(note.at_s, f"the place of {what}") < 0:
        raise InputError(f"the place of {what} is {note.at_s} s: a call starts at 0 s")
    return {
        "call_id": note.call_id,
        "at_s": note.at_s,
        "text": rows.storable(note.text, f"the text of {what}"),
        "flagged": note.flagged,
        "author": rows.storable(note.author, f"the author of {what}"),
        "at": rows.aware(note.at, f"the time of {what}"),
    }
