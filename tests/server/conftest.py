"""The engines of the server, loaded once for the tests that call them without a server around."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import weights
from pipeline.server.offline import Whisper
from pipeline.server.online import Moonshine
from pipeline.settings import Settings


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the models that are shipped."""
    return Settings().models


@pytest.fixture(scope="session")
def silero(models: Path) -> Path:
    """The weights of the voice activity model."""
    return weights.find("silero-vad", models)


@pytest.fixture(scope="session")
def whisper(models: Path) -> Whisper:
    """The offline recogniser."""
    return Whisper("tiny.en", models, workers=1)


@pytest.fixture(scope="session")
def moonshine(models: Path) -> Moonshine:
    """The online recogniser."""
    return Moonshine(models)
