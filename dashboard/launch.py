"""How the dashboard is started: the command line of its process, and the process watched until it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.errors import BackendError
from pipeline.settings import Settings

SERVER = Path(__file__).resolve().parent / "server.py"
EXIT_WITH_PARENT = "--exit-with-parent"
_POLL_S = 0.1
_STOP_TIMEOUT_S = 8.0


def command(settings: Settings) -> list[str]:
    """The argv of the dashboard's process; everything but address and port lies in ``.streamlit/config.toml``.

    The process reads its settings from its environment, so it must be started with the OVERTONE_ variables of
    ``settings``.
    """
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(SERVER),
        f"--server.address={settings.dashboard_host}",
        f"--server.port={settings.dashboard_port}",
    ]


def address(settings: Settings) -> str:
    """Where a browser on this machine finds the dashboard; a server that listens everywhere is found on loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.dashboard_host, settings.dashboard_host)
    return f"http://{host}:{settings.dashboard_port}"


def run(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    ready: Callable[[str], None],
    ended: threading.Event,
) -> int:
    """The exit code of the dashboard: 0 after ``ended`` was set, its own where it ended by itself.

    ``ready`` is called with the address once it answers. Raises BackendError when it ends before that.
    """
    # Streamlit's own greetings would mix with our standard output, which belongs to the caller.
    # Our end of the pipe closes when we are killed, at which the server ends: nobody else could take its port.
    process = subprocess.Popen(
        [*command(settings), "--", EXIT_WITH_PARENT],
        env=settings.to_env(environment),
        stdin=subprocess.PIPE,
        stdout=sys.stderr,
    )
    try:
        while not _answers(settings):
            if process.poll() is not None:
                raise BackendError(
                    f"the dashboard ended before it answered at {address(settings)} (exit code {process.returncode}); "
                    "is its port taken? OVERTONE_DASHBOARD_PORT chooses another"
                )
            if ended.wait(_POLL_S):
                return 0
        ready(address(settings))
        while process.poll() is None:
            if ended.wait(_POLL_S):
                return 0
        return process.returncode
    finally:
        _stop(process)


def _answers(settings: Settings) -> bool:
    try:
        with urllib.request.urlopen(f"{address(settings)}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        process.kill()
        process.wait()
