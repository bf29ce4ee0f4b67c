"""Twilio Media Streams of a call between two people, on /twilio: <Start><Stream> with both tracks.

The inbound track is the customer, the outbound one the agent; the <Parameter>s of the TwiML say who they are. The
messages are read by twilio.py.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipeline.calls import SpeakerRole
from pipeline.errors import OvertoneError
from pipeline.live import twilio
from pipeline.live.calls import LiveCall, Start
from pipeline.live.closing import close
from pipeline.live.gateway import Gateway, gateway_of
from pipeline.live.outbox import Ended, Outbox
from pipeline.live.plain import hold

PROTOCOL = "twilio"
_FIRST_S = 10.0
_SPEAKERS: dict[str, SpeakerRole] = {"inbound": "customer", "outbound": "agent"}
_KNOWN = ("agent", "customer", "call_id")  # <Parameter>s that are not merely kept

log = logging.getLogger(__name__)


def start_of(message: twilio.Start, channels: tuple[SpeakerRole, ...]) -> tuple[Start, dict[str, int]]:
    """The call that a stream begins, and the channel (from 1) of each of its tracks, in the order of ``channels``."""
    tracks = [track for track in ("inbound", "outbound") if track in message.tracks] or ["inbound"]
    tracks.sort(key=lambda track: channels.index(_SPEAKERS[track]) if _SPEAKERS[track] in channels else len(channels))
    given = message.parameters
    start = Start(
        protocol=PROTOCOL,
        phone_id=given.get("call_id") or message.call_sid or message.stream_sid,
        speakers=tuple(_SPEAKERS[track] for track in tracks),
        encoding="mulaw",
        rate_hz=twilio.RATE_HZ,
        agent=given.get("agent"),
        customer=given.get("customer"),
        attributes={
            "direction": "inbound",
            "twilio_account": message.account_sid,
            **{name: value for name, value in given.items() if name not in _KNOWN},
        },
    )
    return start, {track: number for number, track in enumerate(tracks, start=1)}


def routes() -> list[BaseRoute]:
    """The routes of this protocol."""
    return [WebSocketRoute("/twilio", _twilio)]


async def _twilio(socket: WebSocket) -> None:
    gateway = gateway_of(socket)
    await socket.accept()
    try:
        async with asyncio.timeout(_FIRST_S):
            message = await _first(socket)
        start, tracks = start_of(message, gateway.settings.channels)
        outbox = Outbox()
        call = await gateway.run(gateway.calls.open, start, outbox)
    except (OvertoneError, ValueError, TimeoutError) as error:
        log.warning("a Twilio stream is refused: %s", error or "no start within 10 s")
        await close(socket, 4400, str(error))
        return
    except WebSocketDisconnect:
        return
    await _follow(socket, gateway, call, outbox, tracks)


async def _follow(socket: WebSocket, gateway: Gateway, call: LiveCall, outbox: Outbox, tracks: dict[str, int]) -> None:
    receiving = asyncio.create_task(_receive(socket, call, tracks))
    ending = asyncio.create_task(_ended(outbox))
    try:
        await asyncio.wait((receiving, ending), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (receiving, ending):
            task.cancel()
        await asyncio.gather(receiving, ending, return_exceptions=True)
        if not call.ended:
            gateway.calls.leave(call, outbox)
        await close(socket)


async def _receive(socket: WebSocket, call: LiveCall, tracks: dict[str, int]) -> None:
    while True:
        received = await socket.receive()
        if received["type"] != "websocket.receive":
            return
        try:
            message = twilio.read(received.get("text") or "")
        except ValueError as error:
            log.debug("call %s: a message was left out: %s", call.id, error)
            call.malformed()
            continue
        if isinstance(message, twilio.Stop):
            call.end()
            return
        if isinstance(message, twilio.Media):
            channel = tracks.get(message.track)
            if channel is None:
                call.malformed()
                continue
            at_s = message.timestamp_ms / 1000
            # A chunk without a number counts from 1 all the same, so 0 means that it has none.
            number = message.chunk or None
            await hold(call, call.feed(channel, message.mulaw, number=number, at_s=at_s))


async def _first(socket: WebSocket) -> twilio.Start:
    """The start of the stream. Raises ValueError for audio before it."""
    while True:
        message = twilio.read(await socket.receive_text())
        if isinstance(message, twilio.Start):
            return message
        if not isinstance(message, twilio.Connected):
            raise ValueError("the stream does not begin with its start")


async def _ended(outbox: Outbox) -> None:
    while not isinstance(await outbox.next(), Ended):
        pass
