"""Bad files beside good ones, servers that are away, and kills at bad moments."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.samples import Sample
from tests.end_to_end.conftest import Overtone
from tests.pipeline import sounds

AWAY = {"OVERTONE_ASR_URI": "127.0.0.1:9", "OVERTONE_RIVA_PATIENCE_S": "1"}
NAMES = ("a b.wav", 'it\'s "quoted".wav', "new\nline.wav", "emoji \N{GRINNING FACE}.wav", "-dash.wav")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with five short recordings under awkward names, each different."""
    folder = tmp_path_factory.mktemp("clips")
    for number, name in enumerate(NAMES):
        sounds.write_wav(folder / name, sounds.speech(start_s=number / 4, end_s=3.0 + number / 4))
    return folder


def snapshot(command: Overtone) -> list[Any]:
    """Everything that the store says of every call, but for when it was stored."""
    calls = json.loads(command.run("calls", "--json").stdout)
    reports = [json.loads(command.run("report", call["id"], "--json").stdout) for call in calls]
    return sorted(reports, key=lambda report: report["call"]["id"])


def test_awkward_names_are_names(overtone: Overtone, clips: Path) -> None:
    ran = overtone.run("ingest", "--json", "--", *sorted(clips.iterdir()))
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [row["status"] for row in rows] == ["stored"] * len(NAMES)
    assert {report["call"]["source"] for report in snapshot(overtone)} == set(NAMES)


def test_bad_files_are_named_and_good_ones_stored(overtone: Overtone, clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    folder.mkdir()
    good = shutil.copy(clips / NAMES[0], folder / "good.wav")
    whole = Path(good).read_bytes()
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("this is no recording\n" * 50)
    (folder / "cut.wav").write_bytes(whole[: len(whole) // 2])
    sounds.write_wav(folder / "no-samples.wav", sounds.silence(0))
    sounds.write_wav(folder / "six.wav", *[sounds.tone(1)] * 6)
    sounds.convert(Path(good), folder / "old-8-bit.wav", "-ar", "11025", "-c:a", "pcm_u8")
    ran = overtone.run("ingest", folder, folder / "missing.wav", code=1)
    complaints = [line for line in ran.stderr.splitlines() if ".wav" in line]
    for name in ("empty.wav", "text.wav", "cut.wav", "no-samples.wav", "six.wav", "missing.wav"):
        assert len([line for line in complaints if name in line]) == 1, (name, ran.stderr)
    assert "2 stored, 0 already there, 6 failed" in ran.stderr
    assert {report["call"]["source"] for report in snapshot(overtone)} == {"good.wav", "old-8-bit.wav"}
    audio = overtone.home / "audio"
    assert len(list(audio.iterdir())) == 2, "no scratch folder and no audio of a failed call stays"


def test_a_call_in_which_nobody_speaks_is_stored_without_sentences(overtone: Overtone, tmp_path: Path) -> None:
    quiet = sounds.write_wav(tmp_path / "quiet.wav", sounds.silence(20), sounds.silence(20))
    assert "nobody speaks" in overtone.run("ingest", quiet).stdout
    [report] = snapshot(overtone)
    assert report["sentences"] == []


def test_a_server_that_is_away_is_named_with_its_setting(overtone: Overtone, clips: Path) -> None:
    away = replace(overtone, environment=dict(overtone.environment) | AWAY)
    failed = away.run("ingest", clips, code=1)
    assert "127.0.0.1:9" in failed.stderr
    assert "OVERTONE_ASR_URI" in failed.stderr
    assert snapshot(overtone) == []


def test_a_database_that_is_away_is_named_without_its_password(overtone: Overtone) -> None:
    url = "postgresql+psycopg://me:hidden@127.0.0.1:9/calls"
    away = replace(overtone, environment=dict(overtone.environment) | {"OVERTONE_DATABASE_URL": url})
    failed = away.run("calls", code=1)
    assert "OVERTONE_DATABASE_URL" in failed.stderr
    assert "hidden" not in failed.stderr


def test_a_misspelt_setting_is_refused(overtone: Overtone) -> None:
    wrong = replace(overtone, environment=dict(overtone.environment) | {"OVERTONE_ASR_URL": "x:1"})
    assert "OVERTONE_ASR_URL" in wrong.run("calls", code=1).stderr


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_gives_the_store_of_one_clean_run(
    overtone: Overtone, clips: Path, tmp_path: Path, served_environment: dict[str, str]
) -> None:
    clean = Overtone(tmp_path / "clean", served_environment)
    began = time.monotonic()
    clean.run("ingest", clips)
    whole_s = time.monotonic() - began
    chance = random.Random(20261122)
    for _ in range(10):
        process = overtone.start("ingest", clips)
        time.sleep(chance.uniform(0.1, 1.0) * whole_s)
        process.kill()
        process.communicate()
        for report in snapshot(overtone):  # what is there is whole
            assert report["call"]["status"] == "complete"
            assert report["sentences"]
    overtone.run("ingest", clips)
    assert snapshot(overtone) == snapshot(clean)
    stored = {report["call"]["id"] for report in snapshot(overtone)}
    assert {entry.name for entry in os.scandir(overtone.home / "audio")} == stored


def test_two_at_once_store_each_call_once(overtone: Overtone, clips: Path) -> None:
    overtone.run("calls")
    both = [overtone.start("ingest", clips, "--json") for _ in range(2)]
    rows = [json.loads(line) for process in both for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(row["status"] for row in rows) == ["already"] * 5 + ["stored"] * 5


def test_a_live_replay_is_stored_as_it_is_spoken(overtone: Overtone, sample_calls: list[Sample]) -> None:
    played = overtone.run("live", sample_calls[0].audio, "--speed", "8", "--agent", "Leo")
    assert len(played.stdout.splitlines()) > 5
    [report] = snapshot(overtone)
    assert report["call"]["status"] == "complete"
    assert report["call"]["agent"] == "Leo"
    assert len(report["sentences"]) == len(played.stdout.splitlines())
