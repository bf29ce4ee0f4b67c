"""Twilio Media Streams on the wire: samples into mu-law, and the JSON messages both ways.

Sources: ITU-T G.711 for mu-law; Twilio's page "Media Streams - WebSocket Messages" for the messages.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

RATE_HZ = 8_000

_BIAS, _CLIP = 33, 8158  # of G.711's 14-bit samples


def to_mulaw(pcm: bytes) -> bytes:
    """Mu-law of 16-bit little-endian samples; what is too loud for it is cut off."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.int32) >> 2
    # The sign first, then the magnitude: -1 and 0 must not share a code.
    negative = samples < 0
    magnitude = np.minimum(np.where(negative, ~samples, samples), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    mantissa = (magnitude >> (exponent + 1)) & 0x0F
    code = (np.where(negative, 0x80, 0) | (exponent << 4) | mantissa) ^ 0xFF
    coded: bytes = code.astype(np.uint8).tobytes()
    return coded


@dataclass(frozen=True)
class Connected:
    """The socket's first message."""


@dataclass(frozen=True)
class Start:
    """The stream begins; ``parameters`` are the <Parameter>s of the TwiML."""

    stream_sid: str
    call_sid: str
    account_sid: str
    tracks: tuple[str, ...]
    parameters: Mapping[str, str]
    sequence: int = 0


@dataclass(frozen=True)
class Media:
    """A piece of sound; ``timestamp_ms`` counts from the start of the stream."""

    track: str  # "inbound" | "outbound"
    mulaw: bytes
    chunk: int
    timestamp_ms: int
    sequence: int = 0


@dataclass(frozen=True)
class Digit:
    """A key of the telephone: 0-9, *, #."""

    digit: str
    sequence: int = 0


@dataclass(frozen=True)
class Mark:
    """All sound sent before the mark ``name`` has been played, or was cleared."""

    name: str
    sequence: int = 0


@dataclass(frozen=True)
class Stop:
    """The stream is over."""

    sequence: int = 0


Message = Connected | Start | Media | Digit | Mark | Stop


def read(text: str) -> Message:
    """The message in ``text``. Raises ValueError, saying what is wrong with it."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(row, dict):
        raise ValueError("it is not an object")
    event = row.get("event")
    sequence = _number(row.get("sequenceNumber", 0), "sequenceNumber")
    match event:
        case "connected":
            return Connected()
        case "start":
            return _start(row, sequence)
        case "media":
            return _media(_part(row, "media"), sequence)
        case "dtmf":
            digit = str(_part(row, "dtmf").get("digit", ""))
            if len(digit) != 1 or digit not in "0123456789*#ABCD":
                raise ValueError(f"{digit[:20]!r} is no key of a telephone")
            return Digit(digit, sequence)
        case "mark":
            return Mark(str(_part(row, "mark").get("name", "")), sequence)
        case "stop":
            return Stop(sequence)
    raise ValueError(f"its event is {str(event)[:40]!r}")


def media(stream_sid: str, mulaw: bytes) -> str:
    """The message that plays ``mulaw`` to the caller."""
    payload = base64.b64encode(mulaw).decode()
    return json.dumps({"event": "media", "streamSid": stream_sid, "media": {"payload": payload}})


def mark(stream_sid: str, name: str) -> str:
    """The message that Twilio answers with the same mark once all sound before it was played."""
    return json.dumps({"event": "mark", "streamSid": stream_sid, "mark": {"name": name}})


def clear(stream_sid: str) -> str:
    """The message that drops the sound which waits to be played."""
    return json.dumps({"event": "clear", "streamSid": stream_sid})


def _start(row: dict[str, Any], sequence: int) -> Start:
    start = _part(row, "start")
    stream_sid = str(start.get("streamSid") or row.get("streamSid") or "")
    if not stream_sid:
        raise ValueError("its streamSid is missing")
    form = start.get("mediaFormat") or {}
    if form and (form.get("encoding"), _number(form.get("sampleRate"), "sampleRate")) != ("audio/x-mulaw", RATE_HZ):
        raise ValueError(f"its mediaFormat is {json.dumps(form)[:100]}, not mu-law at 8000 Hz")
    given = start.get("customParameters")
    parameters = {str(k)[:100]: str(v)[:500] for k, v in given.items()} if isinstance(given, dict) else {}
    tracks = start.get("tracks")
    return Start(
        stream_sid,
        str(start.get("callSid", "")),
        str(start.get("accountSid", "")),
        tuple(str(track) for track in tracks) if isinstance(tracks, list) else ("inbound",),
        parameters,
        sequence,
    )


def _media(part: dict[str, Any], sequence: int) -> Media:
    try:
        mulaw = base64.b64decode(str(part.get("payload", "")), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("its payload is not base64") from None
    chunk, timestamp_ms = (_number(part.get(name, 0), name) for name in ("chunk", "timestamp"))
    return Media(str(part.get("track", "inbound")), mulaw, chunk, timestamp_ms, sequence)


def _part(row: dict[str, Any], name: str) -> dict[str, Any]:
    part = row.get(name)
    if not isinstance(part, dict):
        raise ValueError(f"its {name} is missing")
    return part


def _number(value: Any, name: str) -> int:
    """Twilio writes numbers as strings."""
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ValueError(f"its {name} is {str(value)[:20]!r}, not a number") from None
