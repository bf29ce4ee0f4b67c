from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from dashboard.charts import call_counts, latency_history, mood_trend
from dashboard.queries import latency_frame, latency_rows, trend_frame
from pipeline.calls import SentenceClock
from tests.dashboard.test_queries import point

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 30)
FRAME = trend_frame(
    [point(date(2026, 1, 2), [0.1, 0.3]), point(date(2026, 1, 12), [0.2]), point(date(2026, 1, 12), [0.2], "Bob")],
    ["Ann", "Bob"],
    FIRST,
    7,
)


def test_the_trend_shows_band_line_and_points_of_every_person() -> None:
    spec = mood_trend(FRAME, (FIRST, LAST), "week", 7).to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rule", "area", "line", "point"]
    (rows,) = [data for data in spec["datasets"].values() if "person" in data[0]]
    assert [row["person"] for row in rows] == ["Ann", "Ann", "Bob"]
    assert rows[0]["middle"].startswith("2026-01-04T12")


def test_the_counts_stand_side_by_side_within_their_week() -> None:
    spec = call_counts(FRAME, (FIRST, LAST), "week", 7).to_dict()
    rows = next(iter(spec["datasets"].values()))
    ann, bob = rows[1], rows[2]
    assert ann["day"] == bob["day"]
    assert ann["start"] < ann["stop"] < bob["start"] < bob["stop"]


def test_the_latency_has_a_line_for_each_figure_over_the_whole_period() -> None:
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    clocks = [
        SentenceClock("c", n, start + timedelta(minutes=n), painted_at=start + timedelta(minutes=n, milliseconds=400))
        for n in range(3)
    ]
    frame = latency_frame(clocks, 60, UTC)
    assert list(frame["figure"]) == ["p50", "p95"] * 3
    assert set(frame["seconds"]) == {0.4}
    assert set(frame["sentences"]) == {1}
    spec = latency_history(frame, (start - timedelta(hours=1), start)).to_dict()
    assert spec["encoding"]["x"]["scale"]["domainMin"]["hours"] == 11
    assert spec["encoding"]["x"]["scale"]["domainMax"]["hours"] == 12
    assert next(row["Stage"] for row in latency_rows(clocks)) == "In all"
