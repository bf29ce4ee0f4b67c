from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.asr import Endpointing, Final, Partial, timed
from pipeline.calls import Word
from pipeline.errors import BackendError, CapabilityAbsent, InputError
from tests.pipeline.scripted_riva import Refusal, ScriptedRiva, final, partial, recognised

SECOND = b"\0\0" * 16_000


def spans(words: list[Word] | tuple[Word, ...]) -> list[tuple[str, float, float]]:
    return [(word.text, round(word.start_s, 3), round(word.end_s, 3)) for word in words]


def test_milliseconds_become_seconds_and_the_model_is_named(scripted: ScriptedRiva) -> None:
    found = scripted.recogniser().recognise(SECOND)
    assert spans(found.words) == [("Hello", 0.0, 0.4), ("there.", 0.5, 0.9)]
    assert found.words[0].confidence == pytest.approx(0.9)
    assert found.transcript == "Hello there."
    assert found.confidence == pytest.approx(0.9)
    assert found.model == "offline-model@7"


def test_the_request_asks_for_times_and_punctuation(scripted: ScriptedRiva) -> None:
    scripted.recogniser(language="en-GB", model="offline-model").recognise(SECOND)
    config = scripted.asr_requests[0].config
    assert config.enable_word_time_offsets
    assert config.enable_automatic_punctuation
    assert (config.sample_rate_hertz, config.audio_channel_count) == (16_000, 1)
    assert (config.language_code, config.model) == ("en-GB", "offline-model")
    assert scripted.asr_requests[0].audio == SECOND


def test_silence_is_no_words(scripted: ScriptedRiva) -> None:
    scripted.on_recognise = lambda request: recognised([])
    found = scripted.recogniser().recognise(SECOND)
    assert (found.words, found.transcript) == ((), "")


def test_a_server_without_word_times_gets_them_by_length(scripted: ScriptedRiva) -> None:
    answer = recognised([("Good", 0.0, 0.0), ("morning", 0.0, 0.0)])
    del answer.results[0].alternatives[0].words[:]
    scripted.on_recognise = lambda request: answer
    assert spans(scripted.recogniser().recognise(SECOND * 2).words) == [("Good", 0.0, 0.769), ("morning", 0.769, 2.0)]


def test_a_server_without_a_list_of_models_still_recognises(scripted: ScriptedRiva) -> None:
    def absent(*_: Any) -> Any:
        raise Refusal(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")

    scripted.asr_models = _Raising(absent)  # type: ignore[assignment]  # iterating it refuses the call
    assert scripted.recogniser().recognise(SECOND).model == "riva-offline"
    assert scripted.recogniser(model="whisper-nim").recognise(SECOND).model == "whisper-nim"


class _Raising:
    def __init__(self, act: Any) -> None:
        self.act = act

    def __iter__(self) -> Iterator[Any]:
        return iter(self.act())


def test_more_audio_than_a_message_may_hold_is_refused_before_it_is_sent(scripted: ScriptedRiva) -> None:
    with pytest.raises(InputError, match="2097 s of audio"):
        scripted.recogniser().recognise(bytes(64 << 20))
    assert "Recognize" not in scripted.calls


@pytest.mark.parametrize(
    ("transcript", "words", "expected"),
    [
        # Numbers written out: what does not match shares the time of what it stands for.
        (
            "35% of it.",
            [("thirty", 0.0, 0.5), ("five", 0.5, 1.0), ("percent", 1.0, 1.5), ("of", 1.5, 2.0), ("it", 2.0, 2.5)],
            [("35%", 0.0, 1.5), ("of", 1.5, 2.0), ("it.", 2.0, 2.5)],
        ),
        ("Hello, you!", [("hello", 1.0, 1.5), ("you", 2.0, 2.5)], [("Hello,", 1.0, 1.5), ("you!", 2.0, 2.5)]),
        ("a new word", [("a", 0.0, 1.0), ("word", 2.0, 3.0)], [("a", 0.0, 1.0), ("new", 1.0, 2.0), ("word", 2.0, 3.0)]),
        ("end there now", [("end", 0.0, 1.0)], [("end", 0.0, 1.0), ("there", 1.0, 1.0), ("now", 1.0, 1.0)]),
        ("", [("kept", 0.0, 1.0)], [("kept", 0.0, 1.0)]),
    ],
)
def test_the_transcripts_writing_gets_the_words_times(
    transcript: str, words: list[tuple[str, float, float]], expected: list[tuple[str, float, float]]
) -> None:
    assert spans(timed(transcript, [Word(*word) for word in words], 0.0, 9.0)) == expected


@given(
    st.lists(st.sampled_from(["a", "b", "c", "dd", "e5", "-"]), max_size=20),
    st.lists(st.sampled_from(["a", "b", "dd", "x"]), max_size=20),
)
def test_every_word_of_the_transcript_gets_a_time_and_times_never_go_back(written: list[str], said: list[str]) -> None:
    words = [Word(text, float(n), n + 0.5) for n, text in enumerate(said)]
    found = timed(" ".join(written), words, 0.0, 30.0)
    if written:
        assert [word.text for word in found] == written
    assert all(word.start_s <= word.end_s for word in found)
    assert all(a.start_s <= b.start_s for a, b in itertools.pairwise(found))


def test_a_stream_gives_partials_and_finals_in_order(scripted: ScriptedRiva) -> None:
    events = list(scripted.recogniser().stream([SECOND] * 4))
    assert [type(event) for event in events] == [Partial, Final, Partial, Final]
    assert events[0] == Partial("Hello", 0.5)
    last = events[-1]
    assert isinstance(last, Final)
    assert (last.transcript, last.start_s, last.end_s, last.model) == ("Hello there.", 2.0, 3.0, "online-model@8")


def test_a_stream_says_when_speech_counts_as_ended(scripted: ScriptedRiva) -> None:
    wanted = Endpointing(stop_history_ms=900, stop_history_eou_ms=200, start_threshold=0.4)
    asked: list[Any] = []

    def answers(requests: Iterator[Any]) -> Iterator[Any]:
        asked.extend(requests)
        yield from ()

    scripted.on_stream = answers
    assert list(scripted.recogniser().stream([SECOND], endpointing=wanted)) == []
    sent = asked[0].streaming_config.config.endpointing_config
    assert (sent.stop_history, sent.stop_history_eou) == (900, 200)
    assert sent.start_threshold == pytest.approx(0.4)
    assert not sent.HasField("start_history")
    assert not sent.HasField("stop_threshold")


def test_finals_without_word_times_are_placed_before_the_audio_that_was_processed(scripted: ScriptedRiva) -> None:
    def answers(requests: Iterator[Any]) -> Iterator[Any]:
        for _ in requests:
            pass
        for end_s in (5.0, 5.5):
            answer = final([("Good", 0.0, 0.0), ("morning", 0.0, 0.0)], processed_s=end_s)
            del answer.results[0].alternatives[0].words[:]
            yield answer

    scripted.on_stream = answers
    first, second = scripted.recogniser().stream([SECOND] * 6)
    assert isinstance(first, Final)
    assert isinstance(second, Final)
    assert first.end_s == 5.0
    assert 4.0 < first.start_s < 4.3
    assert (second.start_s, second.end_s) == (5.0, 5.5)


def test_a_stream_that_breaks_goes_on_where_it_was(scripted: ScriptedRiva) -> None:
    received: list[float] = []

    def answers(requests: Iterator[Any]) -> Iterator[Any]:
        next(requests)
        first = not received
        seconds = 0.0
        for request in requests:
            seconds += len(request.audio_content) / 32_000
            if seconds == 2:
                yield final([("Before.", 0.2, 1.0), ("Done.", 1.2, 2.0)] if first else [("After.", 0.5, 1.5)])
            if seconds == 3 and first:
                received.append(seconds)
                raise Refusal(grpc.StatusCode.UNAVAILABLE, "restarting")
        received.append(seconds)

    scripted.on_stream = answers
    events = list(scripted.recogniser().stream([SECOND] * 8, interim=False))
    assert [(event.transcript, event.start_s) for event in events if isinstance(event, Final)] == [
        ("Before. Done.", 0.2),
        ("After.", 2.5),
    ]
    assert received == [3.0, 6.0]  # the two recognised seconds were not sent again, the others were
    assert scripted.calls["StreamingRecognize"] == 2


def test_a_stream_to_a_server_without_one_fails_at_once(scripted: ScriptedRiva) -> None:
    def answers(requests: Iterator[Any]) -> Iterator[Any]:
        raise Refusal(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")

    scripted.on_stream = answers
    with pytest.raises(CapabilityAbsent, match=r"recogniser \(online, en-US\)"):
        list(scripted.recogniser().stream([SECOND]))


def test_a_stream_whose_server_stays_away_ends_with_an_error(scripted: ScriptedRiva) -> None:
    def answers(requests: Iterator[Any]) -> Iterator[Any]:
        raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")

    scripted.on_stream = answers
    with pytest.raises(BackendError, match="overloaded"):
        list(scripted.recogniser(patience_s=0.3).stream([SECOND]))
    assert scripted.calls["StreamingRecognize"] > 1


def test_an_error_of_the_audio_comes_out_of_the_stream(scripted: ScriptedRiva) -> None:
    def chunks() -> Iterator[bytes]:
        yield SECOND
        raise InputError("the line was cut")

    with pytest.raises(InputError, match="the line was cut"):
        list(scripted.recogniser().stream(chunks()))


def test_closing_a_stream_lets_go_of_the_server(scripted: ScriptedRiva) -> None:
    def answers(requests: Iterator[Any]) -> Iterator[Any]:
        yield partial("Hello")
        for _ in requests:
            yield partial("Hello")

    def endless() -> Iterator[bytes]:
        while not scripted.stream_ended.wait(0.01):
            yield b"\0\0" * 160

    scripted.on_stream = answers
    stream = scripted.recogniser().stream(endless())
    assert next(stream) == Partial("Hello", 0.5)
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    assert scripted.stream_ended.wait(20)
