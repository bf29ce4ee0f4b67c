"""Who looks at the Live page during a measurement, so that clocks go on to the pixels, and what the processes cost."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboard.tickets import LIVE_SCOPE, Tickets, key_in
from pipeline.calls import SentenceClock
from pipeline.settings import Settings
from pipeline.store import Store, open_store
from tests.dashboard import seed
from tests.dashboard.conftest import Dashboard, free_port
from tests.live.phones import eventually

Looking = Literal["browser", "socket"]  # Chromium paints; a socket gets what a browser gets, and costs next to nothing
WARM_UP = "warm-up"
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@contextmanager
def watched(settings: Settings, looking: Looking) -> Iterator[Mapping[str, int]]:
    """The dashboard over the home of ``settings``, its Live page open: the pids of its processes, by what they are.

    Raises LookupError where there is no Chromium.
    """
    running = Dashboard(replace(settings, dashboard_port=free_port()), [])
    running.start()
    try:
        assert running.process is not None
        pids = {"dashboard": running.process.pid}
        with open_store(settings.store_url) as store:
            if looking == "browser":
                with _chromium(running.address) as pid:
                    _warm_up(store)
                    yield {**pids, "chromium": pid}
            else:
                with _socket(running):
                    yield pids
    finally:
        running.stop()


@contextmanager
def _chromium(address: str) -> Iterator[int]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise LookupError("no Chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        argv = [program, *_FLAGS, f"--user-data-dir={profile}", "--window-size=1280,900", "--remote-debugging-port=0"]
        process = subprocess.Popen(
            [*argv, address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(20)


def _warm_up(store: Store) -> None:
    """Returns when the page has painted a sentence."""
    call = replace(seed.live_call(0, datetime.now(UTC)), id=WARM_UP)
    store.begin(call)
    said = seed.conversation(WARM_UP, [next(iter(seed.SCRIPTS.values()))[0]], random.Random(5))[0]
    indices = iter(range(1000))

    def painted() -> bool:
        index = next(indices)
        store.append(WARM_UP, [replace(said, index=index, start_s=float(index), end_s=index + 0.9)])
        store.record_clocks([SentenceClock(WARM_UP, index, stored_at=datetime.now(UTC))])
        time.sleep(0.5)
        return any(clock.painted_at for clock in store.clocks(call_id=WARM_UP))

    eventually(painted)
    store.finish(WARM_UP)


@contextmanager
def _socket(running: Dashboard) -> Iterator[None]:
    ticket = Tickets(key_in(running.settings.home)).issue(LIVE_SCOPE)
    url = f"{running.address.replace('http', 'ws', 1)}/api/live?ticket={ticket}"
    with connect(url, origin=running.address, max_size=None) as session:  # type: ignore[arg-type]
        json.loads(session.recv(30))

        def read() -> None:
            with suppress(ConnectionClosed):
                while True:
                    session.recv()

        threading.Thread(target=read, daemon=True).start()
        yield


class Costs:
    """CPU that processes use, each with its children, from when this is made."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._began, self._before = time.monotonic(), {name: _cpu_s(pid) for name, pid in pids.items()}

    def cores(self) -> dict[str, float]:
        """Mean number of cores that each has used."""
        took_s = time.monotonic() - self._began
        return {name: round((_cpu_s(pid) - self._before[name]) / took_s, 2) for name, pid in self._pids.items()}


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process and all that came from it, from proc(5): utime and stime, in clock ticks."""
    parents, used = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = path.read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:
            continue
        fields = tail.split()
        number = int(head.split()[0])
        parents[number], used[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family and child not in family}:
        family |= more
    return sum(used.get(one, 0) for one in family) / os.sysconf("SC_CLK_TCK")
