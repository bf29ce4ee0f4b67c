"""The end of a conversation over a socket, whichever side brings it about."""

from __future__ import annotations

import asyncio
import logging

from starlette.websockets import WebSocketDisconnect

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
