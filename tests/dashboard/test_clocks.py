"""The last stages of a sentence's clock, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.clocks import MOST_AWAITED, Clocks
from pipeline.calls import SentenceClock
from pipeline.errors import BackendError
from pipeline.store import Store, open_store
from tests.dashboard import seed
from tests.dashboard.test_hub import say
from tests.store.postgres import Server

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def later(ms: float) -> datetime:
    return NOW + timedelta(milliseconds=ms)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'calls.db'}"
    else:
        server: Server = request.getfixturevalue("postgres")
        url = server.database()
    with open_store(url) as opened:
        yield opened


def test_sent_and_painted_join_the_stages_that_are_known(store: Store) -> None:
    call = seed.live_call(1, NOW)
    store.begin(call)
    say(store, call, 0)
    store.record_clocks([SentenceClock(call.id, 0, NOW, later(300), later(310), later(320))])
    told: list[dict[str, Any]] = []
    clocks = Clocks(store, told.append)
    clocks.sent([(call.id, 0)], later(330))
    clocks.sent([(call.id, 0)], later(900))  # a second page gets it later
    clocks.painted((call.id, 0), later(345).timestamp() * 1000, later(1000))
    clocks.painted((call.id, 0), later(999).timestamp() * 1000, later(1000))
    clocks.flush()
    (clock,) = store.clocks(call_id=call.id)
    assert (clock.spoken_at, clock.sent_at, clock.painted_at) == (NOW, later(330), later(345))
    clocks.figure(later(2000))
    clocks.figure(later(3000))  # unchanged figures are not told again
    assert [figures["stages"]["total"] for figures in told] == [
        {"count": 1, "p50_ms": 345, "p95_ms": 345, "p99_ms": 345}
    ]
    clocks.figure(later(20 * 60_000))
    assert told[-1] == clocks.figures == {"minutes": 15, "stages": {}}


def test_a_sentence_that_was_understood_late_is_told_once(store: Store) -> None:
    call = seed.live_call(1, NOW)
    store.begin(call)
    for index, heard_ms in enumerate((4900, 7300)):
        say(store, call, index)
        store.record_clocks([SentenceClock(call.id, index, NOW, later(heard_ms), later(heard_ms + 10))])
    told: list[list[tuple[str, int, float]]] = []
    clocks = Clocks(store, lambda figures: None, told.append)
    clocks.figure(later(8000))
    clocks.figure(later(9000))
    assert told == [[(call.id, 1, 7.3)]]
    assert dict(clocks.late) == {(call.id, 1): pytest.approx(7.3)}
    # One that waited for a recogniser for minutes is found within half a minute of being understood.
    say(store, call, 2)
    store.record_clocks([SentenceClock(call.id, 2, later(10_000), later(210_000), later(210_010))])
    for seconds in range(211, 245, 5):
        clocks.figure(later(1000 * seconds))
    assert told[1:] == [[(call.id, 2, 200.0)]]
    clocks.figure(later(30 * 60_000))
    assert not clocks.late


@pytest.mark.parametrize(("said_ms", "kept_ms"), [(-5e9, 330), (5e12, 1000), (500, 500)])
def test_a_browsers_wrong_clock_stays_between_sending_and_now(store: Store, said_ms: float, kept_ms: float) -> None:
    call = seed.live_call(1, NOW)
    store.begin(call)
    say(store, call, 0)
    clocks = Clocks(store, lambda figures: None)
    clocks.sent([(call.id, 0)], later(330))
    clocks.painted((call.id, 0), NOW.timestamp() * 1000 + said_ms, later(1000))
    clocks.painted((call.id, 7), NOW.timestamp() * 1000, later(1000))  # nobody was sent that
    clocks.flush()
    (clock,) = store.clocks()
    assert clock.painted_at == later(kept_ms)


def test_what_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'calls.db'}") as store:
        call = seed.live_call(1, NOW)
        store.begin(call)
        say(store, call, 0)
        closed = open_store(f"sqlite:///{tmp_path / 'calls.db'}")
        clocks = Clocks(closed, lambda figures: None)
        clocks.sent([(call.id, 0)], NOW)
        (tmp_path / "calls.db").rename(tmp_path / "gone.db")
        (tmp_path / "calls.db").mkdir()
        closed.close()
        with pytest.raises(BackendError):
            clocks.flush()
        (tmp_path / "calls.db").rmdir()
        (tmp_path / "gone.db").rename(tmp_path / "calls.db")
        clocks.flush()
        closed.close()
        assert [clock.sent_at for clock in store.clocks()] == [NOW]


def test_what_is_awaited_is_bounded(store: Store) -> None:
    clocks = Clocks(store, lambda figures: None)
    clocks.sent((("nobody", index) for index in range(MOST_AWAITED + 10)), NOW)
    clocks.painted(("nobody", 0), NOW.timestamp() * 1000, NOW)
    clocks.flush()  # of calls that are not there: nothing to write, and no error
    assert store.clocks() == []
