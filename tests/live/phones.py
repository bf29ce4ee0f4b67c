"""Gateways in processes of their own, and phone systems that talk to them as the real ones do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.connection import Connection

from pipeline import samples
from pipeline.audio import Channel, read, split
from pipeline.calls import Call, Sentence
from pipeline.settings import Settings
from pipeline.store import Store, open_store
from tests.bench import standin
from tests.pipeline.sounds import silence

PATIENCE_S = 60.0


@dataclass
class Gateway:
    """A gateway at ``address`` with its home; ``process`` may be killed."""

    process: subprocess.Popen[str]
    address: str
    settings: Settings
    environment: Mapping[str, str] = field(repr=False)

    @property
    def home(self) -> Path:
        """Its home folder."""
        return self.settings.home

    def phone(self, path: str = "/calls", **options: Any) -> ClientConnection:
        """A connection of a phone system."""
        return connect(self.address.replace("http", "ws", 1) + path, max_size=None, **options)

    def health(self) -> dict[str, Any]:
        """What GET /health says."""
        with urllib.request.urlopen(self.address + "/health") as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def kill(self) -> None:
        """End it at once, as the out-of-memory killer does."""
        self.process.kill()
        self.process.wait()

    @property
    def clerk(self) -> int:
        """The number of the process that stores its calls, from proc(5)."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [int(pid) for file in children for pid in file.read_text(encoding="ascii").split()]
        return next(pid for pid in pids if b"clerk_process" in Path(f"/proc/{pid}/cmdline").read_bytes())

    def resident_mb(self) -> float:
        """Its resident memory, from proc(5)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def store(self) -> Store:
        """Its store, for a look from outside."""
        return open_store(self.settings.store_url)


@contextmanager
def gateway(home: Path, *, clock_file: str = "", **settings: str) -> Iterator[Gateway]:
    """A gateway with these settings (fields of Settings) that is ready; it ends with the block.

    With a ``clock_file`` its wall clock, and that of its own processes, can be set as `jumping` has it.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OVERTONE_")}
    if clock_file:
        environment |= {"CLOCK_FILE": clock_file, "PYTHONPATH": str(Path(__file__).parent / "jumping")}
    given = {"home": str(home), "live_port": "0", "live_second_pass": "false", **settings}
    environment |= {"OVERTONE_" + name.upper(): value for name, value in given.items()}
    home.mkdir(parents=True, exist_ok=True)
    with (home / "gateway.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.live", "--exit-with-parent"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready "), (home / "gateway.log").read_text()
        yield Gateway(process, line.split()[1], Settings.from_env(environment), environment)
    told = (home / "gateway.log").read_text()
    assert "Exception in ASGI application" not in told, told  # however a connection ended


def eventually(what: Callable[[], Any], timeout_s: float = PATIENCE_S) -> Any:
    """What ``what`` returns once that is something."""
    deadline = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def finished(store: Store, call_id: str) -> tuple[Call, list[Sentence]]:
    """The call once it is complete, and its sentences in the order in which they were spoken.

    They are numbered as they became known, which differs where a test speaks faster than time.
    """
    eventually(lambda: store.has(call_id))
    return store.call(call_id), sorted(store.sentences(call_id), key=lambda one: one.start_s)


def start(**more: Any) -> str:
    """The first message of the plain protocol: a stereo call at 16 kHz."""
    row = {"type": "start", "encoding": "s16", "rate_hz": 16000, "channels": 2, "speakers": ["agent", "customer"]}
    return json.dumps(row | more)


def stereo(channels: tuple[Channel, ...], start_s: float, end_s: float) -> bytes:
    """Interleaved samples of both channels."""
    sides = [read(channel.path, start_s, end_s) for channel in channels]
    length = max(len(side) for side in sides)
    frames = np.zeros((length, len(sides)), dtype="<i2")
    for number, side in enumerate(sides):
        frames[: len(side), number] = side
    return frames.tobytes()


def uris(address: str) -> dict[str, str]:
    """Settings that lead to the speech server there."""
    return {"asr_uri": address, "nlp_uri": address, "tts_uri": address}


def spoken(numbers: Iterable[int], *, pause_s: float = 0.5) -> npt.NDArray[np.int16]:
    """The stand-in's utterances, half a second each, with a pause behind each."""
    parts = [part for n in numbers for part in (standin.utterance(n, 0.5), silence(pause_s))]
    return np.concatenate(parts) if parts else silence(0)


def numbers(sentences: Iterable[Sentence], channel: int = 0) -> list[int]:
    """The numbers of the utterances in a transcript."""
    return [
        int(one.text.strip(".").split()[1])
        for one in sentences
        if one.text.startswith("Utterance") and channel in (0, one.channel)
    ]


def numbers_told(messages: Iterable[Mapping[str, Any]]) -> list[int]:
    """The numbers of the utterances that a phone was told of."""
    return [int(m["text"].strip(".").split()[1]) for m in messages if m["type"] == "sentence" and m["text"][0] != "["]


def frames(pcm: bytes, seconds: float = 0.1, channels: int = 2, rate_hz: int = 16_000) -> Iterator[bytes]:
    """16-bit audio in frames of that length."""
    size = round(seconds * rate_hz) * 2 * channels
    for first in range(0, len(pcm), size):
        yield pcm[first : first + size]


def answers(phone: Connection, *, until: str = "stopped", timeout_s: float = PATIENCE_S) -> list[dict[str, Any]]:
    """What the gateway says up to the message of that type, or until it hangs up."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + timeout_s
    while not found or found[-1].get("type") != until:
        try:
            found.append(json.loads(phone.recv(max(0.1, deadline - time.monotonic()))))
        except ConnectionClosed:
            return found
    return found


def sample(folder: Path, number: int = 0) -> tuple[Channel, ...]:
    """The channels of a shipped sample call."""
    return split(samples.load()[number].audio, folder / "sample")
