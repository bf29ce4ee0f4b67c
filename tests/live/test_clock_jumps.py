"""The wall clock is set in the middle of a call: nothing of the call may notice."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from pipeline.alerts import book
from tests.bench import standin
from tests.live.phones import (
    Gateway,
    answers,
    eventually,
    finished,
    frames,
    gateway,
    numbers,
    spoken,
    start,
    uris,
)

RULES = "rules:\n  - {name: quiet, when: {silence_s: 60}}\n"
HOURS = 3600.0


def set_clock(file: Path, seconds: float) -> None:
    part = file.with_suffix(".part")
    part.write_text(str(seconds))
    part.replace(file)


def test_a_clock_that_is_set_forward_and_back_changes_nothing(tmp_path: Path) -> None:
    clock, home = tmp_path / "clock", tmp_path / "home"
    set_clock(clock, 0)
    home.mkdir()
    book.save(home, RULES)
    with (
        standin.running(delay_ms=10) as (address, _),
        gateway(home, clock_file=str(clock), **uris(address), live_pace="0") as running,
    ):
        call_id = _phone(running, clock)
        with running.store() as store:
            call, sentences = finished(store, call_id)
            clocks = eventually(lambda: _complete(store.clocks(call_id=call_id), 10))
            alerts = store.alerts()
    assert numbers(sentences) == list(range(10))
    starts = [one.start_s for one in sentences if one.words]
    assert starts[:8] == pytest.approx(list(range(8)), abs=0.1)
    assert starts[9] - starts[8] == pytest.approx(1.0, abs=0.1)
    (mark,) = [one for one in sentences if not one.words]
    assert mark.end_s - mark.start_s < 60, "the time without a connection is what passed, not what the clock says"
    assert "ended" not in call.attributes
    for clock_of in clocks:
        assert clock_of.spoken_at <= clock_of.heard_at <= clock_of.labelled_at <= clock_of.stored_at
        assert (clock_of.stored_at - clock_of.spoken_at).total_seconds() < 60
    assert alerts == [], "nobody was silent for a minute"
    assert (home / "audio" / call_id).is_dir()


def _complete(clocks: list, count: int) -> list:  # type: ignore[type-arg]
    found = [clock for clock in clocks if clock.stored_at]
    return found if len(found) == count else []


def _phone(running: Gateway, clock: Path) -> str:
    """A call in which the clock is set three times, the last time while the connection is lost."""
    first = start(call_id="set", channels=1, speakers=["customer"])
    with running.phone() as phone:
        phone.send(first)
        call_id: str = json.loads(phone.recv())["call"]
        for numbers_said, then in (([0, 1], 120.0), ([2, 3], 2 * HOURS), ([4, 5], -24 * HOURS), ([6, 7], 0.0)):
            for frame in frames(spoken(numbers_said).tobytes(), channels=1):
                phone.send(frame)
            for _ in numbers_said:
                answers(phone, until="sentence")
            set_clock(clock, then)
        phone.socket.shutdown(socket.SHUT_RDWR)
    eventually(lambda: running.health()["waiting_to_resume"])
    set_clock(clock, 24 * HOURS)
    with running.phone() as phone:
        phone.send(first)
        again = json.loads(phone.recv())
        assert (again["call"], again["resumed"]) == (call_id, True)
        for frame in frames(spoken([8, 9]).tobytes(), channels=1):
            phone.send(frame)
        phone.send('{"type":"stop"}')
        answers(phone)
    return call_id
