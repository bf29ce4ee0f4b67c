"""All calls: filters that live in the URL, one page of rows at a time, a click on a row opens the call."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

import streamlit as st

from dashboard.components import table
from dashboard.components.frame import empty
from dashboard.markdown import plain
from dashboard.queries import call_query, call_row, page_asked, zone
from dashboard.resources import open_resources
from pipeline.calls import SENTIMENT_LABELS
from pipeline.errors import OvertoneError
from pipeline.store.queries import Order

ROWS = 25
ORDERS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "worst": "Worst mood first",
    "best": "Best mood first",
    "longest": "Longest first",
}
COLUMNS: list[dict[str, Any]] = [
    {"field": "customer", "title": "Customer", "kind": "person", "below": "source"},
    {"field": "agent", "title": "Agent", "kind": "text"},
    {"field": "started", "title": "Started", "kind": "time", "orders": ["newest", "oldest"], "falling": ["newest"]},
    {"field": "duration", "title": "Length", "kind": "duration", "orders": ["longest"], "falling": ["longest"]},
    {"field": "sentences", "title": "Sentences", "kind": "number"},
    {"field": "mood", "title": "Mood", "kind": "mood", "orders": ["worst", "best"], "falling": ["best"]},
    {"field": "trend", "title": "Course of the call", "kind": "trend"},
    {"field": "labels", "title": "Sentences by feeling", "kind": "labels"},
]
# What each filter is when it lets everything through.
OPEN: dict[str, Any] = {"q": "", "agent": None, "customer": None, "mood": None, "status": None, "days": ()}


def first_page() -> None:
    """Another list starts at its first page."""
    st.session_state["page"] = 1


def order_by_head() -> None:
    """A click on a column's head chooses the order."""
    st.session_state["order"] = st.session_state["calls-table"].sorted
    first_page()


def clear_filters() -> None:
    """Takes every filter off."""
    for name, value in OPEN.items():
        st.session_state[name] = value
    first_page()


def choice(
    label: str, options: Sequence[str], key: str, width: int, *, everything: str, shown: Callable[[str], str] = str
) -> None:
    """Draws one filter that is open until something is chosen."""
    st.selectbox(
        label,
        options,
        index=None,
        key=key,
        format_func=shown,
        placeholder=everything,
        width=width,
        bind="query-params",
        on_change=first_page,
    )


resources = open_resources()
st.header("Calls", anchor=False)
try:
    agents, customers = resources.store.people("agent"), resources.store.people("customer")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Search", key="q", type="search", placeholder="Words or names", bind="query-params", on_change=first_page
        )
        choice("Agent", agents, "agent", 140, everything="All")
        choice("Customer", customers, "customer", 145, everything="All")
        choice("Mood", SENTIMENT_LABELS, "mood", 115, everything="Any", shown=str.capitalize)
        choice("Status", ("live", "complete"), "status", 115, everything="Any", shown=str.capitalize)
        st.date_input(
            "Days", value=[], key="days", format="YYYY-MM-DD", width=228, bind="query-params", on_change=first_page
        )
        st.selectbox(
            "Order",
            get_args(Order),
            key="order",
            format_func=ORDERS.__getitem__,
            width=155,
            bind="query-params",
            on_change=first_page,
        )
    chosen = {name: st.session_state[name] for name in (*OPEN, "order")}
    query = call_query(chosen, zone(st.context.timezone))
    asked = page_asked(st.session_state.get("page") or st.query_params.get("page"))
    found = resources.store.calls(query, ROWS, (asked - 1) * ROWS)
    pages = max(1, -(-found.total // ROWS))
    if asked > pages:
        asked = pages
        found = resources.store.calls(query, ROWS, (pages - 1) * ROWS)
except OvertoneError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()

if not found.rows:
    narrowed = any(chosen[name] for name in OPEN)
    with empty("No call matches these filters" if narrowed else "No calls yet"):
        if narrowed:
            st.button("Clear the filters", on_click=clear_filters)
        else:
            st.markdown("Add recordings with `overtone ingest FOLDER` and reload this page.", text_alignment="center")
    st.stop()

now = datetime.now(UTC)
opened = table(
    [call_row(summary, now) for summary in found.rows],
    COLUMNS,
    key="calls-table",
    name="Calls",
    sort=query.order,
    on_sorted=order_by_head,
)
if opened:
    st.switch_page("views/call.py", query_params={"call": opened})
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    first = (asked - 1) * ROWS + 1
    st.caption(f"{first:,} to {first + len(found.rows) - 1:,} of {found.total:,} calls")
    if pages > 1:
        st.pagination(pages, key="page", bind="query-params")
