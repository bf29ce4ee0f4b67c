"""Processes are killed in the middle of live calls: the recogniser, the dashboard, a command that plays a recording."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboard.tickets import LIVE_SCOPE, Tickets, key_in
from pipeline.calls import Sentence
from pipeline.samples import Sample
from pipeline.settings import Settings
from pipeline.store import open_store
from tests.bench import standin
from tests.dashboard.conftest import Dashboard, free_port
from tests.end_to_end.conftest import Overtone
from tests.end_to_end.test_services import answers as responds
from tests.end_to_end.test_services import own, wait_for
from tests.live.phones import (
    answers,
    eventually,
    finished,
    frames,
    gateway,
    numbers,
    sample,
    spoken,
    start,
    stereo,
    uris,
)
from tests.pipeline import sounds

__all__ = ["own"]  # a fixture of the services' tests


class Wall:
    """A page's connection to the dashboard: the texts that it has shown, whether from the snapshot or as they came."""

    def __init__(self, dashboard: Dashboard) -> None:
        ticket = Tickets(key_in(dashboard.settings.home)).issue(LIVE_SCOPE)
        url = f"{dashboard.address.replace('http', 'ws', 1)}/api/live?ticket={ticket}"
        self._socket = connect(url, origin=dashboard.address, max_size=None)  # type: ignore[arg-type]
        self.texts: set[str] = set()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(ConnectionClosed):
            for message in self._socket:
                row = json.loads(message)
                entries = [*row.get("feed", ()), *(event.get("entry") for event in row.get("events", ()))]
                self.texts |= {entry["text"] for entry in entries if entry}

    def close(self) -> None:
        self._socket.close()
        self._thread.join()


@pytest.mark.slow
def test_killing_the_recogniser_and_the_dashboard_in_mid_call_loses_no_sentence(tmp_path: Path) -> None:
    with standin.running(delay_ms=10) as (address, recogniser):
        port = int(address.rpartition(":")[2])
        with gateway(tmp_path / "home", **uris(address), live_pace="0") as running, running.phone() as phone:
            dashboard = Dashboard(replace(running.settings, dashboard_port=free_port()), [])
            with _shown(dashboard):
                wall = Wall(dashboard)
                phone.send(start(channels=1, speakers=["customer"]))
                call_id = json.loads(phone.recv())["call"]
                talking = _talk(phone, range(40))
                eventually(lambda: len(wall.texts) >= 5)
                recogniser.kill()
                recogniser.wait()
                _kill(running.home, b"streamlit")
                assert dashboard.process is not None
                assert dashboard.process.wait(30) != 0
                wall.close()
                time.sleep(1.0)
                with standin.running(port=port, delay_ms=10):
                    dashboard.start()
                    after = Wall(dashboard)
                    talking.join()
                    phone.send('{"type":"stop"}')
                    answers(phone)
                    with running.store() as store:
                        _, sentences = finished(store, call_id)
                    eventually(lambda: {one.text for one in sentences} <= wall.texts | after.texts)
                    after.close()
    assert numbers(sentences) == list(range(40))
    assert len(sentences) == 40, "nothing is marked as missing"


@contextmanager
def _shown(dashboard: Dashboard) -> Iterator[None]:
    dashboard.start()
    try:
        yield
    finally:
        dashboard.stop()


def _talk(phone: Any, said: range) -> threading.Thread:
    """Says the utterances in a thread, five times as fast as time."""

    def talk() -> None:
        for frame in frames(spoken(said).tobytes(), channels=1):
            phone.send(frame)
            time.sleep(0.02)

    thread = threading.Thread(target=talk)
    thread.start()
    return thread


def test_a_replay_that_is_killed_is_finished_by_the_next_gateway(tmp_path: Path) -> None:
    recording = sounds.write_wav(tmp_path / "tones.wav", spoken(range(20)))
    home = tmp_path / "home"
    with standin.running(delay_ms=10) as (address, _):
        settings = Settings(home=home, asr_uri=address, nlp_uri=address, tts_uri=address, live_second_pass=False)
        argv = [sys.executable, "-m", "pipeline.cli", "live", str(recording), "--channels", "customer", "--speed", "4"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OVERTONE_")}
        with subprocess.Popen(argv, env=settings.to_env(clean), stdout=subprocess.PIPE, text=True) as playing:
            assert playing.stdout is not None
            told = [playing.stdout.readline() for _ in range(3)]
            playing.kill()
        assert all("Utterance" in line for line in told)
        with open_store(settings.store_url) as store:
            (row,) = store.calls().rows
            assert row.call.status == "live", "a killed process can say nothing more"
        with gateway(home, **uris(address)) as running, running.store() as store:
            call, sentences = finished(store, row.call.id)
            assert store.call(call.id).status == "complete"
    assert call.attributes["ended"] == "its gateway was killed"
    assert numbers(sentences)[:3] == [0, 1, 2]
    assert call.duration_s >= sentences[-1].end_s
    assert not list((home / "live").iterdir())


@pytest.mark.slow
def test_up_loses_no_word_where_its_server_and_its_dashboard_are_killed(
    own: Overtone, tmp_path: Path, sample_calls: list[Sample]
) -> None:
    """The same call twice through `overtone up` with its own recogniser, once undisturbed and once not."""
    own = replace(
        own, environment={**own.environment, "OVERTONE_SERVE_PORT": "0", "OVERTONE_LIVE_SECOND_PASS": "false"}
    )
    up = own.start("up")
    settings = Settings.from_env({**own.environment, "OVERTONE_HOME": str(own.home)})
    pages = f"{settings.dashboard_address}/_stcore/health"
    wait_for(lambda: responds(pages) or up.poll() is not None, "the dashboard")
    assert up.poll() is None
    channels = sample(tmp_path)
    audio = stereo(channels, 0.0, 45.0)
    undisturbed = _played(settings, audio, "undisturbed", {})
    published = json.loads((own.home / "server.json").read_text())
    disturbed = _played(
        settings,
        audio,
        "disturbed",
        {12.0: lambda: os.kill(published["pid"], signal.SIGKILL), 20.0: lambda: _kill(own.home, b"streamlit")},
    )
    wait_for(lambda: responds(pages), "the dashboard to come back")
    again = json.loads((own.home / "server.json").read_text())
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=60)
    assert again["pid"] != published["pid"]
    assert again["uri"] == published["uri"], "its clients look for it where it was"
    words = [[word for one in call for word in one.text.lower().split()] for call in (undisturbed, disturbed)]
    assert len(words[0]) > 60
    assert SequenceMatcher(a=words[0], b=words[1], autojunk=False).ratio() > 0.93, words
    assert not [one.text for one in disturbed if not one.words], "nothing is marked as missing"


@pytest.mark.slow
def test_a_gateway_alone_starts_its_killed_recogniser_again(tmp_path: Path) -> None:
    channels = sample(tmp_path)
    with gateway(tmp_path / "home") as running:
        eventually(lambda: running.health()["warm"])
        first = _played(running.settings, stereo(channels, 0.0, 12.0), "before", {}, running.address)
        _kill(running.home, b"pipeline.server")
        second = _played(running.settings, stereo(channels, 0.0, 12.0), "after", {}, running.address)
    assert len(first) >= 2
    words = [[word for one in call for word in one.text.lower().split()] for call in (first, second)]
    assert SequenceMatcher(a=words[0], b=words[1], autojunk=False).ratio() > 0.9, words


def _kill(home: Path, module: bytes) -> None:
    """Kill the process of that home that runs the module."""
    wanted = f"OVERTONE_HOME={home}".encode()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                argv = (entry / "cmdline").read_bytes().split(b"\0")
                if module in argv:
                    os.kill(int(entry.name), signal.SIGKILL)
                    return
    raise AssertionError(f"no {module.decode()} runs")


def _played(settings: Settings, audio: bytes, name: str, faults: dict[float, Any], address: str = "") -> list[Sentence]:
    """The sentences of a call through the gateway at the pace of time, with what happens at which second of it."""
    left = dict(faults)
    url = (address or f"http://127.0.0.1:{settings.live_port}").replace("http", "ws", 1) + "/calls"
    with connect(url, max_size=None) as phone:
        phone.send(start(call_id=name))
        call_id = json.loads(phone.recv())["call"]
        began = time.monotonic()
        for count, frame in enumerate(frames(audio), start=1):
            phone.send(frame)
            time.sleep(max(0.0, began + count * 0.1 - time.monotonic()))
            for at_s in [at_s for at_s in left if at_s <= count * 0.1]:
                left.pop(at_s)()
        phone.send('{"type":"stop"}')
        answers(phone, timeout_s=120)
    with open_store(settings.store_url) as store:
        return finished(store, call_id)[1]
