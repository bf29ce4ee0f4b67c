from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from pipeline import audio
from pipeline.calls import Sentence
from pipeline.errors import BackendError, ConfigError
from pipeline.ingest import Details, Outcome, Progress, Services, expand, forget, ingest, speakers_of
from pipeline.store import Store, open_store
from tests.bench import ingest as bench
from tests.pipeline import sounds
from tests.pipeline.scripted_riva import Refusal, ScriptedRiva, recognised, serving, words_for


class Place:
    """A home: a store, an audio folder, and the services of a scripted server."""

    def __init__(self, folder: Path, server: ScriptedRiva, silero: Path) -> None:
        self.folder, self.audio = folder, folder / "audio"
        self.store = open_store(f"sqlite:///{folder}/overtone.db")
        self.services = Services(server.recogniser(patience_s=0.5), server.classifier(patience_s=0.5), silero)

    def ingest(self, *sources: Path, **options: Any) -> list[Outcome]:
        """The outcomes of a run."""
        return list(self.begin(*sources, **options))

    def begin(self, *sources: Path, **options: Any) -> Iterator[Outcome]:
        """A run."""
        return ingest(sources, store=self.store, services=self.services, audio_folder=self.audio, **options)

    def calls(self) -> dict[str, list[Sentence]]:
        """Everything that the store holds, by source."""
        return snapshot(self.store)


def snapshot(store: Store) -> dict[str, list[Sentence]]:
    return {row.call.source: store.sentences(row.call.id) for row in store.calls(limit=1000).rows}


@pytest.fixture
def place(tmp_path: Path, scripted: ScriptedRiva, silero: Path) -> Iterator[Place]:
    """A blank home."""
    home = tmp_path / "home"
    home.mkdir()
    place = Place(home, scripted, silero)
    with place.store:
        yield place


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six different short calls, in two formats and two folders."""
    folder = tmp_path_factory.mktemp("recordings")
    (folder / "later").mkdir()
    for number in range(6):
        where = folder / "later" if number > 3 else folder
        spoken = sounds.speech(start_s=number, end_s=number + 3)
        path = sounds.write_wav(where / f"call {number}.wav", spoken, sounds.silence(1 + number / 10))
        if number % 2:
            sounds.convert(path, path.with_suffix(".flac"))
            path.unlink()
    return folder


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_recording_is_stored_whole_with_its_audio(place: Place, recordings: Path) -> None:
    source = recordings / "call 0.wav"
    os.utime(source, (1_700_000_000, 1_700_000_000))
    (outcome,) = place.ingest(source, details=Details("Ann", "Bob"))
    assert (outcome.status, outcome.source, outcome.message) == ("stored", source, "")
    assert outcome.call_id == audio.digest(source)[:16]
    call = place.store.call(outcome.call_id)
    assert (call.source, call.agent, call.customer, call.status) == ("call 0.wav", "Ann", "Bob", "complete")
    assert call.speakers == ("agent", "customer")
    assert call.started_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert call.duration_s == outcome.duration_s == pytest.approx(3.0)
    sentences = place.store.sentences(call.id)
    assert len(sentences) == outcome.sentences > 0
    assert all(sentence.sentiment and sentence.words for sentence in sentences)
    assert everything(place.audio) == [call.id, f"{call.id}/channel-1.wav", f"{call.id}/channel-2.wav"]


def test_folders_are_searched_and_a_second_run_changes_nothing(place: Place, recordings: Path) -> None:
    progress: list[Progress] = []
    first = place.ingest(recordings, on_progress=progress.append)
    assert [outcome.status for outcome in first] == ["stored"] * 6
    assert progress[-1].files_done == progress[-1].files == 6
    assert [p.share for p in progress] == sorted(p.share for p in progress)
    assert progress[-1].share == pytest.approx(1.0)
    before, files = place.calls(), everything(place.audio)
    change = place.store.last_change()
    assert [outcome.status for outcome in place.ingest(recordings, jobs=3)] == ["already"] * 6
    assert (place.calls(), everything(place.audio), place.store.last_change()) == (before, files, change)


def test_the_same_bytes_under_two_names_are_one_call(place: Place, recordings: Path, tmp_path: Path) -> None:
    copies = [shutil.copy(recordings / "call 0.wav", tmp_path / f"copy {n}.wav") for n in range(3)]
    outcomes = place.ingest(*map(Path, copies), jobs=2)
    assert sorted(outcome.status for outcome in outcomes) == ["already", "already", "stored"]
    assert place.store.calls().total == 1


def test_bad_files_are_said_and_good_ones_stored(place: Place, recordings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(recordings, folder)
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("no sound")
    sounds.write_wav(folder / "six.wav", *[sounds.silence(1)] * 6)
    (folder / "notes.txt").write_text("not looked at")
    (folder / ".hidden.wav").write_text("not looked at")
    (folder / "gone.wav").symlink_to(folder / "nowhere.wav")
    outcomes = place.ingest(folder, tmp_path / "missing.wav", tmp_path / "home")
    failed = {outcome.source.name: outcome.message for outcome in outcomes if outcome.status == "failed"}
    assert sorted(failed) == ["empty.wav", "gone.wav", "home", "missing.wav", "six.wav", "text.wav"]
    assert "holds no recordings" in failed["home"]
    assert all("\n" not in message and name in message for name, message in failed.items())
    assert sum(outcome.status == "stored" for outcome in outcomes) == 6
    assert len(everything(place.audio)) == 18


def test_two_hours_of_silence_are_a_call_without_sentences(place: Place, tmp_path: Path) -> None:
    source = sounds.write_wav(tmp_path / "silent.wav", sounds.silence(7200, 8000), rate_hz=8000)
    (outcome,) = place.ingest(source)
    assert (outcome.status, outcome.sentences, outcome.duration_s) == ("stored", 0, 7200.0)
    assert place.store.call(outcome.call_id).speakers == ("unknown",)


@pytest.mark.parametrize("name", ['it\'s "quoted"\n📞.wav', "-y.wav", "caf\udce9.wav"])
def test_strange_names_are_kept_as_far_as_a_database_can(
    name: str, place: Place, recordings: Path, tmp_path: Path
) -> None:
    source = tmp_path / name
    shutil.copy(recordings / "call 0.wav", source)
    (outcome,) = place.ingest(source)
    assert outcome.status == "stored"
    assert place.store.call(outcome.call_id).source == name.replace("\udce9", "\ufffd")


def test_speakers_belong_to_channels() -> None:
    assert speakers_of(Path("a"), 1, ("agent", "customer")) == ("unknown",)
    assert speakers_of(Path("a"), 1, ("customer",)) == ("customer",)
    assert speakers_of(Path("a"), 2, ("customer", "agent")) == ("customer", "agent")


def test_a_stereo_call_needs_two_speakers(place: Place, recordings: Path) -> None:
    (outcome,) = place.ingest(recordings / "call 0.wav", details=Details(channels=("agent",)))
    assert outcome.status == "failed"
    assert "2 channels" in outcome.message
    assert "--channels" in outcome.message
    assert place.store.calls().total == 0
    assert everything(place.audio) == []


def test_a_start_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Details(started_at=datetime(2026, 1, 1))


def test_a_server_that_is_down_ends_the_run_and_the_next_run_does_the_rest(
    place: Place, recordings: Path, scripted: ScriptedRiva
) -> None:
    answered = [0]

    def answer(request: Any) -> Any:
        answered[0] += 1
        if 3 < answered[0] < 50:
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "gone")
        return recognised(words_for(2))

    scripted.on_recognise = answer
    with pytest.raises(BackendError, match="OVERTONE_ASR_URI"):
        place.ingest(recordings)
    assert place.store.calls().total == 3
    assert len(everything(place.audio)) == 9
    answered[0] = 100
    assert sorted(outcome.status for outcome in place.ingest(recordings)) == ["already"] * 3 + ["stored"] * 3


def test_a_server_that_fails_at_one_file_fails_that_file(
    place: Place, recordings: Path, scripted: ScriptedRiva
) -> None:
    refused = [False]

    def answer(request: Any) -> Any:
        if not refused[0]:
            refused[0] = True
            raise Refusal(grpc.StatusCode.INTERNAL, "this one hurts")
        return recognised(words_for(2))

    scripted.on_recognise = answer
    first, *others = place.ingest(recordings)
    assert first.status == "failed"
    assert "call 0.wav: speech recognition" in first.message
    assert {outcome.status for outcome in others} == {"stored"}


def test_an_audio_folder_that_cannot_be_written_is_named(place: Place, recordings: Path) -> None:
    place.audio.write_text("a file in the way")
    with pytest.raises(ConfigError, match=r"cannot write the calls' audio .*OVERTONE_HOME"):
        place.ingest(recordings)


def test_a_file_that_grows_while_it_is_read_is_refused(
    place: Place, recordings: Path, scripted: ScriptedRiva, tmp_path: Path
) -> None:
    shutil.copytree(recordings, tmp_path / "calls")
    growing = tmp_path / "calls" / "call 1.flac"

    def answer(request: Any) -> Any:
        with growing.open("ab") as file:  # it was read together with call 0, which is being recognised now
            file.write(b"more")
        return recognised(words_for(2))

    scripted.on_recognise = answer
    outcomes = {outcome.source.name: outcome for outcome in place.ingest(tmp_path / "calls")}
    assert outcomes["call 0.wav"].status == "stored"
    assert outcomes["call 1.flac"].status == "failed"
    assert "it changed while it was read" in outcomes["call 1.flac"].message


def test_closing_a_run_stops_it_and_leaves_whole_calls(place: Place, recordings: Path, scripted: ScriptedRiva) -> None:
    def slowly(request: Any) -> Any:
        time.sleep(0.2)
        return recognised(words_for(2))

    scripted.on_recognise = slowly
    run = place.begin(recordings)
    assert next(run).status == "stored"
    run.close()  # type: ignore[attr-defined]  # it is a generator
    stored = place.store.calls().total
    assert 1 <= stored < 6
    assert len(everything(place.audio)) == 3 * stored
    assert sorted(outcome.status for outcome in place.ingest(recordings)) == ["already"] * stored + ["stored"] * (
        6 - stored
    )


def test_several_jobs_store_what_one_does(
    place: Place, recordings: Path, tmp_path: Path, scripted: ScriptedRiva, silero: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Place(tmp_path / "other", scripted, silero)
    with other.store:
        place.ingest(recordings, jobs=1)
        other.ingest(recordings, jobs=4)
        assert place.calls() == other.calls()
        assert everything(place.audio) == everything(other.audio)


def test_two_runs_at_once_share_the_work(place: Place, recordings: Path, scripted: ScriptedRiva, silero: Path) -> None:
    outcomes: list[Outcome] = []
    second = Place(place.folder, scripted, silero)

    def work(one: Place) -> None:
        outcomes.extend(one.ingest(recordings))

    with second.store:
        threads = [threading.Thread(target=work, args=(one,)) for one in (place, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcome.status for outcome in outcomes) == ["already"] * 6 + ["stored"] * 6
    assert place.store.calls().total == 6
    assert len(everything(place.audio)) == 18


def test_a_forgotten_call_takes_its_audio_along(place: Place, recordings: Path) -> None:
    (outcome,) = place.ingest(recordings / "call 0.wav")
    assert forget(outcome.call_id, place.store, place.audio)
    assert everything(place.audio) == []
    assert not forget(outcome.call_id, place.store, place.audio)
    (again,) = place.ingest(recordings / "call 0.wav")
    assert again.status == "stored"


def test_expand_finds_each_file_once_and_leaves_our_own_audio_out(recordings: Path, place: Place) -> None:
    place.ingest(recordings / "call 0.wav")
    files, problems = expand([recordings, recordings / "call 0.wav", place.folder], apart_from=place.audio)
    assert len(files) == 6
    assert [problem.source for problem in problems] == [place.folder]


RUN = """
import sys
from pathlib import Path
import riva.client
from pipeline.asr import Recogniser
from pipeline.ingest import Services, ingest
from pipeline.nlp import Classifier
from pipeline.store import open_store
uri, home, silero, source = sys.argv[1:]
auth = riva.client.Auth(uri=uri)
services = Services(Recogniser(auth, address=uri), Classifier(auth, address=uri), Path(silero))
with open_store(f"sqlite:///{home}/overtone.db") as store:
    print("begins", flush=True)
    for outcome in ingest([Path(source)], store=store, services=services, audio_folder=Path(home) / "audio", jobs=2):
        print(outcome.status, flush=True)
"""


def test_killed_at_any_moment_it_leaves_whole_calls_and_the_next_run_the_same_store(
    place: Place, recordings: Path, tmp_path: Path, silero: Path
) -> None:
    """SIGKILL at ten random moments, each followed by another run; then a last one that may finish."""
    chance = random.Random(2)
    home = tmp_path / "killed"
    home.mkdir()
    with serving() as server:

        def slowly(request: Any) -> Any:
            time.sleep(0.05)
            return recognised(words_for(len(request.audio) / 32_000))

        server.on_recognise = slowly
        command = [sys.executable, "-c", RUN, server.uri, str(home), str(silero), str(recordings)]
        for _ in range(10):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            assert process.stdout.readline() == "begins\n"
            time.sleep(chance.uniform(0.0, 0.6))
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            with open_store(f"sqlite:///{home}/overtone.db") as store:
                for row in store.calls(limit=1000).rows:
                    assert store.has(row.call.id)
                    assert len(list((home / "audio" / row.call.id).iterdir())) == 2
            if row_count(home) == 6:  # all done already: begin again, so that ten kills hit something
                shutil.rmtree(home)
                home.mkdir()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    place.ingest(recordings)
    with open_store(f"sqlite:///{home}/overtone.db") as store:
        assert snapshot(store) == place.calls()
    assert everything(home / "audio") == everything(place.audio)


def row_count(home: Path) -> int:
    with open_store(f"sqlite:///{home}/overtone.db") as store:
        return store.calls().total


def test_a_long_call_needs_hardly_more_memory_than_a_short_one(tmp_path: Path) -> None:
    """Twenty minutes of stereo are 77 MB of samples; `make bench` measures three hours."""
    assert bench.memory(tmp_path, (0.5, 20.0))["memory_growth_mb"] < 40
