"""One person's sound, frame by frame: when they begin and cease to speak, how quiet and how loud it is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.live.turn_taking import DECODE_MS
from pipeline.voice import FRAME, FRAME_S, RATE_HZ, Endpointer, SpeechEnded, SpeechStarted, VoiceActivity

ONSET_S = 0.09  # speech that is surely speech: three frames; of four, one in twenty takes 0.3 s to be voiced in a row
PREROLL_S = 0.5  # sound before the onset that belongs to the first word
_FRAME_BYTES = 2 * FRAME
_VOICED = 0.5  # probability of a frame in which somebody speaks


@dataclass(frozen=True)
class Frame:
    """32 ms of sound and what happened in them."""

    pcm: bytes  # 16-bit little-endian mono at 16 kHz
    began: bool  # speech is now certain; it began ONSET_S ago
    paused: bool  # it has been quiet for DECODE_MS since then
    quiet_s: float  # since the last voiced frame
    level: float  # root mean square, 0..1


class Ear:
    """Listens to one person; sound in pieces of any length comes out in frames. Not thread-safe."""

    def __init__(self, model: Path) -> None:
        """``model`` is the file of Silero's weights."""
        self._activity = VoiceActivity(model)
        self._ends = Endpointer(min_speech_s=ONSET_S, min_silence_s=DECODE_MS / 1000, pad_s=0.0, longest_s=120.0)
        self._rest = b""
        self._quiet_frames = 0
        self._before: deque[bytes] = deque(maxlen=round((PREROLL_S + ONSET_S) / FRAME_S))

    @property
    def speaking(self) -> bool:
        """Whether speech that is certain has not paused yet."""
        return self._ends.speaking

    @property
    def preroll(self) -> bytes:
        """The sound just heard, the last frame included: where speech that is now certain began."""
        return b"".join(self._before)

    def hear(self, pcm: bytes) -> list[Frame]:
        """The frames that ``pcm`` (16-bit mono at 16 kHz, of any length) completes."""
        pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % _FRAME_BYTES
        self._rest = pcm[whole:]
        return [self._frame(pcm[start : start + _FRAME_BYTES]) for start in range(0, whole, _FRAME_BYTES)]

    def _frame(self, pcm: bytes) -> Frame:
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
        probability = float(self._activity.probabilities(samples)[0])
        self._quiet_frames = 0 if probability >= _VOICED else self._quiet_frames + 1
        self._before.append(pcm)
        events = self._ends.feed([probability])
        return Frame(
            pcm,
            began=any(isinstance(event, SpeechStarted) for event in events),
            paused=any(isinstance(event, SpeechEnded) and not event.cut for event in events),
            quiet_s=self._quiet_frames * FRAME_S,
            level=float(np.sqrt(np.mean(samples * samples))),
        )


def seconds(pcm: bytes) -> float:
    """How long ``pcm`` (16-bit mono at 16 kHz) is."""
    return len(pcm) / 2 / RATE_HZ
