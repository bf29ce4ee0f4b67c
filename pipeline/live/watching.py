"""What is being said right now on all live calls, on /partials: for pages that show it greyed until it is final.

Messages: {"call": id, "channel": from 1, "text": ...}; the next one of a channel replaces it. Nothing is stored, and
while the machine is overloaded nothing comes.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from pipeline.live.gateway import gateway_of

_PACE_S = 0.2  # between two rounds of messages


def routes() -> list[BaseRoute]:
    """The routes of this page's feed."""
    return [WebSocketRoute("/partials", _partials)]


async def _partials(socket: WebSocket) -> None:
    await socket.accept()
    loop = asyncio.get_running_loop()
    newest: dict[tuple[str, int], dict[str, Any]] = {}

    def keep(message: dict[str, Any]) -> None:
        newest[message["call_id"], message["channel"]] = message

    def watcher(message: dict[str, Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(keep, message)

    stop = gateway_of(socket).calls.watch(watcher)
    gone = asyncio.create_task(_until_gone(socket))
    try:
        while not gone.done():
            await asyncio.wait((gone,), timeout=_PACE_S)
            messages = list(newest.values())
            newest.clear()
            for one in messages:
                await socket.send_json({"call": one["call_id"], "channel": one["channel"], "text": one["text"]})
    except RuntimeError:  # it went while we were sending
        pass
    finally:
        stop()
        gone.cancel()


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] == "websocket.receive":
        pass
