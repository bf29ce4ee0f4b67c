"""Genesys AudioHook, protocol version 2: the messages of a session read and answered. No sockets here.

Source: Genesys Cloud Developer Center, "AudioHook protocol reference". Client messages carry ``seq``, ``serverseq``
and ``position``, ours ``seq`` and ``clientseq``; audio is PCMU at 8 kHz, the customer ("external") on the first
channel and the agent ("internal") on the second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.calls import SpeakerRole
from pipeline.live.calls import Start

PROTOCOL = "audiohook"
VERSION = "2"
NOBODY = "00000000-0000-0000-0000-000000000000"  # the conversation of a probe: Genesys tries the connection
_LARGEST_TEXT = 65_535
_MOST_MISTAKES = 20  # of a client's messages; then the session is refused
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_SPEAKERS: dict[str, SpeakerRole] = {"external": "customer", "internal": "agent"}
_PREFERRED = (["external", "internal"], ["internal", "external"], ["external"], ["internal"])


@dataclass(frozen=True)
class Opened:
    """The session may begin: accept it with ``Session.opened`` or not with ``Session.disconnect``."""

    start: Start
    probe: bool  # Genesys only tries the connection: there is no call


@dataclass(frozen=True)
class Skipped:
    """Audio was left out: ``length_s`` of it, before what comes next."""

    length_s: float
    reason: str


@dataclass(frozen=True)
class Closing:
    """The client is done; answer with ``Session.closed`` when everything is stored."""

    reason: str  # end | error | disconnect | reconnect


Event = Opened | Skipped | Closing


class Session:
    """One session's numbers and state. ``receive`` text, and send what it and the other methods return."""

    def __init__(self) -> None:
        self.id = ""
        self.paused = False
        self.mistakes = 0  # messages that were left out
        self.missing = 0  # messages that never came, by their numbers
        self._seq = self._clientseq = 0
        self._opened = False
        self._media: Mapping[str, Any] | None = None

    @property
    def channels(self) -> list[str]:
        """What the channels of a binary frame hold, in order; empty before the session is open."""
        return list(self._media["channels"]) if self._media else []

    def receive(self, text: str) -> tuple[Event | None, list[str]]:
        """What the client's message means for the call, and the messages to answer with.

        A message that cannot be read, that came before or that belongs to another session is counted and left out.
        """
        try:
            kind, parameters = self._read(text)
        except ValueError as error:
            self.mistakes += 1
            if self.mistakes > _MOST_MISTAKES or not self._clientseq:
                return Closing("error"), [self.disconnect("error", f"Client error: {error}")]
            return None, []
        match kind:
            case "open":
                return self._open(parameters)
            case "close":
                return Closing(str(parameters.get("reason", "end"))[:50]), []
            case "ping":
                return None, [self._message("pong", {})]
            case "update":
                return None, [self._message("updated", {})]
            case "paused":
                self.paused = True
                return None, []
            case "resumed":
                self.paused = False
                return _skipped(parameters, "the phone system paused"), []
            case "discarded":
                return _skipped(parameters, "the phone system left audio out"), []
            case "error":
                self.mistakes += 1
                return None, []
        self.mistakes += 1  # a later version's message: nothing that a call depends on
        return None, []

    def opened(self) -> str:
        """The message that accepts the session with the media that were chosen."""
        return self._message("opened", {"media": [self._media] if self._media else [], "startPaused": False})

    def closed(self) -> str:
        """The message that ends the session at the client's wish."""
        return self._message("closed", {})

    def disconnect(self, reason: str, info: str) -> str:
        """The message that asks the client to end the session: ``reason`` is completed, unauthorized or error."""
        return self._message("disconnect", {"reason": reason, "info": info[:500]})

    def _read(self, text: str) -> tuple[str, Mapping[str, Any]]:
        if len(text) > _LARGEST_TEXT:
            raise ValueError("the message is larger than 64 KiB")
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("the message is not JSON") from None
        if not isinstance(row, dict) or row.get("version") != VERSION:
            raise ValueError(f"the message is not of AudioHook version {VERSION}")
        kind, name, seq, parameters = (row.get(field) for field in ("type", "id", "seq", "parameters"))
        if not isinstance(kind, str) or not isinstance(name, str) or not isinstance(parameters, dict):
            raise ValueError("the message has no type, id or parameters")
        if not isinstance(seq, int) or isinstance(seq, bool) or seq < 1:
            raise ValueError("the message has no sequence number")
        if not isinstance(row.get("position"), str) or seconds(row["position"]) is None:
            raise ValueError("the message has no position")
        if self.id and name != self.id:
            raise ValueError("the message is of another session")
        if not self.id and kind != "open":
            raise ValueError("the session does not begin with open")
        if seq <= self._clientseq:
            raise ValueError("the message came before")
        self.missing += seq - self._clientseq - 1
        self.id, self._clientseq = name, seq
        return kind, parameters

    def _open(self, parameters: Mapping[str, Any]) -> tuple[Event | None, list[str]]:
        if self._opened:
            self.mistakes += 1
            return None, []
        self._opened = True
        conversation = str(parameters.get("conversationId") or "")
        probe = conversation == NOBODY
        self._media = _chosen(parameters.get("media"))
        if self._media is None and not probe:
            return Closing("error"), [self.disconnect("error", "no PCMU audio at 8000 Hz is offered")]
        return Opened(_start(self.id, conversation, parameters, self.channels), probe), []

    def _message(self, kind: str, parameters: Mapping[str, Any]) -> str:
        self._seq += 1
        row = {"version": VERSION, "id": self.id, "type": kind, "seq": self._seq, "clientseq": self._clientseq}
        return json.dumps({**row, "parameters": parameters})


def seconds(duration: str) -> float | None:
    """Seconds of an ISO 8601 duration of days and below (``PT1.5S``); None where it is none."""
    found = _DURATION.fullmatch(duration) if len(duration) <= 50 and duration[-1:] not in ("P", "T") else None
    if found is None:
        return None
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return 86_400 * days + 3600 * hours + 60 * minutes + rest


def _chosen(offered: Any) -> Mapping[str, Any] | None:
    """Of the media that are offered the first that we take: both sides where there are both."""
    media = [
        one
        for one in (offered if isinstance(offered, list) else [])
        if isinstance(one, dict)
        and (one.get("type"), one.get("format"), one.get("rate")) == ("audio", "PCMU", 8000)
        and one.get("channels") in _PREFERRED
    ]
    return min(media, key=lambda one: _PREFERRED.index(one["channels"]), default=None)


def _start(session: str, conversation: str, parameters: Mapping[str, Any], channels: Sequence[str]) -> Start:
    participant = parameters.get("participant")
    who: Mapping[str, Any] = participant if isinstance(participant, dict) else {}
    own = parameters.get("customConfig")
    given = {str(name): value for name, value in own.items()} if isinstance(own, dict) else {}
    more = parameters.get("inputVariables")
    given |= {str(name): value for name, value in more.items()} if isinstance(more, dict) else {}
    return Start(
        protocol=PROTOCOL,
        phone_id=f"{conversation}/{who.get('id', '')}",
        speakers=tuple(_SPEAKERS[channel] for channel in channels),
        encoding="mulaw",
        rate_hz=8000,
        agent=given.get("agent") and str(given["agent"]),
        customer=str(given.get("customer") or who.get("aniName") or who.get("ani") or "") or None,
        attributes={
            "conversation_id": conversation,
            "audiohook_session": session,
            "organization": parameters.get("organizationId") or "",
            "ani": who.get("ani") or "",
            "dnis": who.get("dnis") or "",
            "language": parameters.get("language") or "",
            **{name: value for name, value in given.items() if name not in ("agent", "customer")},
        },
    )


def _skipped(parameters: Mapping[str, Any], reason: str) -> Skipped | None:
    length_s = seconds(str(parameters.get("discarded", "")))
    return Skipped(length_s, reason) if length_s else None
