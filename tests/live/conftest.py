"""The gateway that most tests share, and clients of the speech server for what people say and hear."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.asr import Recogniser
from pipeline.backends import Backends
from pipeline.settings import Settings
from pipeline.tts import Speaker
from tests.live import running
from tests.live.relay import Relay

TWILIO_AUTH_TOKEN = "12345"
PLACES = 10


@pytest.fixture(scope="package")
def backends(speech_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """Services at the speech server, with a home of their own."""
    home: Path = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, asr_uri=speech_server, nlp_uri=speech_server, tts_uri=speech_server)
    with Backends(settings, os.environ) as found:
        yield found


@pytest.fixture(scope="package")
def speaker(backends: Backends) -> Speaker:
    return backends.speaker


@pytest.fixture(scope="package")
def recogniser(backends: Backends) -> Recogniser:
    return backends.recogniser


@pytest.fixture(scope="package")
def relay(speech_server: str) -> Iterator[Relay]:
    """What stands between the gateway and the speech server."""
    found = Relay(speech_server)
    yield found
    found.close()


@pytest.fixture(scope="package")
def gateway(relay: Relay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Running]:
    """A gateway with ten places, in a home of its own."""
    home = tmp_path_factory.mktemp("gateway")
    settings = {"live_conversations": str(PLACES), "twilio_auth_token": TWILIO_AUTH_TOKEN}
    with running.running(home, relay.address, **settings) as found:
        yield found
