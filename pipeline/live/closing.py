"""The end of a WebSocket, whoever brought it about."""

from __future__ import annotations

import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

_MOST_BYTES = 120  # of the reason: RFC 6455 has room for 123


async def close(socket: WebSocket, code: int = 1000, reason: str = "") -> None:
    """Closes the socket; one that is closed already, by either side, stays so."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # starlette's words for a socket that is gone
        await socket.close(code, reason.encode()[:_MOST_BYTES].decode(errors="ignore"))
