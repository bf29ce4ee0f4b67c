from __future__ import annotations

import socket
import threading

import pytest
import riva.client
from grpc import StatusCode
from grpc.aio import AioRpcError, Metadata

from pipeline import rpc
from pipeline.asr import Recogniser
from pipeline.errors import BackendError, CapabilityAbsent
from tests.pipeline.scripted_riva import Refusal, ScriptedRiva, recognised


def refuse(code: StatusCode, details: str, times: int, scripted: ScriptedRiva) -> None:
    """Recognize fails so many times before it answers."""
    left = [times]

    def answer(request: object) -> object:
        if left[0]:
            left[0] -= 1
            raise Refusal(code, details)
        return recognised([("Yes.", 0.0, 0.5)])

    scripted.on_recognise = answer


@pytest.mark.parametrize("code", [StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED])
def test_a_server_that_is_busy_for_a_moment_is_asked_again(code: StatusCode, scripted: ScriptedRiva) -> None:
    refuse(code, "busy", 3, scripted)
    assert scripted.recogniser().recognise(b"\0\0" * 16_000).transcript == "Yes."
    assert scripted.calls["Recognize"] == 4


def test_a_stream_that_broke_off_while_it_was_sent_to_is_opened_again() -> None:
    error = AioRpcError(StatusCode.INTERNAL, Metadata(), Metadata(), details="Internal error from Core")
    service = rpc.Service("speech recognition", "here:1", "OVERTONE_ASR_URI", 1.0, 1.0)
    translated = rpc.translate(error, service, "a recogniser")
    assert translated.retryable
    assert "broke off" in str(translated)
    ours = AioRpcError(StatusCode.INTERNAL, Metadata(), Metadata(), details="the model failed")
    assert not rpc.translate(ours, service, "a recogniser").retryable


def test_patience_has_an_end(scripted: ScriptedRiva) -> None:
    refuse(StatusCode.RESOURCE_EXHAUSTED, "queue is full", 1000, scripted)
    with pytest.raises(
        BackendError, match=rf"speech recognition at {scripted.uri} is overloaded .*OVERTONE_ASR_URI"
    ) as e:
        scripted.recogniser(patience_s=0.5).recognise(b"\0\0")
    assert e.value.retryable
    assert "\n" not in str(e.value)
    assert scripted.calls["Recognize"] < 10


def test_a_server_that_is_down_is_named_with_its_setting() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    recogniser = Recogniser(riva.client.Auth(uri=address), address=address, patience_s=0.3)
    with pytest.raises(BackendError) as error:
        recogniser.recognise(b"\0\0")
    message = str(error.value)
    assert message.startswith(f"speech recognition at {address} does not answer (UNAVAILABLE")
    assert message.endswith("is it running? The address comes from OVERTONE_ASR_URI")
    assert error.value.retryable


@pytest.mark.parametrize(
    ("code", "details", "kind", "said"),
    [
        (
            StatusCode.UNIMPLEMENTED,
            "Method not found!",
            CapabilityAbsent,
            "does not offer a recogniser (offline, en-US)",
        ),
        (StatusCode.NOT_FOUND, "no model", CapabilityAbsent, "does not offer"),
        (
            StatusCode.INVALID_ARGUMENT,
            "Error: Unavailable model requested. Lang: xx",
            CapabilityAbsent,
            "does not offer",
        ),
        (StatusCode.INVALID_ARGUMENT, "Error: bad sample rate", BackendError, "failed at"),
        (StatusCode.UNAUTHENTICATED, "no key", BackendError, "OVERTONE_RIVA_METADATA"),
        (StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs. 4)", BackendError, "too large"),
        (StatusCode.INTERNAL, "two\n lines", BackendError, "INTERNAL: two lines"),
    ],
)
def test_refusals_for_good_are_not_asked_again(
    code: StatusCode, details: str, kind: type[BackendError], said: str, scripted: ScriptedRiva
) -> None:
    refuse(code, details, 1, scripted)
    with pytest.raises(kind) as error:
        scripted.recogniser().recognise(b"\0\0")
    assert type(error.value) is kind
    assert said in str(error.value)
    assert scripted.uri in str(error.value)
    assert "OVERTONE_ASR_URI" in str(error.value)
    assert "\n" not in str(error.value)
    assert not error.value.retryable
    assert scripted.calls["Recognize"] == 1


def test_an_answer_that_takes_too_long_names_the_limit(scripted: ScriptedRiva) -> None:
    hanging = scripted.recogniser(timeout_s=0.2, patience_s=0.1)
    release = threading.Event()
    scripted.on_recognise = lambda request: (release.wait(30), recognised([]))[1]
    try:
        with pytest.raises(BackendError, match=r"took longer than 0\.2 s .*OVERTONE_RIVA_TIMEOUT_S"):
            hanging.recognise(b"\0\0")
    finally:
        release.set()


def test_a_message_of_many_megabytes_passes(scripted: ScriptedRiva) -> None:
    scripted.on_recognise = lambda request: recognised([(str(len(request.audio)), 0.0, 0.5)])
    assert scripted.recogniser().recognise(bytes(20 << 20)).transcript == str(20 << 20)


def test_identities_leave_out_what_is_unknown() -> None:
    assert rpc.identity("name", "1.2") == "name@1.2"
    assert rpc.identity("name", "") == "name"
