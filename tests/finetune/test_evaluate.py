"""Measures on cases whose figures can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from finetune import evaluate

TRUTH = np.array([0, 0, 1, 1, 1, 2], dtype=np.int64)
SAID = np.array([0, 1, 1, 1, 2, 2], dtype=np.int64)


def test_figures_by_hand() -> None:
    found = evaluate.report(TRUTH, SAID, ("a", "b", "c"))
    assert found.confusion == ((1, 1, 0), (0, 2, 1), (0, 0, 1))
    assert found.accuracy.value == pytest.approx(4 / 6)
    assert found.macro_f1.value == pytest.approx(2 / 3)
    first = found.classes[0]
    assert (first.precision, first.recall, first.rows) == (1.0, 0.5, 2)
    assert first.f1 == pytest.approx(2 / 3)


def test_a_label_that_nobody_uses_does_not_lower_macro_f1() -> None:
    counts = evaluate.confusion(np.array([0, 0]), np.array([0, 0]), 3)
    assert evaluate.macro_f1(counts) == 1.0
    assert evaluate.macro_f1(np.zeros((3, 3), dtype=np.int64)) == 0.0


def test_the_interval_holds_the_value_and_narrows_with_rows() -> None:
    few = evaluate.bootstrap(TRUTH, SAID, 3, evaluate.accuracy)
    many = evaluate.bootstrap(np.tile(TRUTH, 50), np.tile(SAID, 50), 3, evaluate.accuracy)
    assert few.low <= few.value <= few.high
    assert many.high - many.low < (few.high - few.low) / 3


def test_whole_groups_are_drawn() -> None:
    truth, said = np.zeros(400, dtype=np.int64), np.repeat([0, 1], 200)
    single = evaluate.bootstrap(truth, said, 2, evaluate.accuracy)
    grouped = evaluate.bootstrap(truth, said, 2, evaluate.accuracy, groups=["g"] * 200 + ["h"] * 200)
    assert (grouped.low, grouped.high) == (0.0, 1.0)
    assert single.high - single.low < 0.2


def test_the_seed_decides_the_interval() -> None:
    assert evaluate.bootstrap(TRUTH, SAID, 3, evaluate.macro_f1) == evaluate.bootstrap(
        TRUTH, SAID, 3, evaluate.macro_f1
    )


def test_an_interval_reads_as_percent() -> None:
    assert str(evaluate.Interval(0.851, 0.82, 0.88)) == "85.1 (82.0 to 88.0)"
