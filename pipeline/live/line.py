"""One channel of a live call on its way from the network to the recogniser."""

from __future__ import annotations

import threading
import time

from pipeline.live.buffer import Buffer, Pace
from pipeline.live.intake import Gap, Intake
from pipeline.live.pcm import Encoding


class Line:
    """A channel's intake, buffer and pace; whoever uses them holds ``lock``."""

    def __init__(
        self, number: int, encoding: Encoding, rate_hz: int, *, begins_s: float, buffer_s: float, pace: float
    ) -> None:
        """``begins_s`` is where in the call its first sample stands; the rest is as Intake, Buffer and Pace have it."""
        self.number = number
        self.intake = Intake(number, encoding, rate_hz, start_s=begins_s)
        self.buffer = Buffer(number, longest_s=buffer_s, start_s=begins_s)
        self.pace = Pace(pace)
        self.lock = threading.RLock()
        self.fed_at = time.monotonic()
        self.lost_s = begins_s
        self._reported = 0

    def begin_anew(self, encoding: Encoding, rate_hz: int) -> None:
        """Another connection goes on, with its own numbers and perhaps another encoding."""
        before = self.intake
        self.intake = Intake(self.number, encoding, rate_hz, start_s=before.position_s)
        self.intake.counts, self.intake.gaps = before.counts, before.gaps
        self.fed_at = time.monotonic()

    def new_gaps(self, *, all_of_them: bool) -> list[Gap]:
        """The gaps since this was last asked that are over."""
        found = []
        for gap in self.intake.gaps[self._reported :]:
            if not all_of_them and self.intake.position_s - gap.end_s < 1.0:
                break
            found.append(gap)
            self._reported += 1
        if all_of_them or self.buffer.backlog_s < 1.0:
            found += self.buffer.dropped()
        return found
