"""The assistant's socket as strangers and pages use it, against a scripted gateway."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.connection import Connection

from dashboard.resources import Resources
from dashboard.tickets import ASSISTANT_SCOPE, LIVE_SCOPE
from tests.dashboard import scripted_gateway
from tests.dashboard.conftest import Dashboard
from tests.dashboard.scripted_gateway import ScriptedGateway

WAIT_S = 30


def open_socket(dashboard: Dashboard, ticket: str, origin: str | None = "own") -> ClientConnection:
    url = dashboard.address.replace("http", "ws", 1) + f"/api/assistant?ticket={ticket}"
    return connect(url, origin=dashboard.address if origin == "own" else origin)  # type: ignore[arg-type]


def closing(socket: Connection) -> tuple[int, str]:
    """The code and reason with which the other side closes."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(WAIT_S)
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


def message(socket: Connection) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(socket.recv(WAIT_S))
    return content


def test_it_wants_a_ticket_of_its_own_and_our_origin(dashboard: Dashboard, resources: Resources) -> None:
    for ticket in ("", "forged", resources.tickets.issue(LIVE_SCOPE)):
        with open_socket(dashboard, ticket) as socket:
            assert closing(socket)[0] == 4401
    for origin in ("https://evil.example", None):
        with pytest.raises(InvalidStatus):
            open_socket(dashboard, resources.tickets.issue(ASSISTANT_SCOPE), origin)


def test_without_a_gateway_it_says_so(dashboard: Dashboard, resources: Resources) -> None:
    with open_socket(dashboard, resources.tickets.issue(ASSISTANT_SCOPE)) as socket:
        assert closing(socket) == (4503, "the assistant is not running")


def test_it_carries_texts_and_sound_both_ways_and_starts_nothing_by_itself(
    dashboard: Dashboard, resources: Resources
) -> None:
    script = ScriptedGateway(tone_s=0.25)
    with (
        scripted_gateway.running(script, dashboard.settings.live_port),
        open_socket(dashboard, resources.tickets.issue(ASSISTANT_SCOPE)) as socket,
    ):
        assert message(socket) == {"type": "connected", "speech": True}
        assert not script.connections
        socket.send(json.dumps({"type": "start", "rate_hz": 16000}))
        assert [message(socket)["type"] for _ in range(2)] == ["ready", "turn"]
        socket.send(b"\1\2" * 640)
        socket.send(json.dumps({"type": "text", "text": "naïve 🙂"}))
        assert message(socket)["turn"]["user_text"] == "naïve 🙂"
        assert message(socket)["type"] == "say"
        sound = [socket.recv(WAIT_S) for _ in range(3)]
        assert sum(len(frame) for frame in sound) == 2 * round(0.25 * scripted_gateway.RATE_HZ)
        assert script.frames == [b"\1\2" * 640]
        # The gateway never sees whose page it is, nor the page's ticket.
        assert not {"origin", "cookie"} & script.headers[0].keys()


def test_a_gateway_that_goes_away_takes_the_page_along(dashboard: Dashboard, resources: Resources) -> None:
    script = ScriptedGateway()
    with scripted_gateway.running(script, dashboard.settings.live_port):
        socket = open_socket(dashboard, resources.tickets.issue(ASSISTANT_SCOPE))
        socket.send(json.dumps({"type": "start"}))
        while message(socket)["type"] != "ready":
            pass
    with socket:
        assert closing(socket)[0] in (1000, 1001, 4503)


def test_too_much_in_one_message_ends_it(dashboard: Dashboard, resources: Resources) -> None:
    with (
        scripted_gateway.running(ScriptedGateway(), dashboard.settings.live_port),
        open_socket(dashboard, resources.tickets.issue(ASSISTANT_SCOPE)) as socket,
    ):
        socket.send(json.dumps({"type": "start"}))
        socket.send(b"\0" * 70_000)
        assert closing(socket)[0] == 1009
