"""The command as a person runs it: a process of its own, a home of its own, the session's speech server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.samples import Sample, load

TIMEOUT_S = 300


@dataclass(frozen=True)
class Overtone:
    """Runs `overtone` with one home."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """The running process."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", *map(str, arguments)],
            env=dict(self.environment) | {"OVERTONE_HOME": str(self.home)},
            cwd=self.home.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """What it printed; fails unless it ended with ``code``."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == code, f"exit code {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """Our environment without settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OVERTONE_")}


@pytest.fixture(scope="session")
def served_environment(clean_environment: dict[str, str], speech_server: str) -> dict[str, str]:
    """Settings that lead to the session's speech server."""
    return clean_environment | {f"OVERTONE_{kind}_URI": speech_server for kind in ("ASR", "NLP", "TTS")}


@pytest.fixture
def overtone(tmp_path: Path, served_environment: dict[str, str]) -> Overtone:
    """The command with a blank home and the session's server."""
    return Overtone(tmp_path / "home", served_environment)


@pytest.fixture(scope="session")
def sample_calls() -> list[Sample]:
    """The six sample calls."""
    return load()


@pytest.fixture(scope="session")
def ingested(
    tmp_path_factory: pytest.TempPathFactory, served_environment: dict[str, str], sample_calls: list[Sample]
) -> Overtone:
    """The command with a home in which the sample calls were ingested from their folder."""
    command = Overtone(tmp_path_factory.mktemp("ingested") / "home", served_environment)
    command.run("ingest", sample_calls[0].audio.parent, "--channels", "agent,customer")
    return command
