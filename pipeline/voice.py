"""Where somebody speaks: Silero's voice activity model, regions of speech, and their packing into recogniser requests.

The model (Silero v6, ONNX, inside faster-whisper) is fed as its authors do: frames of 512 samples at 16 kHz, each with
the last 64 samples of the frame before in front, and a recurrent state that is carried from frame to frame. Source of
the format: faster_whisper/vad.py and snakers4/silero-vad.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from pipeline.calls import Word

RATE_HZ = 16_000
FRAME = 512  # samples a probability stands for
FRAME_S = FRAME / RATE_HZ  # 0.032
_CLOSING = (".", "?", "!")
_SEAM_S = 0.3
_SHORTEST_WORD_S = 0.05  # a word that a recogniser places at the very end of the speech still takes time
_CONTEXT = 64  # samples of the frame before that the model sees again
_QUIET = 32 / 32768  # peak (-60 dBFS) at which the model itself hears nothing any more, be it the clearest speech
_MAYBE = 0.35  # probability from which a moment counts as voiced
_BATCH = 2048  # frames a run of the model; bounds memory, and longer runs are no faster

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Region:
    """A stretch of speech, in seconds from the start of the recording."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody began to speak at ``at_s`` (padding included)."""

    at_s: float


@dataclass(frozen=True)
class SpeechEnded:
    """The region that just ended; ``cut`` where speech went on and only the longest length ended it."""

    region: Region
    cut: bool = False


@dataclass(frozen=True)
class Pack:
    """Stretches of one channel sent to a recogniser one after the other as one piece of audio."""

    pieces: tuple[Region, ...]

    @property
    def duration_s(self) -> float:
        """Length of the packed audio in seconds."""
        return sum(piece.end_s - piece.start_s for piece in self.pieces)

    def to_recording(self, t_s: float) -> float:
        """The time in the recording of time ``t_s`` of the packed audio; outside of it, its nearest end."""
        piece, offset_s = self.piece_at(t_s)
        return min(max(piece.start_s + t_s - offset_s, piece.start_s), piece.end_s)

    def placed(self, words: Iterable[Word]) -> list[Word]:
        """``words``, with times in the packed audio, at their times in the recording, each in one piece.

        Recognisers stretch words over the silences beside them, across the seam of two pieces: the last word of a
        sentence was said where it starts, the first where it ends, any other in the piece that plays at its middle. A
        last word that they push just over the seam, away from its sentence, shares the stretched word before it.
        """
        placed: list[Word] = []
        before: Region | None = None
        for word in words:
            closing = word.text[-1:] in _CLOSING
            middle_s = (word.start_s + word.end_s) / 2
            said_s = word.start_s if closing else word.end_s if word.text[:1].isupper() else middle_s
            piece, offset_s = self.piece_at(said_s)
            just_over = closing and piece is not before and word.start_s - offset_s < _SEAM_S
            if just_over and placed and placed[-1].text[-1:] not in _CLOSING:
                last = placed[-1]
                share = (len(last.text) + 1) / (len(last.text) + len(word.text) + 2)
                middle_s = last.start_s + share * (last.end_s - last.start_s)
                placed[-1] = replace(last, end_s=middle_s)
                placed.append(replace(word, start_s=middle_s, end_s=last.end_s))
                continue
            latest_s = max(piece.start_s, piece.end_s - _SHORTEST_WORD_S)
            start_s = min(max(piece.start_s + word.start_s - offset_s, piece.start_s), latest_s)
            end_s = min(max(piece.start_s + word.end_s - offset_s, start_s + _SHORTEST_WORD_S), piece.end_s)
            placed.append(replace(word, start_s=start_s, end_s=end_s))
            before = piece
        return placed

    def piece_at(self, t_s: float) -> tuple[Region, float]:
        """The piece that plays at time ``t_s`` of the packed audio, and the packed time at which it starts."""
        offset_s = 0.0
        for piece in self.pieces[:-1]:
            length_s = piece.end_s - piece.start_s
            if t_s < offset_s + length_s:
                return piece, offset_s
            offset_s += length_s
        return self.pieces[-1], offset_s


class VoiceActivity:
    """Silero's model on one channel: keeps its state and the samples short of a frame from call to call."""

    def __init__(self, model: Path) -> None:
        self._session = _session(model)
        self.reset()

    def reset(self) -> None:
        """Forgets everything heard; the next samples start a new channel."""
        self._h = np.zeros((1, 1, 128), dtype=np.float32)
        self._c = np.zeros((1, 1, 128), dtype=np.float32)
        self._context = np.zeros((1, _CONTEXT), dtype=np.float32)
        self._rest = np.zeros(0, dtype=np.float32)

    def probabilities(self, samples: Samples) -> Samples:
        """Probability of speech in each whole frame of 32 ms that ``samples`` completes: float32 [frames], 0..1.

        ``samples`` is float32 mono at 16 kHz in -1..1, of any length; what is short of a frame waits for the next call.
        """
        audio = np.concatenate((self._rest, samples)).astype(np.float32, copy=False)
        count = len(audio) // FRAME
        self._rest = audio[count * FRAME :].copy()
        frames = audio[: count * FRAME].reshape(count, FRAME)
        found = [self._run(frames[i : i + _BATCH]) for i in range(0, count, _BATCH)]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.float32)

    def finish(self) -> Samples:
        """Probability of the last, incomplete frame (filled with silence): float32 [0 or 1]."""
        if not len(self._rest):
            return np.zeros(0, dtype=np.float32)
        return self.probabilities(np.zeros(FRAME - len(self._rest), dtype=np.float32))

    def _run(self, frames: Samples) -> Samples:
        heads = np.concatenate((self._context, frames[:-1, -_CONTEXT:]))
        self._context = frames[-1:, -_CONTEXT:].copy()
        found, self._h, self._c = self._session.run(
            None, {"input": np.concatenate((heads, frames), axis=1), "h": self._h, "c": self._c}
        )
        result: Samples = np.asarray(found, dtype=np.float32).reshape(-1)
        return result


class Endpointer:
    """Turns probabilities, as they come, into the starts and ends of speech.

    Speech starts at a frame of at least ``onset`` and is reported once it has lasted ``min_speech_s``; it ends where
    the probability stays under ``offset`` for ``min_silence_s``. Both ends are moved outwards by ``pad_s``. Speech
    longer than ``longest_s`` is cut at its least voiced frame in the later half, so that no word is likely to be cut.
    """

    def __init__(
        self,
        *,
        onset: float = 0.5,
        offset: float = 0.35,
        min_speech_s: float = 0.1,
        min_silence_s: float = 0.5,
        pad_s: float = 0.2,
        lead_s: float | None = None,
        longest_s: float = 27.0,
    ) -> None:
        """``lead_s`` is how far a start is moved, None: by ``pad_s`` too."""
        if not 0 <= offset <= onset <= 1:
            raise ValueError(f"onset {onset} and offset {offset}: 0 <= offset <= onset <= 1 must hold")
        if pad_s > min_silence_s:
            raise ValueError(f"pad_s {pad_s} exceeds min_silence_s {min_silence_s}: ends would lie in the future")
        if longest_s < 2 * (min_speech_s + FRAME_S):
            raise ValueError(f"longest_s {longest_s} leaves no room for speech of min_speech_s {min_speech_s}")
        self._onset, self._offset = onset, offset
        self._min_speech, self._min_silence = min_speech_s / FRAME_S, min_silence_s / FRAME_S
        self._pad_s, self._lead_s = pad_s, pad_s if lead_s is None else lead_s
        self._longest = int(longest_s / FRAME_S)
        self._frame = 0  # the next frame's number
        self._start: int | None = None  # first frame of the speech going on
        self._start_s = 0.0
        self._silence: int | None = None  # first frame of the silence inside it
        self._heard: list[float] = []  # probabilities since its start
        self._reported = False
        self._free_s = 0.0  # end of the last region: the next one starts no earlier

    @property
    def now_s(self) -> float:
        """Seconds of audio fed so far."""
        return self._frame * FRAME_S

    @property
    def speaking(self) -> bool:
        """Whether a reported start waits for its end."""
        return self._reported

    def feed(self, probabilities: Iterable[float]) -> list[SpeechStarted | SpeechEnded]:
        """What began and ended in the next frames, in order."""
        events: list[SpeechStarted | SpeechEnded] = []
        for probability in probabilities:
            self._step(float(probability), events)
            self._frame += 1
        return events

    def finish(self) -> list[SpeechStarted | SpeechEnded]:
        """The end of the speech that was going on when the audio stopped, if any."""
        events: list[SpeechStarted | SpeechEnded] = []
        if self._start is not None:
            end = self._frame if self._silence is None else self._silence
            self._close(end, events, end_s=min(end * FRAME_S + self._pad_s, self.now_s))
        return events

    def _step(self, probability: float, events: list[SpeechStarted | SpeechEnded]) -> None:
        if self._start is None:
            if probability >= self._onset:
                self._open(self._frame, [probability])
                self._report(events)
            return
        self._heard.append(probability)
        if probability >= self._onset:
            self._silence = None
        elif probability < self._offset and self._silence is None:
            self._silence = self._frame
        if self._silence is None:
            self._report(events)
        elif self._frame + 1 - self._silence >= self._min_silence:
            self._close(self._silence, events, end_s=self._silence * FRAME_S + self._pad_s)
            return
        if self._start is not None and len(self._heard) >= self._longest:
            self._cut(events)

    def _open(self, frame: int, heard: list[float]) -> None:
        self._start, self._silence, self._heard, self._reported = frame, None, heard, False
        self._start_s = max(self._free_s, frame * FRAME_S - self._lead_s)

    def _report(self, events: list[SpeechStarted | SpeechEnded]) -> None:
        if not self._reported and len(self._heard) >= self._min_speech:
            self._reported = True
            events.append(SpeechStarted(self._start_s))

    def _close(self, end: int, events: list[SpeechStarted | SpeechEnded], *, end_s: float, cut: bool = False) -> None:
        assert self._start is not None
        if end - self._start >= self._min_speech:
            if not self._reported:
                events.append(SpeechStarted(self._start_s))
            self._free_s = end_s
            events.append(SpeechEnded(Region(self._start_s, end_s), cut))
        self._start, self._silence, self._heard, self._reported = None, None, [], False

    def _cut(self, events: list[SpeechStarted | SpeechEnded]) -> None:
        assert self._start is not None
        later = self._longest // 2
        weakest = later + int(np.argmin(_smooth(self._heard)[later:]))
        start, heard, silence = self._start + weakest, self._heard[weakest:], self._silence
        self._close(start, events, end_s=start * FRAME_S, cut=True)
        self._open(start, heard)
        if silence is None:
            self._report(events)
        else:
            self._silence = max(silence, start)


def regions(
    probabilities: Iterable[float],
    *,
    onset: float = 0.5,
    offset: float = 0.35,
    min_speech_s: float = 0.1,
    min_silence_s: float = 0.5,
    pad_s: float = 0.2,
    longest_s: float = 27.0,
) -> list[Region]:
    """The stretches of speech in a whole channel, in order and without overlap; see Endpointer for the parameters."""
    endpointer = Endpointer(
        onset=onset,
        offset=offset,
        min_speech_s=min_speech_s,
        min_silence_s=min_silence_s,
        pad_s=pad_s,
        longest_s=longest_s,
    )
    return _ended(endpointer.feed(probabilities) + endpointer.finish())


class Ear:
    """Listens through one channel: its stretches of speech as they end, and afterwards which moments were voiced."""

    def __init__(self, model: Path) -> None:
        self._activity = VoiceActivity(model)
        # Half a second before the first sure frame: a shorter margin cuts off soft beginnings.
        self._endpointer = Endpointer(pad_s=0.5, min_silence_s=0.6)
        self._voiced = bytearray()  # per frame, whether somebody may be speaking

    def listen(self, blocks: Iterable[Samples]) -> Iterator[Region]:
        """The stretches of speech, each as soon as it has ended; ``blocks`` are the channel's samples in order.

        The model does not hear blocks of whole frames in which there is nothing: in a stereo call, half of all.
        """
        count = 0
        for block in blocks:
            if count % FRAME == len(block) % FRAME == 0 and len(block) and np.abs(block).max() < _QUIET:
                self._activity.reset()
                found = np.zeros(len(block) // FRAME, dtype=np.float32)
            else:
                found = self._activity.probabilities(block)
            count += len(block)
            yield from self._ended(found)
        last = self._ended(self._activity.finish()) + _ended(self._endpointer.finish())
        # The last frame was filled up with silence, and no region reaches beyond the audio.
        yield from (Region(region.start_s, min(region.end_s, count / RATE_HZ)) for region in last)

    def voiced(self, start_s: float, end_s: float) -> Region | None:
        """From the first to the last voiced moment within a stretch already heard; None where nobody speaks."""
        first, end = int(start_s / FRAME_S), int(np.ceil(end_s / FRAME_S))
        frames = self._voiced[first:end]
        low, high = frames.find(1), frames.rfind(1)
        if low < 0:
            return None
        return Region(max(start_s, (first + low) * FRAME_S), min(end_s, (first + high + 1) * FRAME_S))

    def _ended(self, probabilities: Samples) -> list[Region]:
        self._voiced += (probabilities >= _MAYBE).astype(np.uint8).tobytes()
        return _ended(self._endpointer.feed(probabilities))


def pack(found: Iterable[Region], *, longest_s: float = 28.0, gap_s: float = 0.6) -> list[Pack]:
    """The regions, in order, in as few packs of at most ``longest_s`` of audio as possible, cut only between regions.

    Where two regions lie further apart than ``gap_s``, only ``gap_s`` of the recording's own silence stays between them
    (half after the one, half before the other): enough for a recogniser to hear a boundary. A region longer than
    ``longest_s`` makes a pack of its own.
    """
    return list(packs(found, longest_s=longest_s, gap_s=gap_s))


def packs(found: Iterable[Region], *, longest_s: float = 28.0, gap_s: float = 0.6) -> Iterator[Pack]:
    """The packs of ``pack``, each as soon as it is full."""
    pieces: list[Region] = []
    length_s = 0.0
    for region in found:
        region_s = region.end_s - region.start_s
        silence_s = region.start_s - pieces[-1].end_s if pieces else 0.0
        if pieces and length_s + min(silence_s, gap_s) + region_s > longest_s:
            yield Pack(tuple(pieces))
            pieces, length_s = [], 0.0
        if not pieces:
            pieces, length_s = [region], region_s
            continue
        last = pieces.pop()
        if silence_s <= gap_s:
            pieces.append(Region(last.start_s, region.end_s))
        else:
            pieces.append(Region(last.start_s, last.end_s + gap_s / 2))
            pieces.append(Region(region.start_s - gap_s / 2, region.end_s))
        length_s += min(silence_s, gap_s) + region_s
    if pieces:
        yield Pack(tuple(pieces))


def _ended(events: Iterable[SpeechStarted | SpeechEnded]) -> list[Region]:
    return [event.region for event in events if isinstance(event, SpeechEnded)]


def _smooth(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """A running mean over five frames (0.16 s), so that one odd frame inside a word does not look like a pause."""
    padded = np.pad(np.asarray(values, dtype=np.float64), 2, mode="edge")
    return np.convolve(padded, np.full(5, 0.2), mode="valid")


@lru_cache(maxsize=4)
def _session(model: Path) -> Any:
    """The loaded model: shared by all channels, since the state lives outside of it and running it is thread-safe."""
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(model), sess_options=options, providers=["CPUExecutionProvider"])
