"""People's corrections of what turns meant: added, never replaced, so that the last one counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, insert, select

from pipeline.calls import TurnLabel
from pipeline.errors import InputError
from pipeline.store import rows
from pipeline.store.database import Database
from pipeline.store.listing import within
from pipeline.store.tables import conversations, turn_labels, turns


def add(database: Database, label: TurnLabel) -> None:
    """Store a person's label of a turn beside those before it.

    Raises InputError where there is no such turn, for a label without an intent and for slots outside its text.
    """
    what = f"the label on turn {label.number} of conversation {label.conversation_id!r}"
    row = _row(label, what)
    wanted = select(turns.c.user_text).where(
        turns.c.conversation_id == row["conversation_id"], turns.c.number == label.number
    )
    with database.writing() as connection:
        text = connection.execute(wanted.with_for_update(read=True, key_share=True)).scalar()
        if text is None:
            raise InputError(f"conversation {label.conversation_id!r} has no turn {label.number}: nothing to label")
        for slot in label.slots:
            if not 0 <= slot.start < slot.end <= len(text):
                raise InputError(
                    f"{what} puts slot {slot.name!r} at {slot.start} to {slot.end} of a text of {len(text)} characters"
                )
        connection.execute(insert(turn_labels), row)


def of(connection: Connection, conversation_id: str) -> list[TurnLabel]:
    """People's labels on the turns of a conversation, oldest first; several on one turn all stand."""
    own = turn_labels.c.conversation_id == rows.storable(conversation_id, "the id of the conversation")
    found = connection.execute(select(turn_labels).where(own).order_by(turn_labels.c.number))
    return [_label_of(row) for row in found]


def between(connection: Connection, since: datetime, until: datetime) -> list[TurnLabel]:
    """The labels on turns at ``since`` or later and before ``until``, in the order of the turns, oldest label first."""
    found: Select[Any] = (
        select(turn_labels)
        .join(
            turns, and_(turns.c.conversation_id == turn_labels.c.conversation_id, turns.c.number == turn_labels.c.turn)
        )
        .join(conversations, conversations.c.id == turns.c.conversation_id)
        .where(*within(turns.c.at, since, until))
        .order_by(conversations.c.started_at, conversations.c.id, turns.c.number, turn_labels.c.number)
    )
    return [_label_of(row) for row in connection.execute(found)]


def _row(label: TurnLabel, what: str) -> dict[str, Any]:
    if not label.intent:
        raise InputError(f"{what} names no intent: give one")
    return {
        "conversation_id": rows.storable(label.conversation_id, f"the conversation of {what}"),
        "turn": label.number,
        "intent": rows.storable(label.intent, f"the intent of {what}"),
        "slots": rows.slot_lists(label.slots, what),
        "reviewer": rows.storable(label.reviewer, f"the reviewer of {what}"),
        "at": rows.aware(label.at, f"the time of {what}"),
    }


def _label_of(row: Row[Any]) -> TurnLabel:
    return TurnLabel(
        conversation_id=row.conversation_id,
        number=row.turn,
        intent=row.intent,
        slots=rows.slots_of(row.slots),
        reviewer=row.reviewer,
        at=row.at,
    )
