from __future__ import annotations

import random
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import mean, variance
from zoneinfo import ZoneInfo

import pytest

from dashboard.queries import (
    Spread,
    backend_rows,
    bucketed,
    call_query,
    call_row,
    page_asked,
    person_rows,
    pooled,
    precision_words,
    suggestion_rows,
    trend_frame,
    usefulness,
    zone,
)
from dashboard.resources import Resources
from pipeline.alerts.precision import Precision
from pipeline.calls import SuggestionMark
from pipeline.settings import Settings
from pipeline.store.queries import CallQuery, CallSummary, MoodPoint
from tests.dashboard.seed import live_call

LABELS = {"negative": 1, "neutral": 0, "positive": 2}


def point(day: date | None, moods: list[float], group: str = "Ann") -> MoodPoint:
    return MoodPoint(
        group=group,
        day=day,
        calls=len(moods) + 1,  # one call without a mood
        scored_calls=len(moods),
        sentences=3,
        labels=LABELS,  # type: ignore[arg-type]
        duration_s=60.0,
        mood=mean(moods) if moods else None,
        variance=variance(moods) if len(moods) > 1 else None,
    )


def test_pooling_days_equals_one_look_at_all_their_calls() -> None:
    chance = random.Random(1)
    days = [[chance.uniform(-1, 1) for _ in range(n)] for n in (1, 4, 2, 0, 7)]
    spread = pooled(point(date(2026, 1, n + 1), moods) for n, moods in enumerate(days))
    everything = [mood for moods in days for mood in moods]
    assert spread.calls == len(everything)
    assert spread.mood == pytest.approx(mean(everything))
    assert spread.variance == pytest.approx(variance(everything))


def test_intervals_are_students_and_honest_about_few_calls() -> None:
    assert pooled([]).interval is None
    assert Spread(1, 0.3, None).interval is None
    # Mean 0.1, standard deviation 0.2, ten calls: 0.1 +- 2.262 * 0.2 / sqrt(10)
    assert Spread(10, 0.1, 0.04).interval == pytest.approx((-0.0431, 0.2431), abs=1e-4)
    assert Spread(2, 0.9, 0.1).interval == (-1.0, 1.0)


def test_filters_become_a_query_in_the_viewers_days() -> None:
    chosen = {
        "q": "  refund ",
        "agent": "Ann",
        "mood": "negative",
        "status": "complete",
        "order": "worst",
        "days": (date(2026, 7, 1), date(2026, 7, 2)),
    }
    assert call_query(chosen, ZoneInfo("Europe/Berlin")) == CallQuery(
        text="refund",
        agent="Ann",
        since=datetime(2026, 6, 30, 22, tzinfo=UTC),
        until=datetime(2026, 7, 2, 22, tzinfo=UTC),
        status="complete",
        mood="negative",
        order="worst",
    )


def test_nonsense_in_a_url_narrows_nothing() -> None:
    assert call_query({"mood": "furious", "status": "?", "order": "DROP", "days": None, "q": None}, UTC) == CallQuery()
    assert zone("Mars/Olympus") is UTC
    assert zone(None) is UTC
    assert [page_asked(value) for value in ("3", "-1", "x", None)] == [3, 1, 1, 1]


def test_a_call_row_carries_what_the_table_draws(resources: Resources) -> None:
    (summary,) = resources.store.calls(CallQuery(order="oldest"), 1).rows
    row = call_row(summary, datetime.now(UTC))
    assert row["id"] == summary.call.id
    assert row["started"] == round(summary.call.started_at.timestamp() * 1000)
    assert sum(row["labels"]) == row["sentences"] == len(resources.store.sentences(summary.call.id))
    assert row["mood"] == summary.mood


def test_a_live_call_that_nobody_feeds_is_lost() -> None:
    call = live_call(1, datetime(2026, 5, 1, 12, tzinfo=UTC))
    summary = CallSummary(call, 0, {"negative": 0, "neutral": 0, "positive": 0}, None, (), call.started_at)
    assert call_row(summary, datetime(2026, 5, 1, 12, 4, tzinfo=UTC))["status"] == "live"
    assert call_row(summary, datetime(2026, 5, 1, 12, 6, tzinfo=UTC))["status"] == "lost"


def test_people_come_most_unhappy_first_with_counts_and_a_trend() -> None:
    daily = [
        point(date(2026, 1, 1), [0.5], "Ann"),
        point(date(2026, 1, 31), [0.7], "Ann"),
        point(date(2026, 1, 2), [-0.5, -0.1], "Bob"),
        point(date(2026, 1, 2), [], "Cy"),
    ]
    totals = [point(None, [0.5, 0.7], "Ann"), point(None, [-0.5, -0.1], "Bob"), point(None, [], "Cy")]
    rows = person_rows(totals, daily, date(2026, 1, 1), date(2026, 1, 31))
    assert [row["name"] for row in rows] == ["Bob", "Ann", "Cy"]
    assert rows[1]["trend"] == pytest.approx([0.5, 0.7])
    assert (rows[2]["mood"], rows[2]["interval"], rows[2]["trend"]) == (None, None, [])
    assert rows[0]["calls"] == 3
    assert rows[0]["duration"] == pytest.approx(20.0)


def test_buckets_start_at_the_first_day() -> None:
    days = [point(date(2026, 1, day), [0.1 * day]) for day in (1, 7, 8, 20)]
    assert [(day, spread.calls) for day, spread in bucketed(days, date(2026, 1, 1), 7)] == [
        (date(2026, 1, 1), 2),
        (date(2026, 1, 8), 1),
        (date(2026, 1, 15), 1),
    ]


def test_the_band_of_a_trend_narrows_with_the_calls_behind_a_point() -> None:
    days = [point(date(2026, 1, 1), [0.2, 0.0, -0.2, 0.1]), point(date(2026, 1, 9), [0.1])]
    frame = trend_frame([*days, point(date(2026, 1, 1), [0.9], "Bob")], ["Ann", "Bob"], date(2026, 1, 1), 7)
    assert list(frame["calls"]) == [4, 1, 1]
    widths = frame["high"] - frame["low"]
    assert widths[1] == pytest.approx(2 * widths[0])
    assert frame["low"].isna().tolist() == [False, False, True]  # one call says nothing about its spread


def test_backends_are_named_without_secrets() -> None:
    settings = Settings(asr_uri="riva:50051", database_url="postgresql+psycopg://u:secret@db/calls", home=Path("/h"))
    rows = backend_rows(settings, "postgresql+psycopg://u:***@db/calls")
    assert rows["Speech recognition"] == "Riva at `riva:50051`"
    assert rows["Sentiment and language"] == "embedded"
    assert rows["Database"].startswith("PostgreSQL")
    assert "secret" not in str(rows)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "no alerts yet"),
        (Precision(1, 0, 0), "1 alert, not judged"),
        (Precision(5, 0, 0), "5 alerts, none judged"),
        (Precision(5, 4, 3), "3 of 4 right: **75%** (30% to 95%)"),
    ],
)
def test_the_precision_of_a_rule_says_how_sure_it_is(found: Precision | None, words: str) -> None:
    assert precision_words(found) == words


def test_how_often_suggestions_were_used() -> None:
    def mark(agent: str, index: int, *, used: bool) -> SuggestionMark:
        return SuggestionMark("c", index, "Say so.", used, agent, datetime(2026, 11, 20, tzinfo=UTC))

    marks = [mark("Bo", 0, used=True), mark("Ada", 1, used=True), mark("Ada", 2, used=False)]
    assert usefulness([]) == ""
    assert usefulness(marks) == "2 of 3 marked were used: 67% (21% to 94%)"
    assert [(row["Agent"], row["Marked"], row["Used"]) for row in suggestion_rows(marks)] == [
        ("Ada", 2, 1),
        ("Bo", 1, 1),
    ]
