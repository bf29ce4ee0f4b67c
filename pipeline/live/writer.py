"""The one thread that writes live calls to the store, in order, however long the store is away.

Every sentence is in its call's journal before it comes here, so a kill loses nothing; here it waits until the database
takes it. The clocks of the sentences follow when nothing else is waiting.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pipeline.calls import Call, Sentence, SentenceClock
from pipeline.errors import BackendError, InputError
from pipeline.live.bothclocks import BothClocks
from pipeline.store import Store

_MOST = 20_000  # pieces of work that may wait: hours of a hundred calls; then their sentences wait in the calls
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0
_CLOCKS_S = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Begin:
    """Store the start of a call."""

    call: Call


@dataclass(frozen=True)
class Append:
    """Store sentences of a call, whose clocks are given but for the time of storing."""

    call_id: str
    sentences: Sequence[Sentence]
    clocks: Sequence[SentenceClock] = ()
    done: Callable[[Sequence[Sentence], datetime], None] | None = None  # called with the time of storing
    clocks_then: BothClocks | None = None  # from which the clocks' times were taken; None: there are no clocks


@dataclass(frozen=True)
class Finish:
    """Make a call complete; ``attributes`` are added to its own."""

    call_id: str
    duration_s: float
    attributes: Mapping[str, str]
    done: Callable[[], None] | None = None  # called when nothing more will be written, whatever became of it


Work = Begin | Append | Finish


class Writer:
    """A thread over a store; ``put`` from any thread, ``close`` waits for what is waiting."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: queue.Queue[tuple[float, Work] | None] = queue.Queue(_MOST)
        self._clocks: list[SentenceClock] = []
        self._clocks_at = 0.0
        self._doing: float | None = None  # since when the piece in hand has been waiting
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Pieces of work that wait, the one in hand included."""
        return self._queue.qsize() + (self._doing is not None)

    @property
    def delay_s(self) -> float:
        """For how long the piece in hand has been waiting: more than a moment where the store is away."""
        return 0.0 if self._doing is None else time.monotonic() - self._doing

    def put(self, work: Work) -> None:
        """Hand in work; blocks where too much of it waits already."""
        self._queue.put((time.monotonic(), work))

    def close(self, wait_s: float = 10.0) -> None:
        """Write what is waiting, for at most so long; the rest is in the journals."""
        self._queue.put(None)
        self._thread.join(wait_s)
        self._stopping.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=_CLOCKS_S if self._clocks else None)
            except queue.Empty:
                self._flush()
                continue
            if item is None:
                self._flush()
                return
            self._doing, work = item
            self._patiently(work)
            self._doing = None
            if isinstance(work, Finish) and work.done and not self._stopping.is_set():
                work.done()
            if self._stopping.is_set():
                return
            if self._queue.empty() or time.monotonic() - self._clocks_at > _CLOCKS_S:
                self._flush()

    def _patiently(self, work: Work) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._stopping.is_set():
            try:
                self._do(work)
                return
            except BackendError as error:
                if wait_s == _FIRST_WAIT_S:
                    log.warning("live calls wait for the store: %s", error)
                self._stopping.wait(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            except InputError as error:  # deleted or made complete by somebody else: nothing is left to be written
                log.warning("not stored: %s", error)
                return
            except Exception:
                log.exception("not stored, by a fault of ours: %s", type(work).__name__)
                return

    def _do(self, work: Work) -> None:
        if isinstance(work, Begin):
            self._store.begin(work.call)
        elif isinstance(work, Finish):
            self._store.finish(work.call_id, work.duration_s, work.attributes)
        else:
            self._append(work)

    def _append(self, work: Append) -> None:
        try:
            self._store.append(work.call_id, work.sentences)
        except InputError:
            # A connection that broke after the commit: what is there already was stored by us a moment ago.
            there = {sentence.index for sentence in self._store.sentences(work.call_id)}
            missing = [sentence for sentence in work.sentences if sentence.index not in there]
            if len(missing) == len(work.sentences):
                raise
            self._store.append(work.call_id, missing)
        now = datetime.now(UTC) if work.clocks_then is None else work.clocks_then.wall(time.monotonic())
        self._clocks += [replace(clock, stored_at=now) for clock in work.clocks]
        if work.done:
            work.done(work.sentences, now)

    def _flush(self) -> None:
        self._clocks_at = time.monotonic()
        if not self._clocks:
            return
        try:
            self._store.record_clocks(self._clocks)
            self._clocks = []
        except BackendError as error:
            log.info("clocks of live calls wait: %s", error)
        except InputError as error:
            log.warning("clocks not stored: %s", error)
            self._clocks = []
