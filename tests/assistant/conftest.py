"""The assistant over the real server, the sample catalogue at a fixed time, and a real archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fulfillment.services import Services, open_services
from pipeline.assistant import ACTIONS, Assistant
from pipeline.backends import Backends
from pipeline.dialog import Flows, load
from pipeline.nlp import Understander
from pipeline.settings import DATA, Settings
from pipeline.store import Store, open_store

NOON = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)  # a Monday; half past twelve in Denver
FLOWS: Flows = load(DATA / "flows", actions=ACTIONS)


def at_noon() -> datetime:
    """The time in all conversations of the tests."""
    return NOON


@dataclass(frozen=True)
class Desk:
    """An assistant with its archive."""

    assistant: Assistant
    archive: Store


@pytest.fixture(scope="session")
def backends(speech_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """The services at the session's speech server."""
    home = tmp_path_factory.mktemp("assistant")
    with Backends(Settings(home=home, asr_uri=speech_server, nlp_uri=speech_server, tts_uri=speech_server), {}) as all:
        yield all


@pytest.fixture(scope="session")
def understander(backends: Backends) -> Understander:
    """The shipped model behind the real server."""
    return backends.understander


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The embedded services at noon."""
    opened = open_services(tmp_path_factory.mktemp("services"), clock=at_noon)
    yield opened
    opened.close()


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Store]:
    """A blank archive."""
    with open_store(f"sqlite:///{tmp_path}/overtone.db") as store:
        yield store


@pytest.fixture
def desk(understander: Understander, services: Services, archive: Store) -> Iterator[Desk]:
    """An assistant with the shipped flows."""
    with Assistant(FLOWS, understander, services, archive, hand_over="555 0100", clock=at_noon) as assistant:
        yield Desk(assistant, archive)
