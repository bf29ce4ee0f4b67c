"""The way out: every alert goes into each channel's outbox and from there, in a thread a channel, to its receiver.

At least once: a message leaves the outbox only after the receiver took it, and carries an id to drop doubles by.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from pipeline.alerts.outbox import Outbox, Waiting

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
GIVE_UP_AFTER = timedelta(hours=24)
log = logging.getLogger(__name__)


class Undelivered(Exception):  # noqa: N818 - says what is the case
    """A receiver did not take a message; ``retryable`` where later may work."""

    def __init__(self, reason: str, retryable: bool) -> None:
        super().__init__(reason)
        self.retryable = retryable


class Channel(Protocol):
    """A way to somebody: the webhook, the e-mail."""

    name: str

    def deliver(self, id: str, message: Mapping[str, Any]) -> None:
        """Hand the message over. Raises Undelivered."""

    def close(self) -> None:
        """Let go of connections."""


class Delivery:
    """Sends what is put into it until it arrives, over restarts too. Close it when done; what waits then stays."""

    def __init__(self, folder: Path, channels: Sequence[Channel], *, first_pause_s: float = FIRST_PAUSE_S) -> None:
        """``folder`` holds the outboxes; what waits there from before is sent first."""
        self._lines = [_Line(Outbox(folder, channel.name), channel, first_pause_s) for channel in channels]

    def put(self, id: str, message: Mapping[str, Any]) -> None:
        """Send ``message`` over every channel; when this returns it is on the disk and will not be lost."""
        for line in self._lines:
            line.put(id, message)

    def close(self) -> None:
        """Stop sending, after the attempts that are under way."""
        for line in self._lines:
            line.close()


class _Line:
    """One channel with its outbox and its thread. A message that fails waits, and the others go on."""

    def __init__(self, outbox: Outbox, channel: Channel, first_pause_s: float) -> None:
        self._outbox, self._channel, self._first_pause_s = outbox, channel, first_pause_s
        self._changed = threading.Condition()
        now = time.monotonic()
        self._due: dict[str, tuple[float, int, Waiting]] = {w.id: (now, 0, w) for w in outbox.waiting()}
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"alerts-{channel.name}", daemon=True)
        self._thread.start()

    def put(self, id: str, message: Mapping[str, Any]) -> None:
        waiting = self._outbox.put(id, message, datetime.now(UTC))
        with self._changed:
            self._due.setdefault(id, (time.monotonic(), 0, waiting))
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        self._channel.close()

    def _run(self) -> None:
        while (taken := self._next()) is not None:
            tries, waiting = taken
            try:
                again_in_s = self._attempt(tries, waiting)
            except Exception:
                # A thread that dies would keep every later alert from going out.
                log.exception("sending an alert by %s failed", self._channel.name)
                again_in_s = LONGEST_PAUSE_S
            with self._changed:
                if again_in_s is None:
                    self._due.pop(waiting.id, None)
                else:
                    self._due[waiting.id] = (time.monotonic() + again_in_s, tries + 1, waiting)

    def _next(self) -> tuple[int, Waiting] | None:
        """The message to try now: those never tried before the others; None at the end."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                ready = [(tries, due, waiting) for due, tries, waiting in self._due.values() if due <= now]
                if ready:
                    tries, _, waiting = min(ready, key=lambda item: (item[0] > 0, item[1]))
                    return tries, waiting
                soonest = min((due for due, _, _ in self._due.values()), default=None)
                self._changed.wait(None if soonest is None else max(0.0, soonest - now))
        return None

    def _attempt(self, tries: int, waiting: Waiting) -> float | None:
        """Seconds until the next attempt; None where there is none to come."""
        try:
            message = self._outbox.message(waiting)
        except (OSError, ValueError) as error:
            log.error("an alert in the outbox cannot be read and is not sent: %s", error)
            if waiting.path.exists():
                self._outbox.give_up(waiting, str(error))
            return None
        try:
            self._channel.deliver(waiting.id, message)
        except Undelivered as error:
            old = datetime.now(UTC) - waiting.put_at > GIVE_UP_AFTER
            if not error.retryable or old:
                log.error("alert %s was not delivered by %s: %s", waiting.id, self._channel.name, error)
                self._outbox.give_up(waiting, str(error))
                return None
            log.warning("alert %s waits for %s: %s", waiting.id, self._channel.name, error)
            pause_s = min(LONGEST_PAUSE_S, self._first_pause_s * 2.0 ** min(tries, 16))
            return pause_s * random.uniform(0.8, 1.2)
        self._outbox.delivered(waiting)
        return None
