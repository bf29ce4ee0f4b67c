"""When the sentences of live calls passed each stage: filled in by whoever knows, read as one clock a sentence.

Live sentences are those of revision 0, whatever has replaced them since; so a clock keeps its sentence after the second
pass, and a page that reports late still finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.calls import SentenceClock
from pipeline.store import rows
from pipeline.store.database import Database
from pipeline.store.listing import within
from pipeline.store.tables import clocks, sentences

STAGES = tuple(field.name for field in fields(SentenceClock) if field.name.endswith("_at"))  # the first one first
LIVE_REVISION = 0
_LARGEST_INDEX = 2**31 - 1
_KEYS_PER_READ = 200


def record(database: Database, given: Iterable[SentenceClock]) -> None:
    """Fill the stages that are given where the store has none; a stage that is known stays.

    Sentences that are not stored are left out. Raises InputError for a time without a zone. The counter of changes is
    not touched, so that on PostgreSQL nobody waits for this.
    """
    merged: dict[tuple[str, int], dict[str, datetime]] = {}
    for clock in given:
        what = f"sentence {clock.index} of call {clock.call_id!r}"
        rows.storable(clock.call_id, f"the call of {what}")
        stages = {
            stage: rows.aware(moment, f"the time {stage} of {what}")
            for stage in STAGES
            if (moment := getattr(clock, stage)) is not None
        }
        if stages and 0 <= clock.index <= _LARGEST_INDEX:
            key = (clock.call_id, clock.index)
            merged[key] = {**stages, **merged.get(key, {})}
    if not merged:
        return
    keys = list(merged)
    with database.writing() as connection:
        filled: list[dict[str, Any]] = []
        for start in range(0, len(keys), _KEYS_PER_READ):
            for row in connection.execute(_numbers(keys[start : start + _KEYS_PER_READ])):
                stages = merged[row.call_id, row.idx]
                first = next(stages[stage] for stage in STAGES if stage in stages)
                filled.append({"sentence": row.number, "at": first, **dict.fromkeys(STAGES), **stages})
        if filled:
            # In one order everywhere, so that two writers of the same clocks never wait for each other.
            _fill(connection, sorted(filled, key=lambda row: int(row["sentence"])))


def between(
    connection: Connection, since: datetime | None, until: datetime | None, call_id: str | None
) -> list[SentenceClock]:
    """The clocks whose first known stage lies between the two times, in the order of that stage."""
    wanted = (
        select(sentences.c.call_id, sentences.c.idx, *(clocks.c[stage] for stage in STAGES))
        .join(sentences, sentences.c.number == clocks.c.sentence)
        .where(*within(clocks.c.at, since, until))
        .order_by(clocks.c.at, clocks.c.sentence)
    )
    if call_id is not None:
        wanted = wanted.where(sentences.c.call_id == rows.storable(call_id, "the id of the call"))
    return [SentenceClock(*row) for row in connection.execute(wanted)]


def _numbers(keys: Sequence[tuple[str, int]]) -> Select[Any]:
    indices: dict[str, list[int]] = {}
    for call_id, index in keys:
        indices.setdefault(call_id, []).append(index)
    # Call by call: for a list of pairs SQLite would read the whole index.
    wanted = [
        and_(sentences.c.call_id == call_id, sentences.c.revision == LIVE_REVISION, sentences.c.idx.in_(own))
        for call_id, own in indices.items()
    ]
    found = select(sentences.c.number, sentences.c.call_id, sentences.c.idx).where(or_(*wanted))
    return found.with_for_update(read=True, key_share=True)  # nobody deletes them until we are done


def _fill(connection: Connection, filled: Sequence[dict[str, Any]]) -> None:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    new = insert(clocks)
    both = {stage: (clocks.c[stage], new.excluded[stage]) for stage in STAGES}
    merged = {stage: func.coalesce(*pair) for stage, pair in both.items()}
    first = func.coalesce(*(time for pair in both.values() for time in pair))
    connection.execute(
        new.on_conflict_do_update(index_elements=[clocks.c.sentence], set_={**merged, "at": first}), filled
    )
