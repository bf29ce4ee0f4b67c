"""The database is locked by somebody, or stopped, while calls go on: nothing is lost, nothing is stored twice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bench import standin
from tests.live.phones import Gateway, answers, eventually, finished, frames, gateway, numbers, spoken, start, uris
from tests.store import postgres as postgresql

ONE_SIDE = {"channels": 1, "speakers": ["customer"]}
_HOLD = """
import sqlite3, sys
lock = sqlite3.connect(sys.argv[1], isolation_level=None)
lock.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
lock.execute("ROLLBACK")
"""


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process holds the write lock of the SQLite file while the context lasts."""
    argv = [sys.executable, "-c", _HOLD, str(database)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield


@contextmanager
def stopped(server: postgresql.Server) -> Iterator[None]:
    """The server is down while the context lasts."""
    server.stop()
    yield
    server.start()


@pytest.fixture(scope="module")
def hearing() -> Iterator[str]:
    with standin.running(delay_ms=10) as (address, _):
        yield address


@pytest.fixture(scope="module")
def own_server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server that nobody else uses, since it is stopped."""
    try:
        with postgresql.running() as server:
            yield server
    except LookupError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_sqlite_locked_for_half_a_minute_loses_nothing(hearing: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with gateway(home, **uris(hearing), live_pace="0") as running:
        _calls_while_away(running, lambda: locked(home / "overtone.db"), 31.0)


@pytest.mark.parametrize("seconds", [1.0, pytest.param(31.0, marks=pytest.mark.slow)])
def test_postgresql_stopped_and_started_loses_nothing(
    own_server: postgresql.Server, hearing: str, tmp_path: Path, seconds: float
) -> None:
    settings = {**uris(hearing), "live_pace": "0", "database_url": own_server.database()}
    with gateway(tmp_path / "home", **settings) as running:
        _calls_while_away(running, lambda: stopped(own_server), seconds)


def _calls_while_away(running: Gateway, away: Callable[[], Any], seconds: float) -> None:
    """One call goes on throughout, one ends and one begins while the database is away."""
    with running.phone() as lasting, running.phone() as ending, running.phone() as beginning:
        ids = [_dial(lasting, "lasting"), _dial(ending, "ending")]
        for phone in (lasting, ending):
            _say(phone, [0])
            answers(phone, until="sentence")
        with away():
            began = time.monotonic()
            ids.append(_dial(beginning, "beginning"))
            _say(ending, [1])
            ending.send('{"type":"stop"}')
            said = 1
            while time.monotonic() - began < seconds or said < 3:
                _say(lasting, [said])
                _say(beginning, [said])
                said += 1
                time.sleep(0.5)
            assert running.health()["unstored"] > 0
        for phone in (lasting, beginning):
            _say(phone, [said])
            phone.send('{"type":"stop"}')
        for phone in (lasting, beginning):
            assert answers(phone, timeout_s=90)[-1] == {"type": "stopped", "reason": ""}
    eventually(lambda: not running.health()["unstored"])
    with running.store() as store:
        stored = [numbers(finished(store, call_id)[1]) for call_id in ids]
        calls = {row.call.attributes["phone_call_id"] for row in store.calls().rows}
    assert stored == [list(range(said + 1)), [0, 1], list(range(1, said + 1))]
    assert calls == {"lasting", "ending", "beginning"}
    eventually(lambda: not list((running.home / "live").iterdir()))  # no journal is needed any more


def _dial(phone: Any, name: str) -> str:
    phone.send(start(**ONE_SIDE, call_id=name))
    ready = json.loads(phone.recv())
    assert ready["type"] == "ready", ready
    call_id: str = ready["call"]
    return call_id


def _say(phone: Any, what: list[int]) -> None:
    for frame in frames(spoken(what).tobytes(), channels=1):
        phone.send(frame)
