"""What a spoken conversation tells whoever carries it: the values behind the messages of the assistant's socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.calls import Turn


@dataclass(frozen=True)
class Speech:
    """Somebody began (``on``) or ceased to speak."""

    on: bool


@dataclass(frozen=True)
class Hearing:
    """What is being said right now; the next one replaces it."""

    text: str


@dataclass(frozen=True)
class Understood:
    """An utterance as it was finally heard; a turn follows."""

    text: str


@dataclass(frozen=True)
class Answered:
    """A turn of the conversation: the opening, an answer, or a question into the silence."""

    turn: Turn


@dataclass(frozen=True)
class Saying:
    """Sentence ``sentence`` (from 0) of a turn's answer; its sound follows."""

    turn: int
    sentence: int
    text: str


@dataclass(frozen=True)
class Sound:
    """A piece of what is being said: 16-bit little-endian mono at ``tts.RATE_HZ``, 100 ms or less."""

    turn: int
    pcm: bytes


@dataclass(frozen=True)
class Said:
    """The answer of a turn has been sent to its end."""

    turn: int


@dataclass(frozen=True)
class Stopped:
    """The answer of a turn was broken off; sound that was sent and not yet played must be dropped."""

    turn: int


@dataclass(frozen=True)
class Latency:
    """Where the time of a turn went, in milliseconds; docs/gateway.md explains the stages."""

    turn: int
    stages: Mapping[str, float]


@dataclass(frozen=True)
class Failed:
    """Something does not work just now, in words for the person; the conversation goes on where it can."""

    message: str


@dataclass(frozen=True)
class Ended:
    """The conversation is over."""


Event = Speech | Hearing | Understood | Answered | Saying | Sound | Said | Stopped | Latency | Failed | Ended
