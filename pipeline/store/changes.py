"""The feed of changes: what was committed after a given number, in the order of the commits."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, and_, select

from pipeline.calls import Call
from pipeline.store import rows
from pipeline.store.queries import Change
from pipeline.store.reading import SENTENCES, last_change
from pipeline.store.tables import calls, events, labels, sentences


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
    wanted = (
        select(sentences.c.number)
        .join(calls, and_(calls.c.id == sentences.c.call_id, calls.c.revision == sentences.c.revision))
        .where(sentences.c.number > after, sentences.c.number <= newest)
        .order_by(sentences.c.number)
        .limit(limit)
        .subquery()
    )
    spoken = connection.execute(
        SENTENCES.join(wanted, wanted.c.number == sentences.c.number).order_by(sentences.c.number)
    ).all()
    said = connection.execute(
        select(labels)
        .join(calls, and_(calls.c.id == labels.c.call_id, calls.c.revision == labels.c.revision))
        .where(labels.c.number > after, labels.c.number <= newest)
        .order_by(labels.c.number)
        .limit(limit)
    ).all()
    happened = connection.execute(
        select(events).where(events.c.number > after, events.c.number <= newest).order_by(events.c.number).limit(limit)
    ).all()
    merged = sorted((*spoken, *said, *happened), key=lambda row: row.number)[:limit]
    named = {row.call_id for row in merged}
    known = {row.id: rows.call_of(row) for row in connection.execute(select(calls).where(calls.c.id.in_(named)))}
    found: list[Change] = []
    for row in merged:
        call = known.get(row.call_id, _gone(row.call_id))
        if hasattr(row, "words"):
            found.append(Change(row.number, "sentence", row.created_at, call, sentence=rows.sentence_of(row)))
        elif hasattr(row, "reviewer"):
            found.append(Change(row.number, "label", row.stored_at, call, label=rows.label_of(row)))
        else:
            found.append(Change(row.number, row.kind, row.at, call))
    return found


def _gone(call_id: str) -> Call:
    return Call(id=call_id, source="", started_at=datetime.fromtimestamp(0, UTC), duration_s=0.0, speakers=())
