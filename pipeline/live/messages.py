"""The protocol ``overtone.assistant.v1``: the client's messages read and checked, our events written.

docs/gateway.md describes every message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.calls import Turn
from pipeline.live import events

PROTOCOL = "overtone.assistant.v1"
SLOWEST_HZ, FASTEST_HZ = 8_000, 48_000
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Start:
    """The conversation begins; sound will come at ``rate_hz``."""

    rate_hz: int = 16_000
    person: str = ""
    mode: Literal["open", "push"] = "open"
    voice: bool = True


@dataclass(frozen=True)
class Text:
    """The person typed something."""

    text: str


@dataclass(frozen=True)
class Push:
    """The button to talk is pressed or let go."""

    on: bool


@dataclass(frozen=True)
class Switch:
    """The microphone is from now on open, or behind the button."""

    mode: Literal["open", "push"]


@dataclass(frozen=True)
class Aloud:
    """Answers are from now on spoken too, or in writing only."""

    on: bool


@dataclass(frozen=True)
class Interrupt:
    """The answer shall stop."""


@dataclass(frozen=True)
class Heard:
    """The page measured when the answer of a turn was heard: milliseconds after the person's last sound."""

    turn: int
    ms: float


@dataclass(frozen=True)
class End:
    """The person leaves."""


Message = Start | Text | Push | Switch | Aloud | Interrupt | Heard | End


def read(text: str) -> Message:
    """The client's message in ``text``. Raises ValueError, saying what is wrong with it."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("that was not JSON") from None
    if not isinstance(row, dict):
        raise ValueError("that was not an object")
    match row.get("type"):
        case "start":
            rate_hz = _number(row, "rate_hz", 16_000)
            if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
                raise ValueError(f"rate_hz must be a number from {SLOWEST_HZ} to {FASTEST_HZ}")
            person = " ".join(_text(row, "person", "").split())[:_LONGEST_NAME]
            return Start(int(rate_hz), person, _mode(row), _flag(row, "voice", default=True))
        case "text":
            return Text(_text(row, "text"))
        case "talk":
            return Push(_flag(row, "on"))
        case "mode":
            return Switch(_mode(row))
        case "aloud":
            return Aloud(_flag(row, "on"))
        case "interrupt":
            return Interrupt()
        case "heard":
            return Heard(int(_number(row, "turn")), float(_number(row, "ms")))
        case "end":
            return End()
    raise ValueError(f"there is no message of type {json.dumps(row.get('type'))[:40]}")


def written(event: events.Event) -> str | bytes:
    """The message of an event: JSON, or the samples themselves."""
    match event:
        case events.Sound():
            return event.pcm
        case events.Speech():
            return message("speech", on=event.on)
        case events.Hearing():
            return message("partial", text=event.text)
        case events.Understood():
            return message("heard", text=event.text)
        case events.Answered():
            return message("turn", turn=turn_row(event.turn))
        case events.Saying():
            return message("say", turn=event.turn, sentence=event.sentence, text=event.text)
        case events.Said():
            return message("said", turn=event.turn)
        case events.Stopped():
            return message("stop", turn=event.turn)
        case events.Latency():
            return message("latency", turn=event.turn, stages=event.stages)
        case events.Failed():
            return message("error", message=event.message)
        case events.Ended():
            return message("ended")


def message(kind: str, **fields: Any) -> str:
    """A message to the client."""
    return json.dumps({"type": kind, **fields})


def turn_row(turn: Turn) -> Mapping[str, Any]:
    """A turn as clients get it: names as in ``pipeline.calls.Turn``, times as ISO 8601."""
    intent = turn.intent
    return {
        "number": turn.number,
        "at": turn.at.isoformat(),
        "event": turn.event,
        "user_text": turn.user_text,
        "intent": intent
        and {
            "name": intent.name,
            "score": round(intent.score, 4),
            "slots": [
                {
                    "name": slot.name,
                    "value": slot.value,
                    "text": slot.text,
                    "start": slot.start,
                    "end": slot.end,
                    "score": round(slot.score, 4),
                }
                for slot in intent.slots
            ],
        },
        "state": turn.state,
        "path": [list(edge) for edge in turn.path],
        "actions": [
            {
                "name": action.name,
                "status": action.status,
                "answer": action.answer,
                "source": action.source,
                "as_of": action.as_of and action.as_of.isoformat(),
            }
            for action in turn.actions
        ],
        "replies": list(turn.replies),
        "timings_ms": {name: round(ms, 1) for name, ms in turn.timings_ms.items()},
        "error": turn.error,
    }


def _text(row: dict[str, Any], name: str, default: str | None = None) -> str:
    value = row.get(name, default)
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text")
    return value


def _flag(row: dict[str, Any], name: str, *, default: bool | None = None) -> bool:
    value = row.get(name, default)
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false")
    return value


def _mode(row: dict[str, Any]) -> Literal["open", "push"]:
    mode = row.get("mode", "open")
    if mode not in ("open", "push"):
        raise ValueError("mode must be open or push")
    return "push" if mode == "push" else "open"


def _number(row: dict[str, Any], name: str, default: float | None = None) -> float:
    value = row.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e9:  # NaN is not below
        raise ValueError(f"{name} must be a number")
    return value
