"""When a speaker on a stream starts, pauses and ends, with Riva's endpointing parameters.

Riva counts frames in a window: speech starts when ``start_threshold`` of the last ``start_history`` ms are speech,
and ends when ``stop_threshold`` of the last ``stop_history`` ms are none; the pair ``stop_*_eou`` is a first, shorter
end that may be taken back. Here a window of H ms with threshold T is taken as H * T ms of speech or silence in a row:
the same time to wait, on the probabilities of Silero's voice activity model instead of a recogniser's blanks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.voice import RATE_HZ, Endpointer, SpeechEnded, SpeechStarted, VoiceActivity

Samples = npt.NDArray[np.float32]

_LONGEST_S = 15.0  # a longer segment is cut at its quietest place; decoding time grows with length
PAD_S = 0.2  # of silence after the words
# And before them: a soft beginning is not sure to be speech yet. With 0.2 s the recogniser wrote "O, it rang" for
# "will it rain"; 0.5 s took 5 to 20 % of the wrong words away, over a telephone and otherwise.
LEAD_S = 0.5
_LEAST_S = 0.064  # two frames of the voice activity model


@dataclass(frozen=True)
class Endpointing:
    """Riva's EndpointingConfig with our defaults; histories in ms, thresholds 0..1."""

    start_history_ms: int = 200
    start_threshold: float = 0.5
    stop_history_ms: int = 600
    stop_threshold: float = 1.0
    stop_history_eou_ms: int = 300
    stop_threshold_eou: float = 1.0

    @property
    def speech_s(self) -> float:
        """Speech that makes a start, in seconds."""
        return max(_LEAST_S, self.start_history_ms * self.start_threshold / 1000)

    @property
    def silence_s(self) -> float:
        """Silence that ends a segment, in seconds."""
        return max(_LEAST_S, self.stop_history_ms * self.stop_threshold / 1000)

    @property
    def pause_s(self) -> float:
        """Silence that may turn out to be the end, in seconds; never longer than ``silence_s``."""
        return min(self.silence_s, max(_LEAST_S, self.stop_history_eou_ms * self.stop_threshold_eou / 1000))


@dataclass(frozen=True)
class Segment:
    """Speech between two times of the stream and its samples at 16 kHz."""

    start_s: float
    end_s: float
    samples: Samples


@dataclass(frozen=True)
class Moment:
    """How a stream stands after the audio fed so far."""

    now_s: float = 0.0  # seconds of audio fed
    running: Segment | None = None  # the speech going on, up to now
    paused: Segment | None = None  # the speech before a pause that is not yet long enough to be the end


class Listener:
    """One stream's ear: samples in, finished segments out; ``moment`` tells of the speech going on.

    It may be fed in one thread while another reads ``moment``, which is replaced, never changed.
    """

    def __init__(self, vad: Path, endpointing: Endpointing) -> None:
        pad_s = min(PAD_S, endpointing.pause_s)
        self._voice = VoiceActivity(vad)
        self._ends = Endpointer(
            min_speech_s=endpointing.speech_s,
            min_silence_s=endpointing.silence_s,
            pad_s=pad_s,
            lead_s=LEAD_S,
            longest_s=_LONGEST_S,
        )
        self._pauses = Endpointer(
            min_speech_s=endpointing.speech_s,
            min_silence_s=endpointing.pause_s,
            pad_s=pad_s,
            longest_s=_LONGEST_S,
        )
        # A start is reported late, by what it takes to be sure of it; so much must be kept of what seems silence.
        self._keep = round((LEAD_S + endpointing.speech_s + endpointing.silence_s + 0.5) * RATE_HZ)
        self._samples: Samples = np.zeros(0, dtype=np.float32)
        self._first = 0  # number of the first sample that is kept
        self._start_s: float | None = None
        self._pause_s: float | None = None
        self.moment = Moment()

    def feed(self, samples: Samples) -> list[Segment]:
        """The segments that ended within ``samples``."""
        self._samples = np.concatenate((self._samples, samples))
        return self._step(self._voice.probabilities(samples), last=False)

    def finish(self) -> list[Segment]:
        """The segments that the end of the stream ends."""
        return self._step(self._voice.finish(), last=True)

    def _step(self, probabilities: Samples, *, last: bool) -> list[Segment]:
        pauses, ends = self._pauses.feed(probabilities), self._ends.feed(probabilities)
        if last:
            ends = ends + self._ends.finish()
        now_s = (self._first + len(self._samples)) / RATE_HZ
        found = []
        for pause in pauses:
            self._pause_s = pause.region.end_s if isinstance(pause, SpeechEnded) and not pause.cut else None
        for event in ends:
            if isinstance(event, SpeechStarted):
                self._start_s = event.at_s
            else:
                found.append(self._segment(event.region.start_s, min(event.region.end_s, now_s)))
                self._start_s = None
        if self._start_s is None:
            self._pause_s = None
            self.moment = Moment(now_s)
        else:
            paused = None if self._pause_s is None else self._segment(self._start_s, self._pause_s)
            self.moment = Moment(now_s, self._segment(self._start_s, now_s), paused)
        self._forget()
        return found

    def _segment(self, start_s: float, end_s: float) -> Segment:
        start, end = (max(0, round(t * RATE_HZ) - self._first) for t in (start_s, end_s))
        return Segment(start_s, end_s, self._samples[start:end])

    def _forget(self) -> None:
        if self._start_s is None:
            drop = len(self._samples) - self._keep
        else:
            drop = round(self._start_s * RATE_HZ) - self._first
        if drop > 0:
            self._samples = self._samples[drop:]
            self._first += drop
