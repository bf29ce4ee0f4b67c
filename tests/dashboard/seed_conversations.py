"""Fills a store with conversations of the assistant: for the tests of the archive's pages, and for trying them out."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.calls import Conversation, ConversationChannel, Intent, Performed, Slot, Turn
from pipeline.store import Store

MODEL = "intent_slot@2026.11.1"
Line = tuple[str, str, float, tuple[tuple[str, str], ...], str]
# What was said, the intent and how sure, slots as (name, words), the reply.
SCRIPTS: tuple[tuple[str, ConversationChannel, tuple[Line, ...]], ...] = (
    (
        "Dana Whitfield",
        "voice",
        (
            (
                *("will it rain in Boston tomorrow", "weather.rainfall_yes_no", 0.98),
                (("location", "Boston"), ("weathertime", "tomorrow")),
                "Yes, in Boston tomorrow it will rain in the afternoon. This is sample data.",
            ),
            ("and on Friday", "weather.weather", 0.91, (("weathertime", "Friday"),), "Friday stays dry in Boston."),
        ),
    ),
    (
        "Luis Ferreira",
        "text",
        (
            (
                *("how much is a blue wool sweater", "price_check", 0.96),
                (("item.color", "blue"), ("item.type", "wool sweater")),
                "The blue wool sweater is 59 dollars and 90 cents at Northway.",
            ),
            (
                *("got any left 🙂 near the harbour", "store_location", 0.41),
                (("location", "near the harbour"),),
                "Harbour Outfitters is the nearest, open until eight.",
            ),
        ),
    ),
    ("", "phone", (("I want to talk to a person", "agent", 0.99, (), "One moment, I'm putting you through."),)),
)


def fill(store: Store, now: datetime) -> list[str]:
    """Adds one conversation a script, the last one the newest; returns their ids in that order."""
    ids = []
    for number, (person, channel, lines) in enumerate(SCRIPTS):
        started_at = now - timedelta(hours=len(SCRIPTS) - number)
        conversation_id = f"conversation-{number}"
        store.begin_conversation(Conversation(conversation_id, started_at, channel, person))
        opening = ("Hello! How can I help you?",)
        way = (("init", "next_state", "listen"),)
        store.add_turn(Turn(conversation_id, 0, started_at, "opened", "", None, way, "listen", (), opening))
        for place, line in enumerate(lines, start=1):
            store.add_turn(turn(conversation_id, place, started_at + timedelta(seconds=20 * place), channel, line))
        store.end_conversation(conversation_id, started_at + timedelta(minutes=3))
        ids.append(conversation_id)
    return ids


def turn(conversation_id: str, number: int, at: datetime, channel: ConversationChannel, line: Line) -> Turn:
    """A turn in which the person said the words of ``line``."""
    text, name, score, marked, reply = line
    slots = tuple(
        Slot(slot, words.lower(), words, text.index(words), text.index(words) + len(words), score)
        for slot, words in marked
    )
    kind = "weather" if name.startswith("weather") else "retail"
    action = Performed(kind, {slot.name: slot.text for slot in slots}, "ok", reply, f"sample {kind} data", at)
    timings = {"understand_ms": 5.1, "dialog_ms": 0.6, "fulfil_ms": 3.2}
    return Turn(
        conversation_id=conversation_id,
        number=number,
        at=at,
        event="said",
        user_text=text,
        intent=Intent(name, score, slots, MODEL),
        path=(("listen", name, "ask_service"), ("ask_service", "ok", "tell"), ("tell", "next_state", "listen")),
        state="listen",
        actions=(action,) if name != "agent" else (),
        replies=(reply,),
        timings_ms=timings if channel == "text" else {"recognise_ms": 110.0, **timings, "speak_ms": 95.0},
        recogniser="" if channel == "text" else "moonshine-tiny@1",
    )
