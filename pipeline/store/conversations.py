"""Conversations with the assistant: begun, ended, listed, deleted; what is said in them is in `turns`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Row, String, and_, column, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from pipeline.calls import Conversation, ConversationChannel
from pipeline.errors import InputError
from pipeline.store import rows
from pipeline.store.database import Database
from pipeline.store.listing import by_start_of_id, containing, sliced, within
from pipeline.store.queries import ConversationPage, ConversationQuery, ConversationSummary
from pipeline.store.tables import conversations, turn_labels, turns

_ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "newest": (conversations.c.started_at.desc(), conversations.c.id.desc()),
    "oldest": (conversations.c.started_at, conversations.c.id),
    "unsure": (conversations.c.lowest_score.asc().nulls_last(), conversations.c.id),
}
_IDS_PER_READ = 500


def begin(database: Database, conversation: Conversation) -> None:
    """Store a conversation without turns; InputError for an id used before and for values that cannot be stored."""
    row = {**_row(conversation), "turns": 0, "errors": 0, "lowest_score": None}
    with database.writing() as connection:
        try:
            connection.execute(insert(conversations), row)
        except IntegrityError:
            raise InputError(f"there is a conversation {conversation.id!r} already: give each its own id") from None


def end(database: Database, conversation_id: str, at: datetime) -> None:
    """Store when a conversation ended; one that has ended stays as it is. InputError where there is none."""
    ended_at = rows.aware(at, f"the end of conversation {conversation_id!r}")
    own = conversations.c.id == rows.storable(conversation_id, "the id of the conversation")
    changed = update(conversations).where(own).values(ended_at=func.coalesce(conversations.c.ended_at, ended_at))
    with database.writing() as connection:
        if connection.execute(changed).rowcount == 0:
            raise unknown(conversation_id)


def remove(database: Database, conversation_id: str) -> bool:
    """Delete a conversation with its turns and their labels; False where there is none."""
    own = conversations.c.id == rows.storable(conversation_id, "the id of the conversation")
    with database.writing() as connection:
        return connection.execute(delete(conversations).where(own)).rowcount > 0


def one(connection: Connection, wanted: str) -> Conversation:
    """The conversation whose id is ``wanted``, or the only one whose id starts so; InputError for none or several."""
    return conversation_of(by_start_of_id(connection, conversations, wanted, noun="conversation"))


def page(connection: Connection, query: ConversationQuery, limit: int, offset: int) -> ConversationPage:
    """Conversations ``offset`` to ``offset + limit`` of those that match, and how many match in all."""
    conditions = _conditions(connection, query)
    found, total = sliced(connection, conversations, conditions, _ORDERS[query.order], limit, offset)
    listed: list[ConversationSummary] = []
    for start in range(0, len(found), _IDS_PER_READ):
        listed += _summaries(connection, found[start : start + _IDS_PER_READ])
    return ConversationPage(tuple(listed), total)


def conversation_of(row: Row[Any]) -> Conversation:
    """The conversation in a row of table conversations."""
    return Conversation(
        id=row.id,
        started_at=row.started_at,
        channel=row.channel,
        person=row.person,
        ended_at=row.ended_at,
        attributes=row.attributes,
    )


def unknown(conversation_id: str) -> InputError:
    """What to raise where there is no conversation of that id."""
    return InputError(f"there is no conversation {conversation_id!r} in the store")


def _row(conversation: Conversation) -> dict[str, Any]:
    what = f"conversation {conversation.id!r}"
    if not conversation.id:
        raise InputError("a conversation without an id cannot be stored: give it one")
    ended_at = conversation.ended_at
    return {
        "id": rows.storable(conversation.id, f"the id of {what}"),
        "started_at": rows.aware(conversation.started_at, f"the start of {what}"),
        "channel": rows.one_of(conversation.channel, get_args(ConversationChannel), f"the channel of {what}"),
        "person": rows.storable(conversation.person, f"the person of {what}"),
        "ended_at": None if ended_at is None else rows.aware(ended_at, f"the end of {what}"),
        "attributes": rows.attributes(conversation.attributes, what),
    }


def _conditions(connection: Connection, query: ConversationQuery) -> list[ColumnElement[bool]]:
    conditions = within(conversations.c.started_at, query.since, query.until)
    if query.channel is not None:
        conditions.append(conversations.c.channel == rows.storable(query.channel, "the channel to look for"))
    if query.intent is not None:
        meant = turns.c.intent == rows.storable(query.intent, "the intent to look for")
        conditions.append(conversations.c.id.in_(select(turns.c.conversation_id).where(meant)))
    if query.reviewed is not None:
        labelled = conversations.c.id.in_(select(turn_labels.c.conversation_id))
        conditions.append(labelled if query.reviewed else ~labelled)
    if query.text:
        conditions.append(_says(connection, query.text))
    return conditions


def _says(connection: Connection, text: str) -> ColumnElement[bool]:
    contains = containing(connection, text)
    each = func.json_each if connection.dialect.name == "sqlite" else func.json_array_elements_text
    reply = each(turns.c.replies).table_valued(column("value", String), name="reply")
    answered = select(reply.c.value).where(contains(reply.c.value)).correlate(turns).exists()
    said = select(turns.c.conversation_id).where(or_(contains(turns.c.user_text), answered))
    return or_(contains(conversations.c.person), conversations.c.id.in_(said))


def _summaries(connection: Connection, found: Sequence[Row[Any]]) -> list[ConversationSummary]:
    ids = [row.id for row in found]
    first = func.min(turns.c.number)
    meant = (
        select(turns.c.conversation_id, turns.c.intent)
        .where(turns.c.conversation_id.in_(ids), turns.c.intent.is_not(None))
        .group_by(turns.c.conversation_id, turns.c.intent)
        .order_by(first)
    )
    intents: dict[str, list[str]] = {}
    for conversation_id, intent in connection.execute(meant):
        intents.setdefault(conversation_id, []).append(intent)
    last = (
        select(turns.c.conversation_id, func.max(turns.c.number).label("number"))
        .where(turns.c.conversation_id.in_(ids), turns.c.user_text != "")
        .group_by(turns.c.conversation_id)
        .subquery()
    )
    same = and_(last.c.conversation_id == turns.c.conversation_id, last.c.number == turns.c.number)
    said = select(turns.c.conversation_id, turns.c.user_text).join(last, same)
    last_texts: dict[str, str] = {row.conversation_id: row.user_text for row in connection.execute(said)}
    reviewed = (
        select(turn_labels.c.conversation_id, func.count(turn_labels.c.turn.distinct()))
        .where(turn_labels.c.conversation_id.in_(ids))
        .group_by(turn_labels.c.conversation_id)
    )
    labelled: dict[str, int] = {row[0]: row[1] for row in connection.execute(reviewed)}
    return [
        ConversationSummary(
            conversation=conversation_of(row),
            turns=row.turns,
            intents=tuple(intents.get(row.id, ())),
            last_text=last_texts.get(row.id, ""),
            errors=row.errors,
            labelled=labelled.get(row.id, 0),
        )
        for row in found
    ]
