"""How far a model that runs beside another agrees with it, on the sentences that both have scored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, false, func, select, true

from pipeline.errors import InputError
from pipeline.store import rows
from pipeline.store.listing import within
from pipeline.store.predictions import sentiment_of
from pipeline.store.queries import Agreement, Disagreement
from pipeline.store.review import COUNTING, DECIDED, OPPOSITE_FIRST, beside, items, shown
from pipeline.store.tables import calls, sentences


def agreement(connection: Connection, model: str, other: str, since: datetime | None) -> Agreement:
    """How often ``other`` says what ``model`` says, of sentences that show the one and have the other beside it."""
    same = case((shown.c.label == beside.c.label, 1), else_=0)
    counts: list[ColumnElement[Any]] = [func.count().label("sentences"), func.sum(same).label("same")]
    row = connection.execute(_both(select(*counts), model, other, since)).one()
    return Agreement(row.sentences, int(row.same or 0))


def disagreements(
    connection: Connection, model: str, other: str, since: datetime | None, limit: int
) -> list[Disagreement]:
    """Up to ``limit`` sentences of which ``other`` says something else than ``model``.

    Opposite sentiments come first, and the more decided ones.
    """
    if limit < 0:
        raise InputError(f"a list has 0 sentences or more, not {limit}")
    columns = select(sentences.c.number, beside.c.label, beside.c.scores, beside.c.model)
    differing = (
        _both(columns, model, other, since)
        .where(shown.c.label != beside.c.label)
        .order_by(OPPOSITE_FIRST, DECIDED.desc(), sentences.c.number)
        .limit(limit)
    )
    found = {row.number: sentiment_of(row) for row in connection.execute(differing)}
    each = zip(found.values(), items(connection, dict.fromkeys(found)), strict=True)
    return [Disagreement(item.call, item.sentence, said) for said, item in each]


def _both(wanted: Select[Any], model: str, other: str, since: datetime | None) -> Select[Any]:
    return (
        wanted.select_from(beside)
        .join(shown, and_(shown.c.sentence == beside.c.sentence, shown.c.kind == beside.c.kind))
        .join(sentences, sentences.c.number == beside.c.sentence)
        .join(calls, COUNTING)
        .where(beside.c.current == false(), beside.c.kind == "sentiment", shown.c.current == true())
        .where(beside.c.model == rows.storable(other, "the name of the model"))
        .where(shown.c.model == rows.storable(model, "the name of the model"), *within(calls.c.started_at, since, None))
    )
