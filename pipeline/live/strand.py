"""Work that must be done one piece after another, in threads that many such lines of work share."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor


class Strand:
    """Does what it is given in that order, never two at once, in a thread of ``pool`` while there is work."""

    def __init__(self, pool: Executor, on_fault: Callable[[], None]) -> None:
        """``on_fault`` is called, while the exception is handled, where a piece of work raises one."""
        self._pool, self._on_fault = pool, on_fault
        self._work: deque[Callable[[], object]] = deque()
        self._lock = threading.Lock()
        self._busy = False

    def do(self, work: Callable[[], object]) -> None:
        """Have ``work`` done, soon. Never blocks; may be called from any thread."""
        with self._lock:
            self._work.append(work)
            if self._busy:
                return
            self._busy = True
        self._go_on()

    def _go_on(self) -> None:
        try:
            self._pool.submit(self._do_one)
        except RuntimeError:  # the gateway has closed: what is left is in journals and recordings
            return

    def _do_one(self) -> None:
        """One piece, then the others' turn: a call with much to do must not keep a thread from those with little."""
        work = self._work.popleft()
        try:
            work()
        except Exception:  # noqa: BLE001 - whoever owns the work hears of it
            self._on_fault()
        with self._lock:
            more = self._busy = bool(self._work)
        if more:
            self._go_on()
