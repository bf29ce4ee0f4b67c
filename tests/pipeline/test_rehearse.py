"""Conversations as data, heard by the shipped model and over a telephone; recordings as spoken turns."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fulfillment.cities import load_cities
from fulfillment.services import SAMPLE
from fulfillment.times import utc_now
from pipeline.assistant.listening import Listener
from pipeline.backends import Backends
from pipeline.dialog import load
from pipeline.dialog.cases import Case, read_cases
from pipeline.dialog.tests_as_data import report, run
from pipeline.errors import InputError
from pipeline.rehearse import PHONE_HZ, Answers, by_model, by_voice, heard_in, telephone, transcribe
from pipeline.settings import DATA, Settings
from pipeline.tts import RATE_HZ as VOICE_HZ

FLOWS = load(DATA / "flows")
CASES = read_cases(DATA / "flows" / "tests")
PASSING = 52  # conversations that the shipped model understands as they are meant; it may only rise


@pytest.fixture(scope="module")
def backends(speech_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    home = tmp_path_factory.mktemp("rehearse")
    with Backends(Settings(home=home, asr_uri=speech_server, nlp_uri=speech_server, tts_uri=speech_server), {}) as all:
        yield all


@pytest.fixture(scope="module")
def listener(backends: Backends) -> Listener:
    return Listener(backends.understander, load_cities(SAMPLE / "cities.csv"), utc_now)


def cases(*names: str) -> list[Case]:
    found = [case for case in CASES if case.name in names]
    assert len(found) == len(names)
    return found


def test_the_shipped_model_holds_the_conversations(listener: Listener) -> None:
    outcome = run(FLOWS, CASES, by_model(listener), judge="answers")
    passed = sum(not result.failures for result in outcome.results)
    assert passed >= PASSING, report(outcome)


def test_conversations_hold_over_a_telephone(backends: Backends, listener: Listener, tmp_path: Path) -> None:
    chosen = cases("rain in one go", "the city is asked back", "a person is asked for")
    hear = by_voice(backends.speaker, backends.recogniser, listener, tmp_path / "voices")
    outcome = run(FLOWS, chosen, hear, judge="course")
    assert outcome.passed, report(outcome)
    spoken = sorted((tmp_path / "voices").iterdir())
    assert spoken  # kept, so that the next run need not synthesise them
    assert all(path.suffix == ".pcm" for path in spoken)


def test_a_telephone_lets_through_its_band_alone() -> None:
    seconds = np.arange(VOICE_HZ) / VOICE_HZ

    def loudness(hz: float) -> float:
        heard = telephone((20_000 * np.sin(2 * np.pi * hz * seconds)).astype(np.int16))
        assert len(heard) == 16_000
        return float(np.sqrt(np.mean((heard[2000:-2000] / 20_000) ** 2)))

    assert loudness(1000) == pytest.approx(np.sqrt(0.5), rel=0.05)
    assert loudness(60) < 0.05
    assert loudness(3300) > 0.3
    assert loudness(0.75 * PHONE_HZ) < 0.01


def test_a_misheard_place_is_one_that_the_list_knows(listener: Listener) -> None:
    heard = listener.told("Sprint field,").intent
    assert heard is not None
    assert [(slot.name, slot.text) for slot in heard.slots] == [("location", "Sprint field")]
    for text in ("garbage", "a b", "fribble frabble", "tell me about the history of the moon"):
        found = listener.told(text).intent
        assert found is not None
        assert "location" not in [slot.name for slot in found.slots]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("not Denver, Chicago", ["Denver", "Chicago"]),
        ("weather in Springfield, Missouri", ["Springfield, Missouri"]),
        ("weather in New York City", ["New York City"]),
    ],
)
def test_two_places_in_a_row_are_two(listener: Listener, text: str, places: list[str]) -> None:
    found = listener.told(text).intent
    assert found is not None
    assert [slot.text for slot in found.slots] == places
    assert [text[slot.start : slot.end] for slot in found.slots] == places


def test_answers_are_a_file_that_is_heard_as_it_was_said(backends: Backends, tmp_path: Path) -> None:
    answers = Answers(backends.speaker)
    answers.add(("The blue wool sweater costs fifty dollars.",))
    answers.add(())
    answers.write(tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (VOICE_HZ, 1, 2)
    heard = heard_in(tmp_path / "out.wav", backends.recogniser)
    assert "sweater" in heard.text
    assert heard.recogniser.startswith("moonshine-tiny-en@")
    assert heard.recognise_ms > 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.wav"]
    with pytest.raises(InputError, match="cannot be written"):
        answers.write(tmp_path / "missing" / "out.wav")


def test_silence_and_noise_are_no_words(backends: Backends, tmp_path: Path) -> None:
    noise = np.random.default_rng(7).integers(-300, 300, 16_000, dtype=np.int16)
    for pcm in (np.zeros(16_000, np.int16), noise):
        heard = transcribe(backends.recogniser, [pcm])
        assert (heard.text, heard.recogniser) == ("", "")
    (tmp_path / "no.wav").write_text("no sound")
    with pytest.raises(InputError):
        heard_in(tmp_path / "no.wav", backends.recogniser)
