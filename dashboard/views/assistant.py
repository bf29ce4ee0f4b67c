"""The conversation with the assistant. Nothing here reruns by itself: words and sound have a socket of their own."""

import streamlit as st

from dashboard.components import assistant
from dashboard.resources import open_resources
from dashboard.tickets import ASSISTANT_SCOPE

EXAMPLES = (
    "Will it rain in Boston tomorrow?",
    "How much is a blue wool sweater?",
    "Where can I get the best pasta?",
)

resources = open_resources()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.header("Assistant", anchor=False, width="content")
    st.page_link("views/conversations.py", label="All conversations", icon=":material/forum:", width="content")
opened = assistant(ticket=resources.tickets.issue(ASSISTANT_SCOPE), examples=EXAMPLES)
if opened:
    st.switch_page("views/conversation.py", query_params={"conversation": opened})
