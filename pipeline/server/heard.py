"""What a recogniser heard, whichever engine it is, and what Riva needs to know of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.calls import Word


@dataclass(frozen=True)
class Heard:
    """The words of one stretch of speech, cased and punctuated; times in seconds from the start of the audio."""

    text: str
    end_s: float  # up to where the audio has been dealt with
    confidence: float = 0.0  # 0..1; 0, as in Riva, where the engine has none
    words: tuple[Word, ...] = ()  # only where asked
    alternatives: tuple[Alternative, ...] = ()  # further guesses, best first


@dataclass(frozen=True)
class Alternative:
    """Another guess at the same speech."""

    text: str
    confidence: float


@dataclass(frozen=True)
class RecogniserCard:
    """How a recogniser presents itself in GetRivaSpeechRecognitionConfig."""

    name: str
    type: str  # offline | online
    languages: tuple[str, ...]  # ISO 639-1, lower case; more than one: a multilingual model
    version: str
    parameters: Mapping[str, str]  # further rows of the answer

    @property
    def language_code(self) -> str:
        """The language as Riva's scripts list it: ``en-US``, or ``multi`` for a multilingual model."""
        return "multi" if len(self.languages) > 1 else {"en": "en-US"}.get(self.languages[0], self.languages[0])
