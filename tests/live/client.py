"""A real client of the assistant's socket, and people who speak: our own voice, played at the pace of time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from pipeline.live.resampling import Resampler
from pipeline.tts import RATE_HZ as VOICE_HZ
from pipeline.tts import Speaker

RATE_HZ = 16_000
CHUNK_S = 0.04
PATIENCE_S = 150.0  # a busy machine is slow, not wrong


def spoken(speaker: Speaker, text: str, rate_hz: int = RATE_HZ) -> bytes:
    """``text`` in our own voice, without the silence around it: 16-bit samples at ``rate_hz``."""
    pcm = b"".join(speaker.say_online(text))
    resampler = Resampler(VOICE_HZ, rate_hz)
    return resampler.feed(pcm) + resampler.finish()


@dataclass
class Client:
    """One conversation; ``messages`` are all that came, with the sound under the turn and sentence it belongs to."""

    socket: ClientConnection
    messages: list[dict[str, Any]] = field(default_factory=list)
    sound: dict[int, bytes] = field(default_factory=dict)
    arrived: list[tuple[float, str]] = field(default_factory=list)  # monotonic time and type of every message
    closed: tuple[int, str] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _microphone: bytearray = field(default_factory=bytearray)
    spoken_until: float = 0.0  # monotonic: when the last word went into the microphone

    async def read(self) -> None:
        """Collects what comes until the other end closes."""
        turn = -1
        try:
            async for message in self.socket:
                if isinstance(message, bytes):
                    self.sound[turn] = self.sound.get(turn, b"") + message
                    self.arrived.append((time.monotonic(), "sound"))
                else:
                    row = json.loads(message)
                    turn = row["turn"] if row["type"] == "say" else turn
                    self.messages.append(row)
                    self.arrived.append((time.monotonic(), row["type"]))
                self._changed.set()
        except ConnectionClosed:
            pass
        self.closed = (self.socket.close_code or 0, self.socket.close_reason or "")
        self._changed.set()

    async def send(self, kind: str, **fields: Any) -> None:
        """Sends one message."""
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def until(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The first message for which ``wanted`` holds, come or to come."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for message in self.messages:
                    if wanted(message):
                        return message
                assert self.closed is None, f"closed while waiting for {what}: {self.closed}, {self.messages[-3:]}"
                self._changed.clear()
                await self._changed.wait()

    async def message(self, kind: str, number: int = 0) -> dict[str, Any]:
        """Message ``number`` (from 0) of a type."""
        return await self.until(lambda row: row is self.nth(kind, number), f"{kind} {number}")

    def nth(self, kind: str, number: int) -> dict[str, Any] | None:
        """Message ``number`` of a type, None where it has not come."""
        found = self.all(kind)
        return found[number] if number < len(found) else None

    def all(self, kind: str) -> list[dict[str, Any]]:
        """All messages of a type so far."""
        return [row for row in self.messages if row["type"] == kind]

    async def turn(self, number: int) -> dict[str, Any]:
        """The turn with this number."""
        row = await self.until(lambda row: row["type"] == "turn" and row["turn"]["number"] == number, f"turn {number}")
        found: dict[str, Any] = row["turn"]
        return found

    async def said(self, number: int) -> None:
        """Returns when the answer of a turn has come to its end."""
        await self.until(lambda row: row["type"] == "said" and row["turn"] == number, f"the end of answer {number}")

    async def quiet(self) -> None:
        """Cuts the greeting short: returns when nobody speaks."""
        await self.until(lambda row: row["type"] == "say", "the greeting")
        await self.send("interrupt")
        await self.message("stop")

    async def microphone(self) -> None:
        """Sends what is said, and silence otherwise, at the pace of time."""
        size = round(CHUNK_S * RATE_HZ) * 2
        began, count = time.monotonic(), 0
        while self.closed is None:
            piece = bytes(self._microphone[:size])
            del self._microphone[:size]
            if piece and not self._microphone:
                self.spoken_until = time.monotonic()
            try:
                await self.socket.send(piece + bytes(size - len(piece)))
            except ConnectionClosed:
                return
            count += 1
            await asyncio.sleep(max(0.0, began + count * CHUNK_S - time.monotonic()))

    def speak(self, pcm: bytes) -> None:
        """The person says ``pcm`` from now on."""
        self._microphone += pcm


@asynccontextmanager
async def talking(address: str, *, microphone: bool = False, query: str = "", **start: Any) -> AsyncIterator[Client]:
    """A conversation that has begun; ``start`` are fields of its first message."""
    url = f"{address.replace('http', 'ws', 1)}/assistant{query}"
    async with connect(url, max_size=None, compression=None) as socket:
        client = Client(socket)
        tasks = [asyncio.create_task(client.read())]
        await client.send("start", **start)
        if microphone:
            tasks.append(asyncio.create_task(client.microphone()))
        try:
            yield client
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def chunks(pcm: bytes, size: int = 6_400) -> Iterator[bytes]:
    """``pcm`` in pieces."""
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]
