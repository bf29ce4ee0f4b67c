"""The one thread that writes live calls to the store, each in order, however long the store is away.

A gateway has it in a process of its own (`clerk`); a command that plays recordings has it beside the calls.

Every sentence is in its call's journal before it comes here, so a kill loses nothing; here it waits until the database
takes it. The sentences that have come while it wrote go into the next transaction together, past the beginnings and
ends of other calls, for which nobody waits; their clocks follow.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from pipeline.calls import Call, Sentence, SentenceClock
from pipeline.errors import BackendError, InputError
from pipeline.live.bothclocks import BothClocks
from pipeline.store import Store

_MOST = 20_000  # pieces of work that may wait: hours of a hundred calls; then their sentences wait in the calls
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0
_CLOCKS_S = 0.5
_TOGETHER = 100  # pieces whose sentences go into one transaction, where so many wait
_LOOKED_AT = 1000  # pieces among which sentences are looked for

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Begin:
    """Store the start of a call."""

    call: Call
    over: Callable[[], None] | None = None  # called when nothing more will be written of this, whatever became of it


@dataclass(frozen=True)
class Append:
    """Store sentences of a call, whose clocks are given but for the time of storing."""

    call_id: str
    sentences: Sequence[Sentence]
    clocks: Sequence[SentenceClock] = ()
    done: Callable[[Sequence[Sentence], datetime], None] | None = None  # called with the time of storing
    clocks_then: BothClocks | None = None  # from which the clocks' times were taken; None: there are no clocks
    over: Callable[[], None] | None = None  # as Begin has it


@dataclass(frozen=True)
class Finish:
    """Make a call complete; ``attributes`` are added to its own."""

    call_id: str
    duration_s: float
    attributes: Mapping[str, str]
    over: Callable[[], None] | None = None  # as Begin has it


Work = Begin | Append | Finish


class StoreWriter(Protocol):
    """Who writes live calls to the store, in the order in which work is handed in for each call. Thread-safe."""

    @property
    def waiting(self) -> int:
        """Pieces of work that wait, those in hand included."""

    @property
    def delay_s(self) -> float:
        """For how long the piece in hand has been waiting: more than a moment where the store is away."""

    def put(self, work: Work) -> None:
        """Hand in work; blocks where too much of it waits already."""

    def close(self, wait_s: float = 10.0) -> None:
        """Write what is waiting, for at most so long; the rest is in the journals. Closing twice is fine."""


_Item = tuple[float, Work]  # and since when it waits


class Writer:
    """A StoreWriter in a thread over ``store``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: queue.Queue[_Item | None] = queue.Queue(_MOST)
        self._clocks: list[SentenceClock] = []
        self._clocks_at = 0.0
        self._doing: list[float] = []  # since when the pieces in hand have been waiting
        self._taken: deque[_Item | None] = deque()  # from the queue, and not in hand yet; None is the end
        self._sentences_last = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return self._queue.qsize() + len(self._doing) + len(self._taken)

    @property
    def delay_s(self) -> float:
        return time.monotonic() - self._doing[0] if self._doing else 0.0

    def put(self, work: Work) -> None:
        self._queue.put((time.monotonic(), work))

    def close(self, wait_s: float = 10.0) -> None:
        self._queue.put(None)
        self._thread.join(wait_s)
        self._stopping.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._clocks and time.monotonic() - self._clocks_at > _CLOCKS_S:
                self._flush()
            try:
                work = self._take()
            except queue.Empty:
                continue
            if not work:
                self._flush()
                return
            self._patiently(list(work))
            for one in work:
                if one.over and not self._stopping.is_set():
                    one.over()
            self._doing = []

    def _take(self) -> list[Work]:
        """The sentences that wait, or one other piece, by turns; none at the end. Raises queue.Empty after a while."""
        if not self._taken:
            self._taken.append(self._queue.get(timeout=_CLOCKS_S if self._clocks else None))
        with suppress(queue.Empty):
            while len(self._taken) < _LOOKED_AT:
                self._taken.append(self._queue.get_nowait())
        sentences, others = self._parted()
        before = {_call_id(work) for _, work in sentences}  # calls that end only behind these sentences
        other = next((item for item in others if item is None or _call_id(item[1]) not in before), None)
        if sentences and (other is None or not self._sentences_last):
            self._taken, chosen = others, sentences
        elif other is None:
            return []
        else:
            self._taken.remove(other)
            chosen = [other]
        self._sentences_last = chosen is sentences
        self._doing = [since for since, _ in chosen]
        return [work for _, work in chosen]

    def _parted(self) -> tuple[list[_Item], deque[_Item | None]]:
        """The sentences before which nothing of their own calls must be written, and the rest; both in order."""
        sentences: list[_Item] = []
        others: deque[_Item | None] = deque()
        behind: set[str] = set()  # calls of which something is among the others
        for item in self._taken:
            if item is None:
                others.append(item)
                continue
            call_id = _call_id(item[1])
            if isinstance(item[1], Append) and call_id not in behind and len(sentences) < _TOGETHER:
                sentences.append(item)
            else:
                others.append(item)
                behind.add(call_id)
        return sentences, others

    def _patiently(self, work: list[Work]) -> None:
        wait_s = _FIRST_WAIT_S
        while work and not self._stopping.is_set():
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
                log.exception("not stored, by a fault of ours: %s", type(work[0]).__name__)
                return

    def _do(self, work: list[Work]) -> None:
        match work:
            case [Begin(call)]:
                self._store.begin(call)
            case [Finish() as end]:
                self._store.finish(end.call_id, end.duration_s, end.attributes)
            case [Append() as one]:
                self._alone(one)
            case _:
                self._together(work)

    def _together(self, work: list[Work]) -> None:
        """Store the sentences of all; where one call refuses them, one by one, taking what is done off the list."""
        appends = [one for one in work if isinstance(one, Append)]
        spoken: dict[str, list[Sentence]] = {}
        for one in appends:
            spoken.setdefault(one.call_id, []).extend(one.sentences)
        try:
            self._store.append_all(spoken)
        except InputError:  # of one call: the others must not suffer
            for one in appends:
                try:
                    self._alone(one)
                except InputError as error:
                    log.warning("not stored: %s", error)
                work.remove(one)
            return
        for one in appends:
            self._stored(one)

    def _alone(self, work: Append) -> None:
        try:
            self._store.append(work.call_id, work.sentences)
        except InputError:
            # A connection that broke after the commit: what is there already was stored by us a moment ago.
            there = {sentence.index for sentence in self._store.sentences(work.call_id)}
            missing = [sentence for sentence in work.sentences if sentence.index not in there]
            if len(missing) == len(work.sentences):
                raise
            self._store.append(work.call_id, missing)
        self._stored(work)

    def _stored(self, work: Append) -> None:
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


def _call_id(work: Work) -> str:
    return work.call.id if isinstance(work, Begin) else work.call_id
