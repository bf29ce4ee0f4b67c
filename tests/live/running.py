"""The gateway in a process of its own, as `overtone up` runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Running:
    """A gateway that said it is ready at ``address``; its home folder and its log."""

    process: subprocess.Popen[str]
    address: str
    home: Path
    log: Path

    def health(self) -> dict[str, Any]:
        """What it says of itself."""
        with urllib.request.urlopen(f"{self.address}/health", timeout=20) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def settle(self) -> None:
        """Returns when every engine has worked once."""
        deadline = time.monotonic() + 120
        while not self.health()["warm"]:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)


def start(home: Path, speech: str, **settings: str) -> subprocess.Popen[str]:
    """A gateway on a free port that is just starting; ``speech`` is a Riva server, ``settings`` fields of Settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OVERTONE_")}
    uris = dict.fromkeys(("asr_uri", "nlp_uri", "tts_uri"), speech)
    given = {"home": str(home), "live_port": "0"} | uris | settings
    home.mkdir(parents=True, exist_ok=True)
    with (home / "gateway.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline.live", "--exit-with-parent"],
            env=environment | {"OVERTONE_" + name.upper(): value for name, value in given.items()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


@contextmanager
def running(home: Path, speech: str, **settings: str) -> Iterator[Running]:
    """A gateway that is ready; it ends with the context, as it would with its parent."""
    with start(home, speech, **settings) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready http://"), (home / "gateway.log").read_text()
        found = Running(process, line.split()[1], home, home / "gateway.log")
        found.settle()
        yield found
        # Leaving Popen closes the gateway's standard input, at which it ends, and waits for it.
    told = found.log.read_text()
    assert "Exception in ASGI application" not in told, told  # however a connection ended
