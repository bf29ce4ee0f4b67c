"""Speech recognition through NVIDIA's own client, against the real server with its real models."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import grpc
import numpy as np
import pytest
import riva.client as riva
import riva.client.proto.riva_asr_pb2 as wire

from pipeline.server import text_forms
from tests.server.material import RATE_HZ, TIMES, WISDOM, Pcm, encoded, noise, reading, silence, wav

SPEECH = reading()
TWO = np.concatenate((silence(0.5), SPEECH, silence(1.2), reading(4.8, 6.5), silence(1.0)))
LARGE = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]


@pytest.fixture(scope="module")
def asr(speech_server: str) -> riva.ASRService:
    """NVIDIA's client, with messages of 64 MiB."""
    return riva.ASRService(riva.Auth(uri=speech_server, options=LARGE))


def config(**said: Any) -> wire.RecognitionConfig:
    return riva.RecognitionConfig(**{"language_code": "en-US", "enable_automatic_punctuation": True} | said)


def raw(**said: Any) -> wire.RecognitionConfig:
    return config(encoding=riva.AudioEncoding.LINEAR_PCM, sample_rate_hertz=RATE_HZ, **said)


def chunks(data: bytes, size: int = 3200) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def stream(
    asr: riva.ASRService, audio: Iterable[bytes], asked: wire.RecognitionConfig, *, interim: bool = False
) -> list[Any]:
    """All results of a stream."""
    streaming = riva.StreamingRecognitionConfig(config=asked, interim_results=interim)
    return [result for answer in asr.streaming_response_generator(audio, streaming) for result in answer.results]


def finals(results: Iterable[Any]) -> str:
    """The transcripts of the finals, put together as NVIDIA's clients do."""
    return "".join(result.alternatives[0].transcript for result in results if result.is_final)


def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def test_the_models_are_listed_with_what_nvidias_scripts_read(asr: riva.ASRService) -> None:
    answer = asr.stub.GetRivaSpeechRecognitionConfig(wire.RivaSpeechRecognitionConfigRequest())
    models = {found.model_name: found.parameters for found in answer.model_config}
    assert {name: (said["type"], said["language_code"]) for name, said in models.items()} == {
        "whisper-tiny.en": ("offline", "en-US"),
        "moonshine-tiny-en": ("online", "en-US"),
    }
    assert all(said["version"] for said in models.values())
    one = wire.RivaSpeechRecognitionConfigRequest(model_name="moonshine-tiny-en")
    assert [m.model_name for m in asr.stub.GetRivaSpeechRecognitionConfig(one).model_config] == ["moonshine-tiny-en"]
    none = wire.RivaSpeechRecognitionConfigRequest(model_name="parakeet")
    assert refusal(lambda: asr.stub.GetRivaSpeechRecognitionConfig(none))[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_a_recording_becomes_a_transcript_with_words_times_and_confidence(asr: riva.ASRService) -> None:
    (result,) = asr.offline_recognize(wav(SPEECH), config(enable_word_time_offsets=True)).results
    best = result.alternatives[0]
    assert text_forms.plain(best.transcript) == TIMES
    assert best.transcript.endswith(" ")
    assert 0.5 < best.confidence <= 1
    assert [text_forms.plain(word.word) for word in best.words] == TIMES.split()
    assert all(0 <= word.start_time <= word.end_time <= 3900 for word in best.words)
    assert all(one.start_time <= other.start_time for one, other in pairwise(best.words))
    assert all(0 < word.confidence <= 1 for word in best.words)
    assert 3 < result.audio_processed < 3.95


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 22_050, 48_000])
def test_a_file_of_any_rate_is_understood_with_nothing_said_of_it(asr: riva.ASRService, rate_hz: int) -> None:
    answer = asr.offline_recognize(wav(SPEECH, rate_hz), riva.RecognitionConfig())
    # Without automatic punctuation: lower case, no punctuation.
    assert answer.results[0].alternatives[0].transcript == TIMES + " "


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (SPEECH.tobytes(), {"encoding": riva.AudioEncoding.LINEAR_PCM, "sample_rate_hertz": 16_000}),
        (
            encoded(SPEECH, "mulaw", "pcm_mulaw", 8000),
            {"encoding": riva.AudioEncoding.MULAW, "sample_rate_hertz": 8000},
        ),
        (encoded(SPEECH, "alaw", "pcm_alaw", 8000), {"encoding": riva.AudioEncoding.ALAW, "sample_rate_hertz": 8000}),
        (encoded(SPEECH, "flac", "flac"), {"encoding": riva.AudioEncoding.FLAC}),
        (encoded(SPEECH, "ogg", "libopus", 48_000), {"encoding": riva.AudioEncoding.OGGOPUS}),
    ],
    ids=["headerless", "mu-law", "A-law", "flac", "opus"],
)
def test_every_encoding_is_understood_offline_and_streamed(
    asr: riva.ASRService, data: bytes, said: dict[str, Any]
) -> None:
    answer = asr.offline_recognize(data, config(**said))
    assert text_forms.plain(answer.results[0].alternatives[0].transcript) == TIMES
    assert text_forms.plain(finals(stream(asr, chunks(data, 800), config(**said)))) == TIMES


@pytest.mark.parametrize("pcm", [silence(3), noise(3)], ids=["silence", "noise"])
def test_where_nobody_speaks_the_transcript_is_empty(asr: riva.ASRService, pcm: Pcm) -> None:
    assert not asr.offline_recognize(wav(pcm), config()).results
    assert not stream(asr, chunks(wav(pcm)), config(), interim=True)


def test_alternatives_are_given_where_asked(asr: riva.ASRService) -> None:
    """Of clear speech there may be one; of what noise half drowns there are several, of different words."""
    (clear,) = asr.offline_recognize(wav(SPEECH), config(max_alternatives=3)).results
    assert text_forms.plain(clear.alternatives[0].transcript) == TIMES
    drowned = (SPEECH + 0.5 * noise(len(SPEECH) / RATE_HZ)[: len(SPEECH)]).astype(np.int16)
    (result,) = asr.offline_recognize(wav(drowned), config(max_alternatives=3)).results
    texts = [text_forms.plain(one.transcript) for one in result.alternatives]
    assert 2 <= len(texts) <= 3
    assert len(set(texts)) == len(texts)


def test_what_this_server_cannot_do_is_tolerated_as_riva_does(asr: riva.ASRService) -> None:
    asked = config(max_alternatives=1, profanity_filter=True)
    riva.add_word_boosting_to_config(asked, ["Dickens"], 20.0)
    riva.add_speaker_diarization_to_config(asked, True, 2)
    riva.add_custom_configuration_to_config(asked, "some.key:value,other:1")
    assert text_forms.plain(asr.offline_recognize(wav(SPEECH), asked).results[0].alternatives[0].transcript) == TIMES


def test_a_recording_of_30_mib_is_one_message(asr: riva.ASRService) -> None:
    # A quarter of an hour, nearly all of it silence, with speech at its very end.
    pcm = np.concatenate((silence(980), SPEECH))
    (result,) = asr.offline_recognize(wav(pcm), config(enable_word_time_offsets=True)).results
    assert text_forms.plain(result.alternatives[0].transcript) == TIMES
    assert 979_000 < result.alternatives[0].words[0].start_time < 981_000


def test_a_stream_gives_guesses_and_then_finals_as_the_words_are_spoken(asr: riva.ASRService) -> None:
    def live() -> Iterator[bytes]:
        for chunk in chunks(wav(TWO)):
            time.sleep(0.03)  # thrice as fast as speech; guesses are only made while words come in
            yield chunk

    results = stream(asr, live(), config(enable_word_time_offsets=True), interim=True)
    first, second = (result for result in results if result.is_final)
    assert text_forms.plain(first.alternatives[0].transcript) == TIMES
    assert text_forms.plain(second.alternatives[0].transcript) == WISDOM
    assert first.alternatives[0].transcript.endswith(" ")
    assert [text_forms.plain(word.word) for word in second.alternatives[0].words] == WISDOM.split()
    assert 400 < first.alternatives[0].words[0].start_time < 1000
    assert 5500 < second.alternatives[0].words[0].start_time < 6100
    assert first.audio_processed < second.audio_processed <= len(TWO) / RATE_HZ + 0.1
    guesses = [result for result in results if not result.is_final]
    assert guesses
    assert all(0 < guess.stability <= 1 and not guess.alternatives[0].words for guess in guesses)
    assert results[-1].is_final


def test_without_interim_results_there_are_only_finals(asr: riva.ASRService) -> None:
    results = stream(asr, chunks(wav(TWO)), config())
    assert [result.is_final for result in results] == [True, True]
    assert finals(stream(asr, chunks(TWO.tobytes()), raw(enable_automatic_punctuation=False))) == f"{TIMES} {WISDOM} "


def test_endpointing_parameters_decide_what_one_utterance_is(asr: riva.ASRService) -> None:
    asked = config()
    riva.add_endpoint_parameters_to_config(asked, -1, -1.0, 2500, 2000, 1.0, 1.0)
    (only,) = stream(asr, chunks(wav(TWO)), asked)
    assert text_forms.plain(only.alternatives[0].transcript).startswith(TIMES)


def test_the_request_id_comes_back_in_every_answer(asr: riva.ASRService) -> None:
    request = wire.RecognizeRequest(config=config(), audio=wav(SPEECH))
    assert not asr.stub.Recognize(request).HasField("id")
    request.id.value = "call 7"
    assert asr.stub.Recognize(request).id.value == "call 7"
    streaming = riva.StreamingRecognitionConfig(config=config())
    opening = wire.StreamingRecognizeRequest(streaming_config=streaming)
    opening.id.value = "stream 8"
    audio = wire.StreamingRecognizeRequest(audio_content=wav(TWO), runtime_config={"unknown": "tolerated"})
    assert {answer.id.value for answer in asr.stub.StreamingRecognize(iter([opening, audio]))} == {"stream 8"}


def test_metadata_that_arrives_twice_is_tolerated(asr: riva.ASRService) -> None:
    request = wire.RecognizeRequest(config=config(), audio=wav(silence(0.2)))
    assert asr.stub.Recognize(request, metadata=[("authorization", "Bearer x"), ("authorization", "Bearer x")])


@pytest.mark.parametrize(
    ("data", "asked", "text"),
    [
        (wav(SPEECH), config(language_code="ru-RU"), "Unavailable model requested. Lang: ru-RU, Type: offline"),
        (wav(SPEECH), config(model="moonshine-tiny-en"), "Model: moonshine-tiny-en, Lang: en-US, Type: offline"),
        (wav(SPEECH, layout="stereo"), config(), "2 channels; .*split the channels"),
        (SPEECH.tobytes(), raw(audio_channel_count=2), "2 channels"),
        (wav(SPEECH), config(encoding=riva.AudioEncoding.MULAW), "config format doesn't match with header format"),
        (noise(1).tobytes(), riva.RecognitionConfig(), "no WAV, FLAC or Ogg Opus header"),
        (noise(1).tobytes(), config(encoding=riva.AudioEncoding.FLAC), "config format doesn't match"),
        (b"", config(), "holds no audio"),
    ],
)
def test_what_cannot_be_recognised_is_an_invalid_argument(
    asr: riva.ASRService, data: bytes, asked: wire.RecognitionConfig, text: str
) -> None:
    code, details = refusal(lambda: asr.offline_recognize(data, asked))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("Error: ")
    assert re.search(text, details)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (config(language_code="ru-RU"), "Error: Unavailable model requested. Lang: ru-RU, Type: online"),
        (
            config(model="whisper-tiny.en"),
            "Error: Unavailable model requested. Model: whisper-tiny.en, Lang: en-US, Type: online",
        ),
    ],
)
def test_a_stream_is_for_the_online_model_only(asr: riva.ASRService, asked: wire.RecognitionConfig, text: str) -> None:
    found = refusal(lambda: stream(asr, chunks(wav(SPEECH)), asked))
    assert found == (grpc.StatusCode.INVALID_ARGUMENT, text)


def test_a_stream_that_breaks_the_order_of_messages_is_refused(asr: riva.ASRService) -> None:
    audio = wire.StreamingRecognizeRequest(audio_content=wav(SPEECH))
    opening = wire.StreamingRecognizeRequest(streaming_config=riva.StreamingRecognitionConfig(config=config()))
    for messages, text in (
        ([audio], "the first message of a stream must be streaming_config"),
        ([], "the first message of a stream must be streaming_config"),
        ([opening, opening], "may only be the first message"),
    ):
        sent = iter(messages)
        code, details = refusal(lambda sent=sent: list(asr.stub.StreamingRecognize(sent)))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert text in details


def test_what_was_said_before_a_stream_breaks_is_still_told(asr: riva.ASRService) -> None:
    opening = wire.StreamingRecognizeRequest(streaming_config=riva.StreamingRecognitionConfig(config=config()))
    audio = wire.StreamingRecognizeRequest(audio_content=wav(TWO))
    answers = asr.stub.StreamingRecognize(iter([opening, audio, opening]))
    assert text_forms.plain(next(answers).results[0].alternatives[0].transcript) == TIMES
    code, _ = refusal(lambda: list(answers))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


def test_open_streams_never_block_a_unary_call(asr: riva.ASRService) -> None:
    done = threading.Event()

    def silent() -> Iterator[bytes]:
        yield TWO.tobytes()[:3200]
        done.wait(60)

    results: list[list[Any]] = [[] for _ in range(20)]
    threads = [threading.Thread(target=lambda into=into: into.extend(stream(asr, silent(), raw()))) for into in results]
    for thread in threads:
        thread.start()
    try:
        # Were a thread of the server held by each stream, this would wait until they end.
        answer = asr.offline_recognize(wav(SPEECH), config())
        assert text_forms.plain(answer.results[0].alternatives[0].transcript) == TIMES
        assert all(thread.is_alive() for thread in threads)
    finally:
        done.set()
        for thread in threads:
            thread.join(60)


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(asr: riva.ASRService) -> None:
    opening = wire.StreamingRecognizeRequest(streaming_config=riva.StreamingRecognitionConfig(config=raw()))
    for _ in range(5):
        gate = threading.Event()

        def sent(gate: threading.Event = gate) -> Iterator[Any]:
            yield opening
            yield wire.StreamingRecognizeRequest(audio_content=SPEECH.tobytes())
            gate.wait(60)

        call = asr.stub.StreamingRecognize(sent())
        call.cancel()
        gate.set()
    assert text_forms.plain(finals(stream(asr, chunks(wav(SPEECH)), config()))) == TIMES


def test_many_streams_at_once_are_all_served(asr: riva.ASRService) -> None:
    found: list[str] = []
    data = wav(SPEECH)
    threads = [
        threading.Thread(target=lambda: found.append(finals(stream(asr, chunks(data), config())))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [text_forms.plain(text) for text in found] == [TIMES] * 6
