"""What a person has been sent and hears now: the outgoing events in order, and the clock of their loudspeaker."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator

import numpy as np

from pipeline.live.events import Ended, Event, Hearing, Sound
from pipeline.tts import RATE_HZ

AHEAD_S = 2.0  # of sound that may lie at the other end: what a barge-in throws away
_MOST_EVENTS = 2_000  # that nobody takes: the other end has stopped reading
_ECHO_S = 0.6  # after which sound that we sent no longer comes back


class Outbox:
    """Events on their way out; ends after ``Ended``."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, event: Event) -> None:
        """One more event; a partial replaces one that nobody has seen yet. After ``Ended`` nothing is taken."""
        if self._closed:
            return
        if isinstance(event, Hearing) and self._events and isinstance(self._events[-1], Hearing):
            self._events.pop()
        if len(self._events) >= _MOST_EVENTS:
            self._events.clear()
            event = Ended()
        self._events.append(event)
        self._closed = isinstance(event, Ended)
        self._changed.set()

    def drop_sound(self) -> None:
        """Takes back the sound that is still here."""
        self._events = deque(event for event in self._events if not isinstance(event, Sound))

    async def events(self) -> AsyncIterator[Event]:
        """The events as they come, up to and with ``Ended``."""
        while True:
            while self._events:
                event = self._events.popleft()
                yield event
                if isinstance(event, Ended):
                    return
            self._changed.clear()
            await self._changed.wait()


class Playback:
    """When the sound sent so far will have been heard, if it is played without a break."""

    def __init__(self) -> None:
        self._ends_at = 0.0  # monotonic
        self._levels: deque[tuple[float, float]] = deque()  # end of a piece, its level

    @property
    def ahead_s(self) -> float:
        """Seconds of sound that are still to be heard."""
        return max(0.0, self._ends_at - time.monotonic())

    def add(self, pcm: bytes) -> None:
        """A piece was sent: 16-bit mono at ``tts.RATE_HZ``."""
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768
        self._ends_at = max(self._ends_at, time.monotonic()) + len(samples) / RATE_HZ
        self._levels.append((self._ends_at, float(np.sqrt(np.mean(samples * samples))) if len(samples) else 0.0))

    def clear(self) -> None:
        """All of it was dropped, or has been heard."""
        self._ends_at = 0.0

    def loudest(self) -> float:
        """The level (root mean square, 0..1) of the loudest sound whose echo may be heard now."""
        now = time.monotonic()
        while self._levels and self._levels[0][0] < now - _ECHO_S:
            self._levels.popleft()
        begun = [level for end, level in self._levels if end - now < 0.1]
        return max(begun, default=0.0)

    async def room(self) -> None:
        """Returns when no more than AHEAD_S of sound is still to be heard."""
        if (over_s := self.ahead_s - AHEAD_S) > 0:
            await asyncio.sleep(over_s)
