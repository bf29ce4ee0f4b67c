"""What several models say of the same sentences: written beside each other, one of them current."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, exists, false, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.calls import Intent, Sentiment
from pipeline.errors import InputError
from pipeline.store import rows, tally
from pipeline.store.database import Database
from pipeline.store.listing import within
from pipeline.store.queries import PredictionKind
from pipeline.store.tables import calls, counter, predictions, sentences

_SENTIMENT: tuple[Any, ...] = (predictions.c.label, predictions.c.scores, predictions.c.model)  # for sentiment_of
_AT_ONCE = 5000  # numbers in one statement, calls in one update


def without(
    connection: Connection, model: str, kind: PredictionKind, since: datetime | None, after: int, limit: int
) -> list[tuple[int, str]]:
    """Number and text of up to ``limit`` sentences that count and that ``model`` has not looked at, lowest first."""
    if limit < 0:
        raise InputError(f"a list has 0 sentences or more, not {limit}")
    seen = exists().where(
        predictions.c.sentence == sentences.c.number,
        predictions.c.kind == kind,
        predictions.c.model == rows.storable(model, "the name of the model"),
    )
    wanted = (
        select(sentences.c.number, sentences.c.text)
        .join(calls, and_(calls.c.id == sentences.c.call_id, calls.c.revision == sentences.c.revision))
        .where(sentences.c.number > after, ~seen, *within(calls.c.started_at, since, None))
    )
    found = connection.execute(wanted.order_by(sentences.c.number).limit(limit))
    return [(row.number, row.text) for row in found]


def add(database: Database, kind: PredictionKind, model: str, given: Iterable[tuple[int, Sentiment | Intent]]) -> int:
    """How many predictions were stored; what ``model`` said before stays, and deleted sentences are left out.

    ``given`` is read to its end before the transaction starts. Raises InputError for predictions of another model or
    kind and for values that cannot be stored.
    """
    now = datetime.now(UTC)
    made = {number: _row(number, kind, model, prediction, at=now) for number, prediction in given}
    numbers = sorted(made)
    stored = 0
    with database.writing() as connection:
        insert = sqlite.insert if database.is_sqlite else postgresql.insert
        for start in range(0, len(numbers), _AT_ONCE):
            wanted = _unseen(numbers[start : start + _AT_ONCE], kind, model)
            new = [made[number] for number in connection.execute(wanted).scalars()]
            if new:
                # Another process may say the same at this very moment.
                connection.execute(insert(predictions).on_conflict_do_nothing(), new)
            stored += len(new)
    return stored


def promote(database: Database, model: str) -> int:
    """How many predictions became the ones that are shown: all of ``model`` that were not; the calls' sums follow.

    It is a handful of statements whatever the number of sentences; other writers of calls wait for it.
    """
    own = predictions.alias("own")
    rows.storable(model, "the name of the model")
    with database.writing() as connection:
        # Whoever stores sentences adds to the sums of a call: not meanwhile.
        connection.execute(select(counter.c.value).with_for_update())
        replaced = exists().where(
            own.c.sentence == predictions.c.sentence, own.c.kind == predictions.c.kind, own.c.model == model
        )
        shown = predictions.c.current == true()
        connection.execute(
            update(predictions).where(shown, predictions.c.model != model, replaced).values(current=False)
        )
        mine = update(predictions).where(predictions.c.model == model, predictions.c.current == false())
        promoted = connection.execute(mine.values(current=True)).rowcount
        if promoted:
            _recount(connection, model)
    return promoted


def of(connection: Connection, call_id: str, index: int) -> list[Sentiment]:
    """All models' sentiments of one sentence that counts: the current one first, then the newest first.

    Raises InputError where there is no such sentence.
    """
    known = (
        select(sentences.c.number)
        .join(calls, and_(calls.c.id == sentences.c.call_id, calls.c.revision == sentences.c.revision))
        .where(calls.c.id == rows.storable(call_id, "the id of the call"), sentences.c.idx == index)
    )
    number = connection.execute(known).scalar()
    if number is None:
        raise InputError(f"there is no sentence {index} of a call {call_id!r} in the store")
    return [sentiment_of(row) for row in connection.execute(opinions([number], "sentiment"))]


def opinions(numbers: Sequence[int], kind: PredictionKind) -> Select[Any]:
    """What all models say of the sentences with those numbers: of each the current one first, then the newest first."""
    return (
        select(predictions.c.sentence, *_SENTIMENT)
        .where(predictions.c.sentence.in_(numbers), predictions.c.kind == kind)
        .order_by(
            predictions.c.sentence,
            predictions.c.current.desc(),
            predictions.c.created_at.desc(),
            predictions.c.model,
        )
    )


def _row(
    number: int, kind: PredictionKind, model: str, prediction: Sentiment | Intent, *, at: datetime
) -> dict[str, Any]:
    what = f"the sentence with number {number}"
    if prediction.model != model:
        raise InputError(f"the prediction on {what} is by {prediction.model!r}, not by {model!r}")
    if isinstance(prediction, Sentiment) != (kind == "sentiment"):
        raise InputError(f"the prediction on {what} is no {kind}")
    if isinstance(prediction, Sentiment):
        row = rows.sentiment_row(number, prediction, what=what, at=at)
    else:
        row = rows.intent_row(number, prediction, what=what, at=at)
    return {**row, "current": False}


def _unseen(numbers: list[int], kind: PredictionKind, model: str) -> Select[Any]:
    seen = exists().where(
        predictions.c.sentence == sentences.c.number, predictions.c.kind == kind, predictions.c.model == model
    )
    there = select(sentences.c.number).where(sentences.c.number.in_(numbers), ~seen).order_by(sentences.c.number)
    return there.with_for_update(read=True, key_share=True)  # nobody deletes them until we are done


def _recount(connection: Connection, model: str) -> None:
    """Sum up anew the calls of whose sentences ``model`` has scored one."""
    touched = (
        select(sentences.c.call_id)
        .join(predictions, predictions.c.sentence == sentences.c.number)
        .where(predictions.c.kind == "sentiment", predictions.c.model == model)
    )
    scored = (
        select(sentences.c.call_id, calls.c.sentences, sentences.c.speaker, *_SENTIMENT)
        .join(calls, and_(calls.c.id == sentences.c.call_id, calls.c.revision == sentences.c.revision))
        .join(predictions, predictions.c.sentence == sentences.c.number)
        .where(predictions.c.kind == "sentiment", predictions.c.current == true(), calls.c.id.in_(touched))
        # In the order in which they were stored, as the sums are made when sentences come.
        .order_by(sentences.c.call_id, sentences.c.number)
    )
    streamed = connection.execute(scored.execution_options(yield_per=_AT_ONCE))
    sums = [_summed(call_id, spoken) for call_id, spoken in groupby(streamed, key=lambda row: str(row.call_id))]
    changed = update(calls).where(calls.c.id == bindparam("of_call"))
    for start in range(0, len(sums), _AT_ONCE):
        connection.execute(changed, sums[start : start + _AT_ONCE])


def _summed(call_id: str, spoken: Iterator[Row[Any]]) -> dict[str, Any]:
    scored = list(spoken)
    counted = tally.recounted(scored[0].sentences, ((row.speaker, sentiment_of(row)) for row in scored))
    return {"of_call": call_id, **rows.tally_row(counted)}


def sentiment_of(row: Row[Any]) -> Sentiment:
    """The sentiment in a row of `opinions`."""
    return Sentiment(label=row.label, scores=row.scores, model=row.model)
