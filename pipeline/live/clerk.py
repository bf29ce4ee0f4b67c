"""The gateway's clerk: a process of its own that writes live calls to the store and watches them for alerts.

All threads of a process take turns at Python's lock. With two hundred calls the thread that carries their audio has it
most of the time, and a transaction, which needs it back after each of its many steps, waited for it each time. Here it
waits for nobody, and the audio does not wait for it.

What goes over the pipe, pickled by `multiprocessing.connection`:

- to the clerk: ``(number, Begin | Append | Finish)``, numbers counting up; None when no more comes.
- from it: ``(number, when it was stored)``, or ``(number, None)`` when nothing more becomes of that piece.

A clerk that ends by itself is started again and gets once more what it has not answered: the store takes nothing twice.
"""

from __future__ import annotations

import itertools
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from multiprocessing import Pipe

from pipeline.live.writer import Append, Work
from pipeline.settings import Settings

_MODULE = "pipeline.live.clerk_process"
_MOST = 20_000  # pieces that may wait, as the writer has it
_AGAIN_S, _LONGEST_S = 0.5, 8.0  # before a clerk that ended is started again, twice as long each time until it works
_KILLED_S = 2.0

log = logging.getLogger(__name__)


class Clerk:
    """A StoreWriter in a process of its own, which also sends the alerts."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        """The process gets ``settings``, and the rest of ``environment``."""
        self._environment = settings.to_env(environment)
        self._numbers = itertools.count()
        self._waiting: dict[int, tuple[float, Work]] = {}  # in order: since when, and what
        self._lock = threading.Condition()
        self._closing = threading.Event()
        self._given_up = threading.Event()
        self._again_s = _AGAIN_S
        self._start()
        self._thread = threading.Thread(target=self._follow, name="clerk", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def delay_s(self) -> float:
        with self._lock:
            oldest = next(iter(self._waiting.values()), None)
        return time.monotonic() - oldest[0] if oldest else 0.0

    def put(self, work: Work) -> None:
        with self._lock:
            self._lock.wait_for(lambda: len(self._waiting) < _MOST or self._closing.is_set())
            number = next(self._numbers)
            self._waiting[number] = (time.monotonic(), work)
            self._send((number, _bare(work)))

    def close(self, wait_s: float = 10.0) -> None:
        with self._lock:
            if not self._closing.is_set():
                self._closing.set()
                self._lock.notify_all()
                self._send(None)
        self._thread.join(wait_s)
        if self._thread.is_alive():
            self._given_up.set()
            self._process.kill()
            self._thread.join(_KILLED_S)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_KILLED_S)

    def _start(self) -> None:
        self._pipe, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, str(theirs.fileno())],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C reaches the whole group: it ends by our word, behind the last sentence
            )

    def _send(self, message: tuple[int, Work] | None) -> None:
        with suppress(OSError):  # it has ended: whoever follows it starts the next one, which gets all that waits
            self._pipe.send(message)

    def _follow(self) -> None:
        while True:
            try:
                number, at = self._pipe.recv()
            except (EOFError, OSError):
                if not self._again():
                    return
                continue
            self._again_s = _AGAIN_S
            with self._lock:
                _, work = self._waiting.pop(number, (0.0, None))
                self._lock.notify()
            if work is not None:
                self._tell(work, at)

    def _again(self) -> bool:
        """Whether another clerk does what this one, which has ended, has not done."""
        self._pipe.close()
        status = self._process.wait()
        if self._closing.is_set() and not (status and self._waiting):
            return False
        log.error("the process that stores live calls ended with status %d; it is started again", status)
        if self._given_up.wait(self._again_s):
            return False
        self._again_s = min(2 * self._again_s, _LONGEST_S)
        with self._lock:
            self._start()
            for number, (_, work) in self._waiting.items():
                self._send((number, _bare(work)))
            if self._closing.is_set():
                self._send(None)
        return True

    def _tell(self, work: Work, at: datetime | None) -> None:
        try:
            if isinstance(work, Append) and work.done and at is not None:
                work.done(work.sentences, at)
            if work.over:
                work.over()
        except Exception:
            log.exception("nobody could be told of what was stored")


def _bare(work: Work) -> Work:
    """The work without whom to tell, who is in this process."""
    return replace(work, done=None, over=None) if isinstance(work, Append) else replace(work, over=None)
