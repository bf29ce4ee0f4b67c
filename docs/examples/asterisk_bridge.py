"""Asterisk's calls to Overtone: each answered call is listened in to, and comes out as one stereo call.

    pip install websockets
    python asterisk_bridge.py ws://127.0.0.1:8502/calls http://127.0.0.1:8088/ari overtone:secret

Follows Asterisk's events over ARI. When somebody answers (Dial, Queue), it has Asterisk copy both sides of the caller's
channel to AudioSocket: what the caller says to port 9019, what the caller hears to port 9020. Variables of that channel
tell what Asterisk does not know: OVERTONE_DIRECTION=outbound that the caller is the agent, OVERTONE_AGENT the agent's
name, OVERTONE_QUEUE the queue of a call without one. Both protocols are on docs.asterisk.org; seen working with
Asterisk 22. Without the address of ARI only the ports are served, for a program of yours that connects both sides with
one UUID.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import logging
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

PORTS = (9019, 9020)  # of what the caller says, and of what the caller hears
FRAME = 320  # bytes of 20 ms at 8 kHz
HANGUP, IDENTITY, AUDIO = 0x00, 0x01, 0x10  # AudioSocket: a byte of type, two of length (big endian), the payload
AGAIN_S = 3.0  # between attempts to reach ARI
ATTEMPTS = 50  # a tenth of a second apart, until a channel is made

log = logging.getLogger("asterisk_bridge")


@dataclass
class Call:
    """Both sides' audio on its way, how many of them are connected, and what is known of the call."""

    sides: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    connected: int = 0
    start: dict[str, Any] = field(default_factory=lambda: {"speakers": ["customer", "agent"]})


class Bridge:
    """Takes audio from Asterisk and sends calls to the gateway."""

    def __init__(self, gateway: str, ports: Sequence[int] = PORTS) -> None:
        self.gateway, self.ports = gateway, ports
        self.calls: dict[str, Call] = {}  # UUID: call
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Listen on both ports for ever."""
        servers = [
            await asyncio.start_server(lambda r, w, side=side: self.listen(r, w, side), "127.0.0.1", port)
            for side, port in enumerate(self.ports)
        ]
        await asyncio.gather(*(server.serve_forever() for server in servers))

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, side: int) -> None:
        """Take one side of a call; the first one begins it."""
        call: Call | None = None
        try:
            while True:
                kind, length = (await reader.readexactly(1))[0], int.from_bytes(await reader.readexactly(2), "big")
                payload = await reader.readexactly(length)
                if kind == HANGUP:
                    return
                if kind == IDENTITY and call is None:
                    name = str(uuid.UUID(bytes=payload))
                    call = self.calls.setdefault(name, Call())
                    call.connected += 1
                    if "call_id" not in call.start:
                        call.start["call_id"] = name
                        self.go(self.send(name, call))
                elif kind == AUDIO and call is not None:
                    call.sides[side].extend(payload)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            if call is not None:
                call.connected -= 1
            writer.close()

    async def send(self, name: str, call: Call) -> None:
        """Send both sides of a call, 20 ms at a time, until both have hung up."""
        async with connect(self.gateway) as phone:
            form = {"type": "start", "encoding": "s16", "rate_hz": 8000, "channels": 2}
            await phone.send(json.dumps({**form, **call.start}))
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
            self.calls.pop(name, None)
            await phone.send(json.dumps({"type": "stop"}))
            async for message in phone:
                if json.loads(message)["type"] == "stopped":
                    return

    def go(self, work: Any) -> None:
        """Let something run beside the rest; what goes wrong is said."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a call: %s", task.exception())


class Exchange:
    """Asterisk over ARI: listens in to every call that is answered."""

    def __init__(self, address: str, login: str, bridge: Bridge) -> None:
        self.address, self.login, self.bridge = address.rstrip("/"), login, bridge
        self.made: dict[str, list[str]] = {}  # the caller's channel: paths of what was made for it

    async def follow(self) -> None:
        """Read events for ever; a connection that is lost is made again."""
        wish = urllib.parse.urlencode({"app": "overtone", "subscribeAll": "true", "api_key": self.login})
        while True:
            try:
                async with connect(f"{self.address.replace('http', 'ws', 1)}/events?{wish}") as events:
                    log.info("following %s", self.address)
                    async for message in events:
                        self.take(json.loads(message))
            except (OSError, WebSocketException) as error:
                log.warning("ARI is away: %s", error)
            await asyncio.sleep(AGAIN_S)

    def take(self, event: dict[str, Any]) -> None:
        """One event: somebody answered, or a channel is gone."""
        if event["type"] == "Dial" and event.get("dialstatus") == "ANSWER" and "caller" in event:
            if event["caller"]["id"] not in self.made:
                self.made[event["caller"]["id"]] = []
                self.bridge.go(self.listen_in(event["caller"], event["peer"]))
        elif event["type"] == "ChannelDestroyed":
            for path in reversed(self.made.pop(event["channel"]["id"], [])):
                self.bridge.go(self.ask("DELETE", path))

    async def listen_in(self, caller: dict[str, Any], peer: dict[str, Any]) -> None:
        """Have both sides of the caller's channel copied to the two ports."""
        name = str(uuid.uuid4())
        self.bridge.calls[name] = Call(start=await self.details(caller, peer))
        made = self.made[caller["id"]]
        for side, port in enumerate(self.bridge.ports):
            here = {"app": "overtone", "external_host": f"127.0.0.1:{port}", "format": "slin", "data": name}
            snoop = await self.ask("POST", f"channels/{caller['id']}/snoop", app="overtone", spy=("in", "out")[side])
            media = await self.ask(
                "POST", "channels/externalMedia", **here, encapsulation="audiosocket", transport="tcp"
            )
            mixer = await self.ask("POST", "bridges", type="mixing")
            made += [f"bridges/{mixer['id']}", f"channels/{media['id']}"]
            await self.join(mixer["id"], f"{snoop['id']},{media['id']}")

    async def join(self, mixer: str, channels: str) -> None:
        """Put channels into a bridge; they are made in the background, and refused (422) until they are there."""
        for _ in range(ATTEMPTS):
            try:
                await self.ask("POST", f"bridges/{mixer}/addChannel", channel=channels)
                return
            except urllib.error.HTTPError as error:
                if error.code != 422:
                    raise
            await asyncio.sleep(0.1)
        log.error("a call: Asterisk did not make the channels %s", channels)

    async def details(self, caller: dict[str, Any], peer: dict[str, Any]) -> dict[str, Any]:
        """What the gateway is told of the call, as the plain protocol's "start"."""
        outbound = await self.variable(caller, "OVERTONE_DIRECTION") == "outbound"
        plan = caller.get("dialplan", {})
        queue = plan.get("app_data", "").split(",")[0] if plan.get("app_name") == "Queue" else ""
        agent, customer = (caller, peer) if outbound else (peer, caller)
        told = {
            "agent": await self.variable(caller, "OVERTONE_AGENT") or _name(agent) or _device(agent),
            "customer": plan.get("exten", "") if outbound else _name(customer) or customer["caller"]["number"],
            "queue": queue or await self.variable(caller, "OVERTONE_QUEUE"),
            "direction": "outbound" if outbound else "inbound",
            "speakers": ["agent", "customer"] if outbound else ["customer", "agent"],
            "attributes": {"asterisk_channel": caller["id"]},
        }
        return {key: value for key, value in told.items() if value}

    async def variable(self, channel: dict[str, Any], name: str) -> str:
        """A variable of a channel; "" where it is not set."""
        try:
            return str((await self.ask("GET", f"channels/{channel['id']}/variable", variable=name))["value"])
        except urllib.error.HTTPError:
            return ""

    async def ask(self, method: str, path: str, **wish: str) -> Any:
        """A request to ARI and its answer."""
        request = urllib.request.Request(
            f"{self.address}/{path}?{urllib.parse.urlencode(wish)}",
            method=method,
            headers={"Authorization": f"Basic {base64.b64encode(self.login.encode()).decode()}"},
        )

        def fetch() -> Any:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read() or b"null")

        return await asyncio.to_thread(fetch)


def _name(channel: dict[str, Any]) -> str:
    """The name of who is at the channel, where Asterisk knows one."""
    return str(channel["caller"]["name"])


def _device(channel: dict[str, Any]) -> str:
    """The device of a channel: "PJSIP/maya" of "PJSIP/maya-0000001a"."""
    return str(channel["name"].rpartition("-")[0])


async def main(gateway: str, ari: str, login: str, ports: Sequence[int]) -> None:
    """Serve until it is stopped."""
    bridge = Bridge(gateway, ports)
    follow = [Exchange(ari, login, bridge).follow()] if ari else []
    await asyncio.gather(bridge.serve(), *follow)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gateway", help="Overtone's address for calls, ws://127.0.0.1:8502/calls")
    parser.add_argument("ari", nargs="?", default="", help="Asterisk's address, http://127.0.0.1:8088/ari")
    parser.add_argument("login", nargs="?", default="", help="user:password of ari.conf")
    parser.add_argument("--ports", nargs=2, type=int, default=PORTS, help="of the caller's side and of the other")
    asyncio.run(main(**vars(parser.parse_args())))
