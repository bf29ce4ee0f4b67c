"""Sound is taken in at the pace at which it was spoken: who sends faster waits in their own connection."""

from __future__ import annotations

import asyncio
import time

BURST_S = 3.0  # that may come at once: a browser's tab or a network that was held up catches up


class Pace:
    """How much sound has come, against the time that has passed."""

    def __init__(self, bytes_a_second: int) -> None:
        self._bytes_a_second = bytes_a_second
        self._until = 0.0  # monotonic: when what has come would have been spoken

    async def take(self, size: int) -> None:
        """``size`` more bytes came; returns when no more than BURST_S of sound is ahead of time."""
        now = time.monotonic()
        self._until = max(self._until, now) + size / self._bytes_a_second
        if (ahead_s := self._until - now - BURST_S) > 0:
            await asyncio.sleep(ahead_s)
