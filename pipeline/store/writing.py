"""What changes calls: each function is one transaction, and moves the counter of changes first.

Moving the counter takes the write lock (SQLite has one anyway; on PostgreSQL it is the lock of the counter's row), so
writers take turns, and what they then read is current until they commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipeline.calls import Call, Label, Sentence
from pipeline.errors import InputError
from pipeline.store import rows, tables, tally
from pipeline.store.database import Database
from pipeline.store.predictions import opinions
from pipeline.store.queries import ChangeKind
from pipeline.store.watching import CHANNEL

# Made once, as the feed's are: live sentences wait for each other's.
_MOVED = (
    update(tables.counter)
    .values(value=tables.counter.c.value + bindparam("count", type_=BigInteger()))
    .returning(tables.counter.c.value)
)
CALLS = select(tables.calls).where(tables.calls.c.id.in_(bindparam("ids", expanding=True)))
_CALL = select(tables.calls).where(tables.calls.c.id == bindparam("id"))
_GROWN = update(tables.calls).where(tables.calls.c.id == bindparam("of"))


def add(database: Database, call: Call, sentences: Iterable[Sentence], *, revise: bool = False) -> bool:
    """Store a whole call as complete; False, and nothing done, where it is there already and complete.

    ``sentences`` is read to its end before the transaction starts, so that a slow source holds no lock. Over a live
    call of that id, what is given becomes a new revision: it is what counts from now on, and the live sentences stay
    in the tables. With ``revise`` so it does over a complete one, and False means that the call is gone. Raises
    InputError for sentences of another call, indices used twice and values no database can hold.
    """
    complete = replace(call, status="complete")
    described = rows.call_row(complete)
    now = datetime.now(UTC)
    given = _given(call.id, sentences, at=now)
    with database.writing() as connection:
        first = next_numbers(connection, database, len(given.sentences) + 1)
        present = _row(connection, call.id)
        if present is None if revise else present is not None and present.status == "complete":
            connection.rollback()
            return False
        revision = 0 if present is None else present.revision + 1
        counted = rows.tally_row(tally.extended(tally.Tally(), given.sentences))
        if present is None:
            row = {**described, **counted, "revision": revision, "stored_at": now}
            connection.execute(insert(tables.calls), row)
        else:
            row = {**described, **counted, "revision": revision}
            connection.execute(update(tables.calls).where(tables.calls.c.id == call.id), row)
        _number(given, revision=revision, first=first)
        _insert(connection, [given])
        _event(connection, "stored", call.id, number=first + len(given.sentences), at=now)
    return True


def begin(database: Database, call: Call) -> int:
    """Store the start of a live call, or take up one that was begun before; the number of sentences it has.

    Raises InputError for a call that is complete.
    """
    described = rows.call_row(replace(call, status="live"))
    now = datetime.now(UTC)
    with database.writing() as connection:
        number = next_numbers(connection, database, 1)
        present = _row(connection, call.id)
        if present is not None:
            connection.rollback()
            if present.status != "live":
                raise InputError(
                    f"call {call.id} is complete and cannot go on live: delete it first, or use another id"
                )
            return int(present.sentences)
        row = {**described, **rows.tally_row(tally.Tally()), "revision": 0, "stored_at": now}
        connection.execute(insert(tables.calls), row)
        _event(connection, "began", call.id, number=number, at=now)
    return 0


def append(database: Database, spoken: Mapping[str, Iterable[Sentence]]) -> None:
    """Store more sentences of live calls, by the calls' ids, all or none; a call grows to the end of its last.

    Raises InputError where one of the calls is not live, and as `add` does.
    """
    now = datetime.now(UTC)
    given = {call_id: _given(call_id, sentences, at=now) for call_id, sentences in spoken.items()}
    given = {call_id: one for call_id, one in given.items() if one.sentences}
    if not given:
        return
    with database.writing() as connection:
        first = next_numbers(connection, database, sum(len(one.sentences) for one in given.values()))
        known = {row.id: row for row in connection.execute(CALLS, {"ids": list(given)})}
        grown = []
        for call_id, one in given.items():
            call = known[call_id] if call_id in known else existing_call(connection, call_id)
            if call.status != "live":
                raise InputError(f"call {call_id} is complete: no sentence can be appended to it")
            counted = rows.tally_row(tally.extended(rows.tally_of(call), one.sentences))
            duration_s = max(call.duration_s, *(sentence.end_s for sentence in one.sentences))
            grown.append({**counted, "duration_s": duration_s, "of": call_id})
            _number(one, revision=call.revision, first=first)
            first += len(one.sentences)
        connection.execute(_GROWN, grown)
        _insert(connection, list(given.values()))


def finish(
    database: Database, call_id: str, duration_s: float | None = None, attributes: Mapping[str, str] | None = None
) -> None:
    """Make a live call complete, with its true duration where that is known; a complete one stays as it is.

    ``attributes`` are added to the call's own. Raises InputError where there is no such call.
    """
    now = datetime.now(UTC)
    with database.writing() as connection:
        number = next_numbers(connection, database, 1)
        call = existing_call(connection, call_id)
        if call.status == "complete":
            connection.rollback()
            return
        values: dict[str, Any] = {"status": "complete"}
        if duration_s is not None:
            values["duration_s"] = rows.finite(duration_s, f"the duration of call {call_id!r}")
        if attributes:
            known = rows.call_of(call)
            values["attributes"] = rows.call_row(replace(known, attributes={**known.attributes, **attributes}))[
                "attributes"
            ]
        connection.execute(update(tables.calls).where(tables.calls.c.id == call_id), values)
        _event(connection, "finished", call_id, number=number, at=now)


def remove(database: Database, call_id: str) -> bool:
    """Delete a call with its sentences in all revisions, its predictions and its labels; False where there is none."""
    now = datetime.now(UTC)
    with database.writing() as connection:
        number = next_numbers(connection, database, 1)
        if connection.execute(delete(tables.calls).where(tables.calls.c.id == call_id)).rowcount == 0:
            connection.rollback()
            return False
        connection.execute(delete(tables.events).where(tables.events.c.call_id == call_id))
        _event(connection, "deleted", call_id, number=number, at=now)
    return True


def add_label(database: Database, label: Label) -> None:
    """Store a person's label beside those before it, with what the models say of the sentence now.

    Raises InputError where there is no such sentence and for a sentiment that is none of the three.
    """
    described = rows.label_row(label)
    with database.writing() as connection:
        number = next_numbers(connection, database, 1)
        call = existing_call(connection, label.call_id)
        known = select(tables.sentences.c.number).where(
            tables.sentences.c.call_id == label.call_id,
            tables.sentences.c.revision == call.revision,
            tables.sentences.c.idx == label.index,
        )
        sentence = connection.execute(known).scalar()
        if sentence is None:
            raise InputError(f"call {label.call_id} has no sentence {label.index}: nothing to label")
        said = [[said.model, said.label, said.scores] for said in connection.execute(opinions([sentence], label.field))]
        row = {
            **described,
            "number": number,
            "revision": call.revision,
            "stored_at": datetime.now(UTC),
            "said": said,
        }
        connection.execute(insert(tables.labels), row)


@dataclass(frozen=True)
class _Given:
    """Sentences that can be stored, and their rows but for the number of the first and the revision."""

    sentences: Sequence[Sentence]
    rows: Sequence[dict[str, Any]]
    predictions: Sequence[dict[str, Any]]


def _given(call_id: str, sentences: Iterable[Sentence], *, at: datetime) -> _Given:
    given = list(sentences)
    seen: set[int] = set()
    for sentence in given:
        if sentence.call_id != call_id:
            raise InputError(f"sentence {sentence.index} belongs to call {sentence.call_id!r}, not to {call_id!r}")
        if sentence.index in seen:
            raise InputError(f"call {call_id} has two sentences with index {sentence.index}")
        seen.add(sentence.index)
    return _Given(given, *rows.sentence_rows(given, at=at))


def next_numbers(connection: Connection, database: Database, count: int) -> int:
    """The first of ``count`` fresh change numbers; from here to its end the transaction is the only one that writes."""
    newest = connection.execute(_MOVED, {"count": count}).scalar_one()
    if not database.is_sqlite:
        connection.execute(select(func.pg_notify(CHANNEL, str(newest))))
    return int(newest) - count + 1


def _row(connection: Connection, call_id: str) -> Row[Any] | None:
    rows.storable(call_id, "the id of the call")
    return connection.execute(_CALL, {"id": call_id}).first()


def existing_call(connection: Connection, call_id: str) -> Row[Any]:
    """The row of the call with exactly that id; InputError where there is none."""
    row = _row(connection, call_id)
    if row is None:
        raise InputError(f"there is no call {call_id!r} in the store")
    return row


def _number(given: _Given, *, revision: int, first: int) -> None:
    for row in given.rows:
        row["number"] += first
        row["revision"] = revision
    for prediction in given.predictions:
        prediction["sentence"] += first


def _insert(connection: Connection, given: Sequence[_Given]) -> None:
    spoken = [row for one in given for row in one.rows]
    if not spoken:
        return
    try:
        connection.execute(insert(tables.sentences), spoken)
    except IntegrityError:
        indices = ", ".join(str(row["idx"]) for row in spoken[:5]) + (", ..." if len(spoken) > 5 else "")
        whose = f"call {spoken[0]['call_id']}" if len(given) == 1 else f"one of {len(given)} calls"
        raise InputError(
            f"{whose} already has a sentence with an index among {indices}: append each index once"
        ) from None
    if predictions := [prediction for one in given for prediction in one.predictions]:
        connection.execute(insert(tables.predictions), predictions)


def _event(connection: Connection, kind: ChangeKind, call_id: str, *, number: int, at: datetime) -> None:
    connection.execute(insert(tables.events), {"number": number, "kind": kind, "call_id": call_id, "at": at})
