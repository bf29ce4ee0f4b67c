"""The feed of changes: what was committed after a given number, in the order of the commits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Select, Table, and_, bindparam, exists, select

from pipeline.calls import Call
from pipeline.store import rows
from pipeline.store.alerts import ALERTS, FED, JUDGED, alert_of
from pipeline.store.notes import note_of
from pipeline.store.queries import Change
from pipeline.store.reading import SENTENCES, last_change
from pipeline.store.tables import alerts, calls, events, labels, notes, sentences
from pipeline.store.writing import CALLS


def changes(connection: Connection, after: int, limit: int) -> list[Change]:
    """Up to ``limit`` changes numbered above ``after``, lowest first; ask again from the last one's number.

    Sentences and labels of a superseded revision or a deleted call are left out.
    """
    # Whoever moved the counter this far has committed, so everything up to here is visible to the reads below,
    # even on PostgreSQL, where each of them sees a newer state.
    newest = last_change(connection)
    if newest <= after:
        return []
    asked = {"after": after, "newest": newest, "limit": limit}
    there = connection.execute(_THERE, asked).one()._mapping
    found = [
        (row, source.made)
        for kind, source in _SOURCES.items()
        if there[kind]
        for row in connection.execute(source.rows, asked)
    ]
    merged = sorted(found, key=lambda pair: int(pair[0].number))[:limit]
    named = {row.call_id for row, _ in merged}
    known = {row.id: rows.call_of(row) for row in connection.execute(CALLS, {"ids": sorted(named)})}
    return [made(row, known.get(row.call_id, _gone(row.call_id))) for row, made in merged]


def _sentence(row: Row[Any], call: Call) -> Change:
    return Change(row.number, "sentence", row.created_at, call, sentence=rows.sentence_of(row))


def _label(row: Row[Any], call: Call) -> Change:
    return Change(row.number, "label", row.stored_at, call, label=rows.label_of(row))


def _event(row: Row[Any], call: Call) -> Change:
    return Change(row.number, row.kind, row.at, call)


def _alert(row: Row[Any], call: Call) -> Change:
    return Change(row.number, "alert", row.stored_at, call, alert=alert_of(row))


def _verdict(row: Row[Any], call: Call) -> Change:
    return Change(row.number, "verdict", row.stored_at, call, alert=alert_of(row))


def _note(row: Row[Any], call: Call) -> Change:
    return Change(row.number, "note", row.stored_at, call, note=note_of(row))


def _gone(call_id: str) -> Call:
    return Call(id=call_id, source="", started_at=datetime.fromtimestamp(0, UTC), duration_s=0.0, speakers=())


class _Source(NamedTuple):
    """One kind of change: the statement that reads it, by the bound ``after``, ``newest`` and ``limit``."""

    number: ColumnElement[Any]
    rows: Select[Any]
    made: Callable[[Row[Any], Call], Change]


_AFTER, _NEWEST, _LIMIT = (bindparam(name, type_=BigInteger()) for name in ("after", "newest", "limit"))


def _counting(statement: Select[Any], table: Table) -> Select[Any]:
    """Only what is of the revision that counts."""
    return statement.join(calls, and_(calls.c.id == table.c.call_id, calls.c.revision == table.c.revision))


def _range(statement: Select[Any], number: ColumnElement[Any]) -> Select[Any]:
    return statement.where(number > _AFTER, number <= _NEWEST).order_by(number).limit(_LIMIT)


# The limit first: a planner that misjudges how many rows there are would join predictions to all of them.
_wanted = _range(_counting(select(sentences.c.number), sentences), sentences.c.number).subquery()
_spoken = SENTENCES.join(_wanted, _wanted.c.number == sentences.c.number).order_by(sentences.c.number)
# Made once: to put the statements together takes longer than to run them.
_SOURCES = {
    "sentences": _Source(sentences.c.number, _spoken, _sentence),
    "labels": _Source(labels.c.number, _range(_counting(select(labels), labels), labels.c.number), _label),
    "events": _Source(events.c.number, _range(select(events), events.c.number), _event),
    "alerts": _Source(alerts.c.number, _range(ALERTS, alerts.c.number), _alert),
    "verdicts": _Source(FED, _range(JUDGED, FED), _verdict),
    "notes": _Source(notes.c.number, _range(select(notes), notes.c.number), _note),
}
# Whether there is anything new of each kind: most changes are sentences.
_THERE = select(
    *(exists().where(source.number > _AFTER, source.number <= _NEWEST).label(kind) for kind, source in _SOURCES.items())
)
