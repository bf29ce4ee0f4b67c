"""What a spoken conversation needs from outside: the speech services, and somewhere to run what blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from pipeline.asr import Recogniser
from pipeline.backends import Backends
from pipeline.live.rereading import Rereader
from pipeline.tts import Speaker


@dataclass(frozen=True)
class Means:
    """What a spoken conversation needs, shared by all of them."""

    recogniser: Recogniser
    speaker: Speaker
    vad: Path  # Silero's weights
    voice: str = ""  # Riva name; empty: the server's choice
    crowded: Callable[[], bool] = lambda: False  # whether there is no time for second opinions

    @cached_property
    def rereader(self) -> Rereader:
        """The second opinion on what was not understood."""
        return Rereader(self.recogniser, crowded=self.crowded)

    @classmethod
    def of(cls, backends: Backends, crowded: Callable[[], bool] = lambda: False) -> Means:
        """The means that the settings choose. Raises BackendError, ConfigError."""
        return cls(backends.recogniser, backends.speaker, backends.voice_activity, backends.settings.voice, crowded)


class Run(Protocol):
    """Runs what blocks, away from the event loop: ``asyncio.to_thread``, or a gateway's own threads."""

    def __call__(self, function: Callable[..., Any], /, *arguments: Any) -> Awaitable[Any]: ...
