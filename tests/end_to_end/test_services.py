"""`overtone up`, `serve` and `doctor` as processes: they start, answer, and leave nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.end_to_end.conftest import TIMEOUT_S, Overtone

PUBLISHED = Path(__file__).resolve().parent.parent / "dialog" / "published"
AWAY = {"OVERTONE_NLP_URI": "127.0.0.1:9", "OVERTONE_RIVA_PATIENCE_S": "1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S / 2
    while not condition():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def children(home: Path) -> list[int]:
    """Processes that were started with this home."""
    wanted = f"OVERTONE_HOME={home}".encode()
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if wanted in Path(entry.path, "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@pytest.fixture
def own(tmp_path: Path, clean_environment: dict[str, str]) -> Iterator[Overtone]:
    """The command with embedded services on free ports; what a failed test leaves running ends with it."""
    names = ("OVERTONE_SERVE_PORT", "OVERTONE_LIVE_PORT", "OVERTONE_DASHBOARD_PORT")
    ports = {name: str(free_port()) for name in names}
    command = Overtone(tmp_path / "home", clean_environment | ports)
    yield command
    for process in children(command.home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_up_brings_up_every_service_and_takes_them_down(own: Overtone, ending: signal.Signals) -> None:
    up = own.start("up")
    url = f"http://127.0.0.1:{own.environment['OVERTONE_DASHBOARD_PORT']}/_stcore/health"
    wait_for(lambda: answers(url) or up.poll() is not None, "the dashboard")
    assert up.poll() is None
    assert answers(f"http://127.0.0.1:{own.environment['OVERTONE_LIVE_PORT']}/health")
    doctor = json.loads(own.run("doctor", "--json").stdout)
    found = {check["name"]: check["status"] for check in doctor["checks"]}
    working = ("speech recognition", "understanding", "flows", "fulfilment")
    assert [found[name] for name in working] == ["ok"] * len(working)
    up.send_signal(ending)
    up.communicate(timeout=60)
    wait_for(lambda: not children(own.home), "the services to end")


def test_up_starts_a_killed_server_again(own: Overtone) -> None:
    up = own.start("up")
    address = own.home / "server.json"
    wait_for(address.exists, "the server")
    first = json.loads(address.read_text())["pid"]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: json.loads(address.read_text())["pid"] != first, "the server to come back")
    up.send_signal(signal.SIGINT)
    _, said = up.communicate(timeout=60)
    assert "the speech server ended; starting it again" in said


def test_a_taken_port_is_one_clear_line(own: Overtone) -> None:
    with socket.create_server(("127.0.0.1", int(own.environment["OVERTONE_DASHBOARD_PORT"]))):
        failed = own.run("up", code=1)
    assert "OVERTONE_DASHBOARD_PORT" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_doctor_says_what_is_wrong(overtone: Overtone) -> None:
    assistant = {"OVERTONE_FLOWS": str(PUBLISHED), "OVERTONE_CATALOGUE_URL": "sqlite:////nowhere/shop.db"}
    broken = replace(overtone, environment=dict(overtone.environment) | AWAY | assistant)
    found = json.loads(broken.run("doctor", "--json", code=1).stdout)
    failed = {check["name"]: check for check in found["checks"] if check["status"] == "failed"}
    assert list(failed) == ["sentiment", "understanding", "flows", "fulfilment"]
    assert all("OVERTONE_NLP_URI" in failed[name]["detail"] for name in ("sentiment", "understanding"))
    assert "errors and" in failed["flows"]["detail"]
    assert failed["flows"]["remedy"] == f"overtone flows check {PUBLISHED} lists them all"
    assert "OVERTONE_CATALOGUE_URL" in failed["fulfilment"]["detail"]


def test_doctor_for_people(overtone: Overtone) -> None:
    shown = overtone.run("doctor").stdout
    assert "ok      ffmpeg" in shown
    assert "* OVERTONE_ASR_URI=" in shown
