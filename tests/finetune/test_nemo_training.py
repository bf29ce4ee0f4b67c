"""NeMo's side: what goes in and comes out; the trainings themselves run by `-m nemo` where NeMo was set up."""

from __future__ import annotations

import json
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune import nemo_environment, nemo_training, riva_export
from finetune.nemo_training import Schedule
from pipeline.errors import BackendError, ConfigError, InputError
from pipeline.settings import DATA, Settings
from pipeline.store import Store, open_store
from tests.finetune.conftest import REPOSITORY
from tests.store.samples import a_call, a_sentence

SET_UP = Path(".overtone")  # the home in which `overtone nemo setup` was run


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[tuple[Store, Path]]:
    """A store with a call of a minute's silence whose source is a sample's, and the folder of its channels."""
    with open_store(f"sqlite:///{tmp_path / 'o.db'}") as store:
        call = a_call(source="praise.ogg")
        store.add(call, [a_sentence(call.id)])
        folder = tmp_path / "audio" / call.id
        folder.mkdir(parents=True)
        for number in (1, 2):
            with wave.open(str(folder / f"channel-{number}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(16000)
                file.writeframes(bytes([number, 0]) * 16000 * 60)
        yield store, tmp_path / "audio"


def test_a_manifest_row_is_a_clip_of_the_speakers_channel(stored: tuple[Store, Path], tmp_path: Path) -> None:
    rows = nemo_training.manifest_rows(*stored, DATA / "samples", tmp_path / "clips")
    told = json.loads((DATA / "samples" / "praise.json").read_text())["sentences"]
    assert len(rows) == len(told)
    assert rows[0]["text"] == "hello this is sofia at greenfield home how can i help"
    assert rows[0]["duration"] == pytest.approx(told[0]["end_s"] - told[0]["start_s"] + 0.3, abs=0.01)
    for row, sentence in zip(rows, told, strict=True):
        with wave.open(row["audio_filepath"], "rb") as clip:
            assert clip.readframes(1)[0] == (1 if sentence["speaker"] == "agent" else 2)
            assert clip.getnframes() / 16000 == pytest.approx(row["duration"], abs=0.001)


def test_texts_and_word_errors_are_counted_as_speech_models_write() -> None:
    assert nemo_training.spoken("It's $40, on May 3rd!") == "it's forty dollars on may third"
    assert nemo_training.word_error_rate(["a b c d"], ["a x c"]) == pytest.approx(0.5)
    assert nemo_training.word_error_rate(["forty dollars"], ["$40"]) == 0.0


def test_what_is_missing_is_told(stored: tuple[Store, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="overtone nemo setup intent-slot"):
        nemo_environment.python_of(tmp_path, nemo_environment.INTENT_SLOT)
    with pytest.raises(InputError, match=r"there is no model .*gone\.nemo"):
        nemo_training.speech(
            tmp_path / "gone.nemo", tmp_path / "o.nemo", *stored, DATA / "samples", tmp_path, Schedule(1, 1, 0.1),
            say=lambda line: None,
        )  # fmt: skip


def test_a_failed_job_shows_its_last_words(tmp_path: Path) -> None:
    # This Python has no NeMo for intents.
    with pytest.raises(BackendError, match=r"the NeMo job intent_slot failed .*whole log is .*log\.txt"):
        nemo_environment.run(Path(sys.executable), "intent_slot", {}, tmp_path, say=lambda line: None)


def test_the_converters_log_decides(tmp_path: Path) -> None:
    tool = tmp_path / "bin" / "nemo2riva"
    tool.parent.mkdir()
    python = tool.with_name("python")
    python.write_text("#!/bin/sh\necho cpu\n")  # asked whether there is a GPU
    python.chmod(0o755)
    for script, bad in (
        ('test "$1 $2" = "--device cpu" && echo made > "$4"; echo all good', False),
        ('echo made > "$4"; echo "[NeMo E] ERROR: Export failed for model"; exit 0', True),
        ("echo nothing to do; exit 0", True),
    ):
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        target = tmp_path / f"{len(script)}.riva"
        if bad:
            with pytest.raises(BackendError, match="the log is"):
                riva_export.convert(python, tmp_path / "m.nemo", target)
        else:
            assert riva_export.convert(python, tmp_path / "m.nemo", target) == target
    lines = riva_export.command_lines("intent-slot", tmp_path / "m.riva", name="shop")
    assert "riva-build intent_slot" in lines
    assert "/servicemaker-dev/m.riva:tlt_encode" in lines
    assert "riva-deploy -f /servicemaker-dev/shop.rmir" in lines


@pytest.mark.nemo
def test_nemo_trains_intents_and_slots(tmp_path: Path) -> None:
    found = nemo_training.intents(
        DATA / "training" / "nara", tmp_path / "m.nemo", SET_UP, Schedule(20, 16, 2e-4),
        queries=["is it sunny in york"], say=lambda line: None,
    )  # fmt: skip
    assert found["steps"] == 20
    assert (tmp_path / "m.nemo").exists()
    assert len(found["predictions"]) == 2
    assert found["after"]["val_loss"] < found["before"]["val_loss"]


@pytest.mark.nemo
def test_nemo_trains_speech(tmp_path: Path) -> None:
    import subprocess

    python = nemo_environment.python_of(SET_UP, nemo_environment.ASR)
    subprocess.run([python, REPOSITORY / "tests/finetune/tiny_conformer.py", tmp_path / "tiny.nemo"], check=True)
    settings = Settings(home=SET_UP)
    with open_store(settings.store_url) as store:
        found = nemo_training.speech(
            tmp_path / "tiny.nemo", tmp_path / "o.nemo", store, settings.audio_folder, DATA / "samples", SET_UP,
            Schedule(20, 8, 1e-3), say=lambda line: None,
        )  # fmt: skip
    assert found.steps == 20
    assert found.output.exists()
    assert found.measured >= 10


@pytest.mark.nemo
def test_what_nemo_trained_becomes_a_riva_file(tmp_path: Path) -> None:
    import subprocess

    python = nemo_environment.python_of(SET_UP, nemo_environment.RIVA)
    subprocess.run([python, REPOSITORY / "tests/finetune/tiny_conformer.py", tmp_path / "speech.nemo"], check=True)
    nemo_training.intents(
        DATA / "training" / "nara", tmp_path / "intents.nemo", SET_UP, Schedule(2, 16, 2e-4), queries=["hello"],
        say=lambda line: None,
    )  # fmt: skip
    for name in ("speech", "intents"):
        made = riva_export.convert(python, tmp_path / f"{name}.nemo", tmp_path / f"{name}.riva")
        assert made.stat().st_size > 10_000
