"""The live socket: a snapshot, then events, as JSON texts (see ``board``); nothing is read from the page."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.hub import Hub, Subscriber
from dashboard.resources import open_resources
from dashboard.tickets import LIVE_SCOPE, call_scope, same_origin

TICKET_REFUSED = 4401  # close codes of our own; the page gets itself a new ticket
LAGGED = 4408
STOPPING = 1001
HEARTBEAT_S = 10.0


async def live(socket: WebSocket) -> None:
    """Serves one page: all live calls, or one call with ``?call=<id>``; closes with 4401 on a bad ticket."""
    if not same_origin(socket.headers, required=True):
        await socket.close(1008)  # before the handshake: the browser sees HTTP 403
        return
    await socket.accept()
    call_id = socket.query_params.get("call")
    scope = call_scope(call_id) if call_id else LIVE_SCOPE
    resources = open_resources()
    if not resources.tickets.admits(socket.query_params.get("ticket", ""), scope):
        await socket.close(TICKET_REFUSED, "ticket refused")
        return
    hub = resources.hub
    subscriber = hub.subscribe(call_id)
    sender = asyncio.create_task(_send(socket, hub, subscriber))
    try:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass  # a page has nothing to say; this waits for it to go away
    finally:
        hub.unsubscribe(subscriber)
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sender


async def _send(socket: WebSocket, hub: Hub, subscriber: Subscriber) -> None:
    await socket.send_text(hub.snapshot(subscriber.call_id))
    while True:
        try:
            text = await asyncio.wait_for(subscriber.queue.get(), HEARTBEAT_S)
        except TimeoutError:
            text = json.dumps({"kind": "heartbeat", "now_ms": round(time.time() * 1000)})
        if text is None:
            await socket.close(STOPPING if hub.stopping else LAGGED)
            return
        await socket.send_text(text)
