from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from dashboard.launch import command
from pipeline.settings import Settings
from tests.dashboard.conftest import ROOT, free_port


def test_the_command_runs_the_server_beside_its_own_configuration() -> None:
    argv = command(Settings(dashboard_host="0.0.0.0", dashboard_port=9000))
    assert argv[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert Path(argv[4]).is_file()
    assert (Path(argv[4]).parent / ".streamlit" / "config.toml").is_file()
    assert argv[5:] == ["--server.address=0.0.0.0", "--server.port=9000"]


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    environment = {**os.environ, "OVERTONE_HOME": str(tmp_path), "OVERTONE_DASHBOARD_PORT": "many"}
    ended = subprocess.run(
        [sys.executable, "-m", "dashboard"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr == "OVERTONE_DASHBOARD_PORT is 'many'; give a number\n"


def test_it_says_when_it_is_ready_and_ends_with_whoever_started_it(seeded: tuple[Settings, list[str]]) -> None:
    settings = replace(seeded[0], dashboard_port=free_port())
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard", "--exit-with-parent"],
        cwd=ROOT,
        env=settings.to_env(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == f"ready http://127.0.0.1:{settings.dashboard_port}\n"
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()


def test_a_launcher_that_is_killed_leaves_no_server_on_its_port(seeded: tuple[Settings, list[str]]) -> None:
    settings = replace(seeded[0], dashboard_port=free_port())
    argv = [sys.executable, "-m", "dashboard"]
    with subprocess.Popen(
        argv, cwd=ROOT, env=settings.to_env(os.environ), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready ")
        process.kill()
    deadline = time.monotonic() + 60
    while _listens(settings.dashboard_port):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
