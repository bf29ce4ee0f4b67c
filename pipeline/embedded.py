"""Our own services as child processes: the embedded speech server on a port of its own, the gateway, the dashboard.

A child reads our end of a pipe as its standard input and stops when that closes, so it never outlives us, not even
when we are killed. A running `overtone up` publishes its server in ``OVERTONE_HOME/server.json``; `overtone ingest`
beside it then uses that one instead of loading the models a second time.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from pipeline.errors import BackendError
from pipeline.settings import Settings

_READY = "ready "
_START_TIMEOUT_S = 180.0  # a cold disk and a busy laptop; usually it takes 3 to 8 seconds
_STOP_TIMEOUT_S = 10.0
_CHECK_S, _LONGEST_WAIT_S = 0.5, 30.0  # between looks whether a server is alive; after failures to start it

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """What ``server.json`` says of a running server: where it listens and which models it was started with."""

    uri: str
    pid: int
    whisper: str
    models: str


class Child:
    """A service of ours in a process of its own that has said ``ready <address>``; closing it ends the process."""

    def __init__(self, name: str, module: Sequence[str], settings: Settings, environment: Mapping[str, str]) -> None:
        """Run ``python -m <module...> --exit-with-parent`` under ``settings`` and wait until it is ready.

        Raises BackendError with the service's own last line when it ends before that, or takes too long.
        """
        settings.logs_folder.mkdir(parents=True, exist_ok=True)
        self.log = settings.logs_folder / f"{module[0].rpartition('.')[2]}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *module, "--exit-with-parent"],
                env=settings.to_env(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # Ctrl-C in the terminal reaches the whole group: we end the child ourselves, after our own work.
                start_new_session=True,
            )
        watchdog = threading.Timer(_START_TIMEOUT_S, self.process.kill)
        watchdog.start()
        try:
            assert self.process.stdout is not None
            line = self.process.stdout.readline().strip()
        except BaseException:
            self.close()
            raise
        finally:
            watchdog.cancel()
        if not line.startswith(_READY):
            self.close()
            raise BackendError(f"{name} did not start: {_last_line(self.log)} (log: {self.log})")
        self.uri = line.removeprefix(_READY)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def close(self) -> None:
        """End the process: close its input, wait, and kill it if it does not go. Closing twice is fine."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start(settings: Settings, environment: Mapping[str, str]) -> Child:
    """The embedded server, running where ``settings`` say. Raises BackendError when it does not start."""
    return Child("the embedded server", ["pipeline.server"], settings, environment)


def again(server: Child, settings: Settings) -> Settings:
    """``settings`` for a server in the place of ``server``, which they started: its clients look for it there."""
    if settings.serve_host.startswith("unix:"):
        return settings
    return replace(settings, serve_port=int(server.uri.rpartition(":")[2]))


class Kept:
    """An embedded server that is started again, in the same place, when it ends by itself; close it to end it."""

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        """Raises BackendError when it does not start."""
        self._environment = environment
        self._server = start(settings, environment)
        self._settings = again(self._server, settings)
        self.uri = self._server.uri
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="embedded server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the server."""
        self._closing.set()
        self._thread.join()
        self._server.close()

    def _keep(self) -> None:
        wait_s = _CHECK_S
        while not self._closing.wait(wait_s):
            if self._server.alive:
                wait_s = _CHECK_S
                continue
            log.warning("the embedded server ended; starting it again")
            self._server.close()
            try:
                self._server = start(self._settings, self._environment)
            except BackendError as error:
                log.error("%s", error)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)


def loopback(settings: Settings) -> Settings:
    """``settings`` for a private server: a free loopback port, no TLS."""
    return replace(settings, serve_host="127.0.0.1", serve_port=0, serve_cert="", serve_key="", serve_client_ca="")


def publish(server: Child, settings: Settings) -> None:
    """Tell other commands with the same home where ``server`` is; a server that ended is recognised by its pid."""
    row = Published(server.uri, server.process.pid, settings.whisper, str(settings.models))
    _write(_address(settings), row.__dict__)


def publish_gateway(uri: str, pid: int, settings: Settings) -> None:
    """Tell others with the same home where the gateway is, in ``live.json``; one that ended is known by its pid."""
    settings.home.mkdir(parents=True, exist_ok=True)
    _write(settings.home / "live.json", {"uri": uri, "pid": pid})


def find(settings: Settings) -> Published | None:
    """The server published in this home with the same models; None where there is none, its process is gone, or it
    asks for TLS that a command beside it does not speak.
    """
    try:
        row = Published(**json.loads(_address(settings).read_text(encoding="utf-8")))
        os.kill(row.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    same = row.whisper == settings.whisper and row.models == str(settings.models) and not settings.serve_cert
    return row if same else None


def find_gateway(settings: Settings) -> str | None:
    """Address of the gateway of this home; None where there is none or its process is gone."""
    try:
        row = json.loads((settings.home / "live.json").read_text(encoding="utf-8"))
        os.kill(row["pid"], 0)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return str(row["uri"])


def _address(settings: Settings) -> Path:
    return settings.home / "server.json"


def _write(path: Path, row: Mapping[str, object]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(row), encoding="utf-8")
    part.replace(path)


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
