"""The versions of each model: how good they are, which one is in use or runs beside it, and who decided that."""

import streamlit as st

from dashboard import models
from dashboard.components import table
from dashboard.components.frame import empty
from dashboard.markdown import plain
from dashboard.model_charts import confusion_chart, reliability_chart
from dashboard.models import Held, Shelf
from dashboard.queries import zone
from dashboard.resources import open_resources
from dashboard.review import LONGEST_NAME, ORDERS
from dashboard.wire import sentence_object
from pipeline.alerts.precision import wilson
from pipeline.errors import OvertoneError
from pipeline.registry import Registry
from pipeline.settings import EMBEDDED

LISTED = 8
INKS = {"light": "#1c2333", "dark": "#f4f6fb"}
ASKED = {
    "promote": "From the next sentence on, {version} gives the scores. What is stored keeps the scores that it has.",
    "rollback": "The version that was in use before {version} gives the scores again.",
    "shadow": "{version} scores every new sentence too, beside the version in use, and nobody sees its scores.",
    "unshadow": "{version} no longer scores new sentences. What it has scored stays.",
}
NAMES = {"promote": "Promote", "rollback": "Roll back", "shadow": "Run as shadow", "unshadow": "End the shadow"}

resources = open_resources()
settings, store = resources.settings, resources.store
registry = Registry.of(settings)
viewer = zone(st.context.timezone)


@st.dialog("Are you sure?")
def confirm(what: str, held: Held, by: str) -> None:
    """Asks before the registry is changed."""
    version = held.version
    st.markdown(plain(ASKED[what].format(version=version.version)))
    with st.container(horizontal=True):
        if st.button(NAMES[what], type="primary", key="confirmed"):
            try:
                st.session_state["models-done"] = models.change(
                    registry, version.task, what, models.pointed(version), by
                )
            except OvertoneError as error:
                st.session_state["models-failed"] = str(error)
            st.rerun()
        if st.button("Cancel"):
            st.rerun()


def badges(held: Held) -> str:
    """What a version is, as badges."""
    told = [":green-badge[in use]"] if held.live else []
    told += [":blue-badge[shadow]"] if held.shadow else []
    return " ".join([*told, *([":gray-badge[shipped]"] if held.version.shipped else [])])


def row(shelf: Shelf, held: Held, by: str) -> None:
    """Draws one version with what can be done with it."""
    version = held.version
    named, made, figure, acts = st.columns([5, 5, 5, 5], vertical_alignment="center", gap="small")
    named.markdown(f"**{plain(version.version)}** {badges(held)}")
    if version.shipped:
        made.caption("Comes with Overtone")
    else:
        when = (
            f"{held.registered_at.astimezone(viewer):%d %b %Y, %H:%M}" if held.registered_at else "at an unknown time"
        )
        who, snapshot = version.origin.get("by") or "somebody", version.origin.get("snapshot", "")
        made.caption(plain(f"{when} by {who}") + (f" · snapshot `{snapshot[:12]}`" if snapshot else " · no snapshot"))
    if held.headline:
        measured_on = plain(f"on {held.headline.rows:,} rows of {held.headline.set}")
        figure.markdown(f"{held.headline.name} **{models.in_words(held.headline)}**  \n:small[:gray[{measured_on}]]")
    possible = ["rollback"] if held.live and shelf.can_roll_back else []
    if not held.live:
        possible.append("promote")
        if shelf.task == "sentiment":
            possible.append("unshadow" if held.shadow else "shadow")
    with acts.container(horizontal=True, horizontal_alignment="right"):
        for what in possible:
            if st.button(
                NAMES[what],
                key=f"{what}-{version.version}",
                disabled=not by,
                help=None if by else "Write your name first: it stands in the history.",
            ):
                confirm(what, held, by)


def measured(shelf: Shelf, held: Held) -> None:
    """Draws the figures of a version beside those of the one in use, verdicts, and charts."""
    version = held.version
    compared = models.beside_live(version, shelf.live.version if shelf.live else None)
    if compared:
        st.dataframe(compared, hide_index=True, width="stretch")
    own = [one for one in shelf.evaluations if one.model == version.identity]
    live = shelf.live.version.identity if shelf.live else ""
    for one in own:
        for name, verdict in one.verdicts:
            old = "" if one.against == live else " (not the version in use now)"
            st.info(plain(f"{name}, {one.at.astimezone(viewer):%d %b %Y}{old}: {verdict}"), icon=":material/balance:")
    command = models.compare_command(settings.home, version)
    if command and not held.live and not any(one.against == live for one in own):
        st.markdown("It was not yet compared with the version in use. On the command line:")
        st.code(command, language="bash")
    sets = {f"{each['name']} (evaluated)": each for one in reversed(own) for each in one.sets}
    sets = {**sets, **models.sets_of(version.card)}
    if not sets:
        return
    wanted = st.selectbox("Charts of", tuple(sets), key="chart-set", width=260)
    labels = version.card["labels"] if isinstance(version.card["labels"], list) else ()
    cells, bins = models.confusion(sets[wanted], labels), models.reliability(sets[wanted])
    left, right = st.columns(2, gap="medium")
    if cells is not None:
        left.markdown("**What it takes for what**")
        left.altair_chart(
            confusion_chart(cells, INKS[st.context.theme.type or "light"]),
            alt=f"Confusion matrix of {version.version} on {wanted}",
        )
    if bins is not None:
        right.markdown("**How far to trust its confidence**")
        right.altair_chart(reliability_chart(bins), alt=f"Reliability of {version.version} on {wanted}")
    elif command:
        right.caption("How far its confidence can be trusted stands in an evaluation:")
        right.code(command.replace(f" --against {version.task}", "") if held.live else command, language="bash")


def shadowed(live: Held, beside: Held) -> None:
    """Draws how far the shadow agrees with the version in use on the stored sentences."""
    one, other = live.version.identity, beside.version.identity
    found = store.agreement(one, other)
    st.subheader("Shadow", anchor=False)
    if not found.sentences:
        st.markdown(f"{plain(other)} has not yet scored a sentence that {plain(one)} has scored.")
        st.caption("It scores what comes in while `overtone up` runs. To let it score the past:")
        st.code(f"overtone relabel --model {models.pointed(beside.version)}", language="bash")
        return
    differ = found.sentences - found.same
    low, high = wilson(differ, found.sentences)
    st.markdown(
        f"Of {found.sentences:,} sentences that both have scored, they differ on {differ:,}: "
        f"**{100 * differ / found.sentences:.1f} %** ({100 * low:.1f} to {100 * high:.1f})"
    )
    rows = []
    for each in store.disagreements(one, other, limit=LISTED):
        said = sentence_object(each.sentence)
        rows.append(
            {
                "id": each.call.id,
                "said": said["text"],
                "who": each.call.customer if said["speaker"] == "customer" else each.call.agent,
                "live": said["label"],
                "other": each.other.label,
            }
        )
    if rows:
        opened = table(
            rows,
            [
                {"field": "said", "title": "Sentence", "kind": "person", "below": "who"},
                {"field": "live", "title": "In use", "kind": "label"},
                {"field": "other", "title": "Shadow", "kind": "label"},
            ],
            key="disagreements",
            name="Sentences on which they differ",
        )
        if opened:
            st.switch_page("views/call.py", query_params={"call": opened})
        st.page_link(
            "views/review.py", label="Judge them on the Review page", icon=":material/rate_review:",
            query_params={"order": ORDERS["disagreed"]},
        )  # fmt: skip


with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.header("Models", anchor=False, width="content")
    st.text_input(
        "Your name",
        key="reviewer",
        max_chars=LONGEST_NAME,
        placeholder="Stands in the history",
        width=220,
        bind="query-params",
        persist_state="session",
    )
by = " ".join((st.session_state["reviewer"] or "").split())
if done := st.session_state.pop("models-done", None):
    st.toast(plain(done), icon=":material/check:")
if failed := st.session_state.pop("models-failed", None):
    st.error(plain(failed), icon=":material/error:")
try:
    tasks = sorted(registry.tasks(), key=lambda name: (name != "sentiment", name))
    task = st.segmented_control(
        "Task",
        tasks,
        default=tasks[0],
        required=True,
        format_func=lambda name: models.TASKS.get(name, name),
        key="task",
        bind="query-params",
        label_visibility="collapsed",
    )
    evaluations, faults = models.read_evaluations(settings.home / models.EVALUATIONS)
    shelf = models.shelf(registry, task or tasks[0], evaluations)
except OvertoneError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()
if settings.nlp_uri != EMBEDDED:
    st.info(
        plain(f"The scores come from the Riva server at {settings.nlp_uri}: what is promoted here does not change it."),
        icon=":material/info:",
    )
for fault in faults:
    st.warning(plain(fault), icon=":material/error:")
if not shelf.held:
    with empty("No version of this model"):
        st.code(models.train_command(shelf.task), language="bash")
    st.stop()
if shelf.live is None:
    st.error(
        plain(f"The version {shelf.pointer.current} that is in use has no folder: roll back or promote another one.")
    )

with st.container(border=True, gap="small"):
    for held in shelf.held:
        row(shelf, held, by)
if len(shelf.held) == 1:
    st.markdown("Only the shipped version is here. Train one of your own, on the corrections of reviewers too:")
    st.code(models.train_command(shelf.task), language="bash")
    st.caption("It comes as a new version, which is not in use until somebody promotes it.")

if shelf.live and shelf.beside:
    shadowed(shelf.live, shelf.beside)

st.subheader("Figures", anchor=False)
chosen = shelf.held[0]
if len(shelf.held) > 1:
    versions = {held.version.version: held for held in shelf.held}
    chosen = versions[st.selectbox("Version", tuple(versions), key=f"version-{shelf.task}", width=260)]
measured(shelf, chosen)
st.caption("In brackets the 95 % interval. Figures are of the sets on which nobody trained the model.")

if shelf.pointer.history:
    st.subheader("History", anchor=False)
    st.dataframe(
        [
            {
                "When": move.at.astimezone(viewer).strftime("%d %b %Y, %H:%M"),
                "Who": move.by,
                "What": models.move_in_words(move),
            }
            for move in reversed(shelf.pointer.history)
        ],
        hide_index=True,
        width="stretch",
    )
