"""The router: which pages there are, and what stands around each of them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.components.frame import backends
from dashboard.resources import open_resources

FOLDER = Path(__file__).resolve().parent
BRAND = FOLDER / "brand"

# Before the navigation: its pages' icons would be fetched from the internet for the browser's tab.
st.set_page_config(page_title="Overtone", page_icon=str(BRAND / "favicon.png"), layout="wide")
st.logo(str(BRAND / "logo.svg"), size="large")

page = st.navigation(
    [
        st.Page(
            FOLDER / "views" / "live.py",
            title="Live",
            icon=":material/graphic_eq:",
            url_path="live",
            default=True,
            help="The calls that are going on now, the unhappiest first.",
        ),
        st.Page(
            FOLDER / "views" / "agent.py",
            title="My call",
            icon=":material/headset_mic:",
            url_path="agent",
            help="For agents: your own call as it is spoken, with suggestions and what not to forget.",
        ),
        st.Page(
            FOLDER / "views" / "calls.py",
            title="Calls",
            icon=":material/call:",
            url_path="calls",
            help="All calls: search, filter and open them.",
        ),
        st.Page(
            FOLDER / "views" / "people.py",
            title="People",
            icon=":material/group:",
            url_path="people",
            help="Agents and customers: how their calls felt over time.",
        ),
        st.Page(
            FOLDER / "views" / "review.py",
            title="Review",
            icon=":material/rate_review:",
            url_path="review",
            help="Say how sentences feel, the doubtful ones first; the models learn from it.",
        ),
        st.Page(
            FOLDER / "views" / "assistant.py",
            title="Assistant",
            icon=":material/mic:",
            url_path="assistant",
            help="Ask about the weather, prices, stock and shops, by voice or in writing.",
        ),
        st.Page(
            FOLDER / "views" / "conversations.py",
            title="Conversations",
            icon=":material/forum:",
            url_path="conversations",
            help="What people asked the assistant: read and correct it.",
        ),
        st.Page(
            FOLDER / "views" / "alerts.py",
            title="Alerts",
            icon=":material/notifications:",
            url_path="alerts",
            help="Which rules watch live calls, how often each is right, and what they found.",
        ),
        st.Page(
            FOLDER / "views" / "models.py",
            title="Models",
            icon=":material/model_training:",
            url_path="models",
            help="Versions of the models, how good they are, and which one is in use.",
        ),
        st.Page(FOLDER / "views" / "call.py", title="Call", url_path="call", visibility="hidden"),
        st.Page(
            FOLDER / "views" / "conversation.py", title="Conversation", url_path="conversation", visibility="hidden"
        ),
    ],
    position="top",
)
st.set_page_config(page_title=f"{page.title} · Overtone")
body = st.container()
backends(open_resources())  # first, because a page may stop its run
with body:
    page.run()
