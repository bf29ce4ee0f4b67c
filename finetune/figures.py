"""What is known of a classifier on labelled rows, each figure with its 95 % bootstrap interval (pure, numpy).

Every figure is a function of sums over rows (cells of the confusion matrix, sums per bin of confidence), so that one
draw of rows serves all of them. Where rows have a group, such as their call, whole groups are drawn, because the
sentences of one call are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from finetune.evaluate import Floats, Interval, Ints

ROUNDS = 1000
BINS = 15  # of confidence, of equal width (Guo et al. 2017)
_FEWEST = 10  # rows that a slice needs for a figure of its own, and groups that can be drawn


@dataclass(frozen=True)
class Judged:
    """Rows with their true labels and what one model said of them."""

    labels: tuple[str, ...]
    truth: Ints  # [rows], numbers of labels
    said: Ints
    confidence: Floats  # [rows], the probability of what was said
    groups: tuple[str, ...] = ()  # one a row, or none at all
    spans: Ints | None = None  # [rows, 3]: right, true and said slots

    def part(self, rows: Ints) -> Judged:
        """The same for some of the rows."""
        groups = tuple(self.groups[i] for i in rows) if self.groups else ()
        spans = None if self.spans is None else self.spans[rows]
        return Judged(self.labels, self.truth[rows], self.said[rows], self.confidence[rows], groups, spans)


@dataclass(frozen=True)
class ClassFigures:
    """Precision and recall of one label, and how many rows have it."""

    label: str
    rows: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True)
class Bin:
    """Rows of like confidence: how sure the model was and how often it was right."""

    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Figures:
    """What is known of a model on one set of rows."""

    rows: int
    accuracy: Interval
    macro_f1: Interval
    calibration_error: Interval  # expected calibration error over 15 bins, 0 is perfect
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]  # [true][said]
    reliability: tuple[Bin, ...]  # bins without rows left out
    slot_f1: Interval | None = None
    slices: dict[str, dict[str, Figures]] = field(default_factory=dict)  # column -> value -> figures
    small: dict[str, list[str]] = field(default_factory=dict)  # column -> values with too few rows for figures


def figures(judged: Judged, columns: dict[str, Sequence[str]] | None = None) -> Figures:
    """All figures of rows; ``columns`` are names of slices with a value for each row ("" for none)."""
    size = len(judged.labels)
    table = table_of(judged)
    spread = resampled(table, judged.groups)
    whole = table.sum(0)

    def interval(measure: Callable[[Floats], Floats]) -> Interval:
        low, high = np.percentile(measure(spread), [2.5, 97.5])
        return Interval(float(measure(whole[None])[0]), float(low), float(high))

    cells = _cells(whole[None], size)[0]

    def of_class(number: int) -> ClassFigures:
        return ClassFigures(
            judged.labels[number],
            int(cells[number].sum()),
            interval(lambda sums: _precision(_cells(sums, size))[:, number]),
            interval(lambda sums: _recall(_cells(sums, size))[:, number]),
            interval(lambda sums: _f1(_cells(sums, size))[:, number]),
        )

    classes = tuple(of_class(n) for n in range(size) if cells[n].any() or cells[:, n].any())
    slices: dict[str, dict[str, Figures]] = {}
    small: dict[str, list[str]] = {}
    for name, values in (columns or {}).items():
        column = np.asarray(values)
        for value in sorted(set(values) - {""}):
            rows = np.flatnonzero(column == value)
            if len(rows) < _FEWEST:
                small.setdefault(name, []).append(value)
            else:
                slices.setdefault(name, {})[value] = figures(judged.part(rows))
    return Figures(
        len(judged.truth),
        interval(lambda sums: accuracy(sums, size)),
        interval(lambda sums: macro_f1(sums, size)),
        interval(lambda sums: calibration_error(sums, size)),
        classes,
        tuple(tuple(int(cell) for cell in row) for row in cells),
        _reliability(whole, size),
        None if judged.spans is None else interval(lambda sums: slot_f1(sums)),
        slices,
        small,
    )


def resampled(table: Floats, groups: Sequence[str], *, rounds: int = ROUNDS, seed: int = 1) -> Floats:
    """Float64 [rounds, columns]: the sums of ``table`` [rows, columns] over draws of as many groups as there are.

    Without groups, and with fewer than ten, rows are drawn.
    """
    # A handful of groups has next to no spread of its own to draw from.
    whole = len(set(groups)) >= _FEWEST
    names, owner = np.unique(np.asarray(groups if whole else np.arange(len(table))), return_inverse=True)
    sums = np.zeros((len(names), table.shape[1]))
    np.add.at(sums, owner, table)
    rng = np.random.default_rng(seed)
    made = np.zeros((rounds, table.shape[1]))
    for number in range(rounds):
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        made[number] = times @ sums
    return made


def accuracy(sums: Floats, labels: int) -> Floats:
    """The share of right rows of each draw."""
    cells = _cells(sums, labels)
    return _ratio(np.trace(cells, axis1=1, axis2=2), cells.sum((1, 2)))


def macro_f1(sums: Floats, labels: int) -> Floats:
    """The mean F1 over the labels that occur in a draw, as in scikit-learn's f1_score."""
    cells = _cells(sums, labels)
    present = (cells.sum(1) + cells.sum(2)) > 0
    return _ratio((_f1(cells) * present).sum(1), present.sum(1))


def calibration_error(sums: Floats, labels: int) -> Floats:
    """The mean gap of confidence and accuracy over the bins of confidence, weighted by their rows."""
    bins = sums[:, labels * labels : labels * labels + 3 * BINS].reshape(len(sums), 3, BINS)
    return _ratio(np.abs(bins[:, 1] - bins[:, 2]).sum(1), bins[:, 0].sum(1))


def slot_f1(sums: Floats) -> Floats:
    """Micro-averaged F1 of whole slots of each draw."""
    right, true, said = sums[:, -3], sums[:, -2], sums[:, -1]
    return _ratio(2 * right, true + said)


def told(found: Figures) -> dict[str, Any]:
    """The figures as JSON: intervals as [value, low, high]."""
    made: dict[str, Any] = {
        "rows": found.rows,
        "accuracy": _spread(found.accuracy),
        "macro_f1": _spread(found.macro_f1),
        "calibration_error": _spread(found.calibration_error),
        "classes": {
            c.label: {
                "rows": c.rows,
                "precision": _spread(c.precision),
                "recall": _spread(c.recall),
                "f1": _spread(c.f1),
            }
            for c in found.classes
        },
        "confusion": [list(row) for row in found.confusion],
        "reliability": [[b.rows, b.confidence, b.accuracy] for b in found.reliability],
    }
    if found.slot_f1 is not None:
        made["slot_f1"] = _spread(found.slot_f1)
    if found.slices or found.small:
        made["slices"] = {
            name: {value: told(part) for value, part in values.items()} for name, values in found.slices.items()
        }
        made["small_slices"] = found.small
    return made


def _spread(found: Interval) -> list[float]:
    return [found.value, found.low, found.high]


def table_of(judged: Judged) -> Floats:
    """Float64 [rows, columns], whose sums all measures are made of.

    Per row: its cell of the confusion matrix; its bin's count, confidence and rightness; its slots.
    """
    size, rows = len(judged.labels), len(judged.truth)
    spans = judged.spans if judged.spans is not None else np.zeros((rows, 0), dtype=np.int64)
    made = np.zeros((rows, size * size + 3 * BINS + spans.shape[1]))
    every = np.arange(rows)
    made[every, judged.truth * size + judged.said] = 1.0
    place = np.clip(np.ceil(judged.confidence * BINS).astype(int) - 1, 0, BINS - 1)
    for offset, value in enumerate((np.ones(rows), judged.confidence, judged.truth == judged.said)):
        made[every, size * size + offset * BINS + place] = value
    made[:, size * size + 3 * BINS :] = spans
    return made


def _reliability(whole: Floats, labels: int) -> tuple[Bin, ...]:
    count, sure, right = whole[labels * labels : labels * labels + 3 * BINS].reshape(3, BINS)
    return tuple(Bin(int(n), float(s / n), float(r / n)) for n, s, r in zip(count, sure, right, strict=True) if n)


def _cells(sums: Floats, labels: int) -> Floats:
    return sums[:, : labels * labels].reshape(len(sums), labels, labels)


def _precision(cells: Floats) -> Floats:
    return _ratio(np.diagonal(cells, axis1=1, axis2=2), cells.sum(1))


def _recall(cells: Floats) -> Floats:
    return _ratio(np.diagonal(cells, axis1=1, axis2=2), cells.sum(2))


def _f1(cells: Floats) -> Floats:
    return _ratio(2 * np.diagonal(cells, axis1=1, axis2=2), cells.sum(1) + cells.sum(2))


def _ratio(above: Floats, below: Floats) -> Floats:
    """The quotient, 0 where nothing stands below."""
    made: Floats = np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below > 0)
    return made
