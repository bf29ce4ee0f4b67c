"""What a connection is told of its call: from the call's threads into the event loop that writes to the socket."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.calls import Sentence

_MOST = 1000  # messages that a slow reader may leave lying; sentences are in the store whoever reads them


@dataclass(frozen=True)
class Ended:
    """The call is over and stored."""

    reason: str


class Outbox:
    """A listener of a call whose messages an asyncio task takes out; made inside the event loop."""

    def __init__(self, *, partials: bool = False) -> None:
        self.partials = partials
        self._loop = asyncio.get_running_loop()
        self._messages: deque[Mapping[str, Any] | Ended] = deque(maxlen=_MOST)
        self._changed = asyncio.Event()

    def sentence(self, sentence: Sentence) -> None:
        """As `Listener` has it."""
        self._put(described(sentence))

    def partial(self, channel: int, text: str) -> None:
        """As `Listener` has it."""
        if self.partials:
            self._put({"type": "partial", "channel": channel, "text": text})

    def ended(self, reason: str) -> None:
        """As `Listener` has it."""
        self._put(Ended(reason))

    async def next(self) -> Mapping[str, Any] | Ended:
        """The next message, waiting for it."""
        while not self._messages:
            self._changed.clear()
            await self._changed.wait()
        return self._messages.popleft()

    async def until_ended(self, timeout_s: float) -> Ended | None:
        """The end of the call, past all other messages; None where it does not come in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while not isinstance(message := await self.next(), Ended):
                    pass
                return message
        except TimeoutError:
            return None

    def _put(self, message: Mapping[str, Any] | Ended) -> None:
        try:
            self._loop.call_soon_threadsafe(self.add, message)
        except RuntimeError:  # the loop is closed: the gateway ends
            return

    def add(self, message: Mapping[str, Any] | Ended) -> None:
        """Tell the connection something, from inside the event loop."""
        self._messages.append(message)
        self._changed.set()


def described(sentence: Sentence) -> dict[str, Any]:
    """A sentence as connections get it."""
    mood, intent = sentence.sentiment, sentence.intent
    return {
        "type": "sentence",
        "index": sentence.index,
        "channel": sentence.channel,
        "speaker": sentence.speaker,
        "text": sentence.text,
        "start_s": round(sentence.start_s, 3),
        "end_s": round(sentence.end_s, 3),
        "sentiment": None if mood is None else {"label": mood.label, "polarity": round(mood.polarity, 3)},
        "intent": None if intent is None else {"name": intent.name, "score": round(intent.score, 3)},
    }
