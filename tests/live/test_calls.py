"""Live calls end to end: a gateway process, websocket clients as phone systems are, a recogniser over real gRPC."""

from __future__ import annotations

import json
import socket as sockets
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio import duration_s
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
    sample,
    spoken,
    start,
    stereo,
    uris,
)
from tests.pipeline.sounds import silence

FAST = {"live_pace": "0", "live_intents": "true"}


@pytest.fixture(scope="module")
def hearing() -> Iterator[str]:
    """A recogniser that answers within 10 ms."""
    with standin.running(delay_ms=10) as (address, _):
        yield address


@pytest.fixture(scope="module")
def desk(hearing: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that most tests share; sources may send as fast as they can."""
    with gateway(tmp_path_factory.mktemp("desk") / "home", **uris(hearing), **FAST, live_resume_s="2") as running:
        yield running


def conversation(agent: list[int], customer: list[int]) -> bytes:
    """A stereo call in which the customer speaks after the agent."""
    one, other = spoken(agent), spoken(customer)
    sides = np.zeros((len(one) + len(other), 2), dtype="<i2")
    sides[: len(one), 0], sides[len(one) :, 1] = one, other
    return sides.tobytes()


def test_a_call_is_stored_sentence_by_sentence_with_its_clocks(desk: Gateway) -> None:
    with desk.phone() as phone:
        phone.send(start(call_id="first", agent="Leo", customer="Ann", queue="billing", partials=True, team="north"))
        ready = json.loads(phone.recv())
        for frame in frames(conversation([1, 2], [3, 4])):
            phone.send(frame)
            time.sleep(0.01)
        phone.send(json.dumps({"type": "mark", "name": "over"}))
        phone.send(json.dumps({"type": "stop"}))
        told = answers(phone)
    assert (ready["type"], ready["resumed"]) == ("ready", False)
    kinds = [message["type"] for message in told]
    assert kinds[-1] == "stopped"
    assert {"partial", "mark", "sentence"} <= set(kinds)
    with desk.store() as store:
        call, sentences = finished(store, ready["call"])
        clocks = eventually(
            lambda: found if len(found := [c for c in store.clocks(call_id=call.id) if c.stored_at]) == 4 else []
        )
    assert (call.agent, call.customer, call.speakers) == ("Leo", "Ann", ("agent", "customer"))
    assert call.attributes == {"queue": "billing", "team": "north", "phone_call_id": "first", "protocol": "plain"}
    assert call.duration_s == pytest.approx(4.0)
    assert numbers(sentences, 1) == [1, 2]
    assert numbers(sentences, 2) == [3, 4]
    assert [one.sentiment.label for one in sentences if one.sentiment] == ["negative", "positive"] * 2
    assert {one.intent.name if one.intent else "" for one in sentences if one.channel == 2} == {"unknown"}
    assert sorted(m["index"] for m in told if m["type"] == "sentence") == [0, 1, 2, 3]
    for clock in clocks:
        assert clock.spoken_at <= clock.heard_at <= clock.labelled_at <= clock.stored_at
    assert duration_s(desk.home / "audio" / call.id / "channel-2.wav") == pytest.approx(4.0)
    eventually(lambda: not list((desk.home / "live").iterdir()))  # the call's journal is of no more use


def test_phones_that_send_other_encodings_and_no_metadata_are_understood(desk: Gateway) -> None:
    with desk.phone("/calls?rate_hz=8000&call_id=plain-8k&customer=Bo&speakers=customer") as phone:
        ready = json.loads(phone.recv())
        for frame in frames(np.ascontiguousarray(spoken([5, 6])[::2]).tobytes(), channels=1, rate_hz=8000):
            phone.send(frame)
        phone.send('{"type":"stop"}')
        answers(phone)
    with desk.store() as store:
        call, sentences = finished(store, ready["call"])
    assert (call.customer, call.speakers) == ("Bo", ("customer",))
    assert len(numbers(sentences)) == 2


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("{", "not JSON"),
        ('{"type":"stop"}', "not start"),
        (start(rate_hz=44100), "44100"),
        (start(encoding="mp3"), "mp3"),
        (start(channels=3), "3"),
        (start(speakers=["boss", "customer"]), "speakers"),
        (b"\0\0", "audio"),
    ],
)
def test_a_start_that_cannot_be_used_is_refused_with_the_reason(desk: Gateway, first: str | bytes, said: str) -> None:
    with desk.phone() as phone:
        phone.send(first)
        (message,) = answers(phone)
    assert message["type"] == "error"
    assert said in message["message"]


def test_malformed_messages_and_frames_are_left_out_and_counted(desk: Gateway) -> None:
    with desk.phone() as phone:
        phone.send(start())
        ready = json.loads(phone.recv())
        pieces = list(frames(conversation([7], [8])))
        phone.send(pieces[0])
        for broken in (b"\0\0\0", b"", "{", '{"type":"dance"}', "[1]"):
            phone.send(broken)
        for frame in pieces[1:]:
            phone.send(frame)
        phone.send('{"type":"stop"}')
        told = answers(phone)
    assert sum(message["type"] == "error" for message in told) == 3
    with desk.store() as store:
        call, sentences = finished(store, ready["call"])
    assert call.attributes["frames_malformed"] == "5"
    assert sorted(numbers(sentences)) == [7, 8]


def test_a_lost_connection_is_resumed_and_the_time_between_is_marked(desk: Gateway) -> None:
    with desk.phone() as phone:
        phone.send(start(call_id="resumed"))
        ready = json.loads(phone.recv())
        for frame in frames(conversation([10], [11])):
            phone.send(frame)
        answers(phone, until="sentence")
        phone.socket.shutdown(sockets.SHUT_RDWR)  # as when a cable is pulled
    time.sleep(1.0)
    with desk.phone() as phone:
        phone.send(start(call_id="resumed"))
        again = json.loads(phone.recv())
        for frame in frames(conversation([12], [13])):
            phone.send(frame)
        phone.send('{"type":"stop"}')
        answers(phone)
    assert (again["call"], again["resumed"]) == (ready["call"], True)
    with desk.store() as store:
        call, sentences = finished(store, ready["call"])
    assert sorted(numbers(sentences)) == [10, 11, 12, 13]
    assert "the connection was lost" in call.attributes["gaps"]
    marks = [one for one in sentences if one.text.startswith("[")]
    assert {one.channel for one in marks} == {1, 2}
    assert all("missing: the connection was lost" in one.text and one.sentiment is None for one in marks)
    assert sorted(one.index for one in sentences) == list(range(len(sentences)))


def test_a_connection_that_stays_away_ends_the_call(desk: Gateway) -> None:
    with desk.phone() as phone:
        phone.send(start(call_id="gone"))
        ready = json.loads(phone.recv())
        phone.send(conversation([14], []))
        answers(phone, until="sentence")
    with desk.store() as store:
        call, sentences = finished(store, ready["call"])
    assert numbers(sentences) == [14]
    assert call.attributes["ended"] == "the connection was lost"
    with desk.phone() as phone:
        phone.send(start(call_id="gone"))
        assert json.loads(phone.recv())["call"] != ready["call"], "the same id later is another call"
        phone.send('{"type":"stop"}')
        answers(phone)


def test_two_calls_at_once_cannot_have_one_id(desk: Gateway) -> None:
    with desk.phone() as phone, desk.phone() as other:
        phone.send(start(call_id="twice"))
        phone.recv()
        phone.send(conversation([15], []))
        other.send(start(call_id="twice"))
        (message,) = answers(other)
        assert message["type"] == "error"
        assert "'twice' is going on over another connection" in message["message"]
        phone.send('{"type":"stop"}')
        assert numbers_told(answers(phone)) == [15], "the first one goes on undisturbed"


def test_a_call_that_never_ends_is_ended(hearing: str, tmp_path: Path) -> None:
    settings = {**uris(hearing), **FAST, "live_longest_h": "0.001"}  # 3.6 s
    with gateway(tmp_path / "home", **settings) as running, running.phone() as phone, running.phone() as mute:
        for one in (phone, mute):
            one.send(start(channels=1, speakers=["customer"]))
        stop = threading.Event()

        def talk() -> None:
            while not stop.is_set():
                try:
                    phone.send(spoken([17]).tobytes())
                except OSError:
                    return
                except Exception:  # noqa: BLE001 - the gateway has hung up
                    return
                time.sleep(0.2)

        talking = threading.Thread(target=talk)
        talking.start()
        told = answers(phone)
        stop.set()
        talking.join()
        ends = [told[-1], answers(mute)[-1]]
    for end in ends:  # one that sends nothing takes a place all the same
        assert end["type"] == "stopped"
        assert "OVERTONE_LIVE_LONGEST_H" in end["reason"]


def test_a_source_faster_than_time_is_slowed(hearing: str, tmp_path: Path) -> None:
    with gateway(tmp_path / "home", **uris(hearing), live_pace="20") as running, running.phone() as phone:
        phone.send(start(channels=1, speakers=["customer"]))
        phone.recv()
        audio = spoken(list(range(60)))
        began = time.monotonic()
        for frame in frames(audio.tobytes(), channels=1):
            phone.send(frame)
        phone.send('{"type":"stop"}')
        told = answers(phone)
        took_s = time.monotonic() - began
    assert numbers_told(told) == list(range(60))
    assert took_s > 0.9 * (len(audio) / 16_000 - 5) / 20, "60 s at 20 times the pace of time, 5 s of them at once"


def test_a_recogniser_killed_during_a_call_loses_no_sentence(tmp_path: Path) -> None:
    with standin.running(delay_ms=10) as (address, process):
        port = int(address.rpartition(":")[2])
        with gateway(tmp_path / "home", **uris(address), **FAST) as running, running.phone() as phone:
            phone.send(start(channels=1, speakers=["customer"]))
            ready = json.loads(phone.recv())
            audio = list(frames(spoken(list(range(20))).tobytes(), channels=1))
            for number, frame in enumerate(audio):
                phone.send(frame)
                time.sleep(0.01)
                if number == len(audio) // 4:
                    process.kill()
                    process.wait()
            with standin.running(port=port, delay_ms=10):
                phone.send('{"type":"stop"}')
                answers(phone)
                with running.store() as store:
                    _, sentences = finished(store, ready["call"])
    assert numbers(sentences) == list(range(20))


def test_a_locked_database_loses_nothing(desk: Gateway) -> None:
    with desk.phone() as phone:
        phone.send(start(channels=1, speakers=["customer"]))
        ready = json.loads(phone.recv())
        time.sleep(0.3)
        lock = sqlite3.connect(desk.home / "overtone.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        try:
            for frame in frames(spoken(list(range(30, 40))).tobytes(), channels=1):
                phone.send(frame)
                time.sleep(0.01)
            journal = desk.home / "live" / ready["call"] / "sentences.jsonl"
            eventually(lambda: len(journal.read_text().splitlines()) == 10 if journal.exists() else False)
            assert desk.health()["unstored"] > 0
            time.sleep(1.5)
        finally:
            lock.execute("ROLLBACK")
            lock.close()
        phone.send('{"type":"stop"}')
        assert numbers_told(answers(phone)) == list(range(30, 40))
    with desk.store() as store:
        _, sentences = finished(store, ready["call"])
    assert numbers(sentences) == list(range(30, 40))


def test_a_gateway_killed_in_mid_call_is_taken_up_by_the_next(hearing: str, tmp_path: Path) -> None:
    settings = {**uris(hearing), **FAST, "live_resume_s": "3"}
    with gateway(tmp_path / "home", **settings) as running, running.phone() as phone, running.phone() as other:
        ids = []
        for one, name in ((phone, "goes-on"), (other, "")):
            one.send(start(call_id=name, channels=1, speakers=["customer"]))
            ids.append(json.loads(one.recv())["call"])
            one.send(spoken([40, 41]).tobytes())
            answers(one, until="sentence")
        eventually(lambda: (running.home / "live" / ids[1] / "sentences.jsonl").exists())
        running.kill()
    with gateway(tmp_path / "home", **settings) as running, running.phone() as phone:
        phone.send(start(call_id="goes-on", channels=1, speakers=["customer"]))
        again = json.loads(phone.recv())
        assert (again["call"], again["resumed"]) == (ids[0], True)
        phone.send(spoken([42]).tobytes())
        phone.send('{"type":"stop"}')
        answers(phone)
        with running.store() as store:
            _, resumed = finished(store, ids[0])
            call, cut_off = finished(store, ids[1])
    assert set(numbers(resumed)) >= {40, 42}
    assert len(numbers(resumed)) == len(set(numbers(resumed))), "nothing is stored twice"
    assert 40 in numbers(cut_off)
    assert call.attributes["ended"] == "its gateway was killed"
    assert duration_s(running.home / "audio" / call.id / "channel-1.wav") >= 1.9


def test_the_second_pass_replaces_the_text_and_keeps_the_live_one(
    speech_server: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    channels = sample(tmp_path)
    settings = {**uris(speech_server), "live_pace": "0", "live_second_pass": "true", "keep_audio": "false"}
    with gateway(tmp_path / "home", **settings) as running, running.phone() as phone:
        phone.send(start(call_id="twice-heard"))
        ready = json.loads(phone.recv())
        for frame in frames(stereo(channels, 0.0, 14.0)):
            phone.send(frame)
        phone.send('{"type":"stop"}')
        live = [message for message in answers(phone) if message["type"] == "sentence"]
        eventually(lambda: not (running.home / "live" / ready["call"]).exists())
        with running.store() as store:
            _, sentences = finished(store, ready["call"])
    assert live
    assert all(sentence.recogniser.startswith("whisper") for sentence in sentences)
    assert all(sentence.sentiment for sentence in sentences)
    assert "cancel" in " ".join(sentence.text for sentence in sentences).lower()
    assert not (running.home / "audio" / ready["call"]).exists(), "the settings say that recordings are not kept"
    with sqlite3.connect(running.home / "overtone.db") as database:
        rows = database.execute("SELECT revision, count(*) FROM sentences GROUP BY revision").fetchall()
    assert rows == [(0, len(live)), (1, len(sentences))]


def test_what_is_being_said_can_be_watched(desk: Gateway) -> None:
    with desk.phone("/partials") as watching, desk.phone() as phone:
        phone.send(start(channels=1, speakers=["customer"]))
        ready = json.loads(phone.recv())
        for frame in frames(spoken([50], pause_s=0).tobytes(), channels=1):
            phone.send(frame)
        saying = json.loads(watching.recv(20))
        for frame in frames(silence(1.0).tobytes(), channels=1):
            phone.send(frame)
        final = json.loads(watching.recv(20))
        phone.send('{"type":"stop"}')
        answers(phone)
    assert saying == {"kind": "partials", "rows": [[ready["call"], 1, "Utter"]]}
    assert final == {"kind": "partials", "rows": [[ready["call"], 1, ""]]}


def test_health_tells_of_calls(desk: Gateway) -> None:
    before = desk.health()["calls"]
    with desk.phone() as phone:
        phone.send(start())
        phone.recv()
        health = desk.health()
        phone.send('{"type":"stop"}')
        answers(phone)
    assert health["calls"] == before + 1
    assert {"lag_s", "dropped_partials", "late_sentences", "second_passes", "overload"} <= set(health)
