"""How long a committed sentence takes to the pixels of the Live page, and whether any is missed.

Sentences are committed one by one by another process over many live calls. One Chromium shows the page and notes when
a sentence has been painted: a MutationObserver sees its row, and two animation frames later it is on the screen. The
other sessions are clients of the live socket that count what they get. All clocks are this machine's.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from playwright.sync_api import sync_playwright
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboard.tickets import LIVE_SCOPE, Tickets, key_in
from pipeline.settings import Settings
from pipeline.store import open_store
from tests.dashboard import seed
from tests.dashboard.conftest import Dashboard, free_port

OBSERVER = """() => {
    window.painted = {};
    new MutationObserver((changes) => {
        const keys = [];
        for (const change of changes)
            for (const node of change.addedNodes) if (node.dataset?.key) keys.push(node.dataset.key);
        if (keys.length) requestAnimationFrame(() => requestAnimationFrame(() => {
            for (const key of keys) window.painted[key] ??= Date.now();
        }));
    }).observe(document, { childList: true, subtree: true });
}"""


def measure(*, calls: int = 200, per_second: float = 50.0, seconds: float = 20.0, sessions: int = 5) -> dict[str, Any]:
    """Latencies in milliseconds from commit to painted (browser) and to received (other sessions), and what was missed.

    Raises LookupError where there is no Chromium.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise LookupError("no Chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        running = _start(Path(folder), calls)
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(running.address)
            page.locator(".ov-card").first.wait_for(timeout=60_000)
            page.evaluate(OBSERVER)
            heard: list[dict[str, float]] = [{} for _ in range(sessions - 1)]
            stop = threading.Event()
            threads = [threading.Thread(target=_listen, args=(running, times, stop)) for times in heard]
            for thread in threads:
                thread.start()
            time.sleep(1.0)
            committed = _write(running.settings.home, calls, per_second, seconds)
            time.sleep(2.0)
            painted: dict[str, float] = page.evaluate("window.painted")
            stop.set()
            for thread in threads:
                thread.join()
            browser.close()
        finally:
            running.stop()
    took_s = (max(committed.values()) - min(committed.values())) / 1000
    received = [(times.get(key), at) for times in heard for key, at in committed.items()]
    return {
        "live_calls": calls,
        "sessions": sessions,
        "sentences": len(committed),
        "sentences_per_second": round(len(committed) / took_s, 1),
        "browser_ms": _summary([painted[key] - at for key, at in committed.items() if key in painted]),
        "browser_missed": sum(key not in painted for key in committed),
        "sockets_ms": _summary([then - at for then, at in received if then is not None]),
        "sockets_missed": sum(then is None for then, _ in received),
    }


def _start(home: Path, calls: int) -> Dashboard:
    settings = Settings(home=home, dashboard_port=free_port())
    with open_store(settings.store_url) as store:
        for number in range(calls):
            store.begin(seed.live_call(number, datetime.now(UTC)))
    running = Dashboard(settings, [])
    running.start()
    return running


def _listen(running: Dashboard, times: dict[str, float], stop: threading.Event) -> None:
    ticket = Tickets(key_in(running.settings.home)).issue(LIVE_SCOPE)
    url = f"{running.address.replace('http', 'ws', 1)}/api/live?ticket={ticket}"
    with connect(url, origin=running.address, max_size=None) as session:  # type: ignore[arg-type]
        while not stop.is_set():
            try:
                message = json.loads(session.recv(0.5))
            except TimeoutError:
                continue
            except ConnectionClosed:
                return
            now = time.time() * 1000
            for event in message.get("events", ()):
                if event.get("entry"):
                    times.setdefault(f"{event['entry']['call_id']}:{event['entry']['index']}", now)


def _write(home: Path, calls: int, per_second: float, seconds: float) -> dict[str, float]:
    """Commits sentences from a process of its own; the time of each commit in milliseconds by call and index."""
    argv = [sys.executable, "-m", "tests.bench.live_wall", str(home), str(calls), str(per_second), str(seconds)]
    lines = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
    return {key: float(at) for key, at in (line.split() for line in lines)}


def _summary(values: list[float]) -> dict[str, float]:
    cuts = quantiles(values, n=100, method="inclusive")
    found = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(values)}
    return {name: round(value, 1) for name, value in found.items()}


def _writer(home: Path, calls: int, per_second: float, seconds: float) -> None:
    chance = random.Random(5)
    lines = [line for script in seed.SCRIPTS.values() for line in script]
    indices = [0] * calls
    with open_store(Settings(home=home).store_url) as store:
        began = time.monotonic()
        for count in range(round(per_second * seconds)):
            time.sleep(max(0.0, began + count / per_second - time.monotonic()))
            number = chance.randrange(calls)
            call = seed.live_call(number, datetime.now(UTC))
            said = seed.conversation(call.id, [chance.choice(lines)], chance)[0]
            index = indices[number]
            indices[number] += 1
            store.append(call.id, [replace(said, index=index, start_s=4.0 * index, end_s=4.0 * index + 3)])
            print(f"{call.id}:{index} {time.time() * 1000:.1f}")


if __name__ == "__main__":
    if sys.argv[1:]:
        _writer(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
    else:
        print(json.dumps(measure(), indent=2))
