"""The feed of changes misses nothing and repeats nothing, whoever writes meanwhile."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime

from sqlalchemy import insert, update

from pipeline.calls import Label
from pipeline.store import Store, open_store, tables
from pipeline.store.database import Database
from pipeline.store.queries import Change
from tests.store.samples import START, a_call, a_sentence, conversation


def everything(store: Store, after: int = 0, limit: int = 1000) -> list[Change]:
    found: list[Change] = []
    while batch := store.changes(after, limit):
        found += batch
        after = batch[-1].number
    return found


def test_a_blank_store_has_no_changes(store: Store) -> None:
    assert store.last_change() == 0
    assert store.changes(0) == []


def test_a_live_call_sentence_by_sentence(store: Store) -> None:
    before = datetime.now(UTC)
    store.begin(a_call())
    store.append(a_call().id, conversation()[:2])
    store.append(a_call().id, conversation()[2:])
    store.add_label(Label(a_call().id, 0, "sentiment", "neutral", "ann", START))
    store.finish(a_call().id, 61.5)
    found = everything(store)
    assert [change.kind for change in found] == ["began", *["sentence"] * 4, "label", "finished"]
    assert [change.number for change in found] == list(range(1, 8))
    assert found[-1].number == store.last_change()
    assert [change.sentence for change in found if change.sentence] == conversation()
    assert [change.label for change in found if change.label] == store.labels(a_call().id)
    assert {change.call.id for change in found} == {a_call().id}
    assert found[0].call == a_call()  # as it stands now
    assert all(before <= change.stored_at <= datetime.now(UTC) for change in found)


def test_a_recording_comes_with_its_sentences_first(store: Store) -> None:
    store.add(a_call(), conversation())
    assert [change.kind for change in everything(store)] == [*["sentence"] * 4, "stored"]


def test_asking_in_small_steps_gives_the_same(store: Store) -> None:
    store.add(a_call("one"), conversation("one"))
    store.begin(a_call("two"))
    store.add_label(Label("one", 0, "sentiment", "neutral", "ann", START))
    store.append("two", conversation("two"))
    assert everything(store, limit=1) == everything(store, limit=3) == everything(store)
    assert store.changes(store.last_change()) == []
    assert store.changes(10**9) == []


def test_a_deleted_call_leaves_only_its_end(store: Store) -> None:
    store.add(a_call("one"), conversation("one"))
    store.add(a_call("two"), conversation("two"))
    store.delete("one")
    store.delete("two")
    gone = everything(store)
    assert [(change.kind, change.call.id, change.call.source) for change in gone] == [
        ("deleted", "one", ""),
        ("deleted", "two", ""),
    ]
    store.add(a_call("three"), [])  # and numbers are not used again
    assert everything(store)[-1].number > gone[-1].number


def test_a_number_is_given_only_when_all_below_it_are_committed(url: str) -> None:
    with open_store(url) as store, closing(Database(url)) as other:
        with other.writing() as connection:
            connection.execute(update(tables.counter).values(value=tables.counter.c.value + 1))
            late = {"number": 1, "kind": "deleted", "call_id": "late", "at": START}
            connection.execute(insert(tables.events), late)
            faster = threading.Thread(target=store.add, args=(a_call("fast"), []))
            faster.start()
            faster.join(0.3)  # long enough for one that does not wait to be done
            assert faster.is_alive()
            assert store.changes(0) == []
        faster.join()
        assert [(change.number, change.call.id) for change in store.changes(0)] == [(1, "late"), (2, "fast")]


def test_a_reader_beside_eight_writers_sees_everything_once_and_in_order(url: str) -> None:
    rounds, size = 12, 5
    failures: list[BaseException] = []

    def write(writer: int, store: Store) -> None:
        try:
            live, done = f"live-{writer}", f"done-{writer}"
            store.begin(a_call(live))
            for turn in range(rounds):
                store.append(live, [a_sentence(live, turn * size + i) for i in range(size)])
                if turn == rounds // 2:
                    store.add(a_call(done), conversation(done))
                    store.add_label(Label(done, 0, "sentiment", "neutral", f"{writer}", START))
            store.finish(live)
        except BaseException as error:  # noqa: BLE001  # a thread's failure would go unseen
            failures.append(error)

    seen: list[Change] = []
    # Two stores write, so that both the locks of one process and those of the database are at work.
    with open_store(url) as reader, open_store(url) as first, open_store(url) as second:
        threads = [threading.Thread(target=write, args=(n, (first, second)[n % 2])) for n in range(8)]
        for thread in threads:
            thread.start()
        while True:
            busy = any(thread.is_alive() for thread in threads)
            batch = reader.changes(seen[-1].number if seen else 0, limit=7)
            seen += batch
            if not batch and not busy:
                break
        for thread in threads:
            thread.join()
        assert not failures
        assert [change.number for change in seen] == list(range(1, reader.last_change() + 1))
        kinds = Counter(change.kind for change in seen)
        assert kinds == {"began": 8, "sentence": 8 * (rounds * size + 4), "stored": 8, "label": 8, "finished": 8}
        for writer in range(8):
            own = [c.sentence.index for c in seen if c.sentence and c.call.id == f"live-{writer}"]
            assert own == list(range(rounds * size))
