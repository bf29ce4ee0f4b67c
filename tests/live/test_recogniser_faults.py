"""The recogniser is away, too slow, or has nothing to hear: what becomes of calls, and of the gateway's memory."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.bench import standin
from tests.live.phones import (
    Gateway,
    answers,
    eventually,
    finished,
    frames,
    gateway,
    numbers,
    numbers_told,
    spoken,
    start,
    uris,
)
from tests.pipeline.sounds import silence

ONE_SIDE = {"channels": 1, "speakers": ["customer"]}


@pytest.mark.slow
def test_a_recogniser_away_for_longer_than_the_buffer_leaves_a_marked_gap(tmp_path: Path) -> None:
    with standin.running(delay_ms=10) as (address, process):
        port = int(address.rpartition(":")[2])
        with gateway(tmp_path / "home", **uris(address), live_buffer_s="5") as running, running.phone() as phone:
            phone.send(start(**ONE_SIDE))
            ready = json.loads(phone.recv())
            _say(phone, [0, 1])
            for _ in range(2):
                answers(phone, until="sentence")
            process.kill()
            process.wait()
            _say(phone, range(2, 12))  # the gateway reads five seconds at once and the rest at the pace of time
            eventually(lambda: running.health()["lag_s"] > 7)
            with standin.running(port=port, delay_ms=10):
                _say(phone, [12, 13])
                phone.send('{"type":"stop"}')
                answers(phone)
                with running.store() as store:
                    call, sentences = finished(store, ready["call"])
    heard = numbers(sentences)
    assert heard[:2] == [0, 1]
    assert heard[-4:] == [10, 11, 12, 13], "what the buffer held is heard late"
    (gap,) = [one for one in sentences if not one.words]
    assert "missing: the recogniser was away for too long" in gap.text
    assert gap.end_s - gap.start_s > 3.0
    missing = [number for number in range(14) if number not in heard]
    assert missing == list(range(missing[0], missing[-1] + 1))
    assert all(gap.start_s - 1.0 < number < gap.end_s for number in missing), "nothing is missing but what is marked"
    assert {number: round(one.start_s) for number, one in zip(heard, _spoken(sentences), strict=True)} == {
        number: number for number in heard
    }
    assert "the recogniser was away for too long" in call.attributes["gaps"]


def _say(phone: Any, said: Iterable[int], pause_s: float = 0.5) -> None:
    for frame in frames(spoken(said, pause_s=pause_s).tobytes(), channels=1):
        phone.send(frame)


def _spoken(sentences: list[Any]) -> list[Any]:
    return [one for one in sentences if one.words]


def _settled_mb(running: Gateway) -> float:
    """Its resident memory when nothing is being loaded any more: a second and a half without a change of 1 MB."""
    seen = [running.resident_mb()]

    def still() -> bool:
        time.sleep(0.5)
        seen.append(running.resident_mb())
        return len(seen) > 3 and max(seen[-4:]) - min(seen[-4:]) < 1

    eventually(still)
    return seen[-1]


def test_an_hour_of_silence_costs_little_and_holds_no_stream(tmp_path: Path) -> None:
    quiet = silence(60)
    with (
        standin.running(delay_ms=10) as (address, _),
        gateway(tmp_path / "home", **uris(address), live_pace="0") as running,
        running.phone() as phone,
    ):
        phone.send(start(**ONE_SIDE))
        ready = json.loads(phone.recv())
        _say(phone, [15])
        answers(phone, until="sentence")
        assert standin.seen(address).open_streams == 1
        before_mb = _settled_mb(running)
        for _ in range(60):
            for frame in frames(quiet.tobytes(), 10.0, channels=1):
                phone.send(frame)
        phone.send('{"type":"mark","name":"an hour"}')
        (*_, mark) = answers(phone, until="mark")
        assert mark["at_s"] == pytest.approx(3601.0)
        eventually(lambda: standin.seen(address).open_streams == 0)
        assert running.resident_mb() - before_mb < 30, "an hour of audio is 110 MB"
        _say(phone, [16])
        answers(phone, until="sentence")
        assert standin.seen(address).open_streams == 1
        phone.send('{"type":"stop"}')
        answers(phone)
        with running.store() as store:
            call, sentences = finished(store, ready["call"])
    assert numbers(sentences) == [15, 16]
    assert [one.start_s for one in sentences] == pytest.approx([0.0, 3601.0], abs=0.1)
    assert call.duration_s == pytest.approx(3602.0)
    assert "gaps" not in call.attributes


def test_a_call_that_the_recogniser_cannot_hear_stays_small(tmp_path: Path) -> None:
    minutes = 60
    loud = spoken(range(60), pause_s=0.5).tobytes()
    with standin.running(delay_ms=10) as (address, process):
        settings = {**uris(address), "live_pace": "0", "live_buffer_s": "20"}
        with gateway(tmp_path / "home", **settings) as running, running.phone() as phone:
            eventually(lambda: running.health()["warm"])  # what it loads is no part of the call
            phone.send(start(**ONE_SIDE))
            phone.recv()
            process.kill()
            process.wait()
            before_mb = _settled_mb(running)
            sent = threading.Event()

            def flood() -> None:
                with suppress(ConnectionClosed, OSError):
                    for _ in range(minutes):
                        for frame in frames(loud, 1.0, channels=1):
                            phone.send(frame)
                sent.set()

            flooding = threading.Thread(target=flood)
            flooding.start()
            eventually(lambda: running.health()["lag_s"] >= 10)
            assert not sent.wait(4), "a source that need not keep to time is not read while nothing can be heard"
            assert running.resident_mb() - before_mb < 25, "the call is 115 MB"
            assert running.health()["lag_s"] < 20 + 2
            running.kill()
            flooding.join()


@pytest.fixture
def slow_recogniser() -> Iterator[str]:
    """One that needs a second for every utterance of a call."""
    with standin.running(delay_ms=1000) as (address, _):
        yield address


def test_more_than_can_be_recognised_costs_partials_then_quality_and_never_sentences(
    slow_recogniser: str, tmp_path: Path
) -> None:
    with gateway(tmp_path / "home", **uris(slow_recogniser), live_pace="0") as running, running.phone() as phone:
        phone.send(start(**ONE_SIDE, partials=True))
        ready = json.loads(phone.recv())
        steps: list[str] = ["none"]
        watching = threading.Thread(target=_watch, args=(running, steps))
        watching.start()
        for frame in frames(spoken([0]).tobytes(), channels=1):
            phone.send(frame)
            time.sleep(0.1)
        told = answers(phone, until="sentence")
        _say(phone, range(1, 7), pause_s=0.8)
        while "longer segments" not in steps:
            told += answers(phone, until="sentence")
        assert standin.seen(slow_recogniser).stop_history_ms == 400
        _say(phone, [7], pause_s=0.8)
        doctor = _doctor(running)
        phone.send('{"type":"stop"}')
        told += answers(phone)
        watching.join()
        health = running.health()
        with running.store() as store:
            call, sentences = finished(store, ready["call"])
            clocks = store.clocks(call_id=call.id)
    assert steps == ["none", "no partials", "longer segments"]
    assert any(message["type"] == "partial" for message in told)
    assert told[-1]["type"] == "stopped"
    assert numbers(sentences) == list(range(8)), "every sentence is there"
    assert numbers_told(told) == list(range(8))
    late = [one for one in clocks if (one.heard_at - one.spoken_at).total_seconds() > 5]  # type: ignore[operator]
    assert len(late) >= 1
    assert call.attributes["late"] == str(len(late)), "and those that came late are counted"
    assert health["late_sentences"] == len(late)
    assert doctor["status"] == "warning"
    assert "overloaded: longer segments" in doctor["detail"]
    assert "OVERTONE_ASR_URI" in doctor["remedy"]
    assert standin.seen(slow_recogniser).stop_history_ms == 1000


def _watch(running: Gateway, steps: list[str]) -> None:
    """Notes each step of the overload until the last one."""
    while steps[-1] != "longer segments":
        if (step := running.health()["overload"]) != steps[-1]:
            steps.append(step)
        time.sleep(0.05)


def _doctor(running: Gateway) -> dict[str, str]:
    """What `overtone doctor` says of the gateway."""
    ran = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "doctor", "--json"],
        env={**running.environment, "OVERTONE_RIVA_PATIENCE_S": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    (found,) = (check for check in json.loads(ran.stdout)["checks"] if check["name"] == "gateway")
    check: dict[str, str] = found
    return check


@pytest.mark.slow
def test_a_recogniser_away_for_longer_than_anybody_waits_costs_what_is_marked(tmp_path: Path) -> None:
    """After two minutes its streams are given up; the buffer still holds what was said meanwhile."""
    with standin.running(delay_ms=10) as (address, process):
        port = int(address.rpartition(":")[2])
        with gateway(tmp_path / "home", **uris(address)) as running, running.phone() as phone:
            phone.send(start(**ONE_SIDE))
            ready = json.loads(phone.recv())
            _say(phone, [0, 1])
            for _ in range(2):
                answers(phone, until="sentence")
            process.kill()
            process.wait()
            _say(phone, range(2, 8))
            time.sleep(130.0)
            with standin.running(port=port, delay_ms=10):
                _say(phone, [8, 9])
                phone.send('{"type":"stop"}')
                answers(phone, timeout_s=90)
                with running.store() as store:
                    _, sentences = finished(store, ready["call"])
    heard = numbers(sentences)
    gaps = [one for one in sentences if not one.words]
    missing = set(range(10)) - set(heard)
    assert len(heard) == len(set(heard))
    assert {0, 1, 8, 9} <= set(heard)
    assert len(missing) <= 3, "the buffer holds two minutes"
    assert all(any(gap.start_s - 1.0 < number < gap.end_s for gap in gaps) for number in missing)
    assert all(gap.start_s > 1.4 and gap.end_s <= 8.0 for gap in gaps), "what was heard is not marked as missing"
