"""Fixtures of the tests of the pipeline's modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import weights
from pipeline.settings import Settings
from tests.pipeline.scripted_riva import ScriptedRiva, serving


@pytest.fixture(scope="session")
def silero() -> Path:
    """The weights of the voice activity model."""
    return weights.find("silero-vad", Settings().models)


@pytest.fixture
def scripted() -> Iterator[ScriptedRiva]:
    """A Riva server that answers as the test says."""
    with serving() as server:
        yield server
