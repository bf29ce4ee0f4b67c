"""Conversations and their turns as the pages show them, and people's corrections as labels. No Streamlit here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, get_args

from dashboard.queries import midnight, one_of
from dashboard.wire import milliseconds
from fulfillment.values import normalise
from pipeline.calls import ConversationChannel, Slot, Turn, TurnLabel
from pipeline.errors import InputError
from pipeline.store.queries import ConversationOrder, ConversationQuery, ConversationSummary

REVIEWED = {"yes": True, "no": False}


def conversation_query(chosen: Mapping[str, Any], viewer: tzinfo) -> ConversationQuery:
    """The query behind the filters of the page; values from a URL that mean nothing are left out.

    ``chosen`` holds q, channel, intent, reviewed ("yes" or "no"), order and days, a tuple of up to two dates that the
    viewer meant in the zone ``viewer``, both inclusive.
    """
    days: Sequence[date] = chosen.get("days") or ()
    return ConversationQuery(
        text=(chosen.get("q") or "").strip(),
        since=midnight(days[0], viewer) if days else None,
        until=midnight(days[1] + timedelta(days=1), viewer) if len(days) > 1 else None,
        channel=one_of(chosen.get("channel"), get_args(ConversationChannel)),
        intent=chosen.get("intent"),
        reviewed=REVIEWED.get(chosen.get("reviewed") or ""),
        order=one_of(chosen.get("order"), get_args(ConversationOrder)) or "newest",
    )


def conversation_row(summary: ConversationSummary) -> dict[str, Any]:
    """A row of the table of conversations: id, who, last words, started (ms), channel, turns, intents and reviews."""
    conversation = summary.conversation
    return {
        "id": conversation.id,
        "said": summary.last_text or "Nothing was said",
        "person": conversation.person or None,
        "channel": conversation.channel.capitalize(),
        "started": milliseconds(conversation.started_at),
        "turns": summary.turns,
        "intents": ", ".join(intent_name(name) for name in summary.intents) or "–",
        "trouble": summary.errors or None,
        "labelled": summary.labelled or None,
    }


def intent_name(name: str) -> str:
    """An intent as people read it: "weather.rainfall_yes_no" is "weather: rainfall yes/no", as turn_words.js has it."""
    domain, _, rest = name.partition(".")
    words = domain if rest in ("", domain) else f"{domain}: {rest}"
    return words.replace("_yes_no", " yes/no").replace("_", " ")


def turn_object(turn: Turn, labels: Iterable[TurnLabel]) -> dict[str, Any]:
    """The JSON object of a turn with the corrections that it got, oldest first; times are UTC milliseconds."""
    return {
        "number": turn.number,
        "at": milliseconds(turn.at),
        "event": turn.event,
        "user_text": turn.user_text,
        "intent": turn.intent
        and {
            "name": turn.intent.name,
            "score": round(turn.intent.score, 4),
            "model": turn.intent.model,
            "slots": [_slot_object(slot) for slot in turn.intent.slots],
        },
        "path": [list(edge) for edge in turn.path],
        "state": turn.state,
        "actions": [
            {
                "name": action.name,
                "request": {
                    key: value if isinstance(value, str) else ", ".join(value) for key, value in action.request.items()
                },
                "status": action.status,
                "answer": action.answer,
                "source": action.source,
                "as_of": action.as_of and milliseconds(action.as_of),
            }
            for action in turn.actions
        ],
        "replies": list(turn.replies),
        "timings_ms": {stage: round(ms, 1) for stage, ms in turn.timings_ms.items()},
        "recogniser": turn.recogniser,
        "error": turn.error,
        "labels": [
            {
                "intent": label.intent,
                "slots": [_slot_object(slot) for slot in label.slots],
                "reviewer": label.reviewer,
                "at": milliseconds(label.at),
            }
            for label in labels
            if label.number == turn.number
        ],
    }


def label_of(turn: Turn, corrected: Mapping[str, Any], reviewer: str, at: datetime) -> TurnLabel:
    """The label behind ``{"intent", "slots": [{"name", "start", "end"}]}``, its slots by place and with their values.

    Raises InputError for slots that are no words of the turn or that overlap.
    """
    slots: list[Slot] = []
    for marked in sorted(corrected["slots"], key=lambda slot: int(slot["start"])):
        name, start, end = str(marked["name"]), int(marked["start"]), int(marked["end"])
        if not 0 <= start < end <= len(turn.user_text) or (slots and start < slots[-1].end):
            raise InputError(f"the slot {name} does not lie on words of its own in {turn.user_text!r}: mark it again")
        words = turn.user_text[start:end]
        slots.append(Slot(name, normalise(name, words, turn.at), words, start, end, 1.0))
    return TurnLabel(turn.conversation_id, turn.number, str(corrected["intent"]), tuple(slots), reviewer, at)


def model_labels(models: Path) -> tuple[list[str], list[str]]:
    """The intents and the slots that the model in the folder ``models`` knows; empty where there is no such model."""
    try:
        labels = json.loads((models / "intent_slot" / "model.json").read_text(encoding="utf-8"))["labels"]
    except FileNotFoundError:
        return [], []
    return list(labels["intents"]), list(
        dict.fromkeys(name.partition("-")[2] for name in labels["slots"] if name != "O")
    )


def known(names: Iterable[str], seen: Iterable[str]) -> list[str]:
    """``names`` in their order, and then what else was ``seen``, sorted."""
    first = list(dict.fromkeys(names))
    return first + sorted(set(seen) - set(first))


def _slot_object(slot: Slot) -> dict[str, Any]:
    return {
        "name": slot.name,
        "value": slot.value,
        "text": slot.text,
        "start": slot.start,
        "end": slot.end,
        "score": round(slot.score, 4),
    }
