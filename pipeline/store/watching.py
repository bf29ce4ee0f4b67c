"""Waiting for commits: one thread per store follows the counter of changes and wakes whoever waits."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from contextlib import closing
from typing import Any

from pipeline.errors import BackendError
from pipeline.store.database import Database

CHANNEL = "overtone_changes"  # of PostgreSQL's NOTIFY; the payload is the newest number
SQLITE_POLL_S = 0.02  # PRAGMA data_version reads shared memory: about 5 microseconds
POSTGRES_POLL_S = 1.0  # only a net under LISTEN: a connection pool between us and the server may swallow it


class Watcher:
    """Knows the number of the newest change soon after its commit, by whichever process. Close it when done."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = threading.Condition()
        self._newest = 0
        self._failure: BackendError | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        # A byte through this pair wakes the thread out of its wait for the server.
        self._wake, self._woken = socket.socketpair()

    def wait(self, after: int, timeout_s: float) -> int | None:
        """The newest number as soon as it is above ``after``; None when ``timeout_s`` have passed or on `close`.

        Raises BackendError when the database fails meanwhile; the next call tries again.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            if self._thread is None and not self._closed:
                self._failure = None
                self._thread = threading.Thread(target=self._follow, name="overtone-watch", daemon=True)
                self._thread.start()
            while not self._closed:
                if self._newest > after:
                    return self._newest
                if self._failure is not None:
                    raise self._failure
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return None
                self._changed.wait(left_s)
        return None

    def close(self) -> None:
        """End the thread and every wait."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        self._wake.send(b"x")
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self._wake.close()
        self._woken.close()

    def _follow(self) -> None:
        failure: BackendError | None = None
        try:
            with self._database.errors_translated():
                raw = self._database.engine.raw_connection()
                driver: Any = raw.driver_connection
                raw.detach()  # a connection of our own, in no transaction, that never goes back among the others
                with closing(driver), selectors.DefaultSelector() as selector:
                    selector.register(self._woken, selectors.EVENT_READ)
                    if self._database.is_sqlite:
                        self._follow_sqlite(driver, selector)
                    else:
                        self._follow_postgresql(driver, selector)
        except BackendError as error:
            failure = error
        finally:
            with self._changed:
                self._failure = failure
                self._thread = None
                self._changed.notify_all()

    def _publish(self, newest: int) -> None:
        with self._changed:
            if newest > self._newest:
                self._newest = newest
                self._changed.notify_all()

    def _follow_sqlite(self, driver: Any, selector: selectors.BaseSelector) -> None:
        seen: int | None = None
        while not self._closed:
            # data_version moves when another connection commits, of this process or of any other.
            present = driver.execute("PRAGMA data_version").fetchone()[0]
            if present != seen:
                self._publish(_newest(driver))
                seen = present
            selector.select(SQLITE_POLL_S)

    def _follow_postgresql(self, driver: Any, selector: selectors.BaseSelector) -> None:
        driver.autocommit = True
        driver.execute(f"LISTEN {CHANNEL}")
        selector.register(driver.fileno(), selectors.EVENT_READ)
        self._publish(_newest(driver))  # what was committed before LISTEN
        while not self._closed:
            for notification in driver.notifies(timeout=0):
                self._publish(int(notification.payload))
            if not selector.select(POSTGRES_POLL_S):
                self._publish(_newest(driver))


def _newest(driver: Any) -> int:
    return int(driver.execute("SELECT value FROM counter").fetchone()[0])
