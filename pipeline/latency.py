"""How long the sentences of live calls took from the speaker's silence to the screen, by stage (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pipeline.calls import SentenceClock

Stage = Literal["recognise", "label", "store", "send", "paint", "total"]
# Each stage with the two moments of SentenceClock that it lies between; ``total`` is all of them together.
STAGES: dict[Stage, tuple[str, str]] = {
    "recognise": ("spoken_at", "heard_at"),
    "label": ("heard_at", "labelled_at"),
    "store": ("labelled_at", "stored_at"),
    "send": ("stored_at", "sent_at"),
    "paint": ("sent_at", "painted_at"),
    "total": ("spoken_at", "painted_at"),
}
LATE_S = 5.0  # a sentence that is understood later than this after its end is late


@dataclass(frozen=True)
class Spread:
    """One stage over many sentences, in milliseconds; ``count`` is how many have both of its moments."""

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


def took_ms(clock: SentenceClock, stage: Stage) -> float | None:
    """Milliseconds of one sentence in ``stage``; None where a moment is not known.

    Two machines' clocks differ a little; what would be less than nothing is 0.
    """
    first, last = (getattr(clock, moment) for moment in STAGES[stage])
    return None if first is None or last is None else max(0.0, (last - first).total_seconds() * 1000)


def late_s(clock: SentenceClock) -> float | None:
    """Seconds from the end of a late sentence until it was understood; None where it was not late."""
    took = took_ms(clock, "recognise")
    return None if took is None or took <= 1000 * LATE_S else took / 1000


def spread(times_ms: Sequence[float]) -> Spread | None:
    """Median, 95th and 99th percentile, each a time that really occurred (nearest rank); None for no times."""
    if not times_ms:
        return None
    ordered = sorted(times_ms)
    ranks = (ordered[max(1, math.ceil(share * len(ordered))) - 1] for share in (0.5, 0.95, 0.99))
    return Spread(len(ordered), *ranks)


def by_stage(clocks: Iterable[SentenceClock]) -> dict[Stage, Spread]:
    """The spread of each stage; stages that no sentence has are left out."""
    times: dict[Stage, list[float]] = {stage: [] for stage in STAGES}
    for clock in clocks:
        for stage, held in times.items():
            took = took_ms(clock, stage)
            if took is not None:
                held.append(took)
    return {stage: found for stage, held in times.items() if (found := spread(held)) is not None}


def history(clocks: Iterable[SentenceClock], bucket_s: float, stage: Stage = "total") -> list[tuple[datetime, Spread]]:
    """The spread of ``stage`` per ``bucket_s`` seconds, by the bucket's start (aware, UTC); empty ones are left out."""
    buckets: dict[int, list[float]] = {}
    for clock in clocks:
        took = took_ms(clock, stage)
        if took is not None:
            moment: datetime = getattr(clock, STAGES[stage][0])
            buckets.setdefault(math.floor(moment.timestamp() / bucket_s), []).append(took)
    return [
        (datetime.fromtimestamp(number * bucket_s, UTC), found)
        for number in sorted(buckets)
        if (found := spread(buckets[number])) is not None
    ]
