"""A writer killed at any moment leaves whole calls only, and the next run finishes the rest."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from pipeline.store import Store, open_store
from tests.store.adding import BATCH, CALLS, LIVE, SENTENCES, ids, spoken
from tests.store.samples import a_call

KILLS = 6


def test_kills_leave_whole_calls_and_the_next_run_finishes(url: str) -> None:
    chance = random.Random(20260314)
    for _ in range(KILLS):
        with _filling(url) as child:
            assert child.stdout is not None
            child.stdout.readline()  # ready; until here only the opening can be hit
            time.sleep(chance.uniform(0, 0.08))
            child.kill()
        with open_store(url) as store:
            _let_the_dead_finish(store)
            _check_whole(store)
    with _filling(url) as child:
        assert child.wait() == 0
    with open_store(url) as store:
        _check_whole(store)
        assert {row.call.id for row in store.calls(limit=1000).rows} == {*ids(), LIVE}
        for call_id in (*ids(), LIVE):
            assert store.call(call_id) == a_call(call_id)
            assert store.sentences(call_id) == spoken(call_id)


def test_a_kill_while_a_blank_database_is_opened_does_no_harm(blank_url: str) -> None:
    chance = random.Random(1)
    for _ in range(3):
        with _filling(blank_url) as child:
            time.sleep(chance.uniform(0.2, 0.6))
            child.kill()
    with open_store(blank_url) as store:
        _check_whole(store)


def _filling(url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.store.adding", url]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE)


def _let_the_dead_finish(store: Store) -> None:
    """A PostgreSQL server ends the commit that it was told to do, a moment after the client is gone."""
    while store.watch(0.05):
        pass


def _check_whole(store: Store) -> None:
    """Every recording is complete with all its sentences and predictions, and its sums agree with them."""
    rows = store.calls(limit=CALLS + 1).rows
    for row in rows:
        sentences = store.sentences(row.call.id)
        assert sentences == spoken(row.call.id)[: len(sentences)]
        assert row.sentences == len(sentences)
        assert sum(row.labels.values()) == len(sentences)
        if row.call.id == LIVE:
            assert len(sentences) % BATCH == 0
        else:
            assert len(sentences) == SENTENCES
            assert row.call == a_call(row.call.id)
    changes = store.changes(0, limit=10_000)
    assert [change.number for change in changes] == list(range(1, store.last_change() + 1))
    assert sum(change.sentence is not None for change in changes) == sum(row.sentences for row in rows)


def test_two_writers_of_the_same_calls_store_each_once(url: str) -> None:
    with open_store(url) as store, _filling(url) as child:
        added = sum(store.add(a_call(call_id), spoken(call_id)) for call_id in ids())
        assert child.wait() == 0
        assert 0 <= added <= CALLS
        _check_whole(store)
        assert store.calls().total == CALLS + 1
