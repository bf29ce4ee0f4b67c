from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import Pcm, duration_s
from pipeline.backends import Backends
from pipeline.calls import Sentence
from pipeline.errors import BackendError, InputError
from pipeline.replay import replay, replay_all
from pipeline.settings import Settings
from tests.bench import standin
from tests.pipeline import sounds


@pytest.fixture(scope="module")
def heard_by() -> Iterator[str]:
    with standin.running(delay_ms=5) as (address, _):
        yield address


@pytest.fixture
def backends(tmp_path: Path, heard_by: str) -> Iterator[Backends]:
    settings = Settings(home=tmp_path / "home", asr_uri=heard_by, nlp_uri=heard_by, tts_uri=heard_by)
    with Backends(settings, {}) as opened:
        yield opened


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    """Two stereo recordings of 2 s with one utterance on each side."""
    made = []
    for number in (1, 3):
        one, other = standin.utterance(number, 0.5), standin.utterance(number + 1, 0.5)
        quiet = sounds.silence(1.0)
        path = tmp_path / f"call-{number}.wav"
        sides = [[one, sounds.silence(0.5), quiet], [quiet, other, sounds.silence(0.5)]]
        made.append(sounds.write_wav(path, *(_joined(side) for side in sides)))
    return made


def _joined(parts: list[Pcm]) -> Pcm:
    return np.concatenate(parts)


def test_several_recordings_are_played_at_once_and_each_is_a_call(backends: Backends, recordings: list[Path]) -> None:
    told: list[tuple[str, Sentence]] = []
    calls = replay_all(
        recordings,
        backends,
        agent="Leo",
        speakers=("agent", "customer"),
        speed=2.0,
        attributes={"demo": "true"},
        on_sentence=lambda source, sentence: told.append((source.name, sentence)),
    )
    assert [call.source for call in calls] == ["call-1.wav", "call-3.wav"]
    for call, texts in zip(calls, (["Utterance 1.", "Utterance 2."], ["Utterance 3.", "Utterance 4."]), strict=True):
        assert (call.status, call.agent, call.attributes) == ("complete", "Leo", {"demo": "true"})
        assert call.duration_s == pytest.approx(2.0)
        assert [one.text for one in backends.store.sentences(call.id)] == texts
        assert duration_s(backends.settings.audio_folder / call.id / "channel-1.wav") == pytest.approx(2.0)
    assert sorted(name for name, _ in told) == ["call-1.wav"] * 2 + ["call-3.wav"] * 2
    assert list((backends.settings.home / "live").iterdir()) == []


def test_a_replay_that_is_stopped_keeps_what_was_heard(backends: Backends, recordings: list[Path]) -> None:
    stop = threading.Event()
    call = replay(
        recordings[0], backends, speakers=("agent", "customer"), stop=stop, on_sentence=lambda sentence: stop.set()
    )
    assert call.status == "complete"
    assert call.attributes["ended"] == "it was stopped"
    assert 0.5 < call.duration_s < 2.0
    assert backends.store.sentences(call.id)[0].text == "Utterance 1."


def test_a_file_that_is_no_recording_is_refused_before_any_is_played(
    backends: Backends, recordings: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "text.wav").write_text("no recording")
    with pytest.raises(InputError, match=r"text\.wav"):
        replay_all([recordings[0], tmp_path / "text.wav"], backends, speakers=("agent", "customer"))
    assert backends.store.calls().total == 0


def test_a_recogniser_that_is_away_is_said_before_a_call_appears(tmp_path: Path, recordings: list[Path]) -> None:
    away = "127.0.0.1:9"
    settings = Settings(home=tmp_path / "home", asr_uri=away, nlp_uri=away, tts_uri=away, riva_patience_s=0.1)
    with Backends(settings, {}) as backends:
        with pytest.raises(BackendError, match="OVERTONE_ASR_URI"):
            replay(recordings[0], backends, speakers=("agent", "customer"))
        assert backends.store.calls().total == 0
