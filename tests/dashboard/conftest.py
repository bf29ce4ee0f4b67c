"""A dashboard that really runs: a seeded home folder, the server as its own process, and Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboard.hub import Hub
from dashboard.resources import Resources
from dashboard.tickets import Tickets, key_in
from pipeline.settings import Settings
from pipeline.store import Store, open_store
from tests.dashboard import seed

ROOT = Path(__file__).resolve().parents[2]
SEEDED = 60
PATIENCE_MS = 30_000  # a busy machine is slow, not wrong
# Streamlit's own page looks for its server below the page's path first; the browser reports both misses as errors.
EXPECTED_MISSES = ("/_stcore/health", "/_stcore/host-config")


@dataclass
class Dashboard:
    """A running dashboard, its settings, and the ids of its seeded calls, the newest first."""

    settings: Settings
    ids: list[str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.settings.dashboard_port}"

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        environment = self.settings.to_env(os.environ)
        with (self.settings.home / "dashboard.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dashboard"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError((self.settings.home / "dashboard.log").read_text())
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the dashboard did not come up")

    def stop(self) -> None:
        """Ends the server as a terminal or a service manager would."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="package")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, list[str]]:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, dashboard_port=free_port(), live_port=free_port())
    with open_store(settings.store_url) as opened:
        ids = seed.fill(opened, settings.audio_folder, calls=SEEDED, now=datetime.now(UTC), with_audio=3)
    return settings, ids


@pytest.fixture(scope="package")
def dashboard(seeded: tuple[Settings, list[str]]) -> Iterator[Dashboard]:
    settings, ids = seeded
    running = Dashboard(settings, ids)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def store(seeded: tuple[Settings, list[str]]) -> Iterator[Store]:
    """The dashboard's store, opened by another process than the dashboard's: this one."""
    with open_store(seeded[0].store_url) as opened:
        yield opened


@pytest.fixture(scope="package")
def resources(seeded: tuple[Settings, list[str]], store: Store) -> Resources:
    return Resources(seeded[0], store, Tickets(key_in(seeded[0].home)), Hub(store))


Launch = Callable[..., Browser]
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
)
FAKE_MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


# A module's, not the package's: Playwright holds the thread's event loop, and other modules want one of their own.
@pytest.fixture(scope="module")
def launch() -> Iterator[Launch]:
    """Starts a Chromium with the flags that it is given beside the usual ones; all of them end with the tests."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        started: list[Browser] = []

        def start(*flags: str) -> Browser:
            started.append(playwright.chromium.launch(executable_path=found, args=[*_FLAGS, *flags]))
            return started[-1]

        yield start
        for browser in started:
            browser.close()


@pytest.fixture(scope="module")
def chromium(launch: Launch) -> Browser:
    return launch()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page in a browser of its own; the test fails when it logs an error."""
    with watched(chromium) as opened:
        yield opened


@contextmanager
def watched(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page in a context of its own; fails at the end when it has logged an error that is left in ``page.errors``."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="UTC", **options)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            errors.append(f"{message.text} {message.location.get('url')}")
            if message.type == "error" and not message.location.get("url", "").endswith(EXPECTED_MISSES)
            else None
        ),
    )
    opened.errors = errors  # type: ignore[attr-defined]  # for tests in which errors are due
    yield opened
    context.close()
    assert not errors
