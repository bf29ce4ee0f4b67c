"""One call: sound, sentiment and transcript together; sentences can be corrected, the call can be taken along."""

import json
from datetime import UTC, datetime

import streamlit as st

from dashboard.components import call_player
from dashboard.components.frame import empty
from dashboard.markdown import plain
from dashboard.queries import zone
from dashboard.resources import open_resources
from dashboard.tickets import REVIEWER, call_scope
from pipeline import report
from pipeline.calls import SENTIMENT_LABELS, Label, Note
from pipeline.errors import InputError

resources = open_resources()
store = resources.store
wanted = st.query_params.get("call", "")
try:
    call = store.call(wanted)
except InputError:
    with empty("No such call" if wanted else "No call is chosen"):
        st.markdown("Open one from the list of calls.", text_alignment="center")
        st.page_link("views/calls.py", label="All calls", icon=":material/call:")
    st.stop()

started = call.started_at.astimezone(zone(st.context.timezone))
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    with st.container(gap=None, width="content"):
        st.header(plain(call.customer or "Unknown caller"), anchor=False)
        with_agent = f"with {call.agent} · " if call.agent else ""
        st.caption(plain(f"{with_agent}{started:%A, %d %B %Y, %H:%M} · {call.source} · {call.id}"))
    with st.container(horizontal=True, width="content", vertical_alignment="center"):
        st.page_link("views/calls.py", label="All calls", icon=":material/arrow_back:")
        name = f"overtone-{call.id}"
        st.download_button(
            "CSV",
            lambda: report.call_csv(store, call.id).encode(),
            f"{name}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "JSON",
            lambda: json.dumps(report.call_json(store, call.id), ensure_ascii=False, indent=2).encode(),
            f"{name}.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )

done = call_player(call.id, ticket=resources.tickets.issue(call_scope(call.id)), labels=SENTIMENT_LABELS)
if corrected := done.corrected:
    label = Label(call.id, int(corrected["index"]), "sentiment", str(corrected["value"]), REVIEWER, datetime.now(UTC))
    try:
        store.add_label(label)
    except InputError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        st.toast(f"Sentence {label.index + 1} is now marked {label.value}. The prediction stays beside it.")
if noted := done.noted:
    note = Note(
        call.id, float(noted["at_s"]), str(noted["text"])[:1000], bool(noted["flagged"]), REVIEWER, datetime.now(UTC)
    )
    try:
        store.add_note(note)
    except InputError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        st.toast("The moment is flagged." if note.flagged else "The note is kept with the call.")
