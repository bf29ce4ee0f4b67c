"""What the pages ask the store, and its answers as rows for tables and frames for charts. No Streamlit here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from math import sqrt
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from dashboard.wire import milliseconds
from pipeline.alerts.precision import Precision, wilson
from pipeline.calls import SENTIMENT_LABELS, CallStatus, SentenceClock, SentimentLabel, SuggestionMark
from pipeline.latency import Stage, by_stage, history
from pipeline.settings import EMBEDDED, Settings
from pipeline.store.queries import CallQuery, CallSummary, MoodPoint, Order

# 97.5 % quantiles of Student's t for 1, 2, ... 30 degrees of freedom; past that the normal 1.96 is within 4 %.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
SPARK_BUCKETS = 16
STAGE_NAMES: dict[Stage, str] = {
    "recognise": "Recognised",
    "label": "Rated",
    "store": "Stored",
    "send": "Sent to a browser",
    "paint": "Painted there",
    "total": "In all",
}
MARKS_SINCE = timedelta(days=90)  # how far back an agent's own page counts what they used
LOST_AFTER = timedelta(minutes=5)  # as on the live wall


@dataclass(frozen=True)
class Spread:
    """Calls pooled together: how many had a mood, its mean (-1..1) and the sample variance between calls."""

    calls: int
    mood: float | None
    variance: float | None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the mean (Student's t over calls), cut to -1..1; None for fewer than two calls."""
        if self.mood is None or self.variance is None:
            return None
        half = student_t(self.calls - 1) * sqrt(self.variance / self.calls)
        return max(-1.0, self.mood - half), min(1.0, self.mood + half)


def student_t(degrees: int) -> float:
    """The 97.5 % quantile of Student's t distribution with ``degrees`` (at least 1) of freedom."""
    return _T[degrees - 1] if degrees <= len(_T) else 1.96


def pooled(points: Iterable[MoodPoint]) -> Spread:
    """The calls of all ``points`` as one group: sums of squares add up, so nothing is lost against one query."""
    calls, total, squares = 0, 0.0, 0.0
    for point in points:
        if point.mood is None:
            continue
        n = point.scored_calls
        calls += n
        total += point.mood * n
        squares += (point.variance or 0.0) * (n - 1) + point.mood**2 * n
    if not calls:
        return Spread(0, None, None)
    mean = total / calls
    variance = max(0.0, (squares - calls * mean**2) / (calls - 1)) if calls > 1 else None
    return Spread(calls, mean, variance)


def zone(name: str | None) -> tzinfo:
    """The viewer's time zone; UTC where the browser named none that we know."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def call_query(chosen: Mapping[str, Any], viewer: tzinfo) -> CallQuery:
    """The query behind the filters of the Calls page; values from a URL that mean nothing are left out.

    ``chosen`` holds q, agent, customer, mood, status, order and days, a tuple of up to two dates that the viewer meant
    in the zone ``viewer``, both inclusive.
    """
    days: Sequence[date] = chosen.get("days") or ()
    mood, status, order = chosen.get("mood"), chosen.get("status"), chosen.get("order")
    return CallQuery(
        text=(chosen.get("q") or "").strip(),
        agent=chosen.get("agent"),
        customer=chosen.get("customer"),
        since=midnight(days[0], viewer) if days else None,
        until=midnight(days[1] + timedelta(days=1), viewer) if len(days) > 1 else None,
        status=one_of(status, get_args(CallStatus)),
        mood=one_of(mood, get_args(SentimentLabel)),
        order=one_of(order, get_args(Order)) or "newest",
    )


def page_asked(value: Any) -> int:
    """The page that a URL or a widget asks for, from 1; nonsense is the first."""
    try:
        return max(1, int(value))
    except (TypeError, ValueError):
        return 1


def call_row(summary: CallSummary, now: datetime) -> dict[str, Any]:
    """A row of the calls table: id, who, status, started (ms), duration (s), mood, trend and counts.

    The status is "lost" for a live call that nobody has fed for LOST_AFTER at the time ``now``.
    """
    call = summary.call
    heard_until = max(call.started_at, summary.stored_at) + timedelta(seconds=call.duration_s)
    lost = call.status == "live" and heard_until < now - LOST_AFTER
    return {
        "id": call.id,
        "customer": call.customer or "Unknown caller",
        "source": call.source,
        "agent": call.agent or "–",
        "status": "lost" if lost else call.status,
        "started": milliseconds(call.started_at),
        "duration": call.duration_s,
        "mood": summary.mood,
        "trend": list(summary.trend),
        "sentences": summary.sentences,
        "labels": [summary.labels[label] for label in SENTIMENT_LABELS],
    }


def person_rows(
    totals: Sequence[MoodPoint], daily: Sequence[MoodPoint], first: date, last: date
) -> list[dict[str, Any]]:
    """Rows of the people table, most unhappy first: counts, mood with its 95 % interval, and a trend.

    ``totals`` has a point per person, ``daily`` one per person and day between ``first`` and ``last``.
    """
    by_person: dict[str, list[MoodPoint]] = {}
    for point in daily:
        by_person.setdefault(point.group, []).append(point)
    width = max(1, -(-((last - first).days + 1) // SPARK_BUCKETS))
    rows = []
    for total in totals:
        spread = Spread(total.scored_calls, total.mood, total.variance)
        buckets = bucketed(by_person.get(total.group, ()), first, width)
        rows.append(
            {
                "id": total.group,
                "name": total.group,
                "calls": total.calls,
                "sentences": total.sentences,
                "duration": total.duration_s / total.calls if total.calls else None,
                "mood": total.mood,
                "interval": spread.interval,
                "labels": [total.labels[label] for label in SENTIMENT_LABELS],
                "trend": [spread.mood for _, spread in buckets if spread.mood is not None],
            }
        )
    return sorted(rows, key=lambda row: (row["mood"] is None, row["mood"] or 0.0, row["name"]))


def bucketed(points: Iterable[MoodPoint], first: date, width_days: int) -> list[tuple[date, Spread]]:
    """The daily ``points`` pooled into buckets of ``width_days`` from ``first`` on, by their first day."""
    groups: dict[int, list[MoodPoint]] = {}
    for point in points:
        if point.day is not None:
            groups.setdefault((point.day - first).days // width_days, []).append(point)
    return [(first + timedelta(days=i * width_days), pooled(groups[i])) for i in sorted(groups)]


def trend_frame(daily: Sequence[MoodPoint], people: Sequence[str], first: date, width_days: int) -> pd.DataFrame:
    """The trend of ``people``: one row per person and bucket with day, person, calls, mood, low and high.

    The band is 95 %: the spread between the person's calls of the whole period, over the root of the bucket's calls.
    A bucket's own spread would be missing for one call and wild for two.
    """
    rows = []
    for person in people:
        own = [point for point in daily if point.group == person]
        whole = pooled(own)
        for day, spread in bucketed(own, first, width_days):
            if spread.mood is None:
                continue
            half = (
                student_t(whole.calls - 1) * sqrt(whole.variance / spread.calls) if whole.variance is not None else None
            )
            rows.append(
                {
                    "day": pd.Timestamp(day),
                    "person": person,
                    "calls": spread.calls,
                    "mood": spread.mood,
                    "low": None if half is None else max(-1.0, spread.mood - half),
                    "high": None if half is None else min(1.0, spread.mood + half),
                }
            )
    return pd.DataFrame(rows, columns=["day", "person", "calls", "mood", "low", "high"])


def latency_frame(clocks: Sequence[SentenceClock], bucket_s: float, viewer: tzinfo) -> pd.DataFrame:
    """How long sentences took to the screen: time (start of the bucket, in the viewer's zone), figure, seconds, count.

    A bucket of ``bucket_s`` seconds has a row each for the figures p50 and p95.
    """
    rows = [
        {
            # Without its zone: Vega would show the browser's.
            "time": start.astimezone(viewer).replace(tzinfo=None),
            "figure": figure,
            "seconds": value / 1000,
            "sentences": found.count,
        }
        for start, found in history(clocks, bucket_s)
        for figure, value in (("p50", found.p50_ms), ("p95", found.p95_ms))
    ]
    return pd.DataFrame(rows, columns=["time", "figure", "seconds", "sentences"])


def latency_rows(clocks: Sequence[SentenceClock]) -> list[dict[str, Any]]:
    """A row per stage that sentences passed: its name in words, sentences, and p50, p95 and p99 in milliseconds."""
    return [
        {
            "Stage": STAGE_NAMES[stage],
            "Sentences": found.count,
            "p50 (ms)": round(found.p50_ms),
            "p95 (ms)": round(found.p95_ms),
            "p99 (ms)": round(found.p99_ms),
        }
        for stage, found in by_stage(clocks).items()
    ]


def precision_words(found: Precision | None) -> str:
    """The precision of a rule in words: "3 of 4 right: 75 % (30 to 95 %)"."""
    if found is None:
        return "no alerts yet"
    if found.share is None or found.interval is None:
        return f"{found.alerts} alerts, none judged" if found.alerts > 1 else "1 alert, not judged"
    low, high = found.interval
    return f"{found.right} of {found.judged} right: **{found.share:.0%}** ({low:.0%} to {high:.0%})"


def usefulness(marks: Sequence[SuggestionMark]) -> str:
    """How often marked suggestions were used: "3 of 4 marked were used: 75% (30% to 95%)"; "" where none is marked."""
    if not marks:
        return ""
    used = sum(mark.used for mark in marks)
    return f"{used} of {len(marks)} marked were used: {_share(used, len(marks))}"


def suggestion_rows(marks: Iterable[SuggestionMark]) -> list[dict[str, Any]]:
    """A row per agent who marked suggestions, whoever marked most first: name, marked, used, and the share."""
    own: dict[str, list[SuggestionMark]] = {}
    for mark in marks:
        own.setdefault(mark.agent, []).append(mark)
    return [
        {
            "Agent": agent,
            "Marked": len(given),
            "Used": sum(mark.used for mark in given),
            "Used of marked": _share(sum(mark.used for mark in given), len(given)),
        }
        for agent, given in sorted(own.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _share(hits: int, trials: int) -> str:
    low, high = wilson(hits, trials)
    return f"{hits / trials:.0%} ({low:.0%} to {high:.0%})"


def backend_rows(settings: Settings, address: str) -> dict[str, str]:
    """What the product is running on, for the foot of each page: services by address, the store by kind."""
    kind = "SQLite" if settings.store_url.startswith("sqlite") else "PostgreSQL"
    return {
        "Speech recognition": _service(settings.asr_uri),
        "Sentiment and language": _service(settings.nlp_uri),
        "Speech synthesis": _service(settings.tts_uri),
        "Database": f"{kind} · `{address}`",
        "Audio": f"`{settings.audio_folder}`",
    }


def _service(uri: str) -> str:
    return "embedded" if uri == EMBEDDED else f"Riva at `{uri}`"


def midnight(day: date, viewer: tzinfo) -> datetime:
    """The UTC time at which ``day`` begins in the zone ``viewer``."""
    return datetime.combine(day, time(), viewer).astimezone(UTC)


def one_of(value: Any, known: Sequence[Any]) -> Any:
    """``value`` where it is one that is ``known``, else None."""
    return value if value in known else None
