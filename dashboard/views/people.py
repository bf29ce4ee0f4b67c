"""Agents and customers: how their calls felt, how sure that is, and how it changed."""

from datetime import UTC, datetime, time, timedelta

import streamlit as st

from dashboard.charts import call_counts, mood_trend
from dashboard.components import table
from dashboard.components.frame import empty
from dashboard.queries import person_rows, suggestion_rows, trend_frame, usefulness
from dashboard.resources import open_resources
from pipeline.store.queries import Role

PERIODS = {"30 days": 30, "90 days": 90, "All": None}
SHOWN_AT_FIRST = 2
MOST_LINES = 6
COLUMNS = [
    {"field": "calls", "title": "Calls", "kind": "number"},
    {"field": "sentences", "title": "Sentences", "kind": "number"},
    {"field": "duration", "title": "Mean length", "kind": "duration"},
    {"field": "mood", "title": "Mean mood", "kind": "mood"},
    {"field": "interval", "title": "95 % interval", "kind": "interval"},
    {"field": "labels", "title": "Sentences by feeling", "kind": "labels"},
    {"field": "trend", "title": "Trend", "kind": "trend"},
]


def pick() -> None:
    """Keeps whose trend is to be shown."""
    st.session_state["picked"] = st.session_state["people-table"].picked


def forget_picks() -> None:
    """Another role has other people."""
    st.session_state.pop("picked", None)


resources = open_resources()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.header("People", anchor=False, width="content")
    with st.container(horizontal=True, width="content"):
        role_name = st.segmented_control(
            "Who",
            ("Agents", "Customers"),
            default="Agents",
            required=True,
            key="who",
            bind="query-params",
            label_visibility="collapsed",
            on_change=forget_picks,
        )
        period = st.segmented_control(
            "Period",
            tuple(PERIODS),
            default="90 days",
            required=True,
            key="period",
            bind="query-params",
            label_visibility="collapsed",
        )
role: Role = "customer" if role_name == "Customers" else "agent"
today = datetime.now(UTC).date()
length = PERIODS.get(period or "90 days")
since = None if length is None else datetime.combine(today - timedelta(days=length - 1), time(), UTC)
totals = resources.store.moods(role, since=since)
daily = resources.store.moods(role, since=since, daily=True)

if not totals:
    with empty(f"No {role}s in this period"):
        st.markdown(
            f"Name them when you add recordings: `overtone ingest FOLDER --{role} NAME`.", text_alignment="center"
        )
    st.stop()

days = [point.day for point in daily if point.day is not None]
first = since.date() if since else min(days)
rows = person_rows(totals, daily, first, today)
picked = [name for name in st.session_state.get("picked") or () if any(row["id"] == name for row in rows)]
if "picked" not in st.session_state:
    picked = [row["id"] for row in rows[:SHOWN_AT_FIRST]]
opened = table(
    rows,
    [{"field": "name", "title": role.capitalize(), "kind": "person"}, *COLUMNS],
    key="people-table",
    name=f"{role.capitalize()}s",
    selected=picked,
    on_picked=pick,
)
if opened:
    st.switch_page("views/calls.py", query_params=[(role, opened)])
st.caption(
    "The mood of a call is the mean of what the customer said, from −1 to +1. "
    "Tick people to compare their trends below; click a row to see the calls."
)
if picked:
    width, bucket = (1, "day") if (today - first).days < 31 else (7, "week")
    with st.container(gap="small"):
        st.markdown(f"**Mood by {bucket}**")
        frame = trend_frame(daily, picked[:MOST_LINES], first, width)
        names = ", ".join(picked[:MOST_LINES])
        span = (first, today)
        st.altair_chart(mood_trend(frame, span, bucket, width), alt=f"Mood of {names} by {bucket}, with 95 % bands")
        st.altair_chart(call_counts(frame, span, bucket, width), alt=f"Number of calls of {names} by {bucket}")
        note = "Bands: 95 %, from each person's own spread between calls. Larger points stand for more calls."
        if len(picked) > MOST_LINES:
            note += f" The chart shows the first {MOST_LINES} of the {len(picked)} that are ticked."
        st.caption(note)

if role == "agent" and (marks := resources.store.suggestion_marks(since=since)):
    with st.container(gap="small"):
        st.markdown("**Suggestions on My call**")
        st.dataframe(suggestion_rows(marks), hide_index=True, width="stretch")
        st.caption(
            f"All agents: {usefulness(marks)}. Of the suggestions that agents marked as used or not useful in this "
            "period; in brackets the 95 % interval (Wilson). What nobody marked does not count."
        )
