"""The assistant's socket: a page's words and sound go to the gateway, and what the gateway says comes back.

The page never learns where the gateway is or what its token is. Texts and frames pass as they are, one at a time in
each direction: a side that does not take them stops the other from being read. Two messages are ours:
``{"type": "connected", "speech": true|false}`` when the gateway is there, ``{"type": "heartbeat"}`` when all is quiet.
"""

from __future__ import annotations

import asyncio
import json
import logging

from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from dashboard.gateway import open_assistant, speaks
from dashboard.resources import open_resources
from dashboard.routes.live import HEARTBEAT_S, TICKET_REFUSED
from dashboard.tickets import ASSISTANT_SCOPE, same_origin
from pipeline.errors import BackendError, ConfigError
from pipeline.settings import Settings

NOT_RUNNING = 4503  # close codes of our own
REFUSED = 4403
LARGEST_MESSAGE_BYTES = 64 * 1024  # of a page's: 40 ms of sound are 1.3 kB
_HEARTBEAT = json.dumps({"type": "heartbeat"})
_NO_CODE = (1005, 1006, 1015)  # RFC 6455, 7.4.1: these are for a report and never go over the wire

Message = str | bytes

log = logging.getLogger(__name__)


class _TooLargeError(Exception):
    """A page's message that no page of ours would send."""


async def assistant(socket: WebSocket) -> None:
    """Serves one page until it or the gateway leaves; closes with 4401 on a bad ticket, 4503 without a gateway."""
    if not same_origin(socket.headers, required=True):
        await socket.close(1008)  # before the handshake: the browser sees HTTP 403
        return
    await socket.accept()
    resources = open_resources()
    if not resources.tickets.admits(socket.query_params.get("ticket", ""), ASSISTANT_SCOPE):
        await socket.close(TICKET_REFUSED, "ticket refused")
        return
    try:
        first = await _first_message(socket, resources.settings)
        if first is None:
            return
        gateway = await open_assistant(resources.settings)
    except BackendError:
        await socket.close(NOT_RUNNING, "the assistant is not running")
        return
    except ConfigError as error:
        log.warning("%s", error)
        await socket.close(REFUSED, "the gateway does not know this dashboard: set the same OVERTONE_LIVE_TOKEN")
        return
    async with gateway:
        await _carry(socket, gateway, first)


async def _first_message(socket: WebSocket, settings: Settings) -> Message | None:
    """What the page says first, None where it leaves; a conversation begins with that, and not with a look at the page.

    Raises BackendError as soon as the gateway is away.
    """
    await socket.send_text(json.dumps({"type": "connected", "speech": await speaks(settings)}))
    message = asyncio.create_task(_message(socket))
    try:
        while not (await asyncio.wait({message}, timeout=HEARTBEAT_S))[0]:
            await speaks(settings)
            await socket.send_text(_HEARTBEAT)
        return message.result()
    except WebSocketDisconnect:
        return None
    finally:
        message.cancel()


async def _message(socket: WebSocket) -> Message | None:
    """The page's next message, None when it has gone."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        return None
    content: Message = message.get("bytes") or message.get("text") or ""
    return content


async def _carry(socket: WebSocket, gateway: ClientConnection, first: Message) -> None:
    """Carries messages both ways until one side is gone, and takes leave of the page where that is still there."""
    ways = [asyncio.create_task(_to_gateway(socket, gateway, first)), asyncio.create_task(_to_page(gateway, socket))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        ends = await asyncio.gather(*ways, return_exceptions=True)
    for end in ends:
        if isinstance(end, ConnectionClosed):
            code, reason = (end.rcvd.code, end.rcvd.reason) if end.rcvd else (1006, "")
            await socket.close(NOT_RUNNING if code in _NO_CODE else code, reason)
            return
        if isinstance(end, _TooLargeError):
            await socket.close(1009, str(end))
            return
        if isinstance(end, Exception) and not isinstance(end, WebSocketDisconnect):
            raise end


async def _to_gateway(socket: WebSocket, gateway: ClientConnection, first: Message) -> None:
    """Returns when the page has gone. Raises _TooLargeError, and ConnectionClosed when the gateway has gone."""
    content: Message | None = first
    while content is not None:
        if len(content) > LARGEST_MESSAGE_BYTES:
            raise _TooLargeError(f"a message may hold {LARGEST_MESSAGE_BYTES} bytes")
        await gateway.send(content)
        content = await _message(socket)


async def _to_page(gateway: ClientConnection, socket: WebSocket) -> None:
    """Never returns. Raises ConnectionClosed when the gateway has gone, WebSocketDisconnect when the page has."""
    coming = asyncio.create_task(gateway.recv())
    try:
        while True:
            if not (await asyncio.wait({coming}, timeout=HEARTBEAT_S))[0]:
                await socket.send_text(_HEARTBEAT)
                continue
            content = coming.result()
            coming = asyncio.create_task(gateway.recv())
            if isinstance(content, str):
                await socket.send_text(content)
            else:
                await socket.send_bytes(content)
    finally:
        coming.cancel()
