from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from pipeline import analyse
from pipeline.audio import Channel, Pcm
from pipeline.calls import Call
from pipeline.errors import BackendError, InputError
from tests.pipeline import sounds
from tests.pipeline.scripted_riva import RATE, Refusal, ScriptedRiva, final, recognised, words_for

CALL = Call("0123456789abcdef", "call.wav", datetime(2026, 1, 2, tzinfo=UTC), 60.0, ("agent", "customer"))


def channel(number: int, folder: Path, *parts: Pcm) -> Channel:
    samples = np.concatenate(parts)
    path = sounds.write_wav(folder / f"channel-{number}.wav", samples)
    return Channel(number, path, len(samples) / sounds.RATE_HZ)


@pytest.fixture
def channels(tmp_path: Path) -> list[Channel]:
    """The agent speaks at 2 .. 6 s and at 62 .. 66 s, the customer at 12 .. 16 s."""
    spoken = sounds.speech(end_s=4)
    return [
        channel(1, tmp_path, sounds.silence(2), spoken, sounds.silence(56), spoken, sounds.silence(10)),
        channel(2, tmp_path, sounds.silence(12), spoken, sounds.silence(60)),
    ]


def test_only_speech_is_sent_and_times_are_those_of_the_recording(
    channels: list[Channel], scripted: ScriptedRiva, silero: Path
) -> None:
    shares: list[float] = []
    found = list(analyse.recording(CALL, channels, scripted.recogniser(), scripted.classifier(), silero, shares.append))
    # Both of the agent's turns fit one request, so the customer's is the second.
    assert len(scripted.asr_requests) == 2
    assert sum(len(request.audio) for request in scripted.asr_requests) / RATE < 16
    assert [sentence.index for sentence in found] == list(range(len(found)))
    assert [sentence.start_s for sentence in found] == sorted(sentence.start_s for sentence in found)
    assert {sentence.speaker for sentence in found if 10 < sentence.start_s < 20} == {"customer"}
    spans = {"agent": [(1, 7), (61, 67)], "customer": [(11, 17)]}
    for sentence in found:
        assert any(low <= sentence.start_s < sentence.end_s <= high for low, high in spans[sentence.speaker]), sentence
        assert sentence.text
        assert sentence.text == " ".join(word.text for word in sentence.words)
        assert (sentence.call_id, sentence.recogniser) == (CALL.id, "offline-model@7")
        assert sentence.sentiment is not None
        assert sentence.sentiment.label == ("positive" if "happy" in sentence.text else "neutral")
    assert max(sentence.start_s for sentence in found) > 62
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_silence_costs_no_request_and_gives_no_sentence(tmp_path: Path, scripted: ScriptedRiva, silero: Path) -> None:
    quiet = [channel(1, tmp_path, sounds.silence(600)), channel(2, tmp_path, sounds.tone(20))]
    shares: list[float] = []
    found = analyse.recording(CALL, quiet, scripted.recogniser(), scripted.classifier(), silero, shares.append)
    assert list(found) == []
    assert scripted.calls == {}
    assert shares == [1.0]


def test_invented_words_go_loops_and_what_lies_behind_the_audio(
    tmp_path: Path, scripted: ScriptedRiva, silero: Path
) -> None:
    def answer(request: Any) -> Any:
        end_s = len(request.audio) / RATE
        loop = [("Thanks", n / 10, n / 10 + 0.1) for n in range(20)]
        return recognised([("Well.", 0.0, 0.1), *loop, ("watching.", end_s + 0.5, end_s + 1)])

    scripted.on_recognise = answer
    spoken = [channel(1, tmp_path, sounds.speech(end_s=5))]
    found = list(analyse.recording(CALL, spoken, scripted.recogniser(), scripted.classifier(), silero))
    assert [sentence.text for sentence in found] == ["Well.", "Thanks Thanks"]


def test_long_speech_is_sent_in_pieces_that_overlap_in_time(
    tmp_path: Path, scripted: ScriptedRiva, silero: Path
) -> None:
    at_once, most = [0], [0]

    def answer(request: Any) -> Any:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        time.sleep(0.1)
        at_once[0] -= 1
        return recognised(words_for(len(request.audio) / RATE))

    scripted.on_recognise = answer
    spoken = [channel(1, tmp_path, *[sounds.speech()] * 20)]
    found = list(analyse.recording(CALL, spoken, scripted.recogniser(), scripted.classifier(), silero))
    seconds = [len(request.audio) / RATE for request in scripted.asr_requests]
    assert max(seconds) <= 28.05
    assert 6 <= len(seconds) <= 9
    assert most[0] == 2
    assert found[-1].end_s > 190


def test_a_failing_recogniser_ends_the_analysis(tmp_path: Path, scripted: ScriptedRiva, silero: Path) -> None:
    def answer(request: Any) -> Any:
        raise Refusal(grpc.StatusCode.INTERNAL, "out of order")

    scripted.on_recognise = answer
    spoken = [channel(1, tmp_path, *[sounds.speech()] * 20)]
    with pytest.raises(BackendError, match="out of order"):
        list(analyse.recording(CALL, spoken, scripted.recogniser(), scripted.classifier(), silero))
    assert scripted.calls["Recognize"] <= 4


def test_an_error_of_on_progress_ends_the_analysis(
    channels: list[Channel], scripted: ScriptedRiva, silero: Path
) -> None:
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(analyse.recording(CALL, channels, scripted.recogniser(), scripted.classifier(), silero, stop))
    assert "ClassifyText" not in scripted.calls


def test_a_live_call_gives_each_sentence_as_it_ends(scripted: ScriptedRiva) -> None:
    partials: list[tuple[int, str]] = []
    chunks = [[b"\0\0" * 16_000] * 4, [b"\0\0" * 16_000] * 2]
    found = list(
        analyse.live(
            CALL,
            chunks,
            scripted.recogniser(),
            scripted.classifier(),
            first_index=5,
            on_partial=lambda number, text: partials.append((number, text)),
        )
    )
    assert [sentence.index for sentence in found] == [5, 6, 7]
    assert sorted((s.channel, s.speaker, s.start_s) for s in found) == [
        (1, "agent", 0.0),
        (1, "agent", 2.0),
        (2, "customer", 0.0),
    ]
    assert {sentence.text for sentence in found} == {"Hello there."}
    assert found[0].recogniser == "online-model@8"
    assert found[0].sentiment is not None
    assert sorted(set(partials)) == [(1, "Hello"), (2, "Hello")]


def test_a_sentence_of_a_live_call_does_not_wait_for_the_next_one(scripted: ScriptedRiva) -> None:
    seen: list[str] = []

    def agent() -> Iterator[bytes]:
        yield b"\0\0" * 32_000
        while not seen:  # more audio comes only after the sentence has come out
            time.sleep(0.01)
            yield b""

    for sentence in analyse.live(CALL, [agent()], scripted.recogniser(), scripted.classifier()):
        seen.append(sentence.text)
    assert seen == ["Hello there."]


def test_one_utterance_may_hold_several_sentences(scripted: ScriptedRiva) -> None:
    def answers(requests: Iterator[Any]) -> Iterator[Any]:
        for _ in requests:
            pass
        yield final([("Yes.", 0.0, 0.4), ("I", 0.5, 0.6), ("see.", 0.6, 0.9)])

    scripted.on_stream = answers
    found = analyse.live(CALL, [[b"\0\0" * 16_000]], scripted.recogniser(), scripted.classifier())
    assert [(s.index, s.text) for s in found] == [(0, "Yes."), (1, "I see.")]


def test_an_error_on_one_channel_ends_the_live_call(scripted: ScriptedRiva) -> None:
    def cut() -> Iterator[bytes]:
        yield b"\0\0" * 1600
        raise InputError("the line was cut")

    def endless() -> Iterator[bytes]:
        while True:
            time.sleep(0.01)
            yield b"\0\0" * 160

    with pytest.raises(InputError, match="the line was cut"):
        list(analyse.live(CALL, [endless(), cut()], scripted.recogniser(), scripted.classifier()))
    assert scripted.stream_ended.wait(20)


def test_a_replay_keeps_the_pace_of_time_and_all_samples(tmp_path: Path) -> None:
    spoken = channel(1, tmp_path, sounds.speech(end_s=2))
    (play,) = analyse.realtime([spoken], speed=4.0)
    began = time.monotonic()
    chunks = list(play)
    assert time.monotonic() - began >= 0.5
    assert len(chunks) == 20
    assert b"".join(chunks) == sounds.speech(end_s=2).tobytes()
