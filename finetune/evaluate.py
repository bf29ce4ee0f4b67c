"""Measures of a classifier: accuracy, macro-F1, per class, confusion matrix, bootstrap intervals (pure, numpy)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A measure with the bounds of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} ({100 * self.low:.1f} to {100 * self.high:.1f})"


@dataclass(frozen=True)
class ClassScore:
    """Precision, recall and F1 of one label, and its number of true rows."""

    label: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True)
class Report:
    """What is known of a classifier on one set of rows."""

    rows: int
    accuracy: Interval
    macro_f1: Interval
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]  # [true][predicted]


def confusion(truth: Ints, predicted: Ints, labels: int) -> Ints:
    """Int64 [labels, labels] counts, true label first."""
    counts: Ints = np.bincount(truth * labels + predicted, minlength=labels * labels).reshape(labels, labels)
    return counts


def accuracy(counts: Ints) -> float:
    """The share of right rows, 0 for no rows."""
    return float(np.trace(counts) / max(1, counts.sum()))


def macro_f1(counts: Ints) -> float:
    """The mean of the F1 scores over the labels that occur in truth or prediction (as in scikit-learn's f1_score)."""
    true, said = counts.sum(1), counts.sum(0)
    present = (true + said) > 0
    scores = 2 * np.diag(counts)[present] / (true + said)[present]
    return float(scores.mean()) if present.any() else 0.0


def bootstrap(
    truth: Ints,
    predicted: Ints,
    labels: int,
    measure: Callable[[Ints], float],
    *,
    groups: Sequence[str] = (),
    rounds: int = 1000,
    seed: int = 1,
) -> Interval:
    """The measure of a confusion matrix with its percentile interval over ``rounds`` resamples.

    With ``groups`` (one name a row, such as the call) whole groups are drawn, because sentences of one call are alike.
    """
    whole = confusion(truth, predicted, labels)
    names, owner = np.unique(np.asarray(groups if len(groups) else np.arange(len(truth))), return_inverse=True)
    cells = np.zeros((len(names), labels * labels), dtype=np.int64)
    np.add.at(cells, (owner, truth * labels + predicted), 1)
    rng = np.random.default_rng(seed)
    values = [
        measure(cells[rng.integers(0, len(names), len(names))].sum(0).reshape(labels, labels)) for _ in range(rounds)
    ]
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(measure(whole), float(low), float(high))


def report(truth: Ints, predicted: Ints, labels: Sequence[str], *, groups: Sequence[str] = ()) -> Report:
    """Everything above for one set; ``truth`` and ``predicted`` are label numbers."""
    counts = confusion(truth, predicted, len(labels))
    classes = []
    for i, label in enumerate(labels):
        right, true, said = int(counts[i, i]), int(counts[i].sum()), int(counts[:, i].sum())
        classes.append(
            ClassScore(label, right / max(1, said), right / max(1, true), 2 * right / max(1, true + said), true)
        )
    return Report(
        len(truth),
        bootstrap(truth, predicted, len(labels), accuracy, groups=groups),
        bootstrap(truth, predicted, len(labels), macro_f1, groups=groups),
        tuple(classes),
        tuple(tuple(int(cell) for cell in row) for row in counts),
    )
