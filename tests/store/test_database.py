"""Addresses that cannot be used and databases that fail us are told in one line that names the setting."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, update

from pipeline.calls import Call
from pipeline.errors import BackendError, ConfigError, OvertoneError
from pipeline.store import open_store, tables, writing
from pipeline.store.database import Database
from pipeline.store.migrations import bring_to_head
from tests.store.postgres import Server
from tests.store.samples import a_call, conversation


def refusal(url: str, kind: type[OvertoneError]) -> str:
    """What opening the store at ``url`` says, which is one line."""
    with pytest.raises(kind) as caught:
        open_store(url)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "overtone.db",
        "postgresql",
        "postgresql+psycopg://me:hunter2@host:port/calls",
        "//me:hunter2@host/calls",
        "nosuch://me:hunter2@host/calls",
        "mysql://me:hunter2@host/calls",
        "postgresql+asyncpg://me:hunter2@host/calls",
        "postgresql://me:hunter2@host",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_a_malformed_address_is_refused_without_telling_the_password(url: str) -> None:
    message = refusal(url, ConfigError)
    assert "OVERTONE_DATABASE_URL" in message
    assert "postgresql+psycopg://user@host/database" in message
    assert "hunter2" not in message


def test_an_unreachable_server_may_be_tried_again_and_its_password_stays_hidden() -> None:
    url = "postgresql+psycopg://me:hunter2@127.0.0.1:1/calls?sslpassword=hunter2"
    with pytest.raises(BackendError) as caught:
        open_store(url)
    assert caught.value.retryable
    message = str(caught.value)
    assert "postgresql+psycopg://me:***@127.0.0.1:1/calls" in message
    assert "OVERTONE_DATABASE_URL" in message
    assert "refused" in message
    assert "hunter2" not in message
    assert "\n" not in message


def test_a_database_that_is_not_there_is_named(postgres: Server) -> None:
    assert 'database "nowhere" does not exist' in refusal(postgres.url("nowhere"), BackendError)


def test_an_old_spelling_of_postgresql_is_understood(new_url: Callable[[str], str]) -> None:
    url = new_url("postgresql").replace("postgresql+psycopg://", "postgres://")
    with open_store(url) as store:
        assert store.last_change() == 0


def test_a_missing_driver_is_named_with_the_extra_that_brings_it() -> None:
    # None in sys.modules is Python's own way to say that a module cannot be imported.
    script = """
import sys
sys.modules["psycopg"] = None
from pipeline.errors import ConfigError
from pipeline.store import open_store
try:
    open_store("postgresql+psycopg://me@127.0.0.1:1/calls")
except ConfigError as error:
    sys.exit(str(error))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert "pip install 'overtone[postgres]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["a b/c'd/😀%20?#&.db", "-dash.db", "new\nline.db"])
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / "deep" / name
    with open_store(str(make_url("sqlite://").set(database=str(path)))) as store:
        store.add(a_call(), conversation())
        assert store.address == str(path)
    assert path.exists()


def test_the_file_is_in_wal_mode(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/overtone.db").close()
    with closing(sqlite3.connect(tmp_path / "overtone.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "overtone.db"
    path.write_bytes(b"Dear diary, " * 1000)
    message = refusal(f"sqlite:///{path}", BackendError)
    assert str(path) in message
    assert "is not an SQLite database, or is damaged" in message
    assert path.read_bytes() == b"Dear diary, " * 1000


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "overtone.db"
    with open_store(f"sqlite:///{path}") as store:
        for number in range(50):
            store.add(a_call(str(number)), conversation(str(number)))
    healthy = path.read_bytes()
    path.write_bytes(healthy[:4096] + b"\xff" * (len(healthy) - 4096))
    assert "damaged" in refusal(f"sqlite:///{path}", BackendError)


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    assert "cannot be opened" in refusal(f"sqlite:///{tmp_path}", BackendError)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    message = refusal(f"sqlite:///{tmp_path}/file/home/overtone.db", ConfigError)
    assert f"{tmp_path}/file/home" in message
    assert "OVERTONE_HOME" in message


def test_a_read_only_database_can_be_read_and_says_why_not_written(tmp_path: Path) -> None:
    path = tmp_path / "overtone.db"
    with open_store(f"sqlite:///{path}") as store:
        store.add(a_call("one"), conversation("one"))
    # Opened so rather than by permissions, which do not bind root.
    with open_store(f"sqlite:///file:{path}?mode=ro&uri=true") as store:
        assert store.sentences("one") == conversation("one")
        with pytest.raises(BackendError, match="cannot be written: check who owns the file") as caught:
            store.add(a_call("two"), [])
        assert not caught.value.retryable


@pytest.mark.parametrize("other_end", ["commit", "rollback"])
def test_a_writer_that_waits_too_long_gives_up_and_may_try_again(url: str, other_end: str) -> None:
    holder, waiter = Database(url), Database(url, lock_wait_s=0.1)
    with closing(holder), closing(waiter):
        bring_to_head(holder)
        with holder.writing() as connection:
            connection.execute(update(tables.counter).values(value=tables.counter.c.value + 1))
            with pytest.raises(BackendError) as caught:
                writing.add(waiter, a_call(), conversation())
            assert caught.value.retryable
            assert "lock" in str(caught.value)
            if other_end == "rollback":
                connection.rollback()
        assert writing.add(waiter, a_call(), conversation())


def test_a_database_that_vanishes_is_told(postgres: Server, new_url: Callable[[str], str]) -> None:
    url = new_url("postgresql")
    with open_store(url) as store:
        store.add(a_call(), conversation())
        postgres.drop(url)
        for ask in (store.last_change, lambda: store.add(a_call("two"), [])):
            with pytest.raises(BackendError, match="does not exist"):
                ask()


def test_more_threads_than_connections_take_turns(url: str) -> None:
    with open_store(url) as store, ThreadPoolExecutor(40) as pool:

        def work(number: int) -> Call:
            store.add(a_call(f"{number:03}"), conversation(f"{number:03}"))
            return store.call(f"{number:03}")

        assert [call.id for call in pool.map(work, range(80))] == [f"{number:03}" for number in range(80)]
        assert store.calls(limit=100).total == 80
