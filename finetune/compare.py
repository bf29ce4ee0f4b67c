"""Whether one model is better than another on the same rows: paired bootstrap, McNemar's exact test, a verdict (pure).

McNemar 1947, "Note on the sampling error of the difference between correlated proportions", in its exact form: of the
rows on which just one of both is right, each is as likely to be right where the models are equally good. The number of
rows that would be needed is Connor's (1987, "Sample size for testing differences in proportions for the paired-sample
design"), for a test at 5 % that finds the difference four times out of five.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetune.evaluate import Interval
from finetune.figures import Judged, accuracy, macro_f1, resampled, table_of
from pipeline.errors import InputError

_SMALLEST = 0.02  # difference of accuracy that is worth looking for where none is seen
_LEVEL = 0.05
_Z_LEVEL, _Z_POWER = 1.959964, 0.841621  # normal quantiles of 97.5 % and 80 %


@dataclass(frozen=True)
class Comparison:
    """A model beside another on the same rows; differences are the model's figure minus the other's."""

    rows: int
    accuracy: Interval
    macro_f1: Interval
    only_ours: int  # rows that only the model has right
    only_theirs: int
    p_value: float  # of McNemar's exact test, two-sided
    needed: int  # rows with which the difference at hand, or one of 2 points, would probably be seen
    verdict: str  # one sentence


def compare(ours: Judged, theirs: Judged, *, name: str, other: str) -> Comparison:
    """The comparison of two models on the same rows. Raises InputError where the rows or labels are not the same."""
    if ours.labels != theirs.labels or not np.array_equal(ours.truth, theirs.truth):
        raise InputError(f"{name} and {other} know different labels: they cannot be compared")
    size, mine, other_table = len(ours.labels), table_of(ours), table_of(theirs)
    both = np.concatenate([mine, other_table], axis=1)
    spread, whole, width = resampled(both, ours.groups), both.sum(0)[None], mine.shape[1]

    def difference(measure: Any) -> Interval:
        drawn = measure(spread[:, :width], size) - measure(spread[:, width:], size)
        low, high = np.percentile(drawn, [2.5, 97.5])
        return Interval(float((measure(whole[:, :width], size) - measure(whole[:, width:], size))[0]), low, high)

    right, wrong = ours.said == ours.truth, theirs.said == theirs.truth
    gained, lost = int((right & ~wrong).sum()), int((~right & wrong).sum())
    rows, p = len(ours.truth), mcnemar(gained, lost)
    gap, f1 = difference(accuracy), difference(macro_f1)
    needed = rows_needed(rows, gained, lost)
    verdict = _verdict(name, other, rows, gained, lost, p, f1, needed)
    return Comparison(rows, gap, f1, gained, lost, p, needed, verdict)


def mcnemar(gained: int, lost: int) -> float:
    """The two-sided exact p-value of so many rows that only one or only the other model has right; 1 for none."""
    total, fewer = gained + lost, min(gained, lost)
    if not total:
        return 1.0
    # In logarithms: 2 ** total is no float from 1024 rows on.
    logs = [
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1) - total * math.log(2)
        for k in range(fewer + 1)
    ]
    top = max(logs)
    return min(1.0, 2 * math.exp(top) * sum(math.exp(log - top) for log in logs))


def rows_needed(rows: int, gained: int, lost: int) -> int:
    """How many rows would probably show the difference in accuracy at hand, or one of 2 points where it is smaller."""
    apart = max(gained + lost, 1) / max(rows, 1)
    gap = max(abs(gained - lost) / max(rows, 1), _SMALLEST)
    apart = max(apart, gap)
    return math.ceil((_Z_LEVEL * math.sqrt(apart) + _Z_POWER * math.sqrt(max(apart - gap**2, 0.0))) ** 2 / gap**2)


def _verdict(name: str, other: str, rows: int, gained: int, lost: int, p: float, f1: Interval, needed: int) -> str:
    if not gained and not lost:
        return f"no difference: {name} and {other} are right on the same {rows} sentences"
    points = f"macro-F1 {100 * f1.value:+.1f} points ({100 * f1.low:+.1f} to {100 * f1.high:+.1f})"
    sure = p < _LEVEL
    if sure and gained > lost and f1.low > 0:
        return f"better: {name} beats {other} by {points}"
    if sure and gained < lost and f1.high < 0:
        return f"worse: {name} loses to {other} by {points}"
    more = (
        f"about {max(needed, rows + 1)} would be needed" if needed > rows else "more labels of the rarer classes help"
    )
    if sure and gained > lost:
        return f"more rows are right, but macro-F1 may be no better: {points} with {rows} sentences; {more}"
    if sure:
        return f"fewer rows are right, but macro-F1 may be no worse: {points} with {rows} sentences; {more}"
    if f1.low > 0 or f1.high < 0:
        return f"{points}, but which rows are right differs no more than chance would; with {rows} sentences, {more}"
    if needed <= rows:
        return f"no difference of 2 points or more with {rows} sentences: {points}"
    return f"no difference can be seen with {rows} sentences; about {needed} would be needed: {points}"


def told(found: Comparison) -> dict[str, Any]:
    """The comparison as JSON: intervals as [value, low, high]."""
    return {
        "rows": found.rows,
        "accuracy": [found.accuracy.value, found.accuracy.low, found.accuracy.high],
        "macro_f1": [found.macro_f1.value, found.macro_f1.low, found.macro_f1.high],
        "only_ours": found.only_ours,
        "only_theirs": found.only_theirs,
        "p_value": found.p_value,
        "needed": found.needed,
        "verdict": found.verdict,
    }
