"""The last two stages of a sentence's clock: when it went to the first browser, and when that browser had painted it.

Pages report what they painted; a report counts for sentences that were sent and not reported yet, and never for a
moment before the sending or after now, so that a wrong clock of a browser cannot spoil the figures by more than that.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.calls import SentenceClock
from pipeline.errors import OvertoneError
from pipeline.latency import by_stage, late_s
from pipeline.store import Store

FLUSH_S = 1.0
FIGURES_EVERY_S = 5.0
WINDOW = timedelta(minutes=15)
MOST_FIGURED = 5000  # the newest sentences that the figures are made of
MOST_AWAITED = 20_000
_FILLED_WITHIN = timedelta(seconds=60)  # a clock's later stages come in within this
_LATEST = timedelta(minutes=6)  # ... but for a sentence that waited for a recogniser; looked for less often
_LATEST_EVERY = 6  # times
log = logging.getLogger(__name__)

Key = tuple[str, int]  # call id and index


class Clocks:
    """Gathers moments from the event loop and writes them from a thread of its own, once a second."""

    def __init__(
        self,
        store: Store,
        tell: Callable[[dict[str, Any]], None],
        tell_late: Callable[[list[tuple[str, int, float]]], None] = lambda rows: None,
    ) -> None:
        """``tell`` gets the figures for the badge, as JSON, when they changed; it is called from the thread.

        So is ``tell_late``, once for each sentence that came late, with its call, index and seconds.
        """
        self._store, self._tell, self._tell_late = store, tell, tell_late
        self._late: dict[Key, float] = {}
        self._readings = 0
        self._lock = threading.Lock()
        self._awaited: OrderedDict[Key, datetime] = OrderedDict()  # sent, and not reported as painted
        self._fresh: list[SentenceClock] = []
        self._known: dict[Key, SentenceClock] = {}
        self._read_at: datetime | None = None
        self._figures: dict[str, Any] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clocks", daemon=True)

    @property
    def figures(self) -> dict[str, Any]:
        """The latest figures: ``{"minutes", "stages": {stage: {count, p50_ms, p95_ms, p99_ms}}}``; {} before them."""
        return self._figures

    @property
    def late(self) -> Mapping[Key, float]:
        """The sentences of the last minutes that came late, with the seconds."""
        return self._late

    def start(self) -> None:
        """Begin to write and to figure."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def sent(self, keys: Iterable[Key], at: datetime) -> None:
        """These sentences went to a browser; the first time counts."""
        with self._lock:
            for key in keys:
                if key in self._awaited:
                    continue
                self._awaited[key] = at
                self._fresh.append(SentenceClock(*key, sent_at=at))
            while len(self._awaited) > MOST_AWAITED:
                self._awaited.popitem(last=False)

    def painted(self, key: Key, at_ms: float, now: datetime) -> None:
        """A browser says that it had painted the sentence at ``at_ms``, by our clock as it estimates it."""
        with self._lock:
            sent_at = self._awaited.pop(key, None)
            if sent_at is None:
                return
            earliest, latest = sent_at.timestamp(), now.timestamp()
            at = datetime.fromtimestamp(min(max(at_ms / 1000, earliest), latest), UTC)
            self._fresh.append(SentenceClock(*key, painted_at=at))

    def flush(self) -> None:
        """Write what came since the last time. Raises BackendError, and keeps it for the next time."""
        with self._lock:
            taken, self._fresh = self._fresh, []
        if not taken:
            return
        try:
            self._store.record_clocks(taken)
        except OvertoneError:
            with self._lock:
                self._fresh = [*taken, *self._fresh][-MOST_AWAITED:]
            raise

    def figure(self, now: datetime) -> None:
        """Read what the store has learnt, and tell the figures of the last 15 minutes where they changed."""
        back = _FILLED_WITHIN if self._readings % _LATEST_EVERY else _LATEST
        since = now - WINDOW if self._read_at is None else self._read_at - back
        self._readings += 1
        read = {(clock.call_id, clock.index): clock for clock in self._store.clocks(since=since)}
        self._known |= read
        self._read_at = now
        oldest = now - WINDOW
        self._known = {key: clock for key, clock in self._known.items() if _first(clock, oldest) >= oldest}
        late = {key: took_s for key, clock in read.items() if (took_s := late_s(clock)) is not None}
        fresh = [(*key, round(took_s, 1)) for key, took_s in late.items() if key not in self._late]
        self._late = {key: took_s for key, took_s in (self._late | late).items() if key in self._known}
        if fresh:
            self._tell_late(fresh)
        newest = list(self._known.values())[-MOST_FIGURED:]
        minutes = round(WINDOW.total_seconds() / 60)
        stages = {
            name: {part: round(value) for part, value in asdict(row).items()} for name, row in by_stage(newest).items()
        }
        figures = {"minutes": minutes, "stages": stages}
        if figures != self._figures:
            self._figures = figures
            self._tell(figures)

    def _run(self) -> None:
        figured = datetime.fromtimestamp(0, UTC)
        failing = False
        while not self._stopping.wait(FLUSH_S):
            try:
                self.flush()
                now = datetime.now(UTC)
                if (now - figured).total_seconds() >= FIGURES_EVERY_S:
                    figured = now
                    self.figure(now)
                failing = False
            except OvertoneError as error:
                if not failing:
                    log.warning("the clocks of sentences wait: %s", error)
                failing = True
            except Exception:
                log.exception("the clocks of sentences failed and go on")
        try:
            self.flush()
        except OvertoneError as error:
            log.warning("the last clocks of sentences are lost: %s", error)


def _first(clock: SentenceClock, otherwise: datetime) -> datetime:
    moments = (clock.spoken_at, clock.heard_at, clock.labelled_at, clock.stored_at, clock.sent_at, clock.painted_at)
    return next((moment for moment in moments if moment is not None), otherwise)
