"""The thread in whose event loop the recogniser hears all live calls, and the threads that work on what it heard."""

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
    """An event loop with streams in a thread of its own, and ``workers`` for what blocks. Thread-safe."""

    def __init__(self, recogniser: Recogniser) -> None:
        """Streams are opened as they are asked for."""
        self.workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="call")
        self._streams = Streams(recogniser)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hearing", daemon=True)
        self._thread.start()

    def follow(self, work: Callable[[Streams], Awaitable[None]]) -> Future[None]:
        """Run ``work`` in the loop; cancelling what is returned cancels it."""

        async def run() -> None:
            await work(self._streams)

        return asyncio.run_coroutine_threadsafe(run(), self._loop)

    def close(self) -> None:
        """Let go of all streams."""
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._let_go(), self._loop).result(_CLOSE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_S)
        if not self._thread.is_alive():
            self._loop.close()
        self.workers.shutdown(wait=False, cancel_futures=True)

    async def _let_go(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._streams.close()
