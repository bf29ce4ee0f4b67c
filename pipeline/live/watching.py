"""What live calls say that no store keeps, on /partials: what is being said right now, and what could be answered.

Messages:

- {"kind": "partials", "rows": [[call id, channel from 1, text] ..]}: the next text of a channel replaces the last
  one, and an empty one says that it is final and stored. While the machine is overloaded none come.
- {"kind": "suggestion", "call": id, ...} as suggesting.message has it; what stands of the calls that are going on comes
  first.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipeline.live import suggesting
from pipeline.live.gateway import gateway_of
from pipeline.live.suggesting import Suggestion

_PACE_S = 0.2  # between two rounds of messages
_MOST_SUGGESTIONS = 500  # that wait for a reader who does not read


def routes() -> list[BaseRoute]:
    """The routes of this page's feed."""
    return [WebSocketRoute("/partials", _partials)]


async def _partials(socket: WebSocket) -> None:
    await socket.accept()
    loop = asyncio.get_running_loop()
    newest: dict[tuple[str, int], dict[str, Any]] = {}
    suggested: list[dict[str, Any]] = []

    def keep(message: dict[str, Any]) -> None:
        newest[message["call_id"], message["channel"]] = message

    def offer(suggestion: Suggestion) -> None:
        suggested.append(suggesting.message(suggestion))
        del suggested[:-_MOST_SUGGESTIONS]

    def watcher(message: dict[str, Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(keep, message)

    def adviser(suggestion: Suggestion) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(offer, suggestion)

    gateway = gateway_of(socket)
    stops = gateway.calls.watch(watcher), gateway.suggestions.watch(adviser)
    gone = asyncio.create_task(_until_gone(socket))
    try:
        while not gone.done():
            await asyncio.wait((gone,), timeout=_PACE_S)
            rows = [[one["call_id"], one["channel"], one["text"]] for one in newest.values()]
            messages = [{"kind": "partials", "rows": rows}] if rows else []
            messages += suggested
            newest.clear()
            suggested.clear()
            for message in messages:
                await socket.send_json(message)
    except (RuntimeError, WebSocketDisconnect):  # it went while we were sending
        pass
    finally:
        for stop in stops:
            stop()
        gone.cancel()


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] == "websocket.receive":
        pass
