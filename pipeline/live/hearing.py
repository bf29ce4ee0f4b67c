"""The event loop in which the recogniser hears all live calls, and the threads that work on what it heard."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor

from pipeline.asr import Recogniser
from pipeline.streams import Streams

_WORKERS = 32  # they wait for labels most of the time
_CLOSE_S = 5.0


class Hearing:
    """Streams in an event loop, and ``workers`` for what blocks. Thread-safe."""

    def __init__(self, recogniser: Recogniser, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Streams are opened as they are asked for.

        ``loop`` is one that somebody else runs, until this is closed: the gateway's own, since audio that goes from one
        loop's thread to another's waits for Python's lock with every frame. None: a thread of its own runs one.
        """
        self.workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="call")
        self._streams = Streams(recogniser)
        self._loop = loop or asyncio.new_event_loop()
        self._following: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None
        if loop is None:
            self._thread = threading.Thread(target=self._loop.run_forever, name="hearing", daemon=True)
            self._thread.start()

    def follow(self, work: Callable[[Streams], Awaitable[None]]) -> Future[None]:
        """Run ``work`` in the loop; cancelling what is returned cancels it."""

        async def run() -> None:
            task = asyncio.current_task()
            assert task is not None  # a coroutine that runs
            self._following.add(task)
            try:
                await work(self._streams)
            finally:
                self._following.discard(task)

        return asyncio.run_coroutine_threadsafe(run(), self._loop)

    def close(self) -> None:
        """Let go of all streams; not from the thread that runs the loop."""
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._let_go(), self._loop).result(_CLOSE_S)
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSE_S)
            if not self._thread.is_alive():
                self._loop.close()
        self.workers.shutdown(wait=False, cancel_futures=True)

    async def _let_go(self) -> None:
        for task in (following := tuple(self._following)):
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        await self._streams.close()
