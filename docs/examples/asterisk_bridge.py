"""Asterisk's AudioSocket to Overtone: two snooped sides of a call in, one stereo call out.

    pip install websockets
    python asterisk_bridge.py ws://127.0.0.1:8502/calls

Asterisk connects to port 9019 with what the customer says and to port 9020 with what the agent says; both name the call
by the same UUID. The protocol is on docs.asterisk.org: a byte of type, two of length (big endian), the payload.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from dataclasses import dataclass, field

from websockets.asyncio.client import connect

PORTS = {9019: 0, 9020: 1}  # port: side, 0 is the customer
FRAME = 320  # bytes of 20 ms at 8 kHz
HANGUP, IDENTITY, AUDIO = 0x00, 0x01, 0x10


@dataclass
class Call:
    """Both sides' audio on its way, and how many of them are connected."""

    sides: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    connected: int = 0


async def listen(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, side: int, gateway: str, calls: dict[str, Call]
) -> None:
    """Take one side of a call from Asterisk; the first one begins it."""
    name = ""
    try:
        while True:
            kind, length = (await reader.readexactly(1))[0], int.from_bytes(await reader.readexactly(2), "big")
            payload = await reader.readexactly(length)
            if kind == HANGUP:
                return
            if kind == IDENTITY:
                name = str(uuid.UUID(bytes=payload))
                if name not in calls:
                    calls[name] = Call()
                    asyncio.get_running_loop().create_task(send(gateway, name, calls))
                calls[name].connected += 1
            elif kind == AUDIO and name in calls:
                calls[name].sides[side].extend(payload)
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        if name in calls:
            calls[name].connected -= 1
        writer.close()


async def send(gateway: str, name: str, calls: dict[str, Call]) -> None:
    """Send both sides of a call, 20 ms at a time, until both have hung up."""
    call = calls[name]
    start = {"type": "start", "call_id": name, "encoding": "s16", "rate_hz": 8000, "channels": 2}
    async with connect(gateway) as phone:
        await phone.send(json.dumps({**start, "speakers": ["customer", "agent"]}))
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while call.connected or any(call.sides):
            await asyncio.sleep(max(0.0, began + 0.02 * (sent + 1) - loop.time()))
            sent += 1
            frame = bytearray(2 * FRAME)
            for side, audio in enumerate(call.sides):
                piece = bytes(audio[:FRAME]).ljust(FRAME, b"\0")
                del audio[:FRAME]
                frame[2 * side :: 4], frame[2 * side + 1 :: 4] = piece[::2], piece[1::2]
            await phone.send(bytes(frame))
        del calls[name]
        await phone.send(json.dumps({"type": "stop"}))
        async for message in phone:
            if json.loads(message)["type"] == "stopped":
                return


async def main(gateway: str) -> None:
    """Listen on both ports for ever."""
    calls: dict[str, Call] = {}
    servers = [
        await asyncio.start_server(
            lambda reader, writer, side=side: listen(reader, writer, side, gateway, calls), "127.0.0.1", port
        )
        for port, side in PORTS.items()
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
