from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calls import Call, Sentence, SentenceClock
from pipeline.cli import main
from pipeline.latency import Spread, by_stage, history, spread, took_ms
from pipeline.store import open_store

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def clock(index: int, *times_ms: float | None) -> SentenceClock:
    """A clock with the six moments at milliseconds after START."""
    moments = [None if time is None else START + timedelta(milliseconds=time) for time in times_ms]
    return SentenceClock("c", index, *moments)


def test_stages_are_the_times_between_moments() -> None:
    found = by_stage([clock(0, 0, 300, 310, 320, 325, 345)])
    assert {stage: row.p50_ms for stage, row in found.items()} == {
        "recognise": 300, "label": 10, "store": 10, "send": 5, "paint": 20, "total": 345,
    }  # fmt: skip


def test_what_is_not_known_is_left_out() -> None:
    found = by_stage([clock(0, 0, 300, None, None, None, None), clock(1, None, None, None, 0, 5, None)])
    assert {stage: row.count for stage, row in found.items()} == {"recognise": 1, "send": 1}


def test_a_clock_that_lags_takes_nothing_away() -> None:
    assert took_ms(clock(0, 0, 1, 2, 3, 10, 8), "paint") == 0


def test_percentiles_are_times_that_occurred() -> None:
    assert spread([]) is None
    assert spread([7.0]) == Spread(1, 7.0, 7.0, 7.0)
    assert spread([float(n) for n in range(100, 0, -1)]) == Spread(100, 50.0, 95.0, 99.0)


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_percentiles_are_in_order(times_ms: list[float]) -> None:
    found = spread(times_ms)
    assert found is not None
    assert min(times_ms) <= found.p50_ms <= found.p95_ms <= found.p99_ms <= max(times_ms)
    assert found.p50_ms in times_ms


def test_the_history_has_a_row_per_bucket() -> None:
    clocks = [clock(n, n * 30_000, *[None] * 4, n * 30_000 + 100 * (n + 1)) for n in (0, 1, 2, 10)]
    rows = history(clocks, 60)
    assert [row[0] for row in rows] == [START + timedelta(seconds=s) for s in (0, 60, 300)]
    assert [row[1].count for row in rows] == [2, 1, 1]
    assert [row[1].p95_ms for row in rows] == pytest.approx([200, 300, 1100])


def test_the_command_prints_a_line_per_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OVERTONE_HOME", str(tmp_path))
    main(["latency"])
    assert capsys.readouterr().out.startswith("no live sentence has been timed since ")
    now = datetime.now(UTC)
    with open_store(f"sqlite:///{tmp_path / 'overtone.db'}") as store:
        call = Call("c", "line", now, 0.0, ("customer",), status="live")
        store.begin(call)
        store.append("c", [Sentence("c", 0, 1, "customer", "Hello.", 0.0, 1.0)])
        store.record_clocks([SentenceClock("c", 0, now, painted_at=now + timedelta(milliseconds=1234))])
    main(["latency"])
    assert capsys.readouterr().out.splitlines()[1].split() == ["total", "1", "1,234", "1,234", "1,234"]
    main(["latency", "--json", "--since", (now - timedelta(hours=1)).isoformat()])
    assert json.loads(capsys.readouterr().out)["stages"] == {
        "total": {"count": 1, "p50_ms": 1234.0, "p95_ms": 1234.0, "p99_ms": 1234.0}
    }
