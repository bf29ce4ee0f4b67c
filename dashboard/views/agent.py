"""An agent's own call while it goes on. Nothing here reruns by itself: the page is fed by a socket of its own."""

import streamlit as st

from dashboard.components import agent_desk
from dashboard.components.frame import empty
from dashboard.markdown import plain
from dashboard.resources import open_resources
from dashboard.tickets import agent_scope
from pipeline import reminders
from pipeline.errors import OvertoneError

resources = open_resources()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.header("My call", anchor=False, width="content")
    try:
        names = resources.store.people("agent")
    except OvertoneError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()
    asked = st.query_params.get("agent", "").strip()
    chosen = st.selectbox(
        "Your name",
        names if not asked or asked in names else [asked, *names],
        index=None,
        key="agent",
        placeholder="Choose or type your name",
        label_visibility="collapsed",
        accept_new_options=True,
        bind="query-params",
        width=260,
    )
agent = (chosen or "").strip()
if not agent:
    with empty("Who are you?"):
        st.markdown(
            "Choose your name above, as the phone system writes it. The address of the page keeps it.",
            text_alignment="center",
        )
    st.stop()

checklist = reminders.load(resources.settings.home)
if checklist.defects:
    first, *lines = checklist.defects.splitlines()
    st.warning(plain(f"{first} The list that comes with Overtone stands in.\n\n" + "\n\n".join(lines)))
agent_desk(
    agent,
    ticket=resources.tickets.issue(agent_scope(agent)),
    reminders=[reminder.name for reminder in checklist.reminders],
)
