"""What people asked the assistant: filters that live in the URL, one page of rows at a time, a click opens one."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import streamlit as st

from dashboard.components import table
from dashboard.components.frame import empty
from dashboard.conversations import REVIEWED, conversation_query, conversation_row, intent_name, known, model_labels
from dashboard.markdown import plain
from dashboard.queries import page_asked, zone
from dashboard.resources import open_resources
from pipeline.calls import ConversationChannel
from pipeline.errors import OvertoneError
from pipeline.store.queries import ConversationOrder

ROWS = 25
ORDERS = {"newest": "Newest first", "oldest": "Oldest first", "unsure": "Least sure first"}
COLUMNS: list[dict[str, Any]] = [
    {"field": "said", "title": "Last words", "kind": "person", "below": "person"},
    {"field": "intents", "title": "Intents", "kind": "text"},
    {"field": "channel", "title": "Channel", "kind": "text"},
    {"field": "started", "title": "Started", "kind": "time", "orders": ["newest", "oldest"], "falling": ["newest"]},
    {"field": "turns", "title": "Turns", "kind": "number"},
    {"field": "trouble", "title": "Apologies", "kind": "number"},
    {"field": "labelled", "title": "Reviewed", "kind": "number"},
]
# What each filter is when it lets everything through.
OPEN: dict[str, Any] = {"q": "", "channel": None, "intent": None, "reviewed": None, "days": ()}


def first_page() -> None:
    """Another list starts at its first page."""
    st.session_state["page"] = 1


def order_by_head() -> None:
    """A click on a column's head chooses the order."""
    st.session_state["order"] = st.session_state["conversations-table"].sorted
    first_page()


def clear_filters() -> None:
    """Takes every filter off."""
    for name, value in OPEN.items():
        st.session_state[name] = value
    first_page()


def choice(label: str, options: Sequence[str], key: str, width: int, shown: Callable[[str], str]) -> None:
    """Draws one filter that is open until something is chosen."""
    st.selectbox(
        label,
        options,
        index=None,
        key=key,
        format_func=shown,
        placeholder="Any",
        width=width,
        bind="query-params",
        on_change=first_page,
    )


if wanted := st.query_params.get("conversation"):
    st.switch_page("views/conversation.py", query_params={"conversation": wanted})
resources = open_resources()
st.header("Conversations", anchor=False)
try:
    intents, _ = model_labels(resources.settings.models)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Search", key="q", type="search", placeholder="Words or names", bind="query-params", on_change=first_page
        )
        choice("Channel", get_args(ConversationChannel), "channel", 120, str.capitalize)
        asked_intent = [value] if (value := st.query_params.get("intent")) else []
        choice("Intent", known(intents, asked_intent), "intent", 215, intent_name)
        choice("Reviewed", tuple(REVIEWED), "reviewed", 115, str.capitalize)
        st.date_input(
            "Days", value=[], key="days", format="YYYY-MM-DD", width=228, bind="query-params", on_change=first_page
        )
        st.selectbox(
            "Order",
            get_args(ConversationOrder),
            key="order",
            format_func=ORDERS.__getitem__,
            width=165,
            bind="query-params",
            on_change=first_page,
        )
    chosen = {name: st.session_state[name] for name in (*OPEN, "order")}
    query = conversation_query(chosen, zone(st.context.timezone))
    asked = page_asked(st.session_state.get("page") or st.query_params.get("page"))
    found = resources.store.conversations(query, ROWS, (asked - 1) * ROWS)
    pages = max(1, -(-found.total // ROWS))
    if asked > pages:
        asked = pages
        found = resources.store.conversations(query, ROWS, (pages - 1) * ROWS)
except OvertoneError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()

if not found.rows:
    narrowed = any(chosen[name] for name in OPEN)
    with empty("No conversation matches these filters" if narrowed else "No conversations yet"):
        if narrowed:
            st.button("Clear the filters", on_click=clear_filters)
        else:
            st.markdown("Talk to the assistant, here or with `overtone chat`.", text_alignment="center")
            st.page_link("views/assistant.py", label="Assistant", icon=":material/mic:")
    st.stop()

opened = table(
    [conversation_row(summary) for summary in found.rows],
    COLUMNS,
    key="conversations-table",
    name="Conversations",
    sort=query.order,
    on_sorted=order_by_head,
)
if opened:
    st.switch_page("views/conversation.py", query_params={"conversation": opened})
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    first = (asked - 1) * ROWS + 1
    st.caption(f"{first:,} to {first + len(found.rows) - 1:,} of {found.total:,} conversations")
    if pages > 1:
        st.pagination(pages, key="page", bind="query-params")
