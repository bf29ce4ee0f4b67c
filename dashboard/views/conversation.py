"""One conversation with the assistant, turn by turn; what a turn meant can be corrected."""

from datetime import UTC, datetime

import streamlit as st

from dashboard.components import turn_list
from dashboard.components.frame import empty
from dashboard.conversations import intent_name, known, label_of, model_labels, turn_object
from dashboard.markdown import plain
from dashboard.queries import zone
from dashboard.resources import open_resources
from pipeline.errors import InputError, OvertoneError

REVIEWER = "demo"  # until people log in
CHANNELS = {"text": "In writing", "voice": "By voice", "phone": "By phone"}

TURNS = "turns"


def keep_correction() -> None:
    """Stores what the reviewer decided about a turn."""
    corrected = st.session_state[TURNS].corrected
    try:
        turn = next(turn for turn in store.turns(conversation.id) if turn.number == corrected["number"])
        store.add_turn_label(label_of(turn, corrected, REVIEWER, datetime.now(UTC)))
    except OvertoneError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        st.toast(f"Turn {turn.number} now means {plain(intent_name(corrected['intent']))}.")


resources = open_resources()
store = resources.store
wanted = st.query_params.get("conversation", "")
try:
    conversation = store.conversation(wanted)
    turns = store.turns(conversation.id)
    labels = store.turn_labels(conversation.id)
except InputError:
    with empty("No such conversation" if wanted else "No conversation is chosen"):
        st.markdown("Open one from the list of conversations.", text_alignment="center")
        st.page_link("views/conversations.py", label="All conversations", icon=":material/forum:")
    st.stop()

started = conversation.started_at.astimezone(zone(st.context.timezone))
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    with st.container(gap=None, width="content"):
        st.header(plain(conversation.person or "A conversation"), anchor=False)
        going_on = "" if conversation.ended_at else " · still open"
        how = CHANNELS[conversation.channel]
        st.caption(plain(f"{how} · {started:%A, %d %B %Y, %H:%M} · {conversation.id}{going_on}"))
    st.page_link("views/conversations.py", label="All conversations", icon=":material/arrow_back:", width="content")

if not turns:
    with empty("Nothing was said"):
        st.markdown("The conversation was left before it began.", text_alignment="center")
    st.stop()

intents, slots = model_labels(resources.settings.models)
understood = [turn.intent for turn in turns if turn.intent]
turn_list(
    [turn_object(turn, labels) for turn in turns],
    key=TURNS,
    intents=known(intents, (meant.name for meant in understood)),
    slots=known(slots, (slot.name for meant in understood for slot in meant.slots)),
    on_corrected=keep_correction,
)
day = f"{conversation.started_at:%Y-%m-%d}"
st.caption(
    "A correction stands beside the prediction; the last one counts. "
    f"Corrections become training rows: `overtone archive export --day {day}`."
)
