"""One channel's audio from the network, put in order: frames in, 16-bit mono PCM at 16 kHz out, its holes filled.

Phone systems number and time their frames; networks lose, double and reorder them. A frame that comes early waits for
the ones before it, up to a few; one that never comes is a ``Gap``: silence takes its place, so that the channel's own
time stays the time of the call, and the gap is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.live.pcm import RATE_HZ, SAMPLE_BYTES, Decoder, Encoding

_WINDOW = 10  # frames that may come before the one they follow: 0.2 s of the usual 20 ms frames
_LONGEST_GAP_S = 60.0  # a longer hole is a clock that jumped: nobody's call has a minute of audio missing and goes on
_LONGEST_SILENCE_S = 300.0
_SLACK_S = 0.1  # between a frame's own time and the samples before it; phones' clocks are not ours
_LONGEST_FRAME_S = 30.0
_MOST_GAPS = 1000  # remembered of one channel; neighbours are one


@dataclass(frozen=True)
class Gap:
    """Audio of one channel that never came or was not kept, in seconds of the call."""

    channel: int
    start_s: float
    length_s: float
    reason: str  # in words: what happened

    @property
    def end_s(self) -> float:
        """Where the audio goes on."""
        return self.start_s + self.length_s


@dataclass
class Counts:
    """What was wrong with the frames of a channel so far."""

    frames: int = 0
    duplicates: int = 0  # came twice, or after their place was filled
    reordered: int = 0
    missing: int = 0
    malformed: int = 0


@dataclass(frozen=True)
class _Frame:
    payload: bytes
    at_s: float | None


class Intake:
    """One channel: frames as they come in, samples in order out. Not thread-safe; memory is bounded."""

    def __init__(self, channel: int, encoding: Encoding, rate_hz: int, *, start_s: float = 0.0) -> None:
        """``start_s`` is where in the call the first sample stands, above 0 where a call goes on.

        Raises InputError for a rate other than 8000 or 16000.
        """
        self.channel = channel
        self.counts = Counts()
        self.gaps: list[Gap] = []
        self._encoding, self._rate_hz = encoding, rate_hz
        self._decoder = Decoder(encoding, rate_hz)
        self._first_s = start_s
        self._samples = 0  # given out, at 16 kHz
        self._next: int | None = None  # number of the frame that comes next
        self._waiting: dict[int, _Frame] = {}
        self._zero_s: float | None = None  # the call's time at the source's time 0

    @property
    def position_s(self) -> float:
        """Where in the call the next sample stands."""
        return self._first_s + self._samples / RATE_HZ

    def take(self, payload: bytes, *, number: int | None = None, at_s: float | None = None) -> bytes:
        """The PCM that is ready after this frame; none while an earlier one is waited for.

        ``number`` counts the frames of the channel by one; ``at_s`` is the source's own time of its first sample. A
        frame that cannot be audio (empty, half a sample, half a minute) is counted and left out.
        """
        size = SAMPLE_BYTES[self._encoding]
        length_s = len(payload) / size / self._rate_hz
        if not payload or len(payload) % size or length_s > _LONGEST_FRAME_S or (at_s is not None and at_s < 0):
            self.counts.malformed += 1
            return b""
        self.counts.frames += 1
        frame = _Frame(payload, at_s)
        if number is None:
            return self._place(frame)
        if self._next is None:
            self._next = 1 if 1 <= number <= _WINDOW else number  # they count from 1, and the second may come first
        if number < self._next - 1000 or number > self._next + 100_000:  # the source began to count anew
            ready = self._release(all_of_it=True)
            self._next = number
            return ready + self._in_order(number, frame)
        if number < self._next or number in self._waiting:
            self.counts.duplicates += 1
            return b""
        return self._in_order(number, frame)

    def malformed(self) -> None:
        """Count something that was not even a frame."""
        self.counts.malformed += 1

    def silence(self, length_s: float, reason: str = "") -> bytes:
        """Silence of that length, at most five minutes; with a reason it is a gap."""
        length_s = min(max(length_s, 0.0), _LONGEST_SILENCE_S)
        if reason and length_s > 0:
            self._remember(length_s, reason)
        return self._out(bytes(2 * round(length_s * RATE_HZ)))

    def finish(self) -> bytes:
        """What still waited for an earlier frame."""
        return self._release(all_of_it=True)

    def _in_order(self, number: int, frame: _Frame) -> bytes:
        if number != self._next:
            self.counts.reordered += 1
        self._waiting[number] = frame
        return self._release(all_of_it=False)

    def _release(self, *, all_of_it: bool) -> bytes:
        """The waiting frames whose turn it is; with ``all_of_it`` or too many of them, over the hole before them."""
        ready = []
        while self._waiting and self._next is not None:
            if self._next not in self._waiting:
                if not all_of_it and len(self._waiting) < _WINDOW:
                    break
                following = min(self._waiting)
                ready.append(self._hole(following - self._next, self._waiting[following]))
                self._next = following
            frame = self._waiting.pop(self._next)
            self._next += 1
            ready.append(self._place(frame))
        return b"".join(ready)

    def _hole(self, frames: int, following: _Frame) -> bytes:
        """Silence in place of so many missing frames: by the source's clock, else as long as the one that follows."""
        self.counts.missing += frames
        if following.at_s is not None and self._zero_s is not None:
            length_s = self._zero_s + following.at_s - self.position_s
        else:
            length_s = frames * len(following.payload) / SAMPLE_BYTES[self._encoding] / self._rate_hz
        if length_s <= 0 or length_s > _LONGEST_GAP_S:
            self._zero_s = None  # the clock is of no use: the next frame sets it again
            self._remember(0.0, "audio did not arrive")
            return b""
        return self.silence(length_s, "audio did not arrive")

    def _place(self, frame: _Frame) -> bytes:
        """The frame's samples, after the silence that its time asks for: sources leave silence out."""
        before = b""
        if frame.at_s is not None:
            if self._zero_s is None:
                # The first frame: a source that counts from its own start tells how late this channel began.
                began_s = frame.at_s if self._samples == 0 and frame.at_s <= _LONGEST_GAP_S else 0.0
                self._zero_s = self.position_s - frame.at_s + began_s
            ahead_s = self._zero_s + frame.at_s - self.position_s
            if abs(ahead_s) > _LONGEST_GAP_S or ahead_s < -1.0:
                self._zero_s = self.position_s - frame.at_s  # its clock jumped
            elif ahead_s > (_SLACK_S if self._samples else 0.0):
                before = self.silence(ahead_s)
        return before + self._out(self._decoder.decode(frame.payload))

    def _out(self, pcm: bytes) -> bytes:
        self._samples += len(pcm) // 2
        return pcm

    def _remember(self, length_s: float, reason: str) -> None:
        gap = Gap(self.channel, self.position_s, length_s, reason)
        last = self.gaps[-1] if self.gaps else None
        near = last is not None and last.reason == reason and gap.start_s - last.end_s < 0.5
        if last is not None and (near or len(self.gaps) >= _MOST_GAPS):
            self.gaps[-1] = replace(last, length_s=gap.end_s - last.start_s)
        else:
            self.gaps.append(gap)
