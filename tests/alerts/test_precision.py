from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.precision import Precision, by_rule, wilson
from pipeline.calls import Alert
from tests.alerts.calls import START

ALERT = Alert("a", "c", 0, "boss", "info", "", START)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [  # from the formula by hand; the second is Newcombe's (1998) published example
        (0, 10, 0.0, 0.2775),
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_intervals(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_an_interval_holds_its_share_and_mirrors(pair: tuple[int, int]) -> None:
    hits, trials = pair
    low, high = wilson(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1
    mirrored = wilson(trials - hits, trials)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(("hits", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_what_is_no_share(hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(hits, trials)


def test_verdicts_are_counted_by_rule() -> None:
    alerts = [
        replace(ALERT, verdict="right"),
        replace(ALERT, verdict="wrong"),
        replace(ALERT),
        replace(ALERT, rule="quiet"),
    ]
    found = by_rule(alerts)
    assert found == {"boss": Precision(3, 2, 1), "quiet": Precision(1, 0, 0)}
    assert found["boss"].share == 0.5
    assert (found["quiet"].share, found["quiet"].interval) == (None, None)
