"""Spans count as a whole, and the share found out of scope is measured at a fixed false rejection."""

from __future__ import annotations

import numpy as np
import pytest

from finetune import spans

TRUE = [["B-a", "I-a", "O"], ["B-b", "O", "B-a"], ["O"]]
SAID = [["B-a", "O", "O"], ["B-b", "O", "B-a"], ["B-b"]]


def test_f1_counts_whole_spans() -> None:
    rows = spans.counts(TRUE, SAID)
    assert rows.tolist() == [[0, 1, 1], [2, 2, 2], [0, 0, 1]]
    assert spans.f1(rows) == pytest.approx(2 * 2 / (3 + 4))
    assert spans.f1(spans.counts([["O"]], [["O"]])) == 0.0
    told = spans.by_label(TRUE, SAID)
    assert told["a"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "rows": 2}
    assert told["b"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "rows": 1}


def test_the_threshold_rejects_five_percent_of_what_is_in_scope() -> None:
    scores = np.concatenate([np.arange(100.0), [94.0, 97.0, 200.0, 300.0]])
    strange = np.array([0] * 100 + [1] * 4)
    limit = spans.threshold(scores, strange)
    assert (scores[:100] > limit).mean() <= 0.05
    assert limit == 95.0
    assert spans.detection(scores, strange) == 0.75
    assert spans.detection(scores, np.zeros_like(strange)) == 0.0


def test_a_bootstrap_holds_its_value() -> None:
    right = np.array([1.0] * 80 + [0.0] * 20)
    found = spans.drawn(100, lambda rows: float(right[rows].mean()))
    assert found.value == pytest.approx(0.8)
    assert 0.65 < found.low < 0.8 < found.high < 0.95
