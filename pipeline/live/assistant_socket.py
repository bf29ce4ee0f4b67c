"""The assistant's socket: the first message tells whether a page or a phone company is at the other end.

This file serves pages and programs, by the protocol ``overtone.assistant.v1``; assistant_phone.py serves Twilio.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from functools import partial

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipeline.asr import RATE_HZ
from pipeline.errors import OvertoneError
from pipeline.live import assistant_phone, messages, twilio
from pipeline.live.carrying import until_one_ends
from pipeline.live.closing import close
from pipeline.live.gateway import Full, Gateway, gateway_of
from pipeline.live.pace import Pace
from pipeline.live.resampling import Resampler
from pipeline.live.talking import SpokenConversation
from pipeline.tts import RATE_HZ as VOICE_HZ

BUSY, WRONG = 1013, 1003  # close codes of RFC 6455's registry: try again later; that was no message of ours
_FIRST_S = 10.0  # for the first message
_MOST_WRONG = 20  # messages that make no sense
_LONGEST_SOUND_S = 1.0  # of one binary message

log = logging.getLogger(__name__)


def routes() -> Sequence[BaseRoute]:
    """The socket at /assistant."""
    return [WebSocketRoute("/assistant", assistant)]


async def assistant(socket: WebSocket) -> None:
    """Serves one conversation until it ends or the other end leaves."""
    offered = socket.scope.get("subprotocols") or []
    await socket.accept(subprotocol=messages.PROTOCOL if messages.PROTOCOL in offered else None)
    gateway = gateway_of(socket)
    try:
        first = await asyncio.wait_for(socket.receive_text(), _FIRST_S)
    except (TimeoutError, KeyError):
        await _refuse(socket, 'the first message must be text: {"type": "start"}', WRONG)
        return
    except WebSocketDisconnect:
        return
    with contextlib.suppress(WebSocketDisconnect):
        try:
            with gateway.place():
                await _serve(socket, gateway, first)
        except Full as error:
            await _refuse(socket, str(error), BUSY)
        except OvertoneError as error:
            log.error("a conversation could not begin: %s", error)
            await _refuse(socket, "the assistant does not work right now; please try again later", BUSY)


async def _serve(socket: WebSocket, gateway: Gateway, first: str) -> None:
    with contextlib.suppress(ValueError):
        if isinstance(twilio.read(first), twilio.Connected | twilio.Start):
            await assistant_phone.serve(socket, gateway, first)
            return
    try:
        start = messages.read(first)
    except ValueError as error:
        await _refuse(socket, str(error), WRONG)
        return
    if not isinstance(start, messages.Start):
        await _refuse(socket, 'the first message must be {"type": "start"}', WRONG)
        return
    begin = partial(gateway.backends.assistant.begin, "voice" if start.voice else "text", start.person)
    talk = await gateway.run(begin)
    aloud = start.voice and gateway.speech
    await socket.send_text(
        messages.message("ready", conversation=talk.id, rate_hz=VOICE_HZ, speech=aloud, protocol=messages.PROTOCOL)
    )
    async with SpokenConversation(talk, gateway.means, run=gateway.run, mode=start.mode, aloud=aloud) as conversation:
        writing = asyncio.create_task(_write(socket, conversation))
        reading = asyncio.create_task(_Client(socket, conversation, start.rate_hz, speech=gateway.speech).read())
        await until_one_ends(conversation, reading=reading, writing=writing)
    await close(socket)


class _Client:
    """Reads what a client sends and hands it to the conversation."""

    def __init__(self, socket: WebSocket, conversation: SpokenConversation, rate_hz: int, *, speech: bool) -> None:
        self._socket, self._conversation, self._speech = socket, conversation, speech
        self._resampler = Resampler(rate_hz, RATE_HZ)
        self._pace = Pace(2 * rate_hz)
        self._longest = int(_LONGEST_SOUND_S * 2 * rate_hz)
        self._wrong = 0

    async def read(self) -> None:
        """Returns when the client ends or leaves, or has sent too much nonsense."""
        while (received := await self._socket.receive())["type"] != "websocket.disconnect":
            sound = received.get("bytes")
            try:
                if sound is None:
                    message = messages.read(received.get("text") or "")
                    if isinstance(message, messages.End):
                        return
                    self._do(message)
                elif len(sound) > self._longest:
                    raise ValueError(f"more than {_LONGEST_SOUND_S:g} s of sound in one message")
                else:
                    await self._pace.take(len(sound))
                    self._conversation.hear(self._resampler.feed(sound))
            except ValueError as error:
                self._wrong += 1
                log.info("conversation %s: a message was passed over: %s", self._conversation.id, error)
                if self._wrong >= _MOST_WRONG:
                    await _refuse(self._socket, f"too many messages that make no sense; the last: {error}", WRONG)
                    return
                await self._socket.send_text(messages.message("error", message=str(error)))

    def _do(self, message: messages.Message) -> None:
        conversation = self._conversation
        match message:
            case messages.Text():
                conversation.type(message.text)
            case messages.Push():
                conversation.push(on=message.on)
            case messages.Switch():
                conversation.set_mode(message.mode)
            case messages.Aloud():
                conversation.set_aloud(aloud=message.on and self._speech)
            case messages.Interrupt():
                conversation.interrupt()
            case messages.Heard():
                log.info("conversation %s: turn %d was heard after %.0f ms", conversation.id, message.turn, message.ms)
            case messages.Start():
                raise ValueError("the conversation has begun already")


async def _write(socket: WebSocket, conversation: SpokenConversation) -> None:
    async for event in conversation.events():
        message = messages.written(event)
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_text(message)


async def _refuse(socket: WebSocket, reason: str, code: int) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(messages.message("error", message=reason))
    await close(socket, code, reason)
