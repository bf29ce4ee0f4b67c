"""The alerts' rules with how often each is right, the file they stand in, and the latest alerts to judge."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from dashboard.components import alert_log
from dashboard.components.frame import empty
from dashboard.markdown import plain
from dashboard.queries import precision_words
from dashboard.resources import open_resources
from dashboard.tickets import REVIEWER
from dashboard.wire import alert_object
from pipeline.alerts import book, outbox
from pipeline.alerts.meaning import missing
from pipeline.alerts.precision import by_rule
from pipeline.alerts.reading import RulesError, read
from pipeline.alerts.rules import in_words
from pipeline.alerts.watch import outbox_folder
from pipeline.calls import Alert, AlertVerdict, Call
from pipeline.errors import InputError, OvertoneError

PERIOD = timedelta(days=90)
MOST_JUDGED = 10_000
SHOWN = 100
BADGES = {"critical": "red", "warning": "yellow", "info": "gray"}
RECEIVERS = {"webhook": "the webhook", "email": "e-mail"}

resources = open_resources()
store, home = resources.store, resources.settings.home


def judge() -> None:
    """Stores a verdict from the list."""
    judged = st.session_state["alert-log"].judged
    if not judged:
        return
    verdict: AlertVerdict = "right" if judged["verdict"] == "right" else "wrong"
    try:
        resources.hub.judge(str(judged["id"]), verdict, REVIEWER)
    except OvertoneError as error:
        st.toast(plain(str(error)), icon=":material/error:")


def switch(name: str, key: str) -> None:
    """Turns a rule on or off in the company's own file."""
    try:
        book.save(home, book.switched(book.text(home), name, on=st.session_state[key]))
    except InputError as error:
        st.session_state["rules-problem"] = str(error)
    st.session_state.pop("rules-text", None)


def save() -> None:
    """Makes the text in the editor the company's own file; nothing is kept of one with defects."""
    try:
        rules = book.save(home, st.session_state["rules-text"])
    except RulesError as error:
        st.session_state["rules-defects"] = [str(defect) for defect in error.defects]
    except OSError as error:
        st.session_state["rules-defects"] = [f"the file cannot be written: {error.strerror}"]
    else:
        st.session_state.pop("rules-defects", None)
        st.toast(f"{len(rules)} rules are saved and in force.", icon=":material/check:")


def reset() -> None:
    """Puts what is saved back into the editor."""
    st.session_state["rules-text"] = book.text(home)
    st.session_state.pop("rules-defects", None)


@st.cache_data(ttl=30, max_entries=500, show_spinner=False)
def call_of(call_id: str) -> Call | None:
    """The call of an alert, None where it was deleted."""
    try:
        return store.call(call_id)
    except InputError:
        return None


st.header("Alerts", anchor=False)
try:
    judged_alerts: list[Alert] = store.alerts(since=datetime.now(UTC) - PERIOD, limit=MOST_JUDGED)
except OvertoneError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()
in_force = book.load(home)
if in_force.defects:
    first, *rest = in_force.defects.splitlines()
    st.error(plain(f"The rules that come with Overtone are in force: {first}"), icon=":material/error:")
    st.code("\n".join(rest), language=None)
if lacking := missing(in_force.rules, resources.settings.models):
    st.error(plain(f"Rules on meaning are off, the others go on: {lacking}"), icon=":material/error:")
for channel, (waiting, failed) in outbox.counts(outbox_folder(resources.settings)).items():
    if waiting:
        st.warning(
            f"{waiting} alerts wait for {RECEIVERS[channel]}, which does not answer.", icon=":material/schedule:"
        )
    if failed:
        st.warning(f"{failed} alerts could not be delivered by {RECEIVERS[channel]}.", icon=":material/error:")
if problem := st.session_state.pop("rules-problem", None):
    st.error(plain(problem), icon=":material/error:")

opened = None
if judged_alerts:
    shown = [(alert, call_of(alert.call_id)) for alert in judged_alerts[:SHOWN]]
    rows = [alert_object(alert, call) for alert, call in shown if call is not None]
    opened = alert_log(rows, key="alert-log", on_judged=judge)
else:
    with empty("No alerts yet"):
        st.markdown("When a rule fires on a live call, it stands here and on the Live page.", text_alignment="center")
if opened:
    st.switch_page("views/call.py", query_params={"call": opened})

st.subheader("Rules", anchor=False)
precision = by_rule(judged_alerts)
with st.container(border=True, gap="small"):
    for rule in in_force.rules:
        key = f"rule-{rule.name}"
        switched_on, named, told, right = st.columns([1, 4, 8, 5], vertical_alignment="center", gap="small")
        st.session_state[key] = rule.enabled
        switched_on.toggle(rule.name, key=key, label_visibility="collapsed", on_change=switch, args=(rule.name, key))
        named.markdown(f"**{plain(rule.name)}** :{BADGES[rule.severity]}-badge[{rule.severity}]")
        told.markdown(plain(in_words(rule.when)))
        right.markdown(precision_words(precision.get(rule.name)))
    if not in_force.rules:
        st.caption("No rules: nothing is watched.")
st.caption(
    "Right alerts among those judged in the last 90 days, with the 95 % interval (Wilson). "
    "A change counts within a second, also for calls that are going on."
)

editor = st.expander("Edit the rules", icon=":material/edit:", on_change="rerun")
if editor.open:
    with editor:
        if "rules-text" not in st.session_state:
            reset()
        st.html("<style>.st-key-rules-text textarea { font-family: var(--st-code-font, monospace); }</style>")
        st.text_area(
            "Rules as YAML",
            key="rules-text",
            height=460,
            help="docs/alerts.md explains every key.",
            persist_state="page",
        )
        with st.container(horizontal=True):
            st.button("Save", type="primary", on_click=save, icon=":material/save:")
            st.button("Discard my changes", on_click=reset)
        defects = st.session_state.get("rules-defects")
        if defects:
            st.error(f"Nothing is saved: {len(defects)} thing{'s' if len(defects) > 1 else ''} to mend.")
            st.code("\n".join(defects), language=None)
        else:
            try:
                count = len(read(st.session_state["rules-text"], "the editor"))
            except RulesError as error:
                st.error(f"{len(error.defects)} thing{'s' if len(error.defects) > 1 else ''} to mend before saving.")
                st.code("\n".join(map(str, error.defects)), language=None)
            else:
                st.caption(f"{count} rules without a defect. Ctrl+Enter checks what you have typed.")
