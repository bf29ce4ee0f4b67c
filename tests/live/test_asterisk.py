"""The bridge from Asterisk in the docs: two sides of a call over AudioSocket, and ARI's events that begin them."""

from __future__ import annotations

import asyncio
import functools
import itertools
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.bench import standin
from tests.live.phones import Gateway, eventually, finished, gateway, spoken, uris

BRIDGE = Path(__file__).resolve().parents[2] / "docs/examples/asterisk_bridge.py"
LOGIN = "overtone:secret"


def channel(number: int, name: str = "", phone: str = "", **plan: str) -> dict[str, Any]:
    """A channel as ARI of Asterisk 22 describes one."""
    return {
        "id": f"1795990778.{number}",
        "name": f"PJSIP/line-{number:08x}",
        "state": "Up",
        "caller": {"name": name, "number": phone},
        "connected": {"name": "", "number": ""},
        "dialplan": {"context": "from-line", "exten": "201", "priority": 2, "app_name": "", "app_data": "", **plan},
    }


class Asterisk:
    """ARI as far as the bridge asks for it; a channel for external media connects and says its side's utterances.

    As in Asterisk 22, channels are made in the background: the first attempt to put them into a bridge is refused.
    """

    def __init__(self, numbers: list[list[int]], variables: dict[str, str]) -> None:
        self.numbers, self.variables = numbers, variables
        self.asked: list[tuple[str, str]] = []  # method and path
        self.refused: set[str] = set()
        self._ids = itertools.count(100)
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.app = Starlette(
            routes=[
                WebSocketRoute("/ari/events", self.events),
                Route("/ari/channels/{id}/variable", self.variable),
                Route("/ari/channels/{id}/snoop", self.made, methods=["POST"]),
                Route("/ari/channels/externalMedia", self.media, methods=["POST"]),
                Route("/ari/bridges", self.made, methods=["POST"]),
                Route("/ari/bridges/{id}/addChannel", self.join, methods=["POST"]),
                Route("/ari/{kind}/{id}", self.gone, methods=["DELETE"]),
            ]
        )

    async def events(self, client: WebSocket) -> None:
        """The stream of events."""
        wish = client.query_params
        assert (wish["app"], wish["subscribeAll"], wish["api_key"]) == ("overtone", "true", LOGIN)
        await client.accept()
        self._loop = asyncio.get_running_loop()
        while True:
            await client.send_json(await self._events.get())

    def tell(self, event: dict[str, Any]) -> None:
        """An event, once somebody follows them."""
        loop = eventually(lambda: self._loop)
        loop.call_soon_threadsafe(self._events.put_nowait, event)

    async def variable(self, request: Request) -> Response:
        """A variable of a channel; 404 where it is not set."""
        name = request.query_params["variable"]
        if name not in self.variables:
            return JSONResponse({"message": "Provided variable was not found"}, 404)
        return JSONResponse({"value": self.variables[name]})

    async def made(self, request: Request) -> Response:
        """Something new."""
        self.asked.append((request.method, request.url.path))
        return JSONResponse({"id": f"made-{next(self._ids)}"})

    async def media(self, request: Request) -> Response:
        """A channel that connects to the address that it is given."""
        wish = dict(request.query_params)
        assert (wish["encapsulation"], wish["transport"], wish["format"]) == ("audiosocket", "tcp", "slin")
        port = int(wish["external_host"].rpartition(":")[2])
        numbers = self.numbers.pop(0)
        threading.Thread(target=lambda: say(dial(port), uuid.UUID(wish["data"]), numbers), daemon=True).start()
        return await self.made(request)

    async def join(self, request: Request) -> Response:
        """Channels into a bridge, at the second attempt."""
        if request.url.path not in self.refused:
            self.refused.add(request.url.path)
            return JSONResponse({"message": "Channel not in Stasis application"}, 422)
        self.asked.append((request.method, request.url.path))
        return Response(status_code=204)

    async def gone(self, request: Request) -> Response:
        """Something made is not needed any more."""
        self.asked.append((request.method, request.url.path))
        return Response(status_code=204)


def dial(port: int) -> socket.socket:
    """A connection to a port of the bridge."""
    return socket.create_connection(("127.0.0.1", port), 10)


def dialled(port: int) -> socket.socket | None:
    """The same, or None where nobody listens yet."""
    try:
        return dial(port)
    except OSError:
        return None


def say(side: socket.socket, name: uuid.UUID, numbers: list[int]) -> None:
    """One side of a call over AudioSocket, from its beginning to its end."""
    audio = np.ascontiguousarray(spoken(numbers)[::2]).tobytes()
    side.sendall(b"\1\0\x10" + name.bytes)
    for first in range(0, len(audio), 320):
        piece = audio[first : first + 320]
        side.sendall(b"\x10" + len(piece).to_bytes(2, "big") + piece)
    side.sendall(b"\0\0\0")
    side.close()


def free_ports(count: int) -> list[int]:
    """Ports at which nobody listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def bridging(desk: Gateway, *ari: str) -> Iterator[list[int]]:
    """The bridge in a process of its own; yields its two ports."""
    ports = free_ports(2)
    url = desk.address.replace("http", "ws", 1) + "/calls"
    command = [sys.executable, str(BRIDGE), url, *ari, "--ports", *map(str, ports)]
    with subprocess.Popen(command) as process:
        try:
            yield ports
        finally:
            process.kill()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose recogniser answers within 10 ms."""
    home = tmp_path_factory.mktemp("asterisk") / "home"
    with standin.running(delay_ms=10) as (address, _), gateway(home, **uris(address), live_pace="0") as running:
        yield running


def test_two_sides_with_one_name_become_one_stereo_call(desk: Gateway) -> None:
    name = uuid.uuid4()
    with bridging(desk) as ports:
        for port, numbers in zip(ports, ([60, 61], [62]), strict=True):
            say(eventually(functools.partial(dialled, port)), name, numbers)
        with desk.store() as store:
            call_id = eventually(functools.partial(found, desk, phone_call_id=str(name)))
            call, sentences = finished(store, call_id)
    assert call.speakers == ("customer", "agent")
    assert [len([one for one in sentences if one.channel == side]) for side in (1, 2)] == [2, 1]


def found(desk: Gateway, **attributes: str) -> str | None:
    """The call with those attributes."""
    with desk.store() as store:
        for row in store.calls().rows:
            if attributes.items() <= row.call.attributes.items():
                return row.call.id
    return None


@pytest.mark.parametrize("outbound", [False, True])
def test_an_answered_call_is_listened_in_to_until_it_is_gone(desk: Gateway, outbound: bool) -> None:
    caller = channel(49 + outbound, "Martin Oakes", "15550100", app_name="Queue", app_data="billing,,,,30")
    peer = channel(60 + outbound, phone="201")
    variables = {"OVERTONE_DIRECTION": "outbound", "OVERTONE_QUEUE": "winback", "OVERTONE_AGENT": "Maya"}
    if outbound:
        caller["dialplan"] |= {"app_name": "Dial", "app_data": "PJSIP/15550177@trunk", "exten": "15550177"}
    asterisk = Asterisk([[70], [71, 72]], variables if outbound else {})
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(asterisk.app, port=port, log_level="warning", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    with bridging(desk, f"http://127.0.0.1:{port}/ari", LOGIN):
        dial_event = {"type": "Dial", "caller": caller, "peer": peer}
        asterisk.tell({"type": "Dial", "dialstatus": "ANSWER", "peer": peer})  # one that Asterisk itself began
        asterisk.tell({**dial_event, "dialstatus": ""})
        asterisk.tell({**dial_event, "dialstatus": "ANSWER"})
        asterisk.tell({**dial_event, "dialstatus": "ANSWER"})
        call_id = eventually(functools.partial(found, desk, asterisk_channel=caller["id"]))
        with desk.store() as store:
            call, sentences = finished(store, call_id)
        eventually(lambda: sum(path.endswith("addChannel") for _, path in asterisk.asked) == 2)
        asterisk.tell({"type": "ChannelDestroyed", "channel": caller})
        eventually(lambda: sum(method == "DELETE" for method, _ in asterisk.asked) == 4)
    server.should_exit = server.force_exit = True
    thread.join()
    kinds = [(method, path.split("/")[2]) for method, path in asterisk.asked]
    assert kinds.count(("DELETE", "bridges")) == kinds.count(("DELETE", "channels")) == 2
    assert [sum(one.channel == side for one in sentences) for side in (1, 2)] == [1, 2]
    told = (call.agent, call.customer, call.attributes["queue"], call.attributes["direction"], call.speakers)
    if outbound:
        assert told == ("Maya", "15550177", "winback", "outbound", ("agent", "customer"))
    else:
        assert told == ("PJSIP/line", "Martin Oakes", "billing", "inbound", ("customer", "agent"))
