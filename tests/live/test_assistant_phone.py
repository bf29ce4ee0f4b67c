"""The assistant on a telephone: Twilio's messages, as its servers send them, against a real gateway."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pipeline.asr import RATE_HZ, Recogniser
from pipeline.live import access, twilio
from pipeline.live.pcm import decoded
from pipeline.live.resampling import Resampler
from pipeline.settings import Settings
from pipeline.store import open_store
from pipeline.tts import Speaker
from tests.live.client import PATIENCE_S, spoken
from tests.live.conftest import TWILIO_AUTH_TOKEN
from tests.live.running import Running

FRAME = 160  # bytes: 20 ms of mu-law
SILENCE = b"\xff" * FRAME


@dataclass
class Phone:
    """Twilio's side of one call: what the caller says goes out in frames of 20 ms, what comes back is played."""

    socket: ClientConnection
    sequence: int = 1
    chunk: int = 0
    voice: bytearray = field(default_factory=bytearray)
    played: dict[str, bytes] = field(default_factory=dict)  # by the mark that followed
    clears: int = 0
    _since_mark: bytes = b""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    async def send(self, event: str, **fields: Any) -> None:
        self.sequence += 1
        row = {"event": event, "sequenceNumber": str(self.sequence), "streamSid": "MZ1", **fields}
        await self.socket.send(json.dumps(row))

    async def begin(self) -> None:
        await self.socket.send('{"event": "connected", "protocol": "Call", "version": "1.0.0"}')
        form = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        start = {"streamSid": "MZ1", "callSid": "CA1", "tracks": ["inbound"], "mediaFormat": form}
        await self.send("start", start=start | {"customParameters": {"from": "+15550100"}})

    async def talk(self) -> None:
        """Sends the caller's voice, and silence otherwise, at the pace of time."""
        began, count = time.monotonic(), 0
        while not self.closed:
            frame = bytes(self.voice[:FRAME])
            del self.voice[:FRAME]
            frame += SILENCE[len(frame) :]
            self.chunk += 1
            payload = base64.b64encode(frame).decode()
            part = {"track": "inbound", "chunk": str(self.chunk), "timestamp": str(20 * self.chunk)}
            try:
                await self.send("media", media=part | {"payload": payload})
            except ConnectionClosed:
                return
            count += 1
            await asyncio.sleep(max(0.0, began + count * FRAME / 8000 - time.monotonic()))

    async def listen(self) -> None:
        """Plays what comes, and answers marks when it is played."""
        async for message in self.socket:
            row = json.loads(message)
            assert row["streamSid"] == "MZ1"
            if row["event"] == "media":
                self._since_mark += base64.b64decode(row["media"]["payload"])
            elif row["event"] == "mark":
                self.played[row["mark"]["name"]], self._since_mark = self._since_mark, b""
                await self.send("mark", mark=row["mark"])
            elif row["event"] == "clear":
                self.clears += 1
                self._since_mark = b""
            self._changed.set()
        self.closed = True
        self._changed.set()

    async def until(self, name: str) -> bytes:
        """What was played before the mark ``name``."""
        async with asyncio.timeout(PATIENCE_S):
            while name not in self.played:
                assert not self.closed
                self._changed.clear()
                await self._changed.wait()
        return self.played[name]


async def call(gateway: Running, script: Any) -> Phone:
    url = gateway.address.replace("http", "ws") + "/assistant"
    async with connect(url, max_size=None) as socket:
        phone = Phone(socket)
        await phone.begin()
        tasks = [asyncio.create_task(phone.listen()), asyncio.create_task(phone.talk())]
        try:
            await script(phone)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return phone


def test_a_caller_asks_presses_keys_and_hangs_up(gateway: Running, speaker: Speaker, recogniser: Recogniser) -> None:
    question = spoken(speaker, "How is the weather in Chicago tomorrow?", twilio.RATE_HZ)

    async def script(phone: Phone) -> None:
        assert len(await phone.until("turn-0")) > 8000
        await phone.socket.send("no json")
        await phone.socket.send(json.dumps({"event": "media", "media": {"payload": "?"}}))
        await phone.send("media", media={"track": "outbound", "chunk": "1", "timestamp": "0", "payload": "////"})
        await asyncio.sleep(1.0)
        phone.voice += twilio.to_mulaw(question)
        await phone.until("turn-1")
        for digit in "12#":
            await phone.send("dtmf", dtmf={"track": "inbound_track", "digit": digit})
        await phone.until("turn-2")
        await phone.send("stop", stop={"callSid": "CA1"})
        await phone.socket.wait_closed()

    phone = asyncio.run(call(gateway, script))
    resampler = Resampler(twilio.RATE_HZ, RATE_HZ)
    answer = resampler.feed(decoded(phone.played["turn-1"], "mulaw").astype("<i2").tobytes()) + resampler.finish()
    assert "chicago" in recogniser.recognise(answer).transcript.lower()
    with open_store(Settings(home=gateway.home).store_url) as store:
        rows = [row.conversation for row in store.conversations().rows]
        row = next(row for row in rows if row.channel == "phone")
        turns = store.turns(row.id)
    assert (row.channel, row.person, row.attributes["call_sid"]) == ("phone", "+15550100", "CA1")
    assert row.ended_at is not None
    assert [turn.number for turn in turns] == [0, 1, 2]
    assert turns[2].user_text == "12"
    assert gateway.log.read_text().count("a message of the phone was passed over") == 1


def test_talking_over_the_greeting_clears_it(gateway: Running, speaker: Speaker) -> None:
    question = spoken(speaker, "How much is the red wool sweater?", twilio.RATE_HZ)

    async def script(phone: Phone) -> None:
        await asyncio.sleep(1.5)
        phone.voice += twilio.to_mulaw(question)
        await phone.until("turn-1")

    phone = asyncio.run(call(gateway, script))
    assert phone.clears == 1
    assert "turn-0" not in phone.played


def test_a_signature_must_fit(gateway: Running) -> None:
    url = gateway.address.replace("http", "ws") + "/assistant"

    async def knock(headers: dict[str, str]) -> int:
        try:
            async with connect(url, additional_headers=headers):
                return 101
        except InvalidStatus as error:
            return error.response.status_code

    good = access.twilio_signature(url.replace("ws://", "wss://"), TWILIO_AUTH_TOKEN)
    assert asyncio.run(knock({"X-Twilio-Signature": good})) == 101
    assert asyncio.run(knock({"X-Twilio-Signature": "bm8="})) == 403
    assert asyncio.run(knock({"Origin": "https://evil.example"})) == 403
