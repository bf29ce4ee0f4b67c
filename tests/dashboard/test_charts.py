from __future__ import annotations

from datetime import date

from dashboard.charts import call_counts, mood_trend
from dashboard.queries import trend_frame
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
