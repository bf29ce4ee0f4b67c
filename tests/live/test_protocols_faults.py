"""Every protocol alike: a lost connection goes on, rubbish between the frames costs nothing, one id is one call."""

from __future__ import annotations

import base64
import json
import random
import socket as sockets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.connection import Connection

from pipeline.live import twilio
from pipeline.live.access import twilio_signature
from pipeline.live.audiohook_signature import signed
from tests.bench import standin
from tests.live import test_audiohook as genesys
from tests.live import test_twilio_calls as twilio_messages
from tests.live.phones import Gateway, eventually, finished, frames, gateway, numbers, spoken, start, uris

SECRET, KEY = twilio_messages.SECRET, genesys.KEY
Message = str | bytes


@dataclass(frozen=True)
class Phone:
    """A protocol as its phone system speaks it: one channel of mu-law or 16-bit audio."""

    path: str
    headers: Callable[[Gateway], dict[str, str]]
    begin: Callable[[str], Message]  # given the phone system's id of the call
    audio: Callable[[list[int], int], list[Message]]  # utterances, and how many frames came before them
    end: Callable[[int], Message]
    greets: bool  # whether it is told that the call has begun
    rubbish: tuple[Message, ...]

    def dial(self, desk: Gateway, call: str) -> ClientConnection:
        """A connection on which the call has begun or goes on."""
        phone = desk.phone(self.path, additional_headers=self.headers(desk))
        phone.send(self.begin(call))
        if self.greets:
            phone.recv(20)
        return phone


def _twilio_audio(said: list[int], before: int) -> list[Message]:
    audio = twilio.to_mulaw(np.ascontiguousarray(spoken(said)[::2]).tobytes())
    pieces = [audio[first : first + 160] for first in range(0, len(audio), 160)]
    rows = [
        twilio_messages.media("inbound", before + number, piece, 20 * (before + number - 1))
        for number, piece in enumerate(pieces, start=1)
    ]
    return [json.dumps(row) for row in rows]


def _twilio_begin(call: str) -> str:
    row = twilio_messages.started(call)
    row["start"]["tracks"] = ["inbound"]
    return json.dumps(row)


def _genesys_headers(desk: Gateway) -> dict[str, str]:
    headers = {name: value for name, value in genesys.EXAMPLE.items() if name.startswith("audiohook")}
    authority, nonce = desk.address.removeprefix("http://"), f"{time.monotonic_ns():0>24}"
    signature = signed(headers, "/audiohook", authority, KEY, created=int(time.time()), nonce=nonce)
    return {**headers, "x-api-key": KEY.partition(":")[0], **signature}


def _genesys_begin(call: str) -> str:
    media = [{"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000}]
    return genesys.client_message("open", 1, genesys.opening(call, media))


def _genesys_audio(said: list[int], before: int) -> list[Message]:
    audio = twilio.to_mulaw(np.ascontiguousarray(spoken(said)[::2]).tobytes())
    return [audio[first : first + 800] for first in range(0, len(audio), 800)]


_TEXTS = ("{", "[]", "null", '"x"', "{}", '{"type":"dance"}', '{"event":"dance"}', '{"event":[],"type":{}}', "\0" * 50)
PHONES = {
    "plain": Phone(
        "/calls",
        lambda desk: {},
        lambda call: start(call_id=call, channels=1, speakers=["customer"]),
        lambda said, before: list(frames(spoken(said).tobytes(), channels=1)),
        lambda seq: '{"type":"stop"}',
        greets=True,
        rubbish=(*_TEXTS, b"", b"\0", b"\x7f" * 333),
    ),
    "twilio": Phone(
        "/twilio",
        lambda desk: {"X-Twilio-Signature": twilio_signature(desk.address.replace("http", "wss") + "/twilio", SECRET)},
        _twilio_begin,
        _twilio_audio,
        lambda seq: json.dumps(twilio_messages.STOPPED),
        greets=False,
        rubbish=(
            *_TEXTS,
            b"\x7f" * 160,
            json.dumps(twilio_messages.media("sideways", 1, b"\x7f" * 160, 0)),
            json.dumps({"event": "media", "media": {"track": "inbound", "chunk": "x", "payload": "%"}}),
            json.dumps({"event": "media", "media": {"track": "inbound", "chunk": "-1", "timestamp": "-5"}}),
            json.dumps({"event": "media", "media": {"payload": base64.b64encode(b"\x7f" * 160).decode()}}),
        ),
    ),
    "audiohook": Phone(
        "/audiohook",
        _genesys_headers,
        _genesys_begin,
        _genesys_audio,
        lambda seq: genesys.client_message("close", seq, {"reason": "end"}),
        greets=True,
        rubbish=(*_TEXTS, b"", genesys.client_message("ping", 1), genesys.client_message("open", 2, genesys.opening())),
    ),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with standin.running(delay_ms=10) as (address, _):
        home: Path = tmp_path_factory.mktemp("protocols") / "home"
        keys = {"twilio_auth_token": SECRET, "audiohook_key": KEY}
        with gateway(home, **uris(address), **keys, live_pace="0", live_resume_s="20") as running:
            yield running


@pytest.fixture(params=list(PHONES))
def phone(request: pytest.FixtureRequest) -> Phone:
    return PHONES[request.param]


def call_of(desk: Gateway, name: str) -> list[str]:
    """Overtone's ids of the calls that a phone system calls ``name``."""
    with desk.store() as store:
        rows = store.calls().rows
    wanted = ("phone_call_id", "conversation_id")
    return [row.call.id for row in rows if any(row.call.attributes.get(one, "").startswith(name) for one in wanted)]


def heard(desk: Gateway, call_id: str, count: int) -> bool:
    with desk.store() as store:
        return len(numbers(store.sentences(call_id))) >= count


def test_a_lost_connection_goes_on_as_the_same_call(desk: Gateway, phone: Phone, request: Any) -> None:
    name = f"resumed-{request.node.callspec.id}"
    with phone.dial(desk, name) as line:
        for message in phone.audio([1, 2], 0):
            line.send(message)
        (call_id,) = eventually(lambda: call_of(desk, name))
        eventually(lambda: heard(desk, call_id, 2))
        line.socket.shutdown(sockets.SHUT_RDWR)  # as when a cable is pulled
    eventually(lambda: desk.health()["waiting_to_resume"])
    time.sleep(0.6)
    with phone.dial(desk, name) as line:  # it counts its frames anew
        for message in phone.audio([3, 4], 0):
            line.send(message)
        line.send(phone.end(2))
        _until_closed(line)
    with desk.store() as store:
        call, sentences = finished(store, call_id)
    assert call_of(desk, name) == [call_id]
    assert numbers(sentences) == [1, 2, 3, 4] or phone.path != "/calls"
    assert len(numbers(sentences)) == 4
    assert "the connection was lost" in call.attributes["gaps"]
    (gap,) = [one for one in sentences if not one.words]
    later = [one.start_s for one in sentences if one.words][2:]
    assert later == pytest.approx([gap.end_s, gap.end_s + 1], abs=0.15), "the time without a connection is kept"


def test_rubbish_between_the_frames_loses_nothing_and_is_counted(desk: Gateway, phone: Phone, request: Any) -> None:
    name, chance = f"rubbish-{request.node.callspec.id}", random.Random(3)
    frames_of_call = phone.audio([5, 6, 7, 8], 0)
    places = sorted(chance.sample(range(1, len(frames_of_call)), len(phone.rubbish)), reverse=True)
    messages = list(frames_of_call)
    for place, rubbish in zip(places, phone.rubbish, strict=True):
        messages.insert(place, rubbish)
    with phone.dial(desk, name) as line:
        for message in messages:
            line.send(message)
        line.send(phone.end(3))
        _until_closed(line)
    (call_id,) = eventually(lambda: call_of(desk, name))
    with desk.store() as store:
        call, sentences = finished(store, call_id)
    assert len(numbers(sentences)) == 4
    assert [one.start_s for one in sentences] == pytest.approx([0, 1, 2, 3], abs=0.15)
    assert "gaps" not in call.attributes
    assert int(call.attributes.get("frames_malformed", 0)) >= (1 if phone.path == "/audiohook" else 10)


def test_a_second_connection_for_a_call_that_goes_on_is_refused(desk: Gateway, phone: Phone, request: Any) -> None:
    name = f"twice-{request.node.callspec.id}"
    with phone.dial(desk, name) as line:
        first, *rest = phone.audio([9, 10], 0)
        line.send(first)
        (call_id,) = eventually(lambda: call_of(desk, name))
        other = desk.phone(phone.path, additional_headers=phone.headers(desk))
        other.send(phone.begin(name))
        said = _until_closed(other, most=1) or other.close_reason or ""
        assert "going on over another connection" in said
        other.close()
        for message in rest:
            line.send(message)
        line.send(phone.end(2))
        _until_closed(line)
    with desk.store() as store:
        _, sentences = finished(store, call_id)
    assert len(numbers(sentences)) == 2, "the first one goes on undisturbed"
    assert call_of(desk, name) == [call_id]


def test_a_message_larger_than_any_costs_the_connection_and_not_the_call(desk: Gateway) -> None:
    phone = PHONES["plain"]
    with phone.dial(desk, "too large") as line:
        for message in phone.audio([11], 0):
            line.send(message)
        # What comes in one piece with a broken frame is lost by the WebSocket server: first let it be heard.
        line.send('{"type": "mark", "name": "heard"}')
        while '"mark"' not in str(line.recv(30)):
            pass
        with suppress(ConnectionClosed):  # it may be refused before its last byte is sent
            line.send(b"\0" * (2 << 20))
        _until_closed(line)
    with phone.dial(desk, "too large") as line:
        for message in phone.audio([12], 0):
            line.send(message)
        line.send(phone.end(2))
        _until_closed(line)
    (call_id,) = call_of(desk, "too large")
    with desk.store() as store:
        _, sentences = finished(store, call_id)
    assert numbers(sentences) == [11, 12]


def _until_closed(line: Connection, most: int = 0) -> str:
    """What the gateway still says; all of it, or the first ``most`` messages."""
    said: list[str] = []
    try:
        while not most or len(said) < most:
            said.append(str(line.recv(30)))
    except ConnectionClosed as closed:
        said.append(closed.rcvd.reason if closed.rcvd else "")
    return " ".join(said)
