"""The protocol ``overtone.calls.v1`` on /calls: who calls whom as JSON first, then the audio in binary frames.

docs/live.md describes every message. Whoever cannot send JSON says the same in the address: /calls?rate_hz=8000&...
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipeline.calls import SPEAKER_ROLES, SpeakerRole
from pipeline.errors import OvertoneError
from pipeline.live.calls import LiveCall, Start
from pipeline.live.closing import close
from pipeline.live.gateway import gateway_of
from pipeline.live.outbox import Ended, Outbox
from pipeline.live.pcm import ENCODINGS, RATE_HZ, Encoding, parted
from pipeline.live.switchboard import Switchboard

PROTOCOL = "plain"
_FIRST_S = 10.0  # for the first message
_LAST_S = 30.0  # for the last sentences after "stop"
_NAP_S = 1.0  # longest sleep of a source that is too fast, so that its end is noticed
_BRIEF_S = 0.02  # a shorter wait is not worth its while
_DETAILS = ("queue", "team", "direction", "started_at")
_FROM_ADDRESS = {"call_id", "encoding", "rate_hz", "channels", "speakers", "agent", "customer", *_DETAILS}


@dataclass(frozen=True)
class Mark:
    """A name for this moment, sent back with the time of the call."""

    name: str


@dataclass(frozen=True)
class Stop:
    """The call is over."""


Message = Start | Mark | Stop


def read(text: str, channels: tuple[SpeakerRole, ...] = ("agent", "customer")) -> Message:
    """The client's message in ``text``; ``channels`` are the speakers where it names none of a stereo call.

    Raises ValueError, saying what is wrong with it.
    """
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(row, dict):
        raise ValueError("it is not an object")
    match row.get("type"):
        case "start":
            return read_start(row, channels)
        case "mark":
            return Mark(str(row.get("name", ""))[:200])
        case "stop":
            return Stop()
    raise ValueError(f"its type is {str(row.get('type'))[:40]!r}; send start, mark or stop")


def read_start(row: Mapping[str, Any], channels: tuple[SpeakerRole, ...] = ("agent", "customer")) -> Start:
    """The start that the fields of a message or of an address say. Raises ValueError as `read` does."""
    encoding = str(row.get("encoding", "s16"))
    if encoding not in ENCODINGS:
        raise ValueError(f"its encoding is {encoding[:20]!r}; give one of {', '.join(ENCODINGS)}")
    rate_hz, count = _number(row, "rate_hz", RATE_HZ), _number(row, "channels", 1)
    if rate_hz not in (8000, RATE_HZ):
        raise ValueError(f"its rate_hz is {rate_hz}; send 8000 or 16000")
    if count not in (1, 2):
        raise ValueError(f"its channels are {count}; a call has 1 or 2")
    given = row.get("speakers")
    if isinstance(given, str):
        given = given.split(",")
    if given is None:
        given = channels if len(channels) == count else ["unknown"] * count
    if not isinstance(given, list | tuple) or len(given) != count or set(map(str, given)) - set(SPEAKER_ROLES):
        raise ValueError(f"its speakers must name one of {', '.join(SPEAKER_ROLES)} for each of {count} channels")
    more = row.get("attributes") or {}
    if not isinstance(more, dict):
        raise ValueError("its attributes are not an object")
    return Start(
        protocol=PROTOCOL,
        phone_id=str(row.get("call_id") or ""),
        speakers=tuple(given),
        encoding=_ENCODINGS[encoding],
        rate_hz=rate_hz,
        source=str(row.get("source") or ""),
        agent=row.get("agent") and str(row["agent"]),
        customer=row.get("customer") and str(row["customer"]),
        attributes={**more, **{name: row[name] for name in _DETAILS if row.get(name)}},
        partials=row.get("partials") is True,
    )


def routes() -> list[BaseRoute]:
    """The routes of this protocol."""
    return [WebSocketRoute("/calls", _calls)]


async def _calls(socket: WebSocket) -> None:
    gateway = gateway_of(socket)
    switchboard = gateway.calls
    offered = socket.scope.get("subprotocols") or [None]  # FreeSWITCH's modules insist on the one that they name
    await socket.accept(subprotocol=offered[0])
    try:
        start = await _begin(socket, gateway.settings.channels)
    except ValueError as error:
        await refuse(socket, f"the first message cannot be used: {error}")
        return
    except (TimeoutError, WebSocketDisconnect):
        await close(socket, 4408, "no start within 10 s")
        return
    outbox = Outbox(partials=start.partials)
    try:
        call = await gateway.run(switchboard.open, start, outbox)
    except OvertoneError as error:
        await refuse(socket, str(error))
        return
    ready = {"type": "ready", "call": call.id, "resumed": call.duration_s > 0, "position_s": round(call.duration_s, 3)}
    await _converse(socket, switchboard, call, start, outbox, ready)


async def _converse(
    socket: WebSocket,
    switchboard: Switchboard,
    call: LiveCall,
    start: Start,
    outbox: Outbox,
    ready: Mapping[str, Any],
) -> None:
    """Take the call's audio and answer with its sentences, until it or the connection ends."""
    sending = asyncio.create_task(_send(socket, outbox, ready))
    receiving = asyncio.create_task(_receive(socket, call, start, outbox))
    try:
        await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
        if receiving.done() and not sending.done() and call.ended:
            await asyncio.wait((sending,), timeout=_LAST_S)  # it ends with "stopped"
    finally:
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)
        switchboard.leave(call, outbox)
        await close(socket)


async def _receive(socket: WebSocket, call: LiveCall, start: Start, outbox: Outbox) -> None:
    """Passes audio on until the client stops or is gone; marks are answered behind what was said before."""
    while True:
        message = await socket.receive()
        if message["type"] != "websocket.receive":
            return
        frame, text = message.get("bytes"), message.get("text")
        if frame is not None:
            await _feed(call, start, frame)
            continue
        try:
            match read(text or ""):
                case Stop():
                    call.end()
                    return
                case Mark(name):
                    outbox.add({"type": "mark", "name": name, "at_s": round(call.duration_s, 3)})
                case _:
                    raise ValueError("the call has begun already")
        except ValueError as error:
            call.malformed()
            outbox.add({"type": "error", "message": f"a message was left out: {error}"})


async def _feed(call: LiveCall, start: Start, frame: bytes) -> None:
    payloads = parted(frame, len(start.speakers), start.encoding)
    if not payloads:
        call.malformed()
        return
    wait_s = max(call.feed(channel, payload) for channel, payload in enumerate(payloads, start=1))
    await hold(call, wait_s)


async def hold(call: LiveCall, wait_s: float) -> None:
    """Keep a source that is faster than time from sending, by not reading what it sends."""
    while (wait_s > _BRIEF_S or call.crowded) and not call.ended:
        nap_s = min(max(wait_s, _BRIEF_S), _NAP_S)
        await asyncio.sleep(nap_s)
        wait_s -= nap_s


async def _send(socket: WebSocket, outbox: Outbox, ready: Mapping[str, Any]) -> None:
    await socket.send_json(ready)
    while True:
        message = await outbox.next()
        if isinstance(message, Ended):
            await socket.send_json({"type": "stopped", "reason": message.reason})
            return
        await socket.send_json(message)


async def _begin(socket: WebSocket, channels: tuple[SpeakerRole, ...]) -> Start:
    """What the address says of the call, or else the first message."""
    asked = {name: value for name, value in socket.query_params.items() if name in _FROM_ADDRESS}
    if asked:
        return replace(read_start(asked, channels), partials="partials" in socket.query_params)
    async with asyncio.timeout(_FIRST_S):
        message = await socket.receive()
    if message["type"] != "websocket.receive":
        raise WebSocketDisconnect
    text = message.get("text")
    if text is None:
        raise ValueError('it is audio; send {"type": "start", ...} first, or say it in the address')
    start = read(text, channels)
    if not isinstance(start, Start):
        raise ValueError("its type is not start")
    return start


async def refuse(socket: WebSocket, reason: str) -> None:
    """Tell a client why its call is not taken, and close."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_json({"type": "error", "message": reason})
    await close(socket, 4400, reason)


def _number(row: Mapping[str, Any], name: str, default: int) -> int:
    value = row.get(name, default)
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"its {name} is {str(value)[:20]!r}, not a number") from None


_ENCODINGS: dict[str, Encoding] = {name: name for name in get_args(Encoding)}
