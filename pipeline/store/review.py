"""Which sentences people are to judge next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    select,
    true,
)

from pipeline.calls import Label, Sentence
from pipeline.errors import InputError
from pipeline.store import rows
from pipeline.store.labelling import named, taken_back
from pipeline.store.listing import within
from pipeline.store.predictions import opinions, sentiment_of
from pipeline.store.queries import ReviewItem, ReviewOrder, ReviewQuery
from pipeline.store.reading import SENTENCES
from pipeline.store.tables import calls, labels, predictions, second_opinions, sentences

MOST = 500  # sentences of a queue at once

shown = predictions.alias("shown")
beside = predictions.alias("beside")
COUNTING = and_(calls.c.id == sentences.c.call_id, calls.c.revision == sentences.c.revision)
# Opposite sentiments before those that are neighbours, and models that are sure before models that are not.
OPPOSITE_FIRST = case((and_(shown.c.label != "neutral", beside.c.label != "neutral"), 0), else_=1)
DECIDED = shown.c.margin + beside.c.margin


def queue(connection: Connection, query: ReviewQuery, limit: int) -> list[ReviewItem]:
    """Up to ``limit`` sentences of complete calls that the reviewer has not judged, the first one to judge first.

    What somebody wants a second opinion on comes first, then what nobody has labelled, then what others have. Raises
    InputError for a reviewer without a name and for a limit below 0 or above MOST.
    """
    if not 0 <= limit <= MOST:
        raise InputError(f"a queue has 0 to {MOST} sentences, not {limit}")
    reviewer = named(query.reviewer)
    own = second_opinions.alias("own")
    asked = exists().where(own.c.sentence == sentences.c.number, own.c.reviewer == reviewer)
    # A call that goes on may get a second pass, which starts its sentences anew. Asked whether it is complete, SQLite
    # would begin with the index of the status, and read everything.
    wanted = [calls.c.status != "live", ~_labelled(labels.c.reviewer == reviewer), ~asked, *_conditions(query)]
    found: dict[int, str | None] = {}
    for statement in (_asked(reviewer), *_ORDERS[query.order]()):
        if len(found) < limit:
            for row in connection.execute(statement.where(*wanted).limit(limit + len(found))):
                found.setdefault(row.number, getattr(row, "asked_by", None))
    return items(connection, dict(list(found.items())[:limit]))


def items(connection: Connection, numbers: Mapping[int, str | None]) -> list[ReviewItem]:
    """The sentences with those numbers, in that order, each with who wants a second opinion on it."""
    own = {row.number: row for row in connection.execute(SENTENCES.where(sentences.c.number.in_(numbers)))}
    known = {
        row.id: rows.call_of(row)
        for row in connection.execute(select(calls).where(calls.c.id.in_({row.call_id for row in own.values()})))
    }
    near_by = and_(
        sentences.c.call_id.in_(known),
        sentences.c.idx.in_({row.idx + step for row in own.values() for step in (-1, 1)}),
    )
    around = {
        (row.call_id, row.revision, row.idx): rows.sentence_of(row)
        for row in connection.execute(SENTENCES.where(near_by))
    }
    said = connection.execute(opinions(list(numbers), "sentiment"))
    scored = {number: tuple(map(sentiment_of, each)) for number, each in groupby(said, key=lambda row: row.sentence)}
    given: dict[int, list[Label]] = {}
    on_them = (
        select(labels, sentences.c.number.label("sentence")).select_from(labels).join(sentences, _on_sentence(labels))
    )
    for row in connection.execute(on_them.where(sentences.c.number.in_(numbers)).order_by(labels.c.number)):
        given.setdefault(row.sentence, []).append(rows.label_of(row))

    def item(row: Any, asked_by: str | None) -> ReviewItem:
        def near(step: int) -> Sentence | None:
            return around.get((row.call_id, row.revision, row.idx + step))

        labelled = tuple(given.get(row.number, ()))
        sentence = rows.sentence_of(row)
        return ReviewItem(
            known[row.call_id], near(-1), sentence, near(1), scored.get(row.number, ()), labelled, asked_by
        )

    return [item(own[number], asked_by) for number, asked_by in numbers.items() if number in own]


def _conditions(query: ReviewQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [sentences.c.text != ""]
    if query.agent is not None:
        conditions.append(calls.c.agent == rows.storable(query.agent, "the agent to look for"))
    if query.speaker is not None:
        conditions.append(sentences.c.speaker == query.speaker)
    return conditions + within(calls.c.started_at, query.since, query.until)


def _on_sentence(given: FromClause) -> ColumnElement[bool]:
    """Labels of sentiment that stand, on the sentence of the same row."""
    return and_(
        given.c.call_id == sentences.c.call_id,
        given.c.revision == sentences.c.revision,
        given.c.idx == sentences.c.idx,
        given.c.field == "sentiment",
        ~taken_back(given),
    )


def _labelled(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(_on_sentence(labels), *conditions)


def _asked(reviewer: str) -> Select[Any]:
    """Sentences on which others want a second opinion that nobody but them has given since."""
    answered = _labelled(labels.c.reviewer != second_opinions.c.reviewer, labels.c.stored_at >= second_opinions.c.at)
    return (
        select(sentences.c.number, second_opinions.c.reviewer.label("asked_by"))
        .select_from(second_opinions)
        .join(sentences, sentences.c.number == second_opinions.c.sentence)
        .join(calls, COUNTING)
        .where(second_opinions.c.reviewer != reviewer, ~answered)
        .order_by(second_opinions.c.number)
    )


def _unsure() -> Iterable[Select[Any]]:
    least_certain = (
        select(sentences.c.number)
        .select_from(shown)
        .join(sentences, sentences.c.number == shown.c.sentence)
        .join(calls, COUNTING)
        # Only sentiments have a margin, and the index of what is shown is in its order.
        .where(shown.c.current == true(), shown.c.margin >= 0)
        .order_by(shown.c.margin, shown.c.sentence)
    )
    return least_certain.where(~_labelled()), least_certain.where(_labelled())


def _disagreed() -> Iterable[Select[Any]]:
    models = (
        select(sentences.c.number)
        .select_from(beside)
        .join(shown, and_(shown.c.sentence == beside.c.sentence, shown.c.kind == beside.c.kind))
        .join(sentences, sentences.c.number == shown.c.sentence)
        .join(calls, COUNTING)
        .where(beside.c.current == false(), beside.c.margin >= 0, shown.c.current == true())
        .where(beside.c.label != shown.c.label)
        .group_by(sentences.c.number)
        .order_by(func.min(OPPOSITE_FIRST), func.max(DECIDED).desc(), sentences.c.number)
    )
    one, two = labels.alias("one"), labels.alias("two")
    reviewers = (
        select(sentences.c.number)
        .select_from(one)
        .join(sentences, _on_sentence(one))
        .join(two, _on_sentence(two))
        .join(calls, COUNTING)
        .where(one.c.reviewer < two.c.reviewer, one.c.value != two.c.value, ~_changed(one), ~_changed(two))
        .group_by(sentences.c.number)
        .order_by(func.min(two.c.number))
    )
    return models.where(~_labelled()), reviewers, models.where(_labelled())


def _changed(given: FromClause) -> ColumnElement[bool]:
    """Whether the reviewer has labelled the sentence again since."""
    later = labels.alias()
    return exists().where(_on_sentence(later), later.c.reviewer == given.c.reviewer, later.c.number > given.c.number)


_ORDERS: Mapping[ReviewOrder, Callable[[], Iterable[Select[Any]]]] = {"unsure": _unsure, "disagreed": _disagreed}
