"""The end of a conversation over a socket, whichever side brings it about."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from starlette.websockets import WebSocket, WebSocketDisconnect

from pipeline.live.talking import SpokenConversation

_LAST_WORDS_S = 2.0  # for what is still to be written when the reading has ended

log = logging.getLogger(__name__)


async def until_one_ends(
    conversation: SpokenConversation, *, reading: asyncio.Task[None], writing: asyncio.Task[None]
) -> None:
    """Returns when the client has left or the conversation has ended, with both tasks over and the last word sent."""
    try:
        await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
        await conversation.close()
        await asyncio.wait({writing}, timeout=_LAST_WORDS_S)
    finally:
        for task in (reading, writing):
            task.cancel()
        for outcome in await asyncio.gather(reading, writing, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect | RuntimeError):
                log.error("conversation %s broke off", conversation.id, exc_info=outcome)


async def close(socket: WebSocket) -> None:
    """Closes the socket; one that is closed already stays so."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # starlette's word for a socket that is gone
        await socket.close()
