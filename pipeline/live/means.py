"""What a spoken conversation needs from outside: the speech services, and somewhere to run what blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipeline.asr import Recogniser
from pipeline.backends import Backends
from pipeline.tts import Speaker


@dataclass(frozen=True)
class Means:
    """What a spoken conversation needs, shared by all of them."""

    recogniser: Recogniser
    speaker: Speaker
    vad: Path  # Silero's weights
    voice: str = ""  # Riva name; empty: the server's choice

    @classmethod
    def of(cls, backends: Backends) -> Means:
        """The means that the settings choose. Raises BackendError, ConfigError."""
        return cls(backends.recogniser, backends.speaker, backends.voice_activity, backends.settings.voice)


class Run(Protocol):
    """Runs what blocks, away from the event loop: ``asyncio.to_thread``, or a gateway's own threads."""

    def __call__(self, function: Callable[..., Any], /, *arguments: Any) -> Awaitable[Any]: ...
