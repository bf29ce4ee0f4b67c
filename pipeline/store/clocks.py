"""When the sentences of live calls passed each stage: filled in by whoever knows, read as one clock a sentence.

Live sentences are those of revision 0, whatever has replaced them since; so a clock keeps its sentence after the second
pass, and a page that reports late still finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.calls import SentenceClock
from pipeline.store import rows
from pipeline.store.database import Database
from pipeline.store.listing import within
from pipeline.store.tables import UtcTime, clocks, sentences

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
    filled: list[dict[str, Any]] = []
    # Read first: on SQLite the others wait for a writer, and a live sentence among them.
    with database.reading() as connection:
        for start in range(0, len(keys), _KEYS_PER_READ):
            for row in connection.execute(_NUMBERS, _asked(keys[start : start + _KEYS_PER_READ])):
                if known := merged.get((row.call_id, row.idx)):
                    first = next(known[stage] for stage in STAGES if stage in known)
                    filled.append({"of": row.number, "first": first, **dict.fromkeys(STAGES), **known})
    if filled:
        with database.writing() as connection:
            # In one order everywhere, so that two writers of the same clocks never wait for each other.
            connection.execute(_fill(connection.dialect.name), sorted(filled, key=lambda row: int(row["of"])))


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


# More than is asked for, since a call's index may be another's: a list of pairs would have SQLite read the whole index,
# and a condition for each call would be another statement each time.
_NUMBERS = select(sentences.c.number, sentences.c.call_id, sentences.c.idx).where(
    sentences.c.call_id.in_(bindparam("calls", expanding=True)),
    sentences.c.revision == LIVE_REVISION,
    sentences.c.idx.in_(bindparam("indices", expanding=True)),
)


def _asked(keys: Sequence[tuple[str, int]]) -> dict[str, list[Any]]:
    return {"calls": sorted({call_id for call_id, _ in keys}), "indices": sorted({index for _, index in keys})}


@cache
def _fill(dialect: str) -> Insert:
    """Fills one sentence's clock, where that is still there: somebody may have deleted it since it was looked for."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    there = (
        select(
            sentences.c.number,
            bindparam("first", type_=UtcTime()),
            *(bindparam(stage, type_=UtcTime()) for stage in STAGES),
        )
        .where(sentences.c.number == bindparam("of"))
        .with_for_update(read=True, key_share=True)  # nobody deletes it until we are done
    )
    new = insert(clocks).from_select(["sentence", "at", *STAGES], there)
    both = {stage: (clocks.c[stage], new.excluded[stage]) for stage in STAGES}
    merged = {stage: func.coalesce(*pair) for stage, pair in both.items()}
    first = func.coalesce(*(time for pair in both.values() for time in pair))
    return new.on_conflict_do_update(index_elements=[clocks.c.sentence], set_={**merged, "at": first})
