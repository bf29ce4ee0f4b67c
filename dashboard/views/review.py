"""Sentences to judge, one at a time: who reviews, which sentences, in which order; keys do the rest."""

from datetime import timedelta
from typing import get_args

import streamlit as st

from dashboard.components import reviewing
from dashboard.components.frame import empty
from dashboard.markdown import plain
from dashboard.queries import midnight, one_of, zone
from dashboard.resources import open_resources
from dashboard.review import LONGEST_NAME, ORDERS
from dashboard.tickets import REVIEW_SCOPE
from pipeline.errors import OvertoneError
from pipeline.store.queries import ReviewOrder

SPEAKERS = {"customer": "Customers", "agent": "Agents"}

resources = open_resources()
st.header("Review", anchor=False)
try:
    agents = resources.store.people("agent")
except OvertoneError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    st.text_input(
        "Your name",
        key="reviewer",
        max_chars=LONGEST_NAME,
        placeholder="Stands beside your labels",
        width=180,
        bind="query-params",
        persist_state="session",
    )
    st.selectbox(
        "Order", get_args(ReviewOrder), key="order", format_func=ORDERS.__getitem__, width=195, bind="query-params"
    )
    st.selectbox("Agent", agents, index=None, key="agent", placeholder="Any", width=160, bind="query-params")
    st.selectbox(
        "Speaker",
        tuple(SPEAKERS),
        index=None,
        key="speaker",
        format_func=SPEAKERS.__getitem__,
        placeholder="Any",
        width=120,
        bind="query-params",
    )
    st.date_input("Days", value=[], key="days", format="YYYY-MM-DD", width=228, bind="query-params")
    with st.popover("Settings", icon=":material/tune:"):
        st.toggle(
            "Show the models' opinions before I answer",
            key="hints",
            help="Off, they stand below after each answer, so that nobody is led by them.",
            persist_state="session",
        )
        st.toggle("Play each sentence by itself", key="autoplay", persist_state="session")

reviewer = " ".join((st.session_state["reviewer"] or "").split())
if not reviewer:
    with empty("Who are you?"):
        st.markdown(
            "Write your name above: it stands beside your labels, and what you have judged does not come again.",
            text_alignment="center",
        )
    st.stop()
viewer, days = zone(st.context.timezone), st.session_state["days"]
reviewing(
    ticket=resources.tickets.issue(REVIEW_SCOPE),
    asked={
        "reviewer": reviewer,
        "order": one_of(st.session_state["order"], tuple(ORDERS)),
        "agent": st.session_state["agent"],
        "speaker": st.session_state["speaker"],
        "since": midnight(days[0], viewer).isoformat() if days else None,
        "until": midnight(days[1] + timedelta(days=1), viewer).isoformat() if len(days) > 1 else None,
    },
    hints=st.session_state["hints"],
    autoplay=st.session_state["autoplay"],
)
st.caption(
    "Labels are added and never overwritten; one that you undo stays on record and no longer counts. "
    "They become training data: `overtone train sentiment --reviewed`."
)
