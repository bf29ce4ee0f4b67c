"""A channel's samples on their way to the recogniser: put in by the network, taken out by a stream, never too many.

What the recogniser cannot take for long is dropped from the front and handed out as silence of the same length, so
that times stay true; the recording has it, and the second pass hears it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.live.intake import Gap
from pipeline.live.pcm import RATE_HZ, is_quiet, level_at_end

_BYTES_A_SECOND = 2 * RATE_HZ
_CHUNK = 2 * (RATE_HZ * 6 // 100)  # bytes handed out at once, at least: 60 ms, since a message has its price
_QUIET_CHUNK = _BYTES_A_SECOND  # ... while nobody speaks, and twice that where we are patient
_SPEECH_CHUNK = _BYTES_A_SECOND * 2 // 5  # ... while somebody goes on speaking, where we are patient
_SOFT = 4  # times under the speech before it (12 dB): it may have ended
_HALVED_S = 2.0  # in which a voice that was heard counts half as loud
_LARGEST = 2 * _BYTES_A_SECOND
_QUIET = 32  # peak (-60 dBFS) under which no voice activity model hears anything
_CALM_S = 0.6  # of quiet after which chunks may grow: the end of an utterance must not wait
_HUSH_S = 30.0  # of quiet after which the recogniser is let go: a stream that hears nothing takes another's place
_BEFORE_S = 0.6  # of quiet that a stream gets before the sound it is opened for
_STALE_S = 0.5  # what the network left unfinished is handed out after this
_REMEMBERED_S = 180.0  # of arrival times


class Buffer:
    """One channel's buffer of at most ``longest_s`` seconds; any thread may put, one coroutine takes ``next``."""

    def __init__(self, channel: int, *, longest_s: float, start_s: float = 0.0) -> None:
        """``start_s`` is where in the call the first sample stands."""
        self.channel = channel
        self._most = round(longest_s * RATE_HZ) * 2
        self._pieces: deque[tuple[bytes, bool]] = deque()  # and whether they are quiet
        self._bytes = 0
        self._owed = 0  # bytes of silence that stand for what was dropped, before the pieces
        self._start_s = start_s
        self._taken = 0  # bytes handed out so far
        self._put = 0
        self._put_at = time.monotonic()
        self._quiet = 0  # bytes of quiet at the end of what was handed out
        self._loud_at = 0  # number of the byte behind the last loud piece
        self._voice = 0.0  # amplitude of the speech of late, while we are patient
        self._soft = True  # whether what was put in last ends softer than that
        self.patient = False  # whether chunks may be longer while somebody goes on speaking
        self._ended = False
        self._asked_to_pause = False
        self._lock = threading.Lock()
        self._waiting: _Reader | None = None  # where it waits
        self._arrivals: deque[tuple[float, float]] = deque()  # position in the call, monotonic time
        self._dropped: list[Gap] = []

    @property
    def position_s(self) -> float:
        """Where in the call the next sample that is handed out stands."""
        return self._start_s + self._taken / _BYTES_A_SECOND

    @property
    def backlog_s(self) -> float:
        """Seconds that wait to be handed out."""
        return (self._bytes + self._owed) / _BYTES_A_SECOND

    @property
    def ended(self) -> bool:
        """Whether no more will be put in, and nothing is left."""
        with self._lock:
            return self._ended and not self._bytes and not self._owed

    def put(self, pcm: bytes, *, at: float | None = None) -> None:
        """Add samples that arrived ``at`` (monotonic; None: now); the oldest give way where there are too many."""
        if not pcm:
            return
        quiet = is_quiet(pcm, _QUIET)
        with self._lock:
            if self._ended:
                return
            self._pieces.append((pcm, quiet))
            self._bytes += len(pcm)
            self._put += len(pcm)
            self._loud_at = self._loud_at if quiet else self._put
            self._soft = not self.patient or quiet or self._softer(pcm)
            self._put_at = time.monotonic()
            moment = self._put_at if at is None else at
            self._arrivals.append((self._start_s + self._put / _BYTES_A_SECOND, moment))
            while self._arrivals[0][1] < moment - _REMEMBERED_S and len(self._arrivals) > 1:
                self._arrivals.popleft()
            self._make_room()
            if self._enough():
                self._wake()

    def end(self) -> None:
        """No more samples will come; the reader gets what is left."""
        with self._lock:
            self._ended = True
            self._wake()

    def pause(self) -> None:
        """Let the reader come to an end at the next quiet moment, so that it can begin anew with other wishes."""
        with self._lock:
            self._asked_to_pause = True

    def go_on(self) -> None:
        """Forget a pause that was asked for: the reader begins anew."""
        with self._lock:
            self._asked_to_pause = False

    async def sound(self) -> bool:
        """Whether there is something to read: at once, but after a long quiet when there is a sound again.

        The quiet is passed over, which moves ``position_s``; False when no more will be put in and nothing is left.
        """
        reader = _Reader.here()
        while True:
            with self._lock:
                if self._hushed():
                    self._pass_over()
                if self._ended or not self._hushed():
                    return not self._ended or bool(self._bytes or self._owed)
                reader.changed.clear()
                self._waiting = reader
            await reader.changed.wait()

    async def next(self) -> bytes:
        """The samples that have come, 60 ms or more; empty at the end of the channel, at a pause that was asked for,
        and after half a minute of quiet.

        Pieces grow to a second while nobody speaks and to two while the reader is behind; where we are ``patient``, to
        two and, while somebody goes on speaking, 0.4, but not at their end. A cancelled call has taken nothing.
        """
        reader = _Reader.here()
        while True:
            with self._lock:
                waiting = self._bytes + self._owed
                stale_s = self._put_at + _STALE_S - time.monotonic()
                if self._ended and not waiting:
                    return b""
                if (self._hushed() or self._may_pause()) and not self._ended:
                    return b""
                if self._ended or self._enough() or (waiting and stale_s <= 0):
                    return self._take()
                reader.changed.clear()
                self._waiting = reader
            timer = reader.loop.call_later(stale_s, reader.changed.set) if waiting else None
            try:
                await reader.changed.wait()
            finally:
                if timer is not None:
                    timer.cancel()

    def arrived(self, position_s: float) -> float | None:
        """The monotonic time at which the sample at ``position_s`` of the call arrived; None where nobody knows."""
        with self._lock:
            for end_s, moment in self._arrivals:
                if end_s >= position_s - 1e-6:
                    return moment - max(0.0, end_s - position_s)
            return self._arrivals[-1][1] if self._arrivals else None

    def dropped(self) -> list[Gap]:
        """What was dropped since this was last asked."""
        with self._lock:
            found, self._dropped = self._dropped, []
            return found

    def _enough(self) -> bool:
        if self._calm():
            least = 2 * _QUIET_CHUNK if self.patient else _QUIET_CHUNK
        else:
            least = _CHUNK if self._soft else _SPEECH_CHUNK
        return self._bytes + self._owed >= least

    def _softer(self, pcm: bytes) -> bool:
        """Whether speech may have ended before the end of ``pcm``."""
        level = level_at_end(pcm)
        self._voice = max(level, self._voice * 0.5 ** (len(pcm) / _BYTES_A_SECOND / _HALVED_S))
        return level * _SOFT < self._voice

    def _calm(self, seconds: float = _CALM_S) -> bool:
        """Whether all that was handed out for so long was quiet, and all that waits is."""
        return self._put - self._bytes - self._owed - self._loud_at >= seconds * _BYTES_A_SECOND

    def _hushed(self) -> bool:
        return self._calm(_HUSH_S)

    def _may_pause(self) -> bool:
        # What was handed out must have ended in quiet, not what came last: between them somebody may speak. Nor must
        # the reader have caught up: one that is far behind is asked to pause because it is.
        return self._asked_to_pause and self._quiet >= _CALM_S * _BYTES_A_SECOND

    def _pass_over(self) -> None:
        """Leave out what waits, all of it quiet, but for what a sound needs before it."""
        self._taken += self._owed
        self._owed = 0
        keep = 0.0 if self._ended else _BEFORE_S * _BYTES_A_SECOND
        while self._pieces and self._bytes - len(self._pieces[0][0]) >= keep:
            gone, _ = self._pieces.popleft()
            self._bytes -= len(gone)
            self._taken += len(gone)

    def _wake(self) -> None:
        if self._waiting is None:
            return
        reader, self._waiting = self._waiting, None
        if reader.thread == threading.get_ident():  # the loop's own, which needs no waking: it has brought the audio
            reader.changed.set()
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the reader
            reader.loop.call_soon_threadsafe(reader.changed.set)

    def _take(self) -> bytes:
        if self._owed:
            taken = bytes(min(self._owed, _LARGEST))
            self._owed -= len(taken)
            self._quiet += len(taken)
        else:
            parts: list[bytes] = []
            size = 0
            while self._pieces and size < _LARGEST and not (parts and self._may_pause()):
                piece, quiet = self._pieces.popleft()
                parts.append(piece)
                size += len(piece)
                self._quiet = self._quiet + len(piece) if quiet else 0
            taken = b"".join(parts)
            self._bytes -= size
        self._taken += len(taken)
        return taken

    def _make_room(self) -> None:
        while self._bytes > self._most and len(self._pieces) > 1:
            gone, _ = self._pieces.popleft()
            self._bytes -= len(gone)
            start_s = self._start_s + (self._taken + self._owed) / _BYTES_A_SECOND
            self._owed += len(gone)
            length_s = len(gone) / _BYTES_A_SECOND
            last = self._dropped[-1] if self._dropped else None
            if last is not None and abs(last.end_s - start_s) < 0.01:
                start_s, length_s = last.start_s, last.length_s + length_s
                self._dropped.pop()
            self._dropped.append(Gap(self.channel, start_s, length_s, "the recogniser was away for too long"))


@dataclass(frozen=True)
class _Reader:
    """Who waits for a buffer."""

    loop: asyncio.AbstractEventLoop
    thread: int  # that runs the loop
    changed: asyncio.Event

    @classmethod
    def here(cls) -> _Reader:
        """The running coroutine."""
        return cls(asyncio.get_running_loop(), threading.get_ident(), asyncio.Event())


class Pace:
    """Holds a source to the pace of time: how long it must wait before it may send more."""

    def __init__(self, factor: float, *, ahead_s: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        """``factor`` times the pace of time, 0 for no limit; ``ahead_s`` of audio may come at once."""
        self._factor, self._ahead_s, self._clock = factor, ahead_s, clock
        self._credit_s, self._at = ahead_s, clock()

    def wait_s(self, sent_s: float) -> float:
        """Seconds to wait after another ``sent_s`` of audio; 0 where the source is no faster than it may be."""
        if not self._factor:
            return 0.0
        now = self._clock()
        self._credit_s = min(self._ahead_s, self._credit_s + (now - self._at) * self._factor) - sent_s
        self._at = now
        return max(0.0, -self._credit_s / self._factor)
