"""The bounded queue in front of a model: so many threads work, so many requests may be inside, the next one is refused.

A request enters once (`admit`) and may then hand in several pieces of work one after the other, so that a long
recording takes turns with short ones instead of blocking them. Memory is bounded with it: a request says how many
bytes it brings.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar

from pipeline.errors import OvertoneError

T = TypeVar("T")


class Overloaded(OvertoneError):  # noqa: N818  as in errors.py: the name says what is wrong
    """The queue is full; the caller should try again later."""


class Work:
    """Threads that run one model's work in the order it came in; it holds at most ``requests`` requests at a time."""

    def __init__(self, name: str, *, threads: int, requests: int, most_bytes: int = 1 << 30) -> None:
        """``most_bytes`` bounds the sum of what admitted requests bring; one request alone is never too big for it."""
        self.name = name
        self.threads = threads
        self._requests, self._most_bytes = requests, most_bytes
        self._inside, self._bytes = 0, 0
        self._running = 0
        self._closed = False
        self._queue: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._changed = threading.Condition()
        # Daemons: a decode of some seconds must not hold up the end of the process.
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number + 1}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def idle(self) -> bool:
        """Whether a piece of work handed in now would start at once."""
        return self._running + len(self._queue) < self.threads

    def admit(self, size_bytes: int = 0) -> Slot:
        """A place inside for one request, to be used as a context manager. Raises Overloaded at once when full."""
        with self._changed:
            crowded = self._inside >= self._requests
            heavy = self._inside > 0 and self._bytes + size_bytes > self._most_bytes
            if crowded or heavy:
                raise Overloaded(
                    f"the {self.name} is busy with {self._inside} requests: try again later, "
                    "or raise OVERTONE_SERVE_QUEUE"
                )
            self._inside += 1
            self._bytes += size_bytes
        return Slot(self, size_bytes)

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What ``function`` returns, run as a request of one piece. Raises Overloaded when full, and what it raises."""
        with self.admit() as slot:
            return await slot.run(function, *arguments)

    def close(self, *, wait_s: float = 0.0) -> None:
        """End the threads after what they are doing, for which this waits so long; work in the queue is cancelled."""
        with self._changed:
            self._closed = True
            waiting = list(self._queue)
            self._queue.clear()
            self._changed.notify_all()
        for future, _, _ in waiting:
            future.cancel()
        deadline = time.monotonic() + wait_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _submit(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> Future[T]:
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise Overloaded(f"the {self.name} is shutting down")
            self._queue.append((future, function, arguments))
            self._changed.notify()
        return future

    def _leave(self, size_bytes: int) -> None:
        with self._changed:
            self._inside -= 1
            self._bytes -= size_bytes

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                future, function, arguments = self._queue.popleft()
                self._running += 1
            result, error = None, None
            # False where the client has gone away while this waited.
            wanted = future.set_running_or_notify_cancel()
            try:
                if wanted:
                    result = function(*arguments)
            except BaseException as raised:  # noqa: BLE001  whoever awaits the future gets it, whatever it is
                error = raised
            # Before the answer is given: who has it must not find this thread still counted as busy.
            with self._changed:
                self._running -= 1
            if error is not None:
                future.set_exception(error)
            elif wanted:
                future.set_result(result)
            # What a thread last worked on (a whole recording) must not live on until its next piece of work.
            del future, function, arguments, result, error


class Slot:
    """One request's place inside a Work; leaving the context gives it back."""

    def __init__(self, work: Work, size_bytes: int) -> None:
        self._work, self._size_bytes = work, size_bytes

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What ``function`` returns, once a thread is free; raises what it raises. Cancelling drops it if it waits."""
        return await asyncio.wrap_future(self._work._submit(function, arguments))

    @property
    def idle(self) -> bool:
        """Whether a piece of work handed in now would start at once."""
        return self._work.idle

    @property
    def threads(self) -> int:
        """How many pieces of work can run at the same time."""
        return self._work.threads

    def __enter__(self) -> Slot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._work._leave(self._size_bytes)
