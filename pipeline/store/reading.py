"""What only reads calls: sentences, labels, lists and moods."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select, true

from pipeline.calls import Call, Label, Sentence
from pipeline.errors import InputError
from pipeline.store import rows
from pipeline.store.labelling import taken_back
from pipeline.store.listing import by_start_of_id, containing, sliced, within
from pipeline.store.queries import MOOD_EDGE, CallQuery, Grouping, MoodPoint, Page, Role
from pipeline.store.tables import calls, counter, labels, predictions, sentences

_sentiment = predictions.alias("sentiment")
_intent = predictions.alias("intent")


def _current(which: Any, kind: str) -> ColumnElement[bool]:
    return and_(which.c.sentence == sentences.c.number, which.c.kind == kind, which.c.current == true())


# Sentences with the predictions that are shown: the columns that rows.sentence_of reads.
SENTENCES: Select[Any] = select(
    sentences,
    _sentiment.c.label.label("sentiment_label"),
    _sentiment.c.scores.label("sentiment_scores"),
    _sentiment.c.model.label("sentiment_model"),
    _intent.c.label.label("intent_label"),
    _intent.c.scores.label("intent_scores"),
    _intent.c.slots.label("intent_slots"),
    _intent.c.model.label("intent_model"),
).select_from(
    sentences.outerjoin(_sentiment, _current(_sentiment, "sentiment")).outerjoin(_intent, _current(_intent, "intent"))
)

_ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "newest": (calls.c.started_at.desc(), calls.c.id.desc()),
    "oldest": (calls.c.started_at, calls.c.id),
    "worst": (calls.c.mood.asc().nulls_last(), calls.c.id),
    "best": (calls.c.mood.desc().nulls_last(), calls.c.id),
    "longest": (calls.c.duration_s.desc(), calls.c.id),
}


def last_change(connection: Connection) -> int:
    """Number of the newest committed change; 0 in a blank store."""
    return int(connection.execute(select(counter.c.value)).scalar_one())


def is_complete(connection: Connection, call_id: str) -> bool:
    """Whether a complete call of that id is stored."""
    found = select(calls.c.id).where(calls.c.id == call_id, calls.c.status == "complete")
    return connection.execute(found).first() is not None


def call(connection: Connection, wanted: str) -> Call:
    """The call whose id is ``wanted``, or the only one whose id starts so; InputError for none or several."""
    row = by_start_of_id(connection, calls, wanted, noun="call", advice=": `overtone calls` lists them")
    return rows.call_of(row)


def stale_calls(connection: Connection, older_than: datetime) -> list[Call]:
    """Live calls that began, and whose last sentence was stored, before ``older_than``; the oldest first."""
    edge = rows.aware(older_than, f"the time {older_than}")
    grown = select(sentences.c.number).where(
        sentences.c.call_id == calls.c.id,
        sentences.c.revision == calls.c.revision,
        sentences.c.created_at >= edge,
    )
    stale = select(calls).where(calls.c.status == "live", calls.c.stored_at < edge, ~grown.exists())
    return [rows.call_of(row) for row in connection.execute(stale.order_by(calls.c.started_at, calls.c.id))]


def sentences_of(connection: Connection, call_id: str) -> list[Sentence]:
    """The sentences of the call with exactly that id, words included, by index; InputError without such a call."""
    revision = connection.execute(select(calls.c.revision).where(calls.c.id == call_id)).scalar()
    if revision is None:
        raise InputError(f"there is no call {call_id!r} in the store: `overtone calls` lists them")
    own = SENTENCES.where(sentences.c.call_id == call_id, sentences.c.revision == revision)
    return [rows.sentence_of(row) for row in connection.execute(own.order_by(sentences.c.idx))]


def labels_of(connection: Connection, call_id: str) -> list[Label]:
    """People's labels on the sentences that count now, oldest first, without those that were taken back."""
    own = (
        select(labels)
        .join(calls, and_(calls.c.id == labels.c.call_id, calls.c.revision == labels.c.revision))
        .where(labels.c.call_id == call_id, ~taken_back(labels))
        .order_by(labels.c.number)
    )
    return [rows.label_of(row) for row in connection.execute(own)]


def page(connection: Connection, query: CallQuery, limit: int, offset: int) -> Page:
    """Calls ``offset`` to ``offset + limit`` of those that match, and how many match in all."""
    conditions = _conditions(query)
    if query.text:
        conditions.append(_says(connection, query.text))
    found, total = sliced(connection, calls, conditions, _ORDERS[query.order], limit, offset)
    return Page(tuple(rows.summary_of(row) for row in found), total)


def people(connection: Connection, role: Role) -> list[str]:
    """The names of all agents or of all customers, sorted."""
    column = calls.c[role]
    return sorted(connection.execute(select(column).where(column.is_not(None)).distinct()).scalars())


def moods(
    connection: Connection,
    by: Grouping,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    agent: str | None = None,
    customer: str | None = None,
    daily: bool = False,
) -> list[MoodPoint]:
    """One point per person (and UTC day if ``daily``) or per day, by name and day; unnamed people are left out."""
    person = None if by == "day" else calls.c[by]
    keys: list[Any] = [] if person is None else [person]
    if by == "day" or daily:
        keys.append(calls.c.day)
    conditions = _conditions(CallQuery(since=since, until=until, agent=agent, customer=customer))
    if person is not None:
        conditions.append(person.is_not(None))
    totals = select(
        *keys,
        func.count().label("n_calls"),
        func.count(calls.c.mood).label("n_scored"),
        func.sum(calls.c.sentences).label("n_sentences"),
        func.sum(calls.c.negative).label("n_negative"),
        func.sum(calls.c.neutral).label("n_neutral"),
        func.sum(calls.c.positive).label("n_positive"),
        func.sum(calls.c.duration_s).label("total_s"),
        func.sum(calls.c.mood).label("mood_sum"),
        func.sum(calls.c.mood * calls.c.mood).label("square_sum"),
    )
    found = connection.execute(totals.where(*conditions).group_by(*keys))
    # Sorted here, because databases order names each in their own way.
    return sorted((_point(row, by) for row in found), key=lambda point: (point.group, point.day or date.min))


def _point(row: Any, by: Grouping) -> MoodPoint:
    n = row.n_scored
    mood = row.mood_sum / n if n else None
    # Rounding can push a variance of nothing just below zero.
    variance = max(0.0, (row.square_sum - row.mood_sum * row.mood_sum / n) / (n - 1)) if n > 1 else None
    return MoodPoint(
        group="" if by == "day" else getattr(row, by),
        day=getattr(row, "day", None),
        calls=row.n_calls,
        scored_calls=n,
        sentences=int(row.n_sentences),
        labels={"negative": int(row.n_negative), "neutral": int(row.n_neutral), "positive": int(row.n_positive)},
        duration_s=row.total_s,
        mood=mood,
        variance=variance,
    )


def _conditions(query: CallQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, wanted in (
        (calls.c.agent, query.agent),
        (calls.c.customer, query.customer),
        (calls.c.status, query.status),
    ):
        if wanted is not None:
            conditions.append(column == rows.storable(wanted, f"the {column.name} to look for"))
    conditions += within(calls.c.started_at, query.since, query.until)
    if query.mood is not None:
        conditions.append(_mood_is(query.mood))
    return conditions


def _mood_is(wanted: str) -> ColumnElement[bool]:
    named = case((calls.c.mood < -MOOD_EDGE, "negative"), (calls.c.mood > MOOD_EDGE, "positive"), else_="neutral")
    return and_(calls.c.mood.is_not(None), named == wanted)


def _says(connection: Connection, text: str) -> ColumnElement[bool]:
    contains = containing(connection, text)
    own_calls = calls.alias("spoken")
    spoken = (
        select(sentences.c.call_id)
        .join(own_calls, and_(own_calls.c.id == sentences.c.call_id, own_calls.c.revision == sentences.c.revision))
        .where(contains(sentences.c.text))
    )
    named = [contains(column) for column in (calls.c.source, calls.c.agent, calls.c.customer)]
    return or_(*named, calls.c.id.in_(spoken))
