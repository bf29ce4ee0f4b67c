"""The calls that are going on now. Nothing here reruns by itself: the wall is fed by a socket of its own."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from dashboard.charts import latency_history
from dashboard.components import live_wall
from dashboard.markdown import plain
from dashboard.queries import latency_frame, latency_rows, zone
from dashboard.resources import open_resources
from dashboard.tickets import LIVE_SCOPE
from pipeline.errors import OvertoneError

# Hours, and the seconds that a point of the chart stands for.
PERIODS = {"1 hour": (1, 60), "6 hours": (6, 300), "24 hours": (24, 900)}

resources = open_resources()
opened = live_wall(ticket=resources.tickets.issue(LIVE_SCOPE), start_command="overtone up --samples")
if opened:
    st.switch_page("views/call.py", query_params={"call": opened})

latency = st.expander("Latency", icon=":material/timer:", on_change="rerun")
if latency.open:
    with latency:
        period = st.segmented_control("Period", tuple(PERIODS), default="1 hour", required=True, key="latency-period")
        hours, bucket_s = PERIODS[period or "1 hour"]
        viewer, now = zone(st.context.timezone), datetime.now(UTC)
        since = now - timedelta(hours=hours)
        try:
            clocks = resources.store.clocks(since=since)
        except OvertoneError as error:
            st.error(plain(str(error)), icon=":material/error:")
            st.stop()
        frame = latency_frame(clocks, bucket_s, viewer)
        if frame.empty:
            st.caption("No sentence was timed all the way to a screen in this period.")
        else:
            span = (since.astimezone(viewer), now.astimezone(viewer))
            st.altair_chart(latency_history(frame, span), alt="Time from the end of a sentence to the screen")
        if clocks:
            st.dataframe(latency_rows(clocks), hide_index=True, width="content")
        st.caption(
            "Each stage counts from the one before it. The first browser that showed a sentence tells when it was on "
            "the screen, by the server's clock. `overtone latency` prints the same."
        )
