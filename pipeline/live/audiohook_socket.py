"""Genesys AudioHook sessions on /audiohook: each is a live call. The messages are those of audiohook.py."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipeline.errors import OvertoneError
from pipeline.live.audiohook import Closing, Opened, Session, Skipped
from pipeline.live.calls import LiveCall
from pipeline.live.closing import close
from pipeline.live.gateway import Gateway, gateway_of
from pipeline.live.outbox import Ended, Outbox
from pipeline.live.pcm import parted
from pipeline.live.plain import hold

PATH = "/audiohook"
_FIRST_S = 10.0
_LAST_S = 3.0  # Genesys waits five seconds for "closed"

log = logging.getLogger(__name__)


def routes() -> list[BaseRoute]:
    """The routes of this protocol."""
    return [WebSocketRoute(PATH, _audiohook)]


async def _audiohook(socket: WebSocket) -> None:
    await socket.accept()
    connection = _Connection(socket, gateway_of(socket))
    try:
        with contextlib.suppress(WebSocketDisconnect):  # it left while it was answered
            await connection.run()
    finally:
        connection.leave()
        await close(socket)


class _Connection:
    """One connection: its session, and its call once that has begun."""

    def __init__(self, socket: WebSocket, gateway: Gateway) -> None:
        self._socket, self._gateway = socket, gateway
        self._session = Session()
        self._outbox = Outbox()
        self._call: LiveCall | None = None
        self._watching: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the session until either side ends it."""
        while True:
            try:
                async with asyncio.timeout(None if self._session.id else _FIRST_S):
                    message = await self._socket.receive()
            except TimeoutError:
                return
            if message["type"] != "websocket.receive":
                return
            frame, text = message.get("bytes"), message.get("text")
            if frame is not None:
                await self._hear(frame)
                continue
            event, answers = self._session.receive(text or "")
            for answer in answers:
                await self._socket.send_text(answer)
            if isinstance(event, Opened) and not await self._open(event):
                continue
            if isinstance(event, Skipped) and self._call is not None:
                self._call.skip(event.length_s, event.reason)
            if isinstance(event, Closing):
                if not answers:
                    await self._close(event)
                return

    def leave(self) -> None:
        """The connection is gone."""
        if self._watching is not None:
            self._watching.cancel()
        if self._call is not None:
            if not self._call.ended:
                self._gateway.calls.leave(self._call, self._outbox)
            if self._session.mistakes or self._session.missing:
                log.info(
                    "call %s: %d messages of the session were left out, %d never came",
                    *(self._call.id, self._session.mistakes, self._session.missing),
                )

    async def _open(self, event: Opened) -> bool:
        if not event.probe:
            try:
                self._call = await self._gateway.run(self._gateway.calls.open, event.start, self._outbox)
            except OvertoneError as error:
                log.warning("an AudioHook session is refused: %s", error)
                await self._socket.send_text(self._session.disconnect("error", str(error)))
                return False
            self._watching = asyncio.create_task(self._watch())
        await self._socket.send_text(self._session.opened())
        return True

    async def _hear(self, frame: bytes) -> None:
        if self._call is None:
            return
        payloads = parted(frame, len(self._session.channels), "mulaw")
        if not payloads or self._session.paused:
            self._call.malformed()
            return
        wait_s = max(self._call.feed(channel, payload) for channel, payload in enumerate(payloads, start=1))
        await hold(self._call, wait_s)

    async def _close(self, event: Closing) -> None:
        """Answers when the last sentence is stored, or when Genesys would wait no longer."""
        if self._call is not None and event.reason != "reconnect":
            if self._watching is not None:
                self._watching.cancel()
            self._call.end()
            await self._outbox.until_ended(_LAST_S)
        await self._socket.send_text(self._session.closed())

    async def _watch(self) -> None:
        """Asks the client to go where the call ends by itself."""
        while not isinstance(message := await self._outbox.next(), Ended):
            pass
        await self._socket.send_text(self._session.disconnect("completed", message.reason))
