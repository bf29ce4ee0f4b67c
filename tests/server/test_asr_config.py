"""What a RecognitionConfig asks for, and how what it cannot have is refused."""

from __future__ import annotations

import pytest
import riva.client as riva
import riva.client.proto.riva_asr_pb2 as wire

from pipeline.calls import Word
from pipeline.server import asr_config
from pipeline.server.asr_config import Forms
from pipeline.server.endpointing import Endpointing
from pipeline.server.guard import Refusal
from pipeline.server.heard import RecogniserCard
from pipeline.server.listening import AudioConfig

ENGLISH = RecogniserCard("whisper-tiny.en", "offline", ("en",), "1", {})
MANY = RecogniserCard("whisper-small", "offline", ("en", "de", "pt"), "1", {})


@pytest.mark.parametrize("code", ["", "en-US", "en", "EN-us", "en-GB"])
def test_english_in_every_spelling_is_english(code: str) -> None:
    assert asr_config.language(riva.RecognitionConfig(language_code=code), ENGLISH) == "en"


@pytest.mark.parametrize(
    ("code", "expected"), [("", ""), ("multi", ""), ("de-DE", "de"), ("pt-BR", "pt"), ("en-US", "en")]
)
def test_a_multilingual_model_takes_a_language_or_finds_it_out(code: str, expected: str) -> None:
    assert asr_config.language(riva.RecognitionConfig(language_code=code), MANY) == expected
    assert MANY.language_code == "multi"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            riva.RecognitionConfig(language_code="ru-RU"),
            "Error: Unavailable model requested. Lang: ru-RU, Type: offline",
        ),
        (
            riva.RecognitionConfig(language_code="multi"),
            "Error: Unavailable model requested. Lang: multi, Type: offline",
        ),
        (
            riva.RecognitionConfig(model="parakeet"),
            "Error: Unavailable model requested. Model: parakeet, Lang: en-US, Type: offline",
        ),
    ],
)
def test_what_is_not_here_is_refused_with_rivas_text(config: wire.RecognitionConfig, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        asr_config.language(config, ENGLISH)
    assert str(caught.value) == text


def test_the_audio_is_named_as_riva_names_it() -> None:
    config = riva.RecognitionConfig(encoding=riva.AudioEncoding.MULAW, sample_rate_hertz=8000, audio_channel_count=1)
    assert asr_config.audio(config) == AudioConfig("MULAW", 8000, 1)
    assert asr_config.audio(riva.RecognitionConfig()) == AudioConfig("", 0, 0)
    with pytest.raises(Refusal, match="unknown audio encoding 77"):
        asr_config.audio(riva.RecognitionConfig(encoding=77))


def test_a_wish_holds_words_alternatives_and_phrases_within_bounds() -> None:
    config = riva.RecognitionConfig(max_alternatives=50, enable_word_time_offsets=True)
    riva.add_word_boosting_to_config(config, ["Larkfield", " ", "Halden Bank"], 20.0)
    riva.add_word_boosting_to_config(config, ["Oslo"], 400.0)
    riva.add_word_boosting_to_config(config, ["no"], -30.0)
    config.speech_contexts.append(wire.SpeechContext(phrases=["plain"]))
    wish = asr_config.wish(config, ENGLISH)
    assert (wish.language, wish.words, wish.alternatives) == ("en", True, 5)
    assert wish.boosts.nats == {"Larkfield": 2.0, "Halden Bank": 2.0, "Oslo": 10.0, "no": -3.0, "plain": 2.0}
    assert asr_config.wish(riva.RecognitionConfig(), ENGLISH).alternatives == 1
    with pytest.raises(Refusal, match="max_alternatives is -1"):
        asr_config.wish(riva.RecognitionConfig(max_alternatives=-1), ENGLISH)


def test_endpointing_takes_what_is_sent_and_keeps_the_rest() -> None:
    config = riva.RecognitionConfig()
    assert asr_config.endpointing(config) == Endpointing()
    riva.add_endpoint_parameters_to_config(config, 300, 0.25, 800, 400, 0.5, -1)
    assert asr_config.endpointing(config) == Endpointing(
        start_history_ms=300,
        start_threshold=0.25,
        stop_history_ms=800,
        stop_threshold=0.5,
        stop_history_eou_ms=400,
    )


@pytest.mark.parametrize(("name", "value"), [("stop_history", -5), ("stop_history", 60_000), ("start_threshold", 1.5)])
def test_endpointing_out_of_range_is_refused(name: str, value: float) -> None:
    config = riva.RecognitionConfig(endpointing_config=wire.EndpointingConfig(**{name: value}))
    with pytest.raises(Refusal, match=f"endpointing {name}"):
        asr_config.endpointing(config)


def test_the_forms_of_a_transcript() -> None:
    text = "Thirty-five percent, you say? That's shit."
    every = {"enable_automatic_punctuation": True, "verbatim_transcripts": True}
    assert Forms(riva.RecognitionConfig(**every)).text(text) == text + " "
    assert Forms(riva.RecognitionConfig(**every, profanity_filter=True)).text(text).endswith("That's s***. ")
    bare = Forms(riva.RecognitionConfig(verbatim_transcripts=True)).text(text)
    assert bare == "thirty five percent you say that's shit "
    assert "35" in Forms(riva.RecognitionConfig()).text(text)
    assert Forms(riva.RecognitionConfig()).text("") == ""


def test_words_read_as_the_text_does() -> None:
    texts = ("It", "is", "twenty", "five", "percent,", "is", "it?")
    said = [Word(word, i, i + 1.0, 0.5) for i, word in enumerate(texts)]
    for options in ({}, {"verbatim_transcripts": True}, {"enable_automatic_punctuation": True}):
        forms = Forms(riva.RecognitionConfig(**options))
        words = forms.words(said)
        assert " ".join(word.text for word in words) + " " == forms.text(" ".join(word.text for word in said))
        assert words[-1].end_s == said[-1].end_s
