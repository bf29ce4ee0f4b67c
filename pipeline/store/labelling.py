"""What people said of a sentence over time: labels with what models said then, retractions, wishes for an opinion."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, delete, exists, insert, select

from pipeline.calls import Label, Sentiment
from pipeline.errors import InputError
from pipeline.store import rows
from pipeline.store.database import Database
from pipeline.store.queries import GivenLabel
from pipeline.store.tables import calls, labels, retractions, second_opinions, sentences

Field = Literal["sentiment", "intent"]


def history(connection: Connection, call_id: str, index: int) -> list[GivenLabel]:
    """All labels that were given to a sentence that counts now, oldest first, those that were taken back too."""
    own = _labels_of(call_id, index).add_columns(retractions.c.at.label("retracted_at"))
    found = connection.execute(own.outerjoin(retractions, retractions.c.label == labels.c.number))
    return [GivenLabel(rows.label_of(row), _said(row), row.retracted_at) for row in found]


def retract(database: Database, call_id: str, index: int, field: Field, reviewer: str, at: datetime) -> Label | None:
    """The reviewer's last label on a sentence, which counts no more from now on; None where none stands.

    Its row stays, and what stood before it counts again.
    """
    moment = rows.aware(at, "the time of the retraction")
    standing = _labels_of(call_id, index).where(
        labels.c.field == field, labels.c.reviewer == named(reviewer), ~taken_back(labels)
    )
    with database.writing() as connection:
        found = connection.execute(standing.with_for_update(of=labels)).all()
        if not found:
            return None
        connection.execute(insert(retractions), {"label": found[-1].number, "at": moment})
    return rows.label_of(found[-1])


def ask(database: Database, call_id: str, index: int, reviewer: str, at: datetime) -> None:
    """Store that the reviewer wants another one to judge a sentence; asking twice is asking once.

    Raises InputError where there is no such sentence.
    """
    row = {"reviewer": named(reviewer), "at": rows.aware(at, "the time of the request")}
    with database.writing() as connection:
        number = _number(connection, call_id, index)
        if connection.execute(select(second_opinions.c.number).where(_wish(number, reviewer))).first() is None:
            connection.execute(insert(second_opinions), {**row, "sentence": number})


def withdraw(database: Database, call_id: str, index: int, reviewer: str) -> bool:
    """True after the reviewer's wish for a second opinion on a sentence is gone; False where there was none.

    Raises InputError where there is no such sentence.
    """
    with database.writing() as connection:
        number = _number(connection, call_id, index)
        return connection.execute(delete(second_opinions).where(_wish(number, named(reviewer)))).rowcount > 0


def taken_back(given: FromClause) -> ColumnElement[bool]:
    """Whether a row of table labels was taken back by its reviewer."""
    return exists().where(retractions.c.label == given.c.number)


def named(reviewer: str) -> str:
    """``reviewer``, or InputError where that is no name."""
    if not reviewer.strip():
        raise InputError("a reviewer needs a name: write yours")
    return rows.storable(reviewer, "the name of the reviewer")


def _labels_of(call_id: str, index: int) -> Select[Any]:
    return (
        select(labels)
        .join(calls, and_(calls.c.id == labels.c.call_id, calls.c.revision == labels.c.revision))
        .where(labels.c.call_id == rows.storable(call_id, "the id of the call"), labels.c.idx == index)
        .order_by(labels.c.number)
    )


def _number(connection: Connection, call_id: str, index: int) -> int:
    known = (
        select(sentences.c.number)
        .join(calls, and_(calls.c.id == sentences.c.call_id, calls.c.revision == sentences.c.revision))
        .where(calls.c.id == rows.storable(call_id, "the id of the call"), sentences.c.idx == index)
    )
    number = connection.execute(known).scalar()
    if number is None:
        raise InputError(f"there is no sentence {index} of a call {call_id!r} in the store")
    return int(number)


def _wish(number: int, reviewer: str) -> ColumnElement[bool]:
    return and_(second_opinions.c.sentence == number, second_opinions.c.reviewer == reviewer)


def _said(row: Any) -> tuple[Sentiment, ...]:
    """What models said when the label was given; nothing is known of labels of before that was kept."""
    if row.field != "sentiment":
        return ()
    return tuple(Sentiment(label, scores, model) for model, label, scores in row.said or ())
