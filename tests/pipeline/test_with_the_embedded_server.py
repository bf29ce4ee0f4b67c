"""The clients and the analysis against the real server: its models hear what was said, when, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import riva.client

from pipeline import analyse, audio, rpc
from pipeline.asr import Recogniser
from pipeline.audio import Channel
from pipeline.calls import Call, Sentence
from pipeline.nlp import Classifier
from pipeline.settings import DATA
from pipeline.tts import Speaker
from tests.pipeline import sounds

CALL = Call("0123456789abcdef", "call.ogg", datetime(2026, 1, 2, tzinfo=UTC), 24.5, ("agent", "customer"))


@pytest.fixture(scope="module")
def auth(speech_server: str) -> Iterator[riva.client.Auth]:
    connection = riva.client.Auth(uri=speech_server, options=rpc.OPTIONS)
    yield connection
    connection.channel.close()


@pytest.fixture(scope="module")
def recogniser(auth: riva.client.Auth) -> Recogniser:
    return Recogniser(auth, address=auth.uri)


@pytest.fixture(scope="module")
def classifier(auth: riva.client.Auth) -> Classifier:
    return Classifier(auth, address=auth.uri)


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Channel, ...]:
    """The first seconds of the sample call about a bill."""
    folder = tmp_path_factory.mktemp("bill")
    whole = DATA / "samples" / "billing-dispute.ogg"
    return audio.split(sounds.convert(whole, folder / "start.flac", "-t", "24.5"), folder / "channels")


def check(found: list[Sentence]) -> None:
    """The start of the bill call, as its transcript tells it."""
    said = {role: " ".join(s.text for s in found if s.speaker == role).lower() for role in ("agent", "customer")}
    for part in ("thank you for calling", "how can i help you today", "phone number on the account"):
        assert part in said["agent"]
    for part in ("question about my bill", "the same month", "annoyed about it", "account is under martin"):
        assert part in said["customer"]
    (annoyed,) = [s for s in found if "annoyed" in s.text]
    assert 8.5 <= annoyed.start_s <= 11.5
    assert 12.5 <= annoyed.end_s <= 14.0
    assert annoyed.sentiment is not None
    assert annoyed.sentiment.label == "negative"
    assert annoyed.sentiment.model.startswith("sentiment@")
    assert all(s.words and s.start_s < s.end_s <= 24.6 for s in found)


def test_a_recording_is_heard_as_it_was_said(
    channels: tuple[Channel, ...], recogniser: Recogniser, classifier: Classifier, silero: Path
) -> None:
    found = list(analyse.recording(CALL, channels, recogniser, classifier, silero))
    check(found)
    assert [s.index for s in found] == list(range(len(found)))
    assert [s.start_s for s in found] == sorted(s.start_s for s in found)
    assert {s.recogniser.partition("@")[0] for s in found} == {"whisper-tiny.en"}


def test_a_live_call_is_heard_while_it_goes_on(
    channels: tuple[Channel, ...], recogniser: Recogniser, classifier: Classifier
) -> None:
    partials: list[str] = []
    found = list(
        analyse.live(
            CALL,
            analyse.realtime(channels, speed=6.0),
            recogniser,
            classifier,
            on_partial=lambda number, text: partials.append(text),
        )
    )
    check(sorted(found, key=lambda s: s.start_s))
    assert [s.index for s in found] == list(range(len(found)))
    assert {s.recogniser.partition("@")[0] for s in found} == {"moonshine-tiny-en"}
    assert partials


def test_tones_and_silence_give_no_sentence(
    tmp_path: Path, recogniser: Recogniser, classifier: Classifier, silero: Path
) -> None:
    samples = np.concatenate([sounds.silence(3), sounds.tone(5), sounds.tone(3, 1800, loudness=0.8)])
    quiet = [Channel(1, sounds.write_wav(tmp_path / "channel-1.wav", samples), 11.0)]
    assert list(analyse.recording(CALL, quiet, recogniser, classifier, silero)) == []
    assert recogniser.recognise(samples.tobytes()).words == ()
    assert list(analyse.live(CALL, analyse.realtime(quiet, speed=20.0), recogniser, classifier)) == []


def test_the_server_speaks_and_understands_itself(auth: riva.client.Auth, recogniser: Recogniser) -> None:
    pcm, rate_hz = Speaker(auth, address=auth.uri, rate_hz=16_000).say("Thank you for calling. How can I help you?")
    assert rate_hz == 16_000
    assert "how can i help you" in recogniser.recognise(pcm).transcript.lower()
