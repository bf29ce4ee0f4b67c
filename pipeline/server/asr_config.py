"""What a RecognitionConfig asks for, checked: audio, language, forms of the text, endpointing.

What this server cannot do and real Riva ignores where a model lacks it (diarization, custom_configuration,
runtime_config) is tolerated; GetRivaSpeechRecognitionConfig says what each model can do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from riva.client.proto.riva_audio_pb2 import AudioEncoding

from pipeline.calls import Word
from pipeline.server import boosting, text_forms
from pipeline.server.endpointing import Endpointing
from pipeline.server.guard import Refusal
from pipeline.server.heard import RecogniserCard
from pipeline.server.listening import AudioConfig
from pipeline.server.offline import MOST_ALTERNATIVES, Wish

_LONGEST_HISTORY_MS = 10_000
_MOST_PHRASES = 2_000
_LONGEST_PHRASE = 100  # characters
_USUAL_BOOST = 20.0  # where a context has phrases and no boost: the least that NVIDIA recommends


class Forms:
    """The ways in which a request wants its transcripts written, applied to texts and to words alike."""

    def __init__(self, config: Any) -> None:
        self.punctuated = bool(config.enable_automatic_punctuation)
        self._forms = [text_forms.spoken if config.verbatim_transcripts else text_forms.written]
        if config.profanity_filter:
            self._forms.append(text_forms.mask_profanity)
        if not self.punctuated:
            self._forms.append(text_forms.plain)

    def text(self, text: str) -> str:
        """``text`` in these forms, with a space at its end: clients put transcripts together without one."""
        for form in self._forms:
            text = form(text)
        return text + " " if text else ""

    def words(self, words: Sequence[Word]) -> Sequence[Word]:
        """``words`` in these forms; joined by spaces they read as the text."""
        for form in self._forms:
            words = form.words(words)
        return [word for word in words if word.text]


def audio(config: Any) -> AudioConfig:
    """What ``config`` says of the audio. Raises Refusal for an encoding that Riva does not have."""
    try:
        name = str(AudioEncoding.Name(config.encoding))
    except ValueError:
        raise Refusal(f"Error: unknown audio encoding {config.encoding}") from None
    encoding = "" if name == "ENCODING_UNSPECIFIED" else name
    return AudioConfig(encoding, config.sample_rate_hertz, config.audio_channel_count)


def language(config: Any, card: RecogniserCard) -> str:
    """The language of the audio as ISO 639-1, empty where a multilingual model shall find out.

    Raises Refusal, with Riva's text, for a language or a model that ``card`` does not stand for.
    """
    code = config.language_code
    base = code.partition("-")[0].lower()
    if config.model not in ("", card.name):
        raise Refusal(
            f"Error: Unavailable model requested. Model: {config.model}, Lang: {code or card.language_code}, "
            f"Type: {card.type}"
        )
    if len(card.languages) > 1 and base in ("", "multi"):
        return ""
    if base and base not in card.languages:
        raise Refusal(f"Error: Unavailable model requested. Lang: {code}, Type: {card.type}")
    return base or card.languages[0]


def wish(config: Any, card: RecogniserCard) -> Wish:
    """What ``config`` asks of the offline recogniser. Raises Refusal as language does."""
    if config.max_alternatives < 0:
        raise Refusal(f"Error: max_alternatives is {config.max_alternatives}; it cannot be below 0")
    phrases = [
        (" ".join(phrase.split())[:_LONGEST_PHRASE], context.boost or _USUAL_BOOST)
        for context in config.speech_contexts
        for phrase in context.phrases
    ]
    return Wish(
        language=language(config, card),
        words=config.enable_word_time_offsets,
        alternatives=min(max(1, config.max_alternatives), MOST_ALTERNATIVES),
        boosts=boosting.boosts(dict([(phrase, boost) for phrase, boost in phrases if phrase][:_MOST_PHRASES])),
    )


def endpointing(config: Any) -> Endpointing:
    """The endpointing of ``config``; what it leaves out keeps its default. Raises Refusal for values out of range."""
    given: dict[str, Any] = {}
    if config.HasField("endpointing_config"):
        sent = config.endpointing_config
        for name in ("start_history", "stop_history", "stop_history_eou"):
            if sent.HasField(name):
                given[name + "_ms"] = _within(name, getattr(sent, name), _LONGEST_HISTORY_MS)
        for name in ("start_threshold", "stop_threshold", "stop_threshold_eou"):
            if sent.HasField(name):
                given[name] = _within(name, getattr(sent, name), 1)
    return Endpointing(**given)


def _within(name: str, value: float, most: float) -> float:
    if not 0 <= value <= most:
        raise Refusal(f"Error: endpointing {name} is {value:g}; it must lie between 0 and {most}")
    return value
