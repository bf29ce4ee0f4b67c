"""The voices' processes: what they say, and that they come back when they die."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import BackendError
from pipeline.server.speech import Espeak, Piper, find_voice
from pipeline.settings import DATA
from tests.server.voices import kill_pipers, pipers


@pytest.fixture(scope="module")
def piper() -> Iterator[Piper]:
    found = find_voice(DATA / "models")
    assert isinstance(found, Piper), "the extra tts is part of the test environment"
    yield found
    found.close()


def test_the_same_text_is_the_same_sound_also_from_another_process(piper: Piper) -> None:
    first = piper.say("Good morning.")
    assert 0.5 < len(first) / piper.rate_hz < 2.0
    assert np.abs(first).max() > 8_000
    other = piper.say("A longer sentence, with a clause.")
    assert len(other) > 1.5 * len(first)
    assert np.array_equal(piper.say("Good morning."), first)
    assert kill_pipers() == 1
    assert np.array_equal(piper.say("Good morning."), first), "the process was to be started again"


def test_line_ends_do_not_part_an_utterance(piper: Piper) -> None:
    assert np.array_equal(piper.say("Good\nmorning."), piper.say("Good morning."))
    assert np.array_equal(piper.say("Sure."), piper.say("Sure.")), "no answer may be left over for the next request"


def test_phonemes_are_spoken_instead_of_letters(piper: Piper) -> None:
    assert not np.array_equal(piper.say("I like [[təˈmɑːtoʊ]]."), piper.say("I like tomato."))


def test_nothing_is_left_on_disk(piper: Piper) -> None:
    folders = Path(tempfile.gettempdir())
    piper.close()  # its next process makes a folder of its own; other voices of this machine have theirs
    others = set(folders.glob("overtone-voice-*"))
    piper.say("Sure.")
    (scratch,) = set(folders.glob("overtone-voice-*")) - others
    assert list(scratch.iterdir()) == []
    piper.close()
    assert not scratch.exists()
    assert pipers(os.getpid()) == []
    piper.say("Sure.")


def test_a_process_that_hangs_is_given_up(piper: Piper) -> None:
    hasty = Piper(piper._onnx.parent, piper.version, timeout_s=0.05)  # it takes seconds to load
    with pytest.raises(BackendError, match="ended twice"):
        hasty.say("Sure.")
    hasty.close()


def test_a_voice_that_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    broken = Piper(tmp_path, "0")
    with pytest.raises(BackendError, match=r"ended twice .*broken\.onnx\.json"):
        broken.say("Sure.")
    broken.close()


def test_without_its_weights_another_voice_speaks_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "weights.json").write_text('{"weights": {}}', encoding="utf-8")
    found = find_voice(tmp_path)
    assert found is None or isinstance(found, Espeak)
    assert "pip install 'overtone[tts]'" in caplog.text
    assert ("text is not spoken" in caplog.text) == (found is None)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng, the voice where piper is not, is not here")
def test_espeak_speaks_where_piper_is_not() -> None:
    program = shutil.which("espeak-ng")
    assert program is not None
    said = Espeak(program).say("Good morning, [[nothing]] here.")
    assert 0.5 < len(said) / Espeak.rate_hz < 5.0
    assert np.abs(said).max() > 2_000
