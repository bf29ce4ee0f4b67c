"""Waiting for a commit ends with the commit, whoever made it, and can be ended."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import BackendError
from pipeline.store import Store, open_store
from tests.store.postgres import Server
from tests.store.samples import a_call

LONG_S = 60  # a test that works never waits so long
REPOSITORY = Path(__file__).parents[2]


def test_no_commit_no_change(store: Store) -> None:
    assert store.watch(0.05) is False
    assert store.watch(0) is False


def test_a_commit_of_another_connection_is_seen(store: Store, url: str) -> None:
    with open_store(url) as other:
        waiting = threading.Timer(0.1, other.begin, [a_call()])
        waiting.start()
        assert store.watch(LONG_S) is True
        waiting.join()
    assert store.watch(0.05) is False


def test_a_commit_of_this_very_store_is_seen(store: Store) -> None:
    waiting = threading.Timer(0.1, store.begin, [a_call()])
    waiting.start()
    assert store.watch(LONG_S) is True
    waiting.join()


def test_a_commit_of_another_process_is_seen(store: Store, url: str) -> None:
    script = "import sys; from pipeline.store import open_store; from tests.store.samples import a_call;"
    script += "open_store(sys.argv[1]).add(a_call(), [])"
    with subprocess.Popen([sys.executable, "-c", script, url], cwd=REPOSITORY) as child:
        assert store.watch(LONG_S) is True
        assert store.has(a_call().id)
    assert child.returncode == 0


def test_a_commit_between_two_waits_is_not_missed(store: Store) -> None:
    assert store.watch(0) is False
    store.add(a_call("one"), [])
    assert store.watch(LONG_S) is True
    store.add(a_call("two"), [])
    assert store.watch(LONG_S) is True
    assert store.watch(0.05) is False


def test_waiting_for_what_comes_after_a_number(store: Store) -> None:
    store.add(a_call("one"), [])
    assert store.watch(LONG_S, after=0) is True
    assert store.watch(LONG_S, after=0) is True
    assert store.watch(0.05, after=store.last_change()) is False


def test_every_thread_that_waits_is_woken(store: Store) -> None:
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(store.watch(LONG_S))) for _ in range(4)]
    for thread in threads:
        thread.start()
    store.begin(a_call())
    for thread in threads:
        thread.join(LONG_S)
    assert answers == [True] * 4


def test_closing_ends_a_wait_in_another_thread(store: Store) -> None:
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(store.watch(LONG_S)))
    waiting.start()
    assert store.watch(0.05) is False
    store.close()
    waiting.join(LONG_S / 2)
    assert not waiting.is_alive()
    assert answers == [False]
    assert store.watch(LONG_S) is False
    store.close()  # twice does no harm


def test_a_lost_server_ends_the_wait_and_the_next_one_works(postgres: Server, new_url: Callable[[str], str]) -> None:
    url = new_url("postgresql")
    name = url.partition("@/")[2].partition("?")[0]
    with open_store(url) as store:
        cut = threading.Timer(
            0.2,
            postgres.execute,
            [f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"],
        )
        cut.start()
        with pytest.raises(BackendError, match="OVERTONE_DATABASE_URL") as caught:
            store.watch(LONG_S)
        assert caught.value.retryable
        assert "\n" not in str(caught.value)
        cut.join()
        store.add(a_call(), [])
        assert store.watch(LONG_S) is True
