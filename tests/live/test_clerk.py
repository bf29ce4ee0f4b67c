"""The process that stores live calls is killed, or loses its gateway: nothing is lost, nothing is stored twice."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.alerts import book
from pipeline.calls import Sentence
from pipeline.live.clerk import Clerk
from pipeline.live.writer import Append, Begin, Finish
from pipeline.settings import Settings
from pipeline.store import open_store
from tests.bench import standin
from tests.live.phones import answers, eventually, finished, frames, gateway, numbers, spoken, start, uris
from tests.store.samples import a_call, a_sentence

ONE_SIDE = {"channels": 1, "speakers": ["customer"]}


@pytest.fixture(scope="module")
def hearing() -> Iterator[str]:
    with standin.running(delay_ms=10) as (address, _):
        yield address


def test_what_a_killed_clerk_had_not_done_is_done_by_the_next_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    told: list[int] = []
    over: list[str] = []

    def stored(sentences: Sequence[Sentence], at: datetime) -> None:
        told.extend(one.index for one in sentences)

    def said(index: int) -> Append:
        one = a_sentence()
        return Append("one", [Sentence(**{**vars(one), "call_id": "one", "index": index})], (), stored)

    with open_store(settings.store_url) as store, closing(Clerk(settings, os.environ)) as clerk:
        clerk.put(Begin(a_call("one")))
        for index in range(5):
            clerk.put(said(index))
        eventually(lambda: len(told) == 5)
        lock = sqlite3.connect(tmp_path / "overtone.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        for index in range(5, 10):
            clerk.put(said(index))
        before = clerk.pid
        os.kill(before, signal.SIGKILL)
        eventually(lambda: clerk.pid != before)
        for index in range(10, 15):
            clerk.put(said(index))
        clerk.put(Finish("one", 15.0, {}, lambda: over.append("one")))
        assert clerk.waiting == 11
        lock.execute("ROLLBACK")
        lock.close()
        eventually(lambda: over)
        assert clerk.waiting == 0
        assert clerk.delay_s == 0.0
        assert told == list(range(15))
        assert [one.index for one in store.sentences("one")] == list(range(15))
        assert store.has("one")
    assert over == ["one"]


def test_closing_waits_for_what_is_left(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with open_store(settings.store_url) as store:
        with closing(Clerk(settings, os.environ)) as clerk:
            clerk.put(Begin(a_call("one")))
            for index in range(50):
                clerk.put(Append("one", [Sentence(**{**vars(a_sentence()), "call_id": "one", "index": index})]))
        assert len(store.sentences("one")) == 50
        assert clerk.waiting == 0


def test_a_store_that_cannot_be_opened_is_tried_until_somebody_gives_up(tmp_path: Path) -> None:
    (tmp_path / "overtone.db").write_bytes(b"no database, but something that somebody put in its place" * 100)
    clerk = Clerk(Settings(home=tmp_path), os.environ)
    clerk.put(Begin(a_call("one")))
    first = clerk.pid
    eventually(lambda: clerk.pid != first)
    assert clerk.waiting == 1
    clerk.close(wait_s=0.5)
    assert not _alive(clerk.pid)


def test_a_call_goes_on_when_its_clerk_is_killed(hearing: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    book.save(home, "rules:\n  - {name: seven, when: {says: [utterance 7]}}\n")
    with gateway(home, **uris(hearing), live_pace="0") as running, running.phone() as phone:
        phone.send(start(**ONE_SIDE))
        call_id = json.loads(phone.recv())["call"]
        for number in range(10):
            for frame in frames(spoken([number]).tobytes(), channels=1):
                phone.send(frame)
            if number in (3, 6):
                os.kill(running.clerk, signal.SIGKILL)
            answers(phone, until="sentence")
        phone.send('{"type":"stop"}')
        answers(phone)
        with running.store() as store:
            _, sentences = finished(store, call_id)
            (alert,) = eventually(store.alerts)
    assert numbers(sentences) == list(range(10))
    assert alert.rule == "seven"


def test_a_clerk_does_not_outlive_its_gateway(hearing: str, tmp_path: Path) -> None:
    with gateway(tmp_path / "home", **uris(hearing)) as running:
        clerk = running.clerk
        running.kill()
        eventually(lambda: not _alive(clerk))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
