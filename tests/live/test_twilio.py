"""Twilio's messages and mu-law, against the values of ITU-T G.711."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from pipeline.live import twilio
from pipeline.live.pcm import decoded

# G.711 table 2a: the positive values that end a segment, as 14-bit numbers, and their codes.
KNOWN = {0: 0xFF, 31: 0xEF, 95: 0xDF, 223: 0xCF, 479: 0xBF, 991: 0xAF, 2015: 0x9F, 4063: 0x8F, 8158: 0x80}


@pytest.mark.parametrize(("value", "code"), KNOWN.items())
def test_known_values(value: int, code: int) -> None:
    pcm = np.array([4 * value], dtype="<i2").tobytes()
    assert twilio.to_mulaw(pcm) == bytes([code])


def test_every_code_survives_both_ways() -> None:
    codes = bytes(range(256))
    there = twilio.to_mulaw(decoded(codes, "mulaw").astype("<i2").tobytes())
    # 0x7F is minus nothing, which comes back as plus nothing.
    assert [code for code in range(256) if there[code] != code] == [0x7F]


def test_every_sample_comes_back_within_its_step() -> None:
    samples = np.arange(-32768, 32768, dtype=np.int32)
    back = decoded(twilio.to_mulaw(samples.astype("<i2").tobytes()), "mulaw").astype(np.int32)
    clipped = np.clip(samples, -32124, 32124)
    assert np.all(np.abs(back - clipped) <= np.abs(clipped) / 16 + 8)
    assert np.all(np.diff(back) >= 0)


def test_messages_are_read() -> None:
    assert twilio.read('{"event": "connected", "protocol": "Call", "version": "1.0.0"}') == twilio.Connected()
    start = twilio.read(
        json.dumps(
            {
                "event": "start",
                "sequenceNumber": "1",
                "streamSid": "MZ1",
                "start": {
                    "streamSid": "MZ1",
                    "accountSid": "AC1",
                    "callSid": "CA1",
                    "tracks": ["inbound"],
                    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                    "customParameters": {"from": "+15550100"},
                },
            }
        )
    )
    assert start == twilio.Start("MZ1", "CA1", "AC1", ("inbound",), {"from": "+15550100"}, 1)
    part = {"track": "inbound", "chunk": "2", "timestamp": "40", "payload": base64.b64encode(b"\xff\x7f").decode()}
    assert twilio.read(json.dumps({"event": "media", "sequenceNumber": "3", "media": part})) == twilio.Media(
        "inbound", b"\xff\x7f", 2, 40, 3
    )
    assert twilio.read('{"event": "dtmf", "dtmf": {"digit": "#"}}') == twilio.Digit("#")
    assert twilio.read('{"event": "mark", "mark": {"name": "turn-1"}}') == twilio.Mark("turn-1")
    assert twilio.read('{"event": "stop"}') == twilio.Stop()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"event": "song"}',
        '{"event": "media"}',
        '{"event": "media", "media": {"payload": "?"}}',
        '{"event": "media", "media": {"payload": "", "chunk": "x"}}',
        '{"event": "dtmf", "dtmf": {"digit": "12"}}',
        '{"event": "start", "start": {}}',
        '{"event": "start", "start": {"streamSid": "MZ", "mediaFormat": {"encoding": "audio/opus", "sampleRate": 8}}}',
        "[" * 100_000,
    ],
)
def test_nonsense_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"it|its|key"):
        twilio.read(text)
