"""Measures of understanding: slots as whole spans, and requests out of scope (pure, numpy).

A span is right when its words and its label are, as in CoNLL's conlleval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from finetune.evaluate import Floats, Interval, Ints
from pipeline.server.bio import spans


def counts(true: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> Ints:
    """Int64 [rows, 3]: right, true and said spans of each row of tags."""
    made = np.zeros((len(true), 3), dtype=np.int64)
    for number, (a, b) in enumerate(zip(true, said, strict=True)):
        wanted, given = set(spans(a)), set(spans(b))
        made[number] = len(wanted & given), len(wanted), len(given)
    return made


def f1(rows: Ints) -> float:
    """Micro-averaged F1 of rows of ``counts``; 0 where there is no span at all."""
    right, true, said = rows.sum(0)
    return float(2 * right / max(1, true + said))


def by_label(true: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and number of true spans of each label, by its name."""
    wanted = [(n, *span) for n, tags in enumerate(true) for span in spans(tags)]
    given = [(n, *span) for n, tags in enumerate(said) for span in spans(tags)]
    right = set(wanted) & set(given)
    made = {}
    for label in sorted({span[3] for span in (*wanted, *given)}):
        hit, want, got = (sum(span[3] == label for span in part) for part in (right, wanted, given))
        made[label] = {
            "precision": hit / max(1, got),
            "recall": hit / max(1, want),
            "f1": 2 * hit / max(1, want + got),
            "rows": want,
        }
    return made


def threshold(scores: Floats, strange: Ints, false_rejection: float = 0.05) -> float:
    """The strangeness above which at most ``false_rejection`` of the rows that are not ``strange`` lie."""
    return float(np.quantile(scores[strange == 0], 1 - false_rejection, method="higher"))


def detection(scores: Floats, strange: Ints) -> float:
    """The share of strange rows above the threshold of 5 % false rejection on the same rows; 0 without both kinds."""
    if strange.all() or not strange.any():
        return 0.0
    return float((scores[strange == 1] > threshold(scores, strange)).mean())


def drawn(size: int, measure: Callable[[Ints], float], *, rounds: int = 1000, seed: int = 1) -> Interval:
    """A measure of row numbers with its 95 % percentile interval over ``rounds`` resamples of ``size`` rows."""
    rng = np.random.default_rng(seed)
    values = [measure(rng.integers(0, size, size)) for _ in range(rounds)]
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(measure(np.arange(size)), float(low), float(high))
