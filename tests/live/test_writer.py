"""Whoever stores live calls: in order, together where it is behind, and no call at another's expense."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.calls import Sentence, SentenceClock
from pipeline.live.clerk import Clerk
from pipeline.live.writer import Append, Begin, Finish, StoreWriter, Writer
from pipeline.settings import Settings
from pipeline.store import Store, open_store
from tests.live.phones import eventually
from tests.store.samples import START, a_call, a_sentence

IN_HAND_S = 0.3  # after which work that waits is certainly in hand


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/overtone.db") as opened:
        yield opened


@pytest.fixture(params=["a thread", "a process"])
def begun(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Callable[[], StoreWriter]:
    """Begins a writer of each kind over the store."""
    if request.param == "a thread":
        return lambda: Writer(store)
    return lambda: Clerk(Settings(home=tmp_path), os.environ)


class Told:
    """Who hears of what was stored."""

    def __init__(self) -> None:
        self.sentences: list[tuple[str, int]] = []
        self.finished: list[str] = []

    def stored(self, sentences: Sequence[Sentence], at: datetime) -> None:
        self.sentences += [(one.call_id, one.index) for one in sentences]


def append(call_id: str, index: int, told: Told) -> Append:
    said = replace(a_sentence(), call_id=call_id, index=index, start_s=float(index), end_s=index + 0.5)
    return Append(call_id, [said], [SentenceClock(call_id, index, spoken_at=START, heard_at=START)], told.stored)


def test_what_waited_is_stored_together_in_order_and_told_once(
    store: Store, begun: Callable[[], StoreWriter], tmp_path: Path
) -> None:
    told, calls = Told(), ["one", "two", "three"]
    with closing(begun()) as writer:
        for call_id in calls:
            writer.put(Begin(a_call(call_id)))
        eventually(lambda: not writer.waiting)
        before = store.last_change()
        lock = sqlite3.connect(tmp_path / "overtone.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        for index in range(20):
            for call_id in calls:
                writer.put(append(call_id, index, told))
        for call_id in calls:
            writer.put(Finish(call_id, 20.0, {}, lambda call_id=call_id: told.finished.append(call_id)))  # type: ignore[misc]
        assert writer.waiting >= 60
        assert told.sentences == []
        lock.execute("ROLLBACK")
        lock.close()
        eventually(lambda: len(told.finished) == 3)
    for call_id in calls:
        assert [one.index for one in store.sentences(call_id)] == list(range(20))
        assert [index for told_of, index in told.sentences if told_of == call_id] == list(range(20))
        assert all(clock.stored_at for clock in store.clocks(call_id=call_id))
        assert len(store.clocks(call_id=call_id)) == 20
        assert store.has(call_id), "it is complete"
    assert store.last_change() == before + 63


def test_sentences_do_not_wait_for_the_ends_of_other_calls(
    store: Store, begun: Callable[[], StoreWriter], tmp_path: Path
) -> None:
    told: list[str] = []

    def said(call_id: str, index: int) -> Append:
        return replace(append(call_id, index, Told()), done=lambda *_: told.append(f"{call_id} {index}"))

    with closing(begun()) as writer:
        for call_id in ("one", "two", "three", "four"):
            writer.put(Begin(a_call(call_id)))
        eventually(lambda: not writer.waiting)
        lock = sqlite3.connect(tmp_path / "overtone.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        writer.put(Finish("one", 1.0, {}, lambda: told.append("one over")))
        eventually(lambda: writer.delay_s > IN_HAND_S)
        writer.put(Finish("two", 1.0, {}, lambda: told.append("two over")))
        writer.put(said("three", 0))
        writer.put(Finish("three", 1.0, {}, lambda: told.append("three over")))
        writer.put(said("four", 0))
        lock.execute("ROLLBACK")
        lock.close()
        eventually(lambda: not writer.waiting)
    assert told == ["one over", "three 0", "four 0", "two over", "three over"]


def test_a_call_ends_behind_its_own_sentences(store: Store, begun: Callable[[], StoreWriter], tmp_path: Path) -> None:
    told: list[str] = []

    def said(call_id: str, index: int) -> Append:
        return replace(append(call_id, index, Told()), done=lambda *_: told.append(f"{call_id} {index}"))

    with closing(begun()) as writer:
        for call_id in ("one", "two"):
            writer.put(Begin(a_call(call_id)))
        eventually(lambda: not writer.waiting)
        lock = sqlite3.connect(tmp_path / "overtone.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        writer.put(said("one", 0))
        eventually(lambda: writer.delay_s > IN_HAND_S)
        for call_id in ("two", "one"):
            writer.put(said(call_id, 1))
            writer.put(Finish(call_id, 1.0, {}, lambda call_id=call_id: told.append(f"{call_id} over")))  # type: ignore[misc]
        lock.execute("ROLLBACK")
        lock.close()
        eventually(lambda: not writer.waiting)
    assert told == ["one 0", "two 1", "one 1", "two over", "one over"]
    assert [len(store.sentences(call_id)) for call_id in ("one", "two")] == [2, 1]


def test_a_call_that_is_refused_costs_the_others_nothing(
    store: Store, begun: Callable[[], StoreWriter], tmp_path: Path
) -> None:
    told = Told()
    with closing(begun()) as writer:
        for call_id in ("gone", "here"):
            writer.put(Begin(a_call(call_id)))
        eventually(lambda: not writer.waiting)
        store.delete("gone")
        lock = sqlite3.connect(tmp_path / "overtone.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        for index in range(3):
            writer.put(append("here", index, told))
            writer.put(append("gone", index, told))
        lock.execute("ROLLBACK")
        lock.close()
        eventually(lambda: not writer.waiting)
    assert [one.index for one in store.sentences("here")] == [0, 1, 2]
    assert told.sentences == [("here", 0), ("here", 1), ("here", 2)]


def test_what_was_committed_before_an_error_is_not_stored_twice(store: Store, begun: Callable[[], StoreWriter]) -> None:
    told = Told()
    with closing(begun()) as writer:
        writer.put(Begin(a_call("one")))
        eventually(lambda: not writer.waiting)
        store.append("one", append("one", 0, told).sentences)
        both = [*append("one", 0, told).sentences, *append("one", 1, told).sentences]
        writer.put(Append("one", both, (), told.stored))
        eventually(lambda: not writer.waiting)
    assert [one.index for one in store.sentences("one")] == [0, 1]
