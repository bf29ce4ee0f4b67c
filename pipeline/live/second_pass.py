"""After a live call: its recording once more through the better recogniser, one call at a time, when there is time.

The live sentences stay in the store as the first revision; what the second pass hears counts from then on.
"""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from pipeline import analyse
from pipeline.errors import BackendError, OvertoneError
from pipeline.ingest import Services
from pipeline.live.gaps import with_gaps
from pipeline.live.journal import Journal
from pipeline.live.labelling import Labeller
from pipeline.live.recording import repaired
from pipeline.store import Store

_BUSY = 0.6  # share of all cores above which a call that is live is not disturbed
_MEASURED_S = 0.3  # for which the cores are watched, while nothing is done here
_QUIET_S = 2.0  # for which a quiet machine is believed to stay so
_LOOK_S = 1.0
_LONGEST_WAIT_S = 1800.0  # where calls are always live, one goes through at least so often
_AGAIN_S = 30.0

log = logging.getLogger(__name__)


def busy_share() -> float:
    """The share of all cores that is busy at this moment, 0..1; takes 0.3 s.

    The load average is of no use here: it needs a minute to see that calls have begun.
    """
    return psutil.cpu_percent(_MEASURED_S) / 100


class _Stopped(Exception):  # noqa: N818 - not an error: the gateway ends
    pass


class SecondPass:
    """The thread that does the second passes; ``put`` from any thread."""

    def __init__(
        self,
        store: Store,
        services: Services,
        labeller: Labeller,
        audio_folder: Path,
        *,
        keep_audio: bool,
        live_calls: Callable[[], int],
        busy: Callable[[], float] = busy_share,
    ) -> None:
        """``live_calls`` says how many calls go on that must not be disturbed, ``busy`` the share of busy cores."""
        self._store, self._services, self._labeller = store, services, labeller
        self._audio_folder, self._keep_audio = audio_folder, keep_audio
        self._live_calls, self._busy = live_calls, busy
        self._quiet_at = -_QUIET_S
        self._queue: queue.Queue[Journal | None] = queue.Queue()
        self._stopping = threading.Event()
        self._working = False
        self._thread = threading.Thread(target=self._run, name="second-pass", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Calls whose second pass is to come or going on."""
        return self._queue.qsize() + self._working

    def put(self, journal: Journal) -> None:
        """Take over the journal of an ended call: its second pass, if it gets one, and then its removal."""
        self._queue.put(journal)

    def close(self) -> None:
        """Stop; what is not done is done by the next gateway of this home."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            journal = self._queue.get()
            if journal is None:
                return
            self._working = True
            try:
                self._do(journal)
                self._tidy(journal)
            except _Stopped:
                journal.close(remove=False)
            except BackendError as error:
                log.warning("the second pass of call %s waits: %s", journal.described.call.id, error)
                threading.Timer(_AGAIN_S, self._queue.put, [journal]).start()
            except Exception:
                log.exception("call %s stays as it was heard live", journal.described.call.id)
                self._tidy(journal)
            self._working = False

    def _do(self, journal: Journal) -> None:
        described = journal.described
        call = described.call
        channels = repaired(self._audio_folder / call.id)
        if not described.second_pass or len(channels) != len(call.speakers):
            return
        if not max(channel.duration_s for channel in channels):
            return
        self._await_quiet()
        if self._store.labels(call.id):
            log.info("call %s stays as it was heard live, since somebody has corrected it", call.id)
            return
        services = self._services
        parts = (services.recogniser, services.classifier, services.voice_activity)
        try:
            heard = list(analyse.recording(call, channels, *parts, lambda share: self._await_quiet()))
        except BackendError as error:
            if error.retryable:
                raise
            log.warning("call %s stays as it was heard live: %s", call.id, error)
            return
        with_intents = self._labeller.understood(heard)
        try:
            if not self._store.revise(call, with_gaps(with_intents, described.gaps, call)):
                log.info("call %s was deleted before its second pass", call.id)
        except OvertoneError as error:
            if isinstance(error, BackendError):
                raise
            log.warning("call %s stays as it was heard live: %s", call.id, error)

    def _await_quiet(self) -> None:
        """Returns when no live call is disturbed; raises _Stopped when the gateway ends."""
        began = time.monotonic()
        while self._live_calls() and not self._quiet():
            if time.monotonic() - began > _LONGEST_WAIT_S or self._stopping.wait(_LOOK_S):
                break
        if self._stopping.is_set():
            raise _Stopped

    def _quiet(self) -> bool:
        """Whether the cores have time; measured in a pause, since our own work must not hold us up."""
        if time.monotonic() - self._quiet_at >= _QUIET_S and self._busy() <= _BUSY:
            self._quiet_at = time.monotonic()
        return time.monotonic() - self._quiet_at < _QUIET_S

    def _tidy(self, journal: Journal) -> None:
        if not self._keep_audio:
            shutil.rmtree(self._audio_folder / journal.described.call.id, ignore_errors=True)
        journal.close(remove=True)
