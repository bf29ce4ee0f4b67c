"""The turns of conversations: every field as it was, in columns to look for and JSON to keep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, Row, Select, case, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from pipeline.calls import Intent, Performed, Turn, TurnEvent
from pipeline.errors import InputError
from pipeline.store import rows
from pipeline.store.conversations import unknown
from pipeline.store.database import Database
from pipeline.store.listing import within
from pipeline.store.tables import conversations, turns


def add(database: Database, turn: Turn) -> None:
    """Store a turn and count it in its conversation; writers of other conversations do not wait on PostgreSQL.

    Raises InputError for an unknown conversation, a number used before and values that no database can hold.
    """
    row = _row(turn)
    with database.writing() as connection:
        if connection.execute(_counted(turn)).rowcount == 0:
            raise unknown(turn.conversation_id)
        try:
            connection.execute(insert(turns), row)
        except IntegrityError:
            raise InputError(
                f"conversation {turn.conversation_id!r} already has a turn {turn.number}: give each its own number"
            ) from None


def add_timings(database: Database, conversation_id: str, number: int, timings_ms: Mapping[str, float]) -> None:
    """Add milliseconds by stage to a stored turn, such as those of saying it; a stage that it has is measured anew.

    Raises InputError where there is no such turn, and for values that no database can hold.
    """
    what = f"turn {number} of conversation {conversation_id!r}"
    own = rows.storable(conversation_id, f"the conversation of {what}")
    measured = _timings(timings_ms, what)
    one = (turns.c.conversation_id == own) & (turns.c.number == number)
    with database.writing() as connection:
        found = connection.execute(select(turns.c.timings_ms).where(one)).first()
        if found is None:
            raise InputError(f"there is no {what}: its timings cannot be stored")
        connection.execute(update(turns).where(one).values(timings_ms={**found.timings_ms, **measured}))


def of(connection: Connection, conversation_id: str) -> list[Turn]:
    """The turns of the conversation with exactly that id, by number; InputError without such a conversation."""
    own = rows.storable(conversation_id, "the id of the conversation")
    if connection.execute(select(conversations.c.id).where(conversations.c.id == own)).first() is None:
        raise unknown(conversation_id)
    found = select(turns).where(turns.c.conversation_id == own).order_by(turns.c.number)
    return [turn_of(row) for row in connection.execute(found)]


def between(connection: Connection, since: datetime, until: datetime) -> list[Turn]:
    """The turns of all conversations at ``since`` or later and before ``until``, conversation by conversation."""
    found: Select[Any] = (
        select(turns)
        .join(conversations, conversations.c.id == turns.c.conversation_id)
        .where(*within(turns.c.at, since, until))
        .order_by(conversations.c.started_at, conversations.c.id, turns.c.number)
    )
    return [turn_of(row) for row in connection.execute(found)]


def turn_of(row: Row[Any]) -> Turn:
    """The turn in a row of table turns."""
    return Turn(
        conversation_id=row.conversation_id,
        number=row.number,
        at=row.at,
        event=row.event,
        user_text=row.user_text,
        intent=None
        if row.intent is None
        else Intent(name=row.intent, score=row.score, slots=rows.slots_of(row.slots), model=row.model),
        path=tuple((start, label, end) for start, label, end in row.path),
        state=row.state,
        actions=tuple(_performed_of(action) for action in row.actions),
        replies=tuple(row.replies),
        timings_ms=row.timings_ms,
        recogniser=row.recogniser,
        error=row.error,
    )


def _counted(turn: Turn) -> Any:
    sums: dict[str, Any] = {"turns": conversations.c.turns + 1}
    if turn.error:
        sums["errors"] = conversations.c.errors + 1
    if turn.intent is not None:
        lowest = conversations.c.lowest_score
        sums["lowest_score"] = case(
            (or_(lowest.is_(None), lowest > turn.intent.score), turn.intent.score), else_=lowest
        )
    return update(conversations).where(conversations.c.id == turn.conversation_id).values(sums)


def _row(turn: Turn) -> dict[str, Any]:
    what = f"turn {turn.number} of conversation {turn.conversation_id!r}"
    if turn.number < 0:
        raise InputError(f"{what} cannot be stored: turns count from 0")
    intent = turn.intent
    understood: dict[str, Any] = dict.fromkeys(("intent", "score", "slots", "model"))
    if intent is not None:
        understood = {
            "intent": rows.storable(intent.name, f"the intent of {what}"),
            "score": rows.finite(intent.score, f"the score of {what}"),
            "slots": rows.slot_lists(intent.slots, what),
            "model": rows.storable(intent.model, f"the intent model of {what}"),
        }
    return {
        "conversation_id": rows.storable(turn.conversation_id, f"the conversation of {what}"),
        "number": turn.number,
        "at": rows.aware(turn.at, f"the time of {what}"),
        "event": rows.one_of(turn.event, get_args(TurnEvent), f"the event of {what}"),
        "user_text": rows.storable(turn.user_text, f"the text of {what}"),
        **understood,
        "path": [[rows.storable(part, f"the path of {what}") for part in edge] for edge in turn.path],
        "state": rows.storable(turn.state, f"the state of {what}"),
        "actions": [_performed(action, f"action {action.name!r} of {what}") for action in turn.actions],
        "replies": [rows.storable(reply, f"a reply of {what}") for reply in turn.replies],
        "timings_ms": _timings(turn.timings_ms, what),
        "recogniser": rows.storable(turn.recogniser, f"the recogniser of {what}"),
        "error": rows.storable(turn.error, f"the error of {what}"),
    }


def _timings(timings_ms: Mapping[str, float], what: str) -> dict[str, float]:
    return {
        rows.storable(stage, f"a timing of {what}"): rows.finite(ms, f"the timing {stage!r} of {what}")
        for stage, ms in timings_ms.items()
    }


def _performed(action: Performed, what: str) -> dict[str, Any]:
    return {
        "name": rows.storable(action.name, f"the name of {what}"),
        "request": {
            rows.storable(key, f"the request of {what}"): rows.storable(value, f"the request of {what}")
            if isinstance(value, str)
            else [rows.storable(part, f"the request of {what}") for part in value]
            for key, value in action.request.items()
        },
        "status": rows.storable(action.status, f"the status of {what}"),
        "answer": rows.storable(action.answer, f"the answer of {what}"),
        "source": rows.storable(action.source, f"the source of {what}"),
        "as_of": None if action.as_of is None else rows.aware(action.as_of, f"the time of {what}").isoformat(),
    }


def _performed_of(stored: Mapping[str, Any]) -> Performed:
    as_of = stored["as_of"]
    return Performed(
        name=stored["name"],
        request={key: value if isinstance(value, str) else tuple(value) for key, value in stored["request"].items()},
        status=stored["status"],
        answer=stored["answer"],
        source=stored["source"],
        as_of=None if as_of is None else datetime.fromisoformat(as_of),
    )
