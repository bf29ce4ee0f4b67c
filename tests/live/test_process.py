"""The gateway as a process: it refuses to be open to everybody, and ends cleanly."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from pathlib import Path

import pytest

from tests.live import running
from tests.live.client import talking


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"live_host": "0.0.0.0"}, "OVERTONE_LIVE_TOKEN"),
        ({"live_host": "203.0.113.7", "live_token": "x"}, "cannot listen"),
    ],
)
def test_it_says_in_one_line_why_it_does_not_start(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    with running.start(tmp_path, "127.0.0.1:9", **settings) as process:
        assert process.wait(60) == 1
    lines = (tmp_path / "gateway.log").read_text().strip().splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running.start(tmp_path, "127.0.0.1:9", live_port=port) as process:
            assert process.wait(60) == 1
    lines = (tmp_path / "gateway.log").read_text().strip().splitlines()
    assert len(lines) == 1
    assert "OVERTONE_LIVE_PORT" in lines[0]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_conversations_and_the_process(
    speech_server: str, tmp_path: Path, ending: signal.Signals
) -> None:
    with running.running(tmp_path, speech_server) as gateway:
        published = json.loads((tmp_path / "live.json").read_text())
        assert published == {"uri": gateway.address, "pid": gateway.process.pid}

        async def converse() -> None:
            async with talking(gateway.address, voice=False) as client:
                await client.turn(0)
                os.kill(gateway.process.pid, ending)
                await client.socket.wait_closed()

        asyncio.run(converse())
        assert gateway.process.wait(30) == 0


def test_it_does_not_outlive_its_parent(speech_server: str, tmp_path: Path) -> None:
    process = running.start(tmp_path, speech_server)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    process.stdin.close()
    assert process.wait(30) == 0
    process.stdout.close()
