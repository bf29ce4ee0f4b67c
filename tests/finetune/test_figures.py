"""Figures that can be worked out by hand, and intervals that behave."""

from __future__ import annotations

import numpy as np
import pytest

from finetune import figures
from finetune.figures import Judged

LABELS = ("a", "b", "c")
TRUTH = np.array([0, 0, 1, 1, 1, 2], dtype=np.int64)
SAID = np.array([0, 1, 1, 1, 2, 2], dtype=np.int64)


def judged(times: int = 1, **more: object) -> Judged:
    """The same six rows so many times, each said with 0.8."""
    rows = 6 * times
    return Judged(LABELS, np.tile(TRUTH, times), np.tile(SAID, times), np.full(rows, 0.8), **more)  # type: ignore[arg-type]


def test_figures_by_hand() -> None:
    found = figures.figures(judged())
    assert found.confusion == ((1, 1, 0), (0, 2, 1), (0, 0, 1))
    assert found.accuracy.value == pytest.approx(4 / 6)
    assert found.macro_f1.value == pytest.approx(2 / 3)
    assert found.calibration_error.value == pytest.approx(0.8 - 4 / 6)
    first = found.classes[0]
    assert (first.rows, first.precision.value, first.recall.value) == (2, 1.0, 0.5)
    assert first.f1.value == pytest.approx(2 / 3)
    (sure,) = found.reliability
    assert sure.rows == 6
    assert (sure.confidence, sure.accuracy) == pytest.approx((0.8, 4 / 6))


def test_intervals_hold_the_value_narrow_with_rows_and_are_decided_by_the_seed() -> None:
    few, many = figures.figures(judged(3)), figures.figures(judged(100))
    for one in (few, many):
        assert one.accuracy.low <= one.accuracy.value <= one.accuracy.high
        assert one.classes[1].recall.low <= one.classes[1].recall.value <= one.classes[1].recall.high
    assert many.accuracy.high - many.accuracy.low < (few.accuracy.high - few.accuracy.low) / 3
    assert figures.figures(judged(3)) == few


def test_whole_calls_are_drawn_where_there_are_enough() -> None:
    truth = np.zeros(400, dtype=np.int64)
    said = np.repeat([0, 1], 200).astype(np.int64)
    sure = np.full(400, 0.9)
    single = figures.figures(Judged(("a", "b"), truth, said, sure)).accuracy
    calls = tuple(f"call {i // 20}" for i in range(400))
    grouped = figures.figures(Judged(("a", "b"), truth, said, sure, calls)).accuracy
    assert grouped.high - grouped.low > 3 * (single.high - single.low)


def test_slices_have_figures_of_their_own_and_small_ones_are_named() -> None:
    speakers = ["agent", "customer"] * 15 + ["other"] * 6
    found = figures.figures(judged(6), {"speaker": speakers})
    assert set(found.slices["speaker"]) == {"agent", "customer"}
    assert found.small == {"speaker": ["other"]}
    told = figures.told(found)
    assert told["slices"]["speaker"]["agent"]["rows"] == 15
    assert told["small_slices"] == {"speaker": ["other"]}


def test_slots_count_as_whole_spans() -> None:
    counts = np.array([[1, 1, 1], [0, 1, 1], [1, 2, 1]] * 4, dtype=np.int64)
    found = figures.figures(Judged(LABELS, np.tile(TRUTH, 2), np.tile(SAID, 2), np.full(12, 0.5), (), counts))
    assert found.slot_f1 is not None
    assert found.slot_f1.value == pytest.approx(2 * 8 / (16 + 12))
