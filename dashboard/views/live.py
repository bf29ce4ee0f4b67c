"""The calls that are going on now. Nothing here reruns by itself: the wall is fed by a socket of its own."""

import streamlit as st

from dashboard.components import live_wall
from dashboard.resources import open_resources
from dashboard.tickets import LIVE_SCOPE

resources = open_resources()
opened = live_wall(ticket=resources.tickets.issue(LIVE_SCOPE), start_command="overtone up --samples")
if opened:
    st.switch_page("views/call.py", query_params={"call": opened})
