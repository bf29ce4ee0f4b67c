"""Servers in processes of their own, for the tests of how a server starts, listens and ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Running:
    """A server that said it is ready at ``uri``; its log is in the file ``log``."""

    process: subprocess.Popen[str]
    uri: str
    log: Path


def start(log: Path, **settings: str) -> subprocess.Popen[str]:
    """A server on a free port that is just starting; ``settings`` are fields of Settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OVERTONE_")}
    given = {"serve_port": "0", "home": str(log.parent)} | settings
    with log.open("w") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline.server", "--exit-with-parent"],
            env=environment | {"OVERTONE_" + name.upper(): value for name, value in given.items()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


@contextmanager
def running(log: Path, **settings: str) -> Iterator[Running]:
    """A server that is ready; it ends with the context, as it would with its parent."""
    with start(log, **settings) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready "), log.read_text()
        yield Running(process, line.split()[1], log)
        # Leaving Popen closes the server's standard input, at which it ends, and waits for it.
