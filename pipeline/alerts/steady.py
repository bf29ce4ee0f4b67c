"""Time of day that no setting of the wall clock moves, for rules that wait: half a minute of silence must be one."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_LEAST_S = 1.0  # that a clock jumps; less is the slow drift of the two clocks


class SteadyTime:
    """A clock that starts as the wall clock and goes as the monotonic one; not thread-safe."""

    def __init__(
        self, wall: Callable[[], datetime] = lambda: datetime.now(UTC), monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._began, self._began_at = wall(), monotonic()
        self._jumped = timedelta()  # by how much the wall clock was set forward since then

    def now(self) -> datetime:
        """The steady time; notices where the wall clock was set."""
        steady = self._began + timedelta(seconds=self._monotonic() - self._began_at)
        wall = self._wall()
        jumped = wall - steady
        if abs((jumped - self._jumped).total_seconds()) > _LEAST_S:
            self._jumped = jumped
        return wall - self._jumped

    def of(self, moment: datetime) -> datetime:
        """The steady time of a ``moment`` that the wall clock told a short while ago, and never later than now."""
        now = self.now()
        return min(moment - self._jumped, now)

    def wall(self, steady: datetime) -> datetime:
        """The time of day, as the wall clock is set now, of a steady time."""
        return steady + self._jumped
