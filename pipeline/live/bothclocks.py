"""Moments of the monotonic clock as times of day, by one look at both clocks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class BothClocks:
    """What the two clocks said at one moment; intervals between times taken from one look are those that passed."""

    wall_then: datetime
    monotonic_then: float

    @classmethod
    def now(cls) -> BothClocks:
        """A look at both clocks."""
        return cls(datetime.now(UTC), time.monotonic())

    def wall(self, moment: float) -> datetime:
        """The time of day of a moment of the monotonic clock, as if nobody had set the wall clock since the look."""
        return self.wall_then + timedelta(seconds=moment - self.monotonic_then)
