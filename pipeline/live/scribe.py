"""The thread that writes live calls' audio to the disk, so that nobody who carries audio waits for it."""

from __future__ import annotations

import threading

from pipeline.live.recording import Recording

_TOGETHER_S = 0.05  # for which audio is gathered: a write has its price
_CLOSE_S = 5.0


class Scribe:
    """Writes out recordings that are due. Thread-safe; a disk that hangs holds up only this."""

    def __init__(self) -> None:
        self._due: set[Recording] = set()
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scribe", daemon=True)
        self._thread.start()

    def due(self, recording: Recording) -> None:
        """Have ``recording`` written out soon."""
        with self._lock:
            self._due.add(recording)
        if not self._some.is_set():
            self._some.set()

    def close(self) -> None:
        """Write what is due, and end."""
        self._closing.set()
        self._some.set()
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._closing.wait(_TOGETHER_S)
            self._some.clear()
            with self._lock:
                due, self._due = self._due, set()
            for recording in due:
                recording.write_out()
            if self._closing.is_set():
                return
