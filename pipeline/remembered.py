"""The audio of a stream until it is recognised, so that a broken stream can go on without hearing anything twice."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator

_LONGEST_S = 60.0


class Remembered:
    """A stream's chunks by number, at most a minute of them. Not thread-safe."""

    def __init__(self, bytes_a_second: int) -> None:
        """16-bit samples at that rate."""
        self._bytes_a_second = bytes_a_second
        self._kept: deque[bytes] = deque()
        self._first = 0  # number of the first chunk kept
        self._first_s = 0.0  # where it starts
        self._done_s = 0.0
        self.sent_s = 0.0  # seconds added so far

    def begin(self) -> tuple[int, float]:
        """Number and start in seconds of the first chunk that is not recognised: where a new stream begins.

        A chunk that is recognised in part is cut there: an utterance whose end is heard again is an utterance.
        """
        self._drop(self._done_s)
        if self._kept and self._done_s > self._first_s:
            cut = 2 * round((self._done_s - self._first_s) * self._bytes_a_second / 2)
            self._kept[0] = self._kept[0][cut:]
            self._first_s += cut / self._bytes_a_second
        return self._first, self._first_s

    def get(self, number: int) -> bytes | None:
        """Chunk ``number``, or the first one still kept; None where it has not come yet."""
        place = max(number - self._first, 0)
        return self._kept[place] if place < len(self._kept) else None

    def add(self, chunk: bytes) -> None:
        """One more chunk, of any length."""
        self._kept.append(chunk)
        self.sent_s += len(chunk) / self._bytes_a_second
        self._drop(max(self._done_s, self.sent_s - _LONGEST_S))

    def forget(self, t_s: float) -> None:
        """Everything before ``t_s`` is recognised. May be called from any thread."""
        self._done_s = t_s

    def _drop(self, t_s: float) -> None:
        while self._kept and self._first_s + len(self._kept[0]) / self._bytes_a_second <= t_s:
            self._first_s += len(self._kept.popleft()) / self._bytes_a_second
            self._first += 1


class Audio:
    """Chunks of an iterator, read by whichever thread is first; ``forget`` never waits for a reader."""

    def __init__(self, chunks: Iterable[bytes], bytes_a_second: int) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._memory = Remembered(bytes_a_second)
        self.forget = self._memory.forget
        self._ended = False
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    @property
    def sent_s(self) -> float:
        """Seconds read so far."""
        return self._memory.sent_s

    def begin(self) -> tuple[int, float]:
        """As `Remembered` has it."""
        with self._lock:
            return self._memory.begin()

    def chunk(self, number: int) -> bytes | None:
        """Chunk ``number``, waiting for it; None after the last one."""
        with self._lock:
            while (found := self._memory.get(number)) is None:
                if self._ended:
                    return None
                try:
                    self._memory.add(next(self._chunks))
                except StopIteration:
                    self._ended = True
                except BaseException as error:  # noqa: BLE001 - carried to the thread that reads the answers
                    self._ended, self._error = True, error
            return found

    def check(self) -> None:
        """Raises what the chunks raised."""
        if self._error is not None:
            raise self._error


class AsyncAudio:
    """Chunks that are awaited, for one reader after the other in an event loop."""

    def __init__(self, source: Callable[[], Awaitable[bytes]], bytes_a_second: int) -> None:
        """``source`` gives the next chunk, empty after the last; a call that is cancelled must have taken none."""
        self._source = source
        self._memory = Remembered(bytes_a_second)
        self.forget, self.begin = self._memory.forget, self._memory.begin
        self.ended = False  # whether the last chunk has been read

    @property
    def sent_s(self) -> float:
        """Seconds read so far."""
        return self._memory.sent_s

    async def chunk(self, number: int) -> bytes | None:
        """Chunk ``number``, waiting for it; None after the last one."""
        while (found := self._memory.get(number)) is None:
            if self.ended:
                return None
            if chunk := await self._source():
                self._memory.add(chunk)
            else:
                self.ended = True
        return found
