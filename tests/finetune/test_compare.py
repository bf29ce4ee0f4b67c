"""Comparisons say better, worse, or how much more is needed, and never more than the rows bear."""

from __future__ import annotations

import numpy as np
import pytest

from finetune import compare
from finetune.figures import Judged
from pipeline.errors import InputError


def judged(rows: int, right: int, *, start: int = 0, seed: int = 1) -> Judged:
    """A model that is right on ``right`` of the rows, from the row ``start`` on."""
    rng = np.random.default_rng(seed)
    truth = np.arange(rows, dtype=np.int64) % 3
    said = (truth + 1 + rng.integers(0, 2, rows)) % 3
    places = np.arange(start, start + right) % rows
    said[places] = truth[places]
    return Judged(("negative", "neutral", "positive"), truth, said, np.full(rows, 0.7))


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [(0, 0, 1.0), (5, 5, 1.0), (1, 0, 1.0), (6, 0, 0.03125), (10, 2, 0.0385742), (2, 10, 0.0385742)],
)
def test_mcnemar_is_the_exact_binomial(gained: int, lost: int, p: float) -> None:
    assert compare.mcnemar(gained, lost) == pytest.approx(p, abs=1e-6)


def test_mcnemar_of_many_rows_is_a_number() -> None:
    assert compare.mcnemar(6000, 6000) == pytest.approx(1.0, abs=1e-9)
    assert 0 < compare.mcnemar(5000, 5400) < 1e-3


def test_a_clear_difference_is_better_one_way_and_worse_the_other() -> None:
    good, bad = judged(600, 540), judged(600, 440)
    found = compare.compare(good, bad, name="new", other="old")
    assert found.verdict.startswith("better: new beats old by macro-F1 +")
    assert found.accuracy.low > 0 < found.macro_f1.low
    assert (found.only_ours, found.only_theirs) == (100, 0)
    assert compare.compare(bad, good, name="new", other="old").verdict.startswith("worse: new loses to old")


def test_a_difference_that_cannot_be_seen_says_how_many_would_be_needed() -> None:
    found = compare.compare(judged(60, 50), judged(60, 49, start=5), name="new", other="old")
    assert found.needed > 60
    assert found.verdict.startswith(
        f"no difference can be seen with 60 sentences; about {found.needed} would be needed"
    )


def test_models_that_agree_need_no_more_rows() -> None:
    one = judged(60, 50)
    assert compare.compare(one, one, name="new", other="old").verdict == (
        "no difference: new and old are right on the same 60 sentences"
    )


def test_the_rows_needed_grow_as_the_difference_shrinks() -> None:
    # Connor's formula for 10 % of the rows apart and 5 points difference.
    assert compare.rows_needed(1000, 75, 25) == pytest.approx(312, abs=3)
    assert compare.rows_needed(1000, 60, 40) > 1500
    assert compare.rows_needed(0, 0, 0) > 0


def test_other_rows_are_no_comparison() -> None:
    with pytest.raises(InputError, match="cannot be compared"):
        compare.compare(judged(30, 20), judged(31, 20), name="new", other="old")
