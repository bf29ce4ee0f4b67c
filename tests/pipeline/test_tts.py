from __future__ import annotations

import grpc
import pytest

from pipeline.errors import BackendError, CapabilityAbsent
from tests.pipeline.scripted_riva import Refusal, ScriptedRiva


def test_speech_comes_whole_or_in_chunks(scripted: ScriptedRiva) -> None:
    speaker = scripted.speaker(rate_hz=8000)
    assert speaker.say("Good morning") == (b"\1\0" * 12, 8000)
    chunks = list(speaker.say_online("Good morning"))
    assert len(chunks) == 3
    assert b"".join(chunks) == b"\1\0" * 12


def test_an_unknown_voice_is_named(scripted: ScriptedRiva) -> None:
    def absent(request: object) -> bytes:
        raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "Error: Model is not available on server: Voice foo")

    scripted.on_say = absent
    for say in (lambda: scripted.speaker().say("x", "foo"), lambda: list(scripted.speaker().say_online("x", "foo"))):
        with pytest.raises(CapabilityAbsent, match=r"voice 'foo'.*OVERTONE_TTS_URI"):
            say()


def test_a_busy_server_is_asked_again_until_it_has_begun_to_speak(scripted: ScriptedRiva) -> None:
    busy = [True, True]

    def later(request: object) -> bytes:
        if busy:
            busy.pop()
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")
        return b"\1\0"

    scripted.on_say = later
    assert list(scripted.speaker().say_online("x")) == [b"\1\0"]
    assert scripted.calls["SynthesizeOnline"] == 3
    busy += [True] * 1000
    with pytest.raises(BackendError, match="overloaded"):
        list(scripted.speaker(patience_s=0.3).say_online("x"))
