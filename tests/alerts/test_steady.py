from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.alerts.steady import SteadyTime

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Clocks:
    """A wall clock that can be set, and one that cannot."""

    def __init__(self) -> None:
        self.passed_s, self.set_s = 0.0, 0.0

    def pass_time(self, seconds: float) -> None:
        self.passed_s += seconds

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.passed_s + self.set_s)

    def monotonic(self) -> float:
        return 77.0 + self.passed_s


def test_it_is_the_wall_clock_while_nobody_sets_that() -> None:
    clocks = Clocks()
    steady = SteadyTime(clocks.wall, clocks.monotonic)
    clocks.pass_time(10)
    assert steady.now() == steady.of(clocks.wall()) == steady.wall(clocks.wall()) == clocks.wall()


def test_a_clock_that_is_set_moves_nothing() -> None:
    clocks = Clocks()
    steady = SteadyTime(clocks.wall, clocks.monotonic)
    for set_s in (3600.0, -7200.0, 0.0):
        clocks.set_s = set_s
        clocks.pass_time(10)
        assert steady.now() == NOON + timedelta(seconds=clocks.passed_s)
        stored = clocks.wall()
        clocks.pass_time(5)
        assert (steady.now() - steady.of(stored)).total_seconds() == 5
        assert steady.wall(steady.of(stored)) == stored


def test_what_was_stored_just_before_the_clock_was_set_back_is_not_in_the_future() -> None:
    clocks = Clocks()
    steady = SteadyTime(clocks.wall, clocks.monotonic)
    stored = clocks.wall()
    clocks.set_s = -3600
    assert steady.of(stored) == steady.now()


def test_slow_drift_is_followed_as_it_is() -> None:
    clocks = Clocks()
    steady = SteadyTime(clocks.wall, clocks.monotonic)
    clocks.set_s = 0.9
    assert steady.now() == clocks.wall()
