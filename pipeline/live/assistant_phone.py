"""The assistant on a telephone: a conversation over Twilio Media Streams, mu-law at 8 kHz both ways."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial

from starlette.websockets import WebSocket

from pipeline.live import events, twilio
from pipeline.live.carrying import until_one_ends
from pipeline.live.closing import close
from pipeline.live.gateway import Gateway
from pipeline.live.pace import Pace
from pipeline.live.pcm import Decoder
from pipeline.live.resampling import Resampler
from pipeline.live.talking import SpokenConversation
from pipeline.tts import RATE_HZ as VOICE_HZ

_START_S = 10.0  # from the first message to the one that tells of the call
_KEYS_S = 2.0  # after the last key of a number
_MARK_S = 3.0  # for Twilio to say that the goodbye was played
_CALLER = ("from", "From", "caller", "person")  # parameters that may tell who calls

log = logging.getLogger(__name__)


async def serve(socket: WebSocket, gateway: Gateway, first: str) -> None:
    """Serves one call whose first message is ``first``, until it or the conversation ends."""
    start = await _started(socket, first)
    if start is None:
        log.warning("a phone's stream told nothing of its call within %g s", _START_S)
        await close(socket)
        return
    person = next((start.parameters[name] for name in _CALLER if start.parameters.get(name)), "")
    attributes = {**start.parameters, "call_sid": start.call_sid, "stream_sid": start.stream_sid}
    talk = await gateway.run(partial(gateway.backends.assistant.begin, "phone", person, attributes))
    async with SpokenConversation(
        talk, gateway.means, run=gateway.run, aloud=gateway.speech, phone=True
    ) as conversation:
        caller = _Caller(socket, conversation, start)
        writing, reading = asyncio.create_task(caller.write()), asyncio.create_task(caller.read())
        await until_one_ends(conversation, reading=reading, writing=writing)
    await close(socket)


async def _started(socket: WebSocket, first: str) -> twilio.Start | None:
    message = twilio.read(first)
    with contextlib.suppress(TimeoutError, KeyError, ValueError):
        async with asyncio.timeout(_START_S):
            while not isinstance(message, twilio.Start):
                message = twilio.read(await socket.receive_text())
            return message
    return None


class _Caller:
    """One caller: their messages made the conversation's, its events made messages."""

    def __init__(self, socket: WebSocket, conversation: SpokenConversation, start: twilio.Start) -> None:
        self._socket, self._conversation, self._sid = socket, conversation, start.stream_sid
        self._sequence = start.sequence
        self._inward = Decoder("mulaw", twilio.RATE_HZ)
        self._outward = Resampler(VOICE_HZ, twilio.RATE_HZ)
        self._pace = Pace(twilio.RATE_HZ)
        self._keys = ""
        self._typing: asyncio.TimerHandle | None = None
        self._played = asyncio.Event()
        self._last_mark = ""
        self._wrong = 0

    async def read(self) -> None:
        """Returns when the call is over."""
        try:
            while (received := await self._socket.receive())["type"] != "websocket.disconnect":
                try:
                    message = twilio.read(received.get("text") or "")
                except ValueError as error:
                    self._pass_over(str(error))
                    continue
                if isinstance(message, twilio.Stop):
                    return
                await self._take(message)
        finally:
            if self._typing is not None:
                self._typing.cancel()

    async def write(self) -> None:
        """Sends the answers until the conversation has ended and its last words were played."""
        async for event in self._conversation.events():
            match event:
                case events.Sound():
                    await self._play(self._outward.feed(event.pcm))
                case events.Said():
                    await self._play(self._outward.finish())
                    self._outward = Resampler(VOICE_HZ, twilio.RATE_HZ)
                    self._last_mark = f"turn-{event.turn}"
                    self._played.clear()
                    await self._socket.send_text(twilio.mark(self._sid, self._last_mark))
                case events.Stopped():
                    self._outward = Resampler(VOICE_HZ, twilio.RATE_HZ)
                    await self._socket.send_text(twilio.clear(self._sid))
                case events.Failed():
                    log.warning("conversation %s: %s", self._conversation.id, event.message)
                case _:
                    pass  # a telephone has no screen
        if self._last_mark:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._played.wait(), _MARK_S)

    async def _play(self, pcm: bytes) -> None:
        if pcm:
            await self._socket.send_text(twilio.media(self._sid, twilio.to_mulaw(pcm)))

    async def _take(self, message: twilio.Message) -> None:
        if not isinstance(message, twilio.Connected):
            if message.sequence and message.sequence <= self._sequence:
                self._pass_over(f"sequenceNumber {message.sequence} comes after {self._sequence}")
                return
            self._sequence = max(self._sequence, message.sequence)
        match message:
            case twilio.Media(track="inbound"):
                await self._pace.take(len(message.mulaw))
                self._conversation.hear(self._inward.decode(message.mulaw))
            case twilio.Digit():
                self._press(message.digit)
            case twilio.Mark():
                if message.name == self._last_mark:
                    self._played.set()
                    self._conversation.played()
            case _:
                pass

    def _press(self, digit: str) -> None:
        """Keys are a typed text, which # or a pause ends."""
        if self._typing is not None:
            self._typing.cancel()
            self._typing = None
        if digit != "#":
            self._conversation.interrupt()
            self._keys += digit
            self._typing = asyncio.get_running_loop().call_later(_KEYS_S, self._typed)
        else:
            self._typed()

    def _typed(self) -> None:
        keys, self._keys, self._typing = self._keys, "", None
        if keys:
            self._conversation.type(keys)

    def _pass_over(self, reason: str) -> None:
        self._wrong += 1
        if self._wrong == 1:  # one line a call: thousands of bad frames must not fill the log
            log.warning("conversation %s: a message of the phone was passed over: %s", self._conversation.id, reason)
