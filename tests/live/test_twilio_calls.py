"""Twilio Media Streams of calls between people: messages as Twilio's page "WebSocket Messages" prints them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pipeline.live import twilio
from pipeline.live.access import twilio_signature
from pipeline.live.twilio_calls import start_of
from tests.bench import standin
from tests.live.phones import Gateway, eventually, finished, gateway
from tests.pipeline.sounds import silence

SECRET = "12345"
CALL_SID = "CA00000000000000000000000000000000"
STREAM_SID = "MZ00000000000000000000000000000000"


def started(call_sid: str = CALL_SID) -> dict[str, Any]:
    return {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            "accountSid": "AC00000000000000000000000000000000",
            "streamSid": STREAM_SID,
            "callSid": call_sid,
            "tracks": ["inbound", "outbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"agent": "Maya", "customer": "Jane Doe", "queue": "billing"},
        },
        "streamSid": STREAM_SID,
    }


def media(track: str, chunk: int, payload: bytes, at_ms: int, sequence: int = 0) -> dict[str, Any]:
    return {
        "event": "media",
        "sequenceNumber": str(sequence or chunk + 1),
        "media": {
            "track": track,
            "chunk": str(chunk),
            "timestamp": str(at_ms),
            "payload": base64.b64encode(payload).decode(),
        },
        "streamSid": STREAM_SID,
    }


STOPPED = {
    "event": "stop",
    "sequenceNumber": "5",
    "streamSid": STREAM_SID,
    "stop": {"accountSid": "AC00000000000000000000000000000000", "callSid": CALL_SID},
}


def spoken(numbers: list[int]) -> bytes:
    """Utterances as mu-law at 8 kHz, half a second each, with half a second of silence behind it."""
    parts = [part for number in numbers for part in (standin.utterance(number, 0.5), silence(0.5))]
    return twilio.to_mulaw(np.ascontiguousarray(np.concatenate(parts)[::2]).tobytes())


def chunks(track: str, audio: bytes, from_ms: int = 0) -> list[dict[str, Any]]:
    """The 20 ms messages of a track."""
    pieces = [audio[first : first + 160] for first in range(0, len(audio), 160)]
    return [media(track, n, piece, from_ms + 20 * (n - 1)) for n, piece in enumerate(pieces, start=1)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with standin.running(delay_ms=10) as (address, _):
        uris = {"asr_uri": address, "nlp_uri": address, "tts_uri": address}
        home: Path = tmp_path_factory.mktemp("twilio") / "home"
        with gateway(home, **uris, live_pace="0", twilio_auth_token=SECRET) as running:
            yield running


def dial(desk: Gateway, path: str = "/twilio") -> Any:
    url = desk.address.replace("http", "wss", 1) + path
    return desk.phone(path, additional_headers={"X-Twilio-Signature": twilio_signature(url, SECRET)})


def stored(desk: Gateway, customer: str = "Jane Doe") -> Any:
    with desk.store() as store:
        call_id = eventually(lambda: [row.call.id for row in store.calls().rows if row.call.customer == customer])[0]
        return finished(store, call_id)


def test_both_tracks_are_one_call_with_its_people(desk: Gateway) -> None:
    inbound, outbound = chunks("inbound", spoken([1, 2])), chunks("outbound", spoken([3]), from_ms=2000)
    with dial(desk) as phone:
        phone.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        phone.send(json.dumps(started()))
        for message in [*inbound, *outbound, STOPPED]:
            phone.send(json.dumps(message))
        with pytest.raises(ConnectionClosed):
            phone.recv(30)
    call, sentences = stored(desk)
    assert (call.agent, call.customer, call.speakers) == ("Maya", "Jane Doe", ("agent", "customer"))
    assert call.attributes["phone_call_id"] == CALL_SID
    assert (call.attributes["queue"], call.attributes["protocol"]) == ("billing", "twilio")
    said = [(one.speaker, len(one.words), round(one.start_s)) for one in sentences]
    assert said == [("customer", 2, 0), ("customer", 2, 1), ("agent", 2, 2)]


def test_frames_out_of_order_twice_missing_and_malformed(desk: Gateway) -> None:
    inbound = chunks("inbound", spoken([5, 6, 7, 8]))
    inbound[3], inbound[5] = inbound[5], inbound[3]
    inbound.insert(12, inbound[10])
    del inbound[100:140]  # 0.8 s, with most of the third utterance in it
    broken: list[Any] = [
        {"event": "media", "media": {"track": "inbound", "chunk": "40", "timestamp": "x", "payload": ""}},
        {"event": "media", "media": {"track": "inbound", "chunk": "41", "timestamp": "800", "payload": "%%%"}},
        {"event": "media"},
        {"event": "dance"},
        [],
        media("sideways", 1, b"\xff" * 160, 0),
    ]
    row = started("CA00000000000000000000000000000001")
    row["start"]["customParameters"]["customer"] = "Ada"
    with dial(desk) as phone:
        phone.send(json.dumps(row))
        for message in [*inbound[:20], *broken, *inbound[20:]]:
            phone.send(json.dumps(message))
        phone.send("{")
        phone.send(json.dumps(STOPPED))
        with pytest.raises(ConnectionClosed):
            phone.recv(30)
    call, sentences = stored(desk, "Ada")
    heard = [one for one in sentences if one.words]
    assert [round(one.start_s) for one in heard] == [0, 1, 3]
    assert "audio did not arrive" in call.attributes["gaps"]
    assert call.attributes["frames_lost"] == "40"
    assert call.attributes["frames_duplicate"] == "1"
    assert call.attributes["frames_malformed"] == "7"
    (gap,) = [one for one in sentences if not one.words]
    assert gap.text.startswith("[0.8 s missing")
    assert call.duration_s == pytest.approx(4.0, abs=0.05), "the gap keeps its time"


def test_who_does_not_sign_as_twilio_is_kept_out(desk: Gateway) -> None:
    with pytest.raises(InvalidStatus) as refused, desk.phone("/twilio", additional_headers={"X-Twilio-Signature": "x"}):
        pass
    assert refused.value.response.status_code == 403


def test_one_track_is_a_call_of_one_channel() -> None:
    row = started()
    row["start"]["tracks"] = ["inbound"]
    message = twilio.read(json.dumps(row))
    assert isinstance(message, twilio.Start)
    start, tracks = start_of(message, ("agent", "customer"))
    assert (start.speakers, tracks) == (("customer",), {"inbound": 1})
