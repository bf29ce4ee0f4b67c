"""NVIDIA's client against RivaSpeechSynthesis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import jiwer
import numpy as np
import pytest
import riva.client
import riva.client.proto.riva_asr_pb2 as asr
import riva.client.proto.riva_tts_pb2 as wire
from riva.client.proto.riva_audio_pb2 import AudioEncoding
from whisper_normalizer.english import EnglishTextNormalizer

from pipeline.server.speech import Voice, find_voice
from pipeline.settings import DATA
from tests.server.voices import kill_pipers, speaking

TEXT = "Thank you for calling, your order will arrive on Thursday between nine and eleven in the morning. Goodbye!"


def _client(uri: str) -> riva.client.SpeechSynthesisService:
    return riva.client.SpeechSynthesisService(riva.client.Auth(uri=uri))


def _request(text: str, **fields: Any) -> wire.SynthesizeSpeechRequest:
    return wire.SynthesizeSpeechRequest(text=text, **{"language_code": "en-US", "sample_rate_hz": 22_050, **fields})


@pytest.fixture(scope="module")
def voice() -> Iterator[Voice]:
    found = find_voice(DATA / "models")
    assert found is not None
    yield found
    found.close()


@pytest.fixture(scope="module")
def server(voice: Voice) -> Iterator[str]:
    with speaking(voice) as uri:
        yield uri


@pytest.fixture(scope="module")
def tts(server: str) -> riva.client.SpeechSynthesisService:
    return _client(server)


def test_the_config_holds_what_nvidias_scripts_read(tts: riva.client.SpeechSynthesisService) -> None:
    (config,) = tts.stub.GetRivaSynthesisConfig(wire.RivaSynthesisConfigRequest()).model_config
    assert config.parameters["language_code"] == "en-US"
    names = [
        f"{config.parameters['voice_name']}.{sub.split(':')[0]}" for sub in config.parameters["subvoices"].split(",")
    ]
    assert names == ["English-US.Joe"]
    same = tts.stub.GetRivaSynthesisConfig(wire.RivaSynthesisConfigRequest(model_name=config.model_name))
    assert list(same.model_config) == [config]
    with pytest.raises(grpc.RpcError) as caught:
        tts.stub.GetRivaSynthesisConfig(wire.RivaSynthesisConfigRequest(model_name="other"))
    assert "Model: other" in caught.value.details()


@pytest.mark.parametrize("name", [None, "English-US", "English-US.Joe"])
def test_the_voice_may_be_named_in_each_way(tts: riva.client.SpeechSynthesisService, name: str | None) -> None:
    assert len(tts.synthesize("Sure.", name).audio) > 20_000


def test_streamed_speech_is_the_same_bytes_as_the_whole(tts: riva.client.SpeechSynthesisService) -> None:
    for encoding, rate_hz in ((AudioEncoding.LINEAR_PCM, 44_100), (AudioEncoding.OGGOPUS, 48_000)):
        kind = {"encoding": encoding, "sample_rate_hz": rate_hz}
        pieces = [answer.audio for answer in tts.synthesize_online(TEXT, **kind)]
        assert len(pieces) >= 3, "a first clause, the rest of its sentence, another sentence"
        assert b"".join(pieces) == tts.synthesize(TEXT, **kind).audio


def test_the_first_piece_is_short(tts: riva.client.SpeechSynthesisService) -> None:
    pieces = [len(answer.audio) for answer in tts.synthesize_online(TEXT)]
    assert pieces[0] < sum(pieces) / 3


def test_several_texts_of_a_stream_are_one_recording(tts: riva.client.SpeechSynthesisService) -> None:
    answers = list(tts.synthesize_online(["Sure.", "", "Of course."], enable_word_time_offsets=True))
    assert [answer.meta.processed_text for answer in answers] == ["Sure.", "Of course."]
    first, second = (tts.synthesize(text).audio for text in ("Sure.", "Of course."))
    assert b"".join(answer.audio for answer in answers) == first + second
    assert answers[1].meta.words[0].start_time >= 1000 * len(first) / 2 / 22_050


def test_metadata_and_id(tts: riva.client.SpeechSynthesisService) -> None:
    request = _request("It is $5.", enable_word_time_offsets=True)
    request.id.value = "one"
    answer = tts.stub.Synthesize(request)
    assert answer.id.value == "one"
    assert (answer.meta.text, answer.meta.processed_text) == ("It is $5.", "It is five dollars.")
    duration_s = len(answer.audio) / 2 / 22_050
    assert [word.word for word in answer.meta.words] == ["It", "is", "five", "dollars."]
    assert all(
        before.end_time <= after.start_time
        for before, after in zip(answer.meta.words, answer.meta.words[1:], strict=False)
    )
    assert answer.meta.words[-1].end_time < duration_s * 1000
    assert len(answer.meta.predicted_durations) == 4
    assert 0.5 * duration_s < sum(answer.meta.predicted_durations) < duration_s
    assert not tts.synthesize("Sure.").meta.words


def test_ssml_and_dictionary_are_heard(tts: riva.client.SpeechSynthesisService) -> None:
    plain = len(tts.synthesize("Good morning.").audio)
    assert len(tts.synthesize("<speak>Good morning.<break time='1s'/></speak>").audio) == plain + 2 * 22_050
    slow = tts.synthesize("<speak><prosody rate='50%'>Good morning.</prosody></speak>").audio
    assert len(slow) == pytest.approx(2 * plain, rel=0.05)
    assert tts.synthesize("Hi Joe.", custom_dictionary={"joe": "Joseph"}).audio == tts.synthesize("Hi Joseph.").audio


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"text": ""}, "INVALID_ARGUMENT", "the text is empty"),
        ({"text": "😀 …"}, "INVALID_ARGUMENT", "nothing that can be spoken"),
        ({"text": "<speak>a"}, "INVALID_ARGUMENT", "not well-formed"),
        ({"text": "x" * 60_000}, "INVALID_ARGUMENT", "send it in parts"),
        ({"sample_rate_hz": 2}, "INVALID_ARGUMENT", "Invalid sample rate 2 Hz"),
        ({"encoding": 9}, "INVALID_ARGUMENT", "Unsupported audio encoding 9"),
        ({"custom_dictionary": "word"}, "INVALID_ARGUMENT", "two spaces"),
        ({"zero_shot_data": wire.ZeroShotData(audio_prompt=b"x")}, "INVALID_ARGUMENT", "does not copy voices"),
        (
            {"voice_name": "foo"},
            "INVALID_ARGUMENT",
            "Model is not available on server: Voice foo for language en-US not found. "
            "Please specify the voice name in your SynthesizeSpeechRequest.",
        ),
        ({"language_code": "ru-RU"}, "INVALID_ARGUMENT", "Voice  for language ru-RU not found."),
    ],
)
def test_bad_requests_are_refused_alike_by_both_calls(
    tts: riva.client.SpeechSynthesisService, fields: dict[str, Any], code: str, says: str
) -> None:
    request = _request(**{"text": "Sure.", **fields})
    for call in (lambda: tts.stub.Synthesize(request), lambda: list(tts.stub.SynthesizeOnline(iter([request])))):
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert caught.value.code().name == code
        assert says in caught.value.details()


def test_a_stream_keeps_its_encoding_and_an_empty_stream_is_refused(tts: riva.client.SpeechSynthesisService) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(tts.stub.SynthesizeOnline(iter([_request("Sure."), _request("Sure.", sample_rate_hz=8_000)])))
    assert "cannot change" in caught.value.details()
    with pytest.raises(grpc.RpcError) as caught:
        list(tts.stub.SynthesizeOnline(iter([])))
    assert "empty" in caught.value.details()


def test_clients_at_once_get_their_own_answers(server: str, tts: riva.client.SpeechSynthesisService) -> None:
    texts = ["One.", "Two, three.", "Good morning to you.", "No."]
    alone = [tts.synthesize(text).audio for text in texts]

    def ask(number: int) -> bool:
        text = texts[number % 4]
        client = _client(server)
        answers = client.synthesize_online(text) if number % 2 else [client.synthesize(text)]
        return bool(b"".join(answer.audio for answer in answers) == alone[number % 4])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))


def test_a_killed_voice_is_back_for_the_next_request(tts: riva.client.SpeechSynthesisService) -> None:
    before = tts.synthesize("Sure.").audio
    assert kill_pipers() == 1
    assert tts.synthesize("Sure.").audio == before


def test_a_client_that_leaves_makes_way(tts: riva.client.SpeechSynthesisService) -> None:
    answers = tts.synthesize_online("This sentence is said again. " * 50)
    next(answers)
    answers.cancel()
    assert len(tts.synthesize("Sure.").audio) > 20_000


def test_a_full_server_refuses_at_once(voice: Voice) -> None:
    with speaking(voice, requests=1) as uri:
        client = _client(uri)
        first = client.synthesize_online("This sentence is said again. " * 50)
        next(first)
        with pytest.raises(grpc.RpcError) as caught:
            client.synthesize("Sure.")
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "OVERTONE_SERVE_QUEUE" in caught.value.details()
        first.cancel()


def test_an_open_stream_without_text_takes_no_place(voice: Voice) -> None:
    with speaking(voice, requests=1) as uri:
        client = _client(uri)
        done = threading.Event()

        def later() -> Iterator[wire.SynthesizeSpeechRequest]:
            done.wait(60)
            yield _request("Sure.")

        answers = client.stub.SynthesizeOnline(later())
        assert len(client.synthesize("Sure.").audio) > 20_000
        done.set()
        assert len(b"".join(answer.audio for answer in answers)) > 20_000


def test_a_server_without_a_voice_says_what_to_install() -> None:
    with speaking(None) as uri:
        client = _client(uri)
        assert not client.stub.GetRivaSynthesisConfig(wire.RivaSynthesisConfigRequest()).model_config
        with pytest.raises(grpc.RpcError) as caught:
            client.synthesize("Sure.")
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "pip install 'overtone[tts]'" in caught.value.details()


def test_our_recogniser_understands_our_voice(speech_server: str) -> None:
    auth = riva.client.Auth(uri=speech_server, options=[("grpc.max_receive_message_length", 64 << 20)])
    said = "We have checked your account, and the refund will be on your next statement in about two weeks."
    audio = riva.client.SpeechSynthesisService(auth).synthesize(said, sample_rate_hz=16_000).audio
    assert len(np.frombuffer(audio, np.int16)) > 3 * 16_000
    config = asr.RecognitionConfig(encoding=AudioEncoding.LINEAR_PCM, sample_rate_hertz=16_000, language_code="en-US")
    heard = riva.client.ASRService(auth).offline_recognize(audio, config)
    text = " ".join(result.alternatives[0].transcript for result in heard.results)
    normal = EnglishTextNormalizer()
    assert jiwer.wer(normal(said), normal(text)) <= 0.1
