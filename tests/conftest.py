"""Fixtures for tests of several packages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.store import postgres as postgresql


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Server]:
    """A real PostgreSQL server; ``postgres.database()`` is the URL of a new blank database in it."""
    try:
        with postgresql.running() as server:
            yield server
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def speech_server() -> Iterator[str]:
    """Address of the embedded speech server, started once with default settings in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OVERTONE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.server", "--exit-with-parent"],
        env=environment | {"OVERTONE_SERVE_PORT": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:  # closes the pipes, at which the server ends, and waits for it
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready "), f"the speech server did not start (exit code {process.poll()})"
        yield line.split()[1]
