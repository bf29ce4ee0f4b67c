"""Genesys AudioHook: messages as the protocol reference prints them, and its published example of a signature."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from pipeline.live import twilio
from pipeline.live.audiohook import NOBODY, Closing, Opened, Session, Skipped, seconds
from pipeline.live.audiohook_signature import Nonces, refusal, signed
from tests.bench import standin
from tests.live.phones import Gateway, eventually, finished, gateway
from tests.pipeline.sounds import silence

SESSION = "e160e428-53e2-487c-977d-96989bf5c99d"
ORGANISATION = "d7934305-0972-4844-938e-9060eef73d05"
CONVERSATION = "090eaa2f-72fa-480a-83e0-8667ff89c0ec"
KEY = "SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh:TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU="
# Example 1 of the page on security.
EXAMPLE = {
    "host": "audiohook.example.com",
    "audiohook-organization-id": ORGANISATION,
    "audiohook-session-id": "30b0e395-84d3-4570-ac13-9a62d8f514c0",
    "audiohook-correlation-id": SESSION,
    "x-api-key": "SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh",
    "signature": "sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:",
    "signature-input": (
        'sig1=("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" '
        '"audiohook-correlation-id" "x-api-key");keyid="SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh";'
        'nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";created=1641013200;expires=3282026430'
    ),
}


def check(headers: dict[str, str], *, target: str = "/api/v1/voicebiometrics/ws", now: float = 1641013205.0) -> Any:
    return refusal(headers, target, ["audiohook.example.com"], KEY, Nonces(), now=now)


def client_message(kind: str, seq: int, parameters: Any = None, *, position: str = "PT0S", **other: Any) -> str:
    row = {
        "version": "2",
        "id": SESSION,
        "type": kind,
        "seq": seq,
        "serverseq": 0,
        "position": position,
        "parameters": parameters if parameters is not None else {},
    }
    return json.dumps(row | other)


def opening(conversation: str = CONVERSATION, media: Any = None) -> dict[str, Any]:
    formats = [["external", "internal"], ["external"], ["internal"]]
    return {
        "organizationId": ORGANISATION,
        "conversationId": conversation,
        "participant": {
            "id": "883efee8-3d6c-4537-b500-6d7ca4b92fa0",
            "ani": "+1-555-555-1234",
            "aniName": "John Doe",
            "dnis": "+1-800-555-6789",
        },
        "media": [{"type": "audio", "format": "PCMU", "channels": channels, "rate": 8000} for channels in formats]
        if media is None
        else media,
        "language": "en-US",
        "customConfig": {"queue": "claims", "agent": "Maya"},
    }


def test_the_published_signature_is_accepted() -> None:
    assert check(EXAMPLE) is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"audiohook-session-id": "30b0e395-84d3-4570-ac13-9a62d8f514c1"}, "does not fit"),
        ({"x-api-key": "other"}, "API key"),
        ({"signature": "sig1=:AAAA:"}, "does not fit"),
        ({"signature": "nonsense"}, "cannot be read"),
        ({"signature-input": ""}, "not signed"),
        ({"signature-input": EXAMPLE["signature-input"].replace(' "x-api-key"', "")}, "leaves out x-api-key"),
        ({"signature-input": EXAMPLE["signature-input"].replace("VGhpc0lzQVVuaXF1ZU5vbmNl", "short")}, "nonce"),
    ],
)
def test_a_signature_that_is_not_as_it_must_be_is_refused(changed: dict[str, str], said: str) -> None:
    assert said in check(EXAMPLE | changed)


def test_a_signature_is_good_for_one_request_and_for_a_moment() -> None:
    assert "too old" in check(EXAMPLE, now=1641013220.0)
    assert "too old" in check(EXAMPLE, now=1641013100.0)
    assert "does not fit" in check(EXAMPLE, target="/other")
    nonces = Nonces()
    arguments = (EXAMPLE, "/api/v1/voicebiometrics/ws", ["audiohook.example.com"], KEY, nonces)
    assert refusal(*arguments, now=1641013205.0) is None
    assert "used before" in str(refusal(*arguments, now=1641013206.0))


@pytest.mark.parametrize(
    ("duration", "length_s"),
    [
        ("PT0S", 0),
        ("PT1.25S", 1.25),
        ("PT1M0.5S", 60.5),
        ("PT2H", 7200),
        ("P1DT1S", 86401),
        ("1.5", None),
        ("PT", None),
    ],
)
def test_durations_are_iso_8601(duration: str, length_s: float | None) -> None:
    assert seconds(duration) == length_s


def test_a_session_counts_both_sides_and_chooses_both_channels() -> None:
    session = Session()
    event, answers = session.receive(client_message("open", 1, opening()))
    assert isinstance(event, Opened)
    assert answers == []
    assert event.start.speakers == ("customer", "agent")
    assert (event.start.customer, event.start.agent) == ("John Doe", "Maya")
    assert event.start.attributes["queue"] == "claims"
    opened = json.loads(session.opened())
    media = [{"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": 8000}]
    assert opened == {
        "version": "2",
        "id": SESSION,
        "type": "opened",
        "seq": 1,
        "clientseq": 1,
        "parameters": {"media": media, "startPaused": False},
    }
    _, (pong,) = session.receive(client_message("ping", 2, {"rtt": "PT0.05S"}))
    assert (json.loads(pong)["type"], json.loads(pong)["seq"], json.loads(pong)["clientseq"]) == ("pong", 2, 2)
    _, (updated,) = session.receive(client_message("update", 3, {"language": "en-GB"}))
    assert json.loads(updated)["type"] == "updated"
    session.receive(client_message("paused", 4))
    assert session.paused
    event, _ = session.receive(client_message("resumed", 5, {"start": "PT4S", "discarded": "PT1.5S"}))
    assert event == Skipped(1.5, "the phone system paused")
    assert not session.paused
    event, _ = session.receive(client_message("discarded", 6, {"start": "PT9S", "discarded": "PT0.5S"}))
    assert isinstance(event, Skipped)
    event, _ = session.receive(client_message("close", 7, {"reason": "end"}))
    assert event == Closing("end")
    assert json.loads(session.closed())["clientseq"] == 7


def test_messages_that_come_twice_late_never_or_broken_do_not_end_a_session() -> None:
    session = Session()
    session.receive(client_message("open", 1, opening()))
    for strange in (
        client_message("ping", 1),
        "{",
        "[]",
        json.dumps({"version": "3"}),
        client_message("ping", 2, position="soon"),
        client_message("ping", 2, id="another"),
        client_message("ping", True),
        client_message("dance", 2),
        "x" * 70_000,
    ):
        assert session.receive(strange) == (None, [])
    assert session.mistakes == 9
    _, (pong,) = session.receive(client_message("ping", 6))
    assert json.loads(pong)["clientseq"] == 6
    assert session.missing == 3
    for _ in range(30):
        event, answers = session.receive("{")
        if event:
            break
    assert event == Closing("error")
    assert json.loads(answers[0])["parameters"]["reason"] == "error"


def test_a_session_that_cannot_be_is_told_so() -> None:
    event, (answer,) = Session().receive(client_message("open", 1, opening(media=[])))
    assert isinstance(event, Closing)
    assert json.loads(answer)["type"] == "disconnect"
    event, (answer,) = Session().receive(client_message("ping", 1))
    assert isinstance(event, Closing)
    assert "open" in json.loads(answer)["parameters"]["info"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with standin.running(delay_ms=10) as (address, _):
        uris = {"asr_uri": address, "nlp_uri": address, "tts_uri": address}
        home: Path = tmp_path_factory.mktemp("audiohook") / "home"
        with gateway(home, **uris, live_pace="0", audiohook_key=KEY) as running:
            yield running


def dial(desk: Gateway, nonce: str = "") -> ClientConnection:
    headers = {name: value for name, value in EXAMPLE.items() if name.startswith("audiohook")}
    authority = desk.address.removeprefix("http://")
    nonce = nonce or f"{time.monotonic_ns():0>24}"
    signature = signed(headers, "/audiohook", authority, KEY, created=int(time.time()), nonce=nonce)
    return desk.phone("/audiohook", additional_headers={**headers, "x-api-key": KEY.partition(":")[0], **signature})


def stereo(external: list[int], internal: list[int]) -> bytes:
    """PCMU of both sides, interleaved; they speak one after the other."""
    parts = [part for number in external for part in (standin.utterance(number, 0.5), silence(0.5))]
    own = len(parts)
    parts += [part for number in internal for part in (standin.utterance(number, 0.5), silence(0.5))]
    length = sum(len(part) for part in parts)
    sides = np.zeros((length, 2), dtype="<i2")
    sides[: sum(len(part) for part in parts[:own]), 0] = np.concatenate(parts[:own])
    sides[sum(len(part) for part in parts[:own]) :, 1] = np.concatenate(parts[own:])
    coded = [np.frombuffer(twilio.to_mulaw(np.ascontiguousarray(sides[::2, n]).tobytes()), np.uint8) for n in (0, 1)]
    return np.stack(coded, axis=1).tobytes()


def test_a_session_is_a_call(desk: Gateway) -> None:
    audio = stereo([1, 2], [3])
    with dial(desk) as phone:
        phone.send(client_message("open", 1, opening()))
        assert json.loads(phone.recv(20))["type"] == "opened"
        for first in range(0, len(audio), 3200):  # 200 ms, as Genesys sends it
            phone.send(audio[first : first + 3200])
        phone.send(audio[:3])  # not a whole frame
        phone.send(client_message("ping", 2, {"rtt": "PT0.01S"}, position="PT3S"))
        assert json.loads(phone.recv(20))["type"] == "pong"
        phone.send(client_message("paused", 3, position="PT3S"))
        phone.send(audio[:3200])  # there is none while paused
        phone.send(client_message("resumed", 4, {"start": "PT5S", "discarded": "PT2S"}, position="PT5S"))
        for first in range(0, len(audio), 3200):
            phone.send(audio[first : first + 3200])
        phone.send(client_message("close", 5, {"reason": "end"}, position="PT8S"))
        closed = json.loads(phone.recv(20))
        assert (closed["type"], closed["clientseq"]) == ("closed", 5)
        with pytest.raises(ConnectionClosed):
            phone.recv(20)
    with desk.store() as store:
        (call_id,) = eventually(lambda: [row.call.id for row in store.calls().rows])
        call, sentences = finished(store, call_id)
    assert (call.customer, call.agent, call.speakers) == ("John Doe", "Maya", ("customer", "agent"))
    assert call.attributes["conversation_id"] == CONVERSATION
    assert call.attributes["dnis"] == "+1-800-555-6789"
    assert [one.speaker for one in sentences if one.words] == ["customer", "customer", "agent"] * 2
    assert [round(one.start_s) for one in sentences if one.words] == [0, 1, 2, 5, 6, 7]
    assert any("2.0 s missing: the phone system paused" in one.text for one in sentences)
    assert call.attributes["frames_malformed"] == "2"


def test_a_probe_opens_and_makes_no_call(desk: Gateway) -> None:
    with desk.store() as store:
        before = store.calls().total
        with dial(desk) as phone:
            phone.send(client_message("open", 1, opening(NOBODY)))
            assert json.loads(phone.recv(20))["type"] == "opened"
            phone.send(client_message("close", 2, {"reason": "end"}))
            assert json.loads(phone.recv(20))["type"] == "closed"
        assert store.calls().total == before


def test_who_does_not_sign_as_genesys_is_kept_out(desk: Gateway) -> None:
    nonce = "0123456789012345678901234"
    dial(desk, nonce).close()
    for headers in ({}, {"x-api-key": KEY.partition(":")[0]}):
        with pytest.raises(InvalidStatus) as refused, desk.phone("/audiohook", additional_headers=headers):
            pass
        assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus), dial(desk, nonce):
        pass
