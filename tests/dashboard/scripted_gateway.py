"""A gateway of our own for the page's tests: the assistant's protocol, version 1, with answers that never change.

It has no models: what it hears it takes for one question, and it answers with a tone of the length that it is told. The
real gateway's tests are elsewhere; this one shows what the page does with each message.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

RATE_HZ = 22_050
FRAME_S = 0.1
QUESTION = "How is the weather in Chicago tomorrow?"
STAGES = {"wait_ms": 350, "recognise_ms": 120, "understand_ms": 6, "dialog_ms": 2, "fulfil_ms": 4, "speak_ms": 108}


@dataclass
class ScriptedGateway:
    """What the gateway is told to do, and what it was sent."""

    tone_s: float = 0.6
    speech: bool = True
    utterance_frames: int = 25  # of sound until it has heard enough
    messages: list[dict[str, Any]] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: list[ServerConnection] = field(default_factory=list)

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type that pages sent."""
        return [message for message in self.messages if message["type"] == kind]

    def health(self, socket: ServerConnection, request: Request) -> Response | None:
        """The answer to ``GET /health``; None lets a page's socket through, and no other: no call is going on here."""
        if request.path.startswith("/assistant"):
            return None
        if request.path != "/health":
            return socket.respond(404, "no such path\n")
        return socket.respond(200, json.dumps({"status": "ok", "warm": True, "speech": self.speech}))

    def serve_page(self, socket: ServerConnection) -> None:
        """One conversation."""
        assert socket.request is not None
        self.headers.append({name.lower(): value for name, value in socket.request.headers.raw_items()})
        self.connections.append(socket)
        turn = heard = 0
        with contextlib.suppress(ConnectionClosed):
            for content in socket:
                if isinstance(content, bytes):
                    self.frames.append(content)
                    heard += 1
                    if heard == 5:
                        _tell(socket, {"type": "speech", "on": True})
                        _tell(socket, {"type": "partial", "text": "how is the"})
                    if heard == self.utterance_frames:
                        _tell(socket, {"type": "speech", "on": False})
                        _tell(socket, {"type": "heard", "text": QUESTION})
                        turn += 1
                        self._answer(socket, turn, QUESTION)
                    continue
                message = json.loads(content)
                self.messages.append(message)
                if message["type"] == "start":
                    ready = {"conversation": "c0ffee", "rate_hz": RATE_HZ, "speech": self.speech}
                    _tell(socket, {"type": "ready", **ready})
                    _tell(socket, {"type": "turn", "turn": _turn(0, "opened", "", ["Hello! How can I help you?"])})
                elif message["type"] == "text":
                    turn += 1
                    self._answer(socket, turn, message["text"])
                elif message["type"] == "talk" and not message["on"]:
                    _tell(socket, {"type": "heard", "text": ""})
                elif message["type"] == "interrupt":
                    _tell(socket, {"type": "stop", "turn": turn})
                elif message["type"] == "end":
                    _tell(socket, {"type": "ended"})

    def _answer(self, socket: ServerConnection, number: int, text: str) -> None:
        _tell(socket, {"type": "turn", "turn": _turn(number, "said", text, [f"You said: {text}"])})
        _tell(socket, {"type": "say", "turn": number, "sentence": 0, "text": "You said."})
        at_s = np.arange(round(self.tone_s * RATE_HZ)) / RATE_HZ
        tone = (12_000 * np.sin(2 * np.pi * 440 * at_s)).astype("<i2")
        size = round(FRAME_S * RATE_HZ)
        for start in range(0, len(tone), size):
            socket.send(tone[start : start + size].tobytes())
        _tell(socket, {"type": "said", "turn": number})
        stages = STAGES | {"compute_ms": 240, "total_ms": 590}
        _tell(socket, {"type": "latency", "turn": number, "stages": stages})


@contextlib.contextmanager
def running(script: ScriptedGateway, port: int) -> Iterator[Server]:
    """The gateway on a loopback port, in threads of this process; leaving ends its conversations."""
    with serve(script.serve_page, "127.0.0.1", port, compression=None, process_request=script.health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        for connection in script.connections:
            connection.close()
        thread.join()


def _tell(socket: ServerConnection, message: dict[str, Any]) -> None:
    socket.send(json.dumps(message))


def _turn(number: int, event: str, text: str, replies: list[str]) -> dict[str, Any]:
    place = text.find("Chicago")
    slot = {"name": "location", "value": "chicago", "text": "Chicago", "start": place, "end": place + 7, "score": 0.99}
    action = {"name": "weather", "status": "ok", "answer": "It will be dry.", "source": "sample weather"}
    return {
        "number": number,
        "event": event,
        "user_text": text,
        "intent": {"name": "weather.weather", "score": 0.97, "slots": [slot] if place >= 0 else []} if text else None,
        "state": "listen",
        "path": [],
        "actions": [action | {"as_of": "2026-11-22T12:00:00+00:00"}] if text else [],
        "replies": replies,
        "timings_ms": {},
        "error": "",
    }
