"""The feed of changes: what was committed after a given number, in the order of the commits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, and_, select

from pipeline.calls import Call
from pipeline.store import rows
from pipeline.store.alerts import ALERTS, FED, JUDGED, alert_of
from pipeline.store.notes import note_of
from pipeline.store.queries import Change
from pipeline.store.reading import SENTENCES, last_change
from pipeline.store.tables import alerts, calls, events, labels, notes, sentences


def changes(connection: Connection, after: int, limit: int) -> list[Change]:
    """Up to ``limit`` changes numbered above ``after``, lowest first; ask again from the last one's number.

    Sentences and labels of a superseded revision or a deleted call are left out.
    """
    # Whoever moved the counter this far has committed, so everything up to here is visible to the reads below,
    # even on PostgreSQL, where each of them sees a newer state.
    newest = last_change(connection)
    if newest <= after:
        return []
    # The limit first: a planner that misjudges how many rows there are would join predictions to all of them.
    wanted = _range(_counting(select(sentences.c.number), sentences), sentences, after, newest, limit).subquery()
    spoken = SENTENCES.join(wanted, wanted.c.number == sentences.c.number).order_by(sentences.c.number)
    sources: tuple[tuple[Select[Any], Callable[[Row[Any], Call], Change]], ...] = (
        (spoken, _sentence),
        (_range(_counting(select(labels), labels), labels, after, newest, limit), _label),
        (_range(select(events), events, after, newest, limit), _event),
        (_range(ALERTS, alerts, after, newest, limit), _alert),
        (JUDGED.where(after < FED, newest >= FED).order_by(FED).limit(limit), _verdict),
        (_range(select(notes), notes, after, newest, limit), _note),
    )
    found = [(row, made) for statement, made in sources for row in connection.execute(statement)]
    merged = sorted(found, key=lambda pair: int(pair[0].number))[:limit]
    named = {row.call_id for row, _ in merged}
    known = {row.id: rows.call_of(row) for row in connection.execute(select(calls).where(calls.c.id.in_(named)))}
    return [made(row, known.get(row.call_id, _gone(row.call_id))) for row, made in merged]


def _counting(statement: Select[Any], table: Table) -> Select[Any]:
    """Only what is of the revision that counts."""
    return statement.join(calls, and_(calls.c.id == table.c.call_id, calls.c.revision == table.c.revision))


def _range(statement: Select[Any], table: Table, after: int, newest: int, limit: int) -> Select[Any]:
    numbered = statement.where(table.c.number > after, table.c.number <= newest)
    return numbered.order_by(table.c.number).limit(limit)


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
