"""The outline of a call's waveform, so that the browser draws three hours without fetching three hours of audio.

One byte per 20 ms and channel: the largest absolute sample of those 20 ms, 255 at full scale. A channel is read once;
the outline is kept beside it as ``channel-<n>.peaks``, carried on when the WAV has grown, as that of a live call does,
and made again when it is another sound.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dashboard.wav import SAMPLE_BYTES, CallAudio, Pcm

PEAKS_PER_S = 50
_MAGIC = b"OTP2"
_HEADER = struct.Struct("<4sIQ")  # magic, peaks per second, samples that they were made from
_BLOCK_S = 60


def of_call(audio: CallAudio) -> bytes:
    """The outline of every channel, one after the other, ``ceil(duration * PEAKS_PER_S)`` bytes each."""
    count = _count(audio.frames, audio.rate_hz)
    return b"".join(of_channel(channel).ljust(count, b"\0") for channel in audio.channels)


def of_channel(channel: Pcm) -> bytes:
    """The outline of one channel; what the file beside it does not hold yet is computed and written there."""
    kept = channel.path.with_suffix(".peaks")
    known, frames = _known(kept)
    if frames == channel.frames:
        return known
    whole = frames // (channel.rate_hz // PEAKS_PER_S) if frames < channel.frames else 0
    # The last of what is known is computed again: where it differs, another sound has taken the file's place.
    again = max(0, whole - PEAKS_PER_S)
    rest = compute(channel, again)
    outline = known[:again] + rest if rest.startswith(known[again:whole]) else compute(channel)
    _keep(kept, _HEADER.pack(_MAGIC, PEAKS_PER_S, channel.frames) + outline)
    return outline


def _known(kept: Path) -> tuple[bytes, int]:
    """The outline in a file and how many samples it was made from; nothing where there is none of today's form."""
    try:
        content = kept.read_bytes()
    except FileNotFoundError:
        return b"", 0
    if len(content) < _HEADER.size:
        return b"", 0
    magic, rate, frames = _HEADER.unpack_from(content)
    return (content[_HEADER.size :], frames) if (magic, rate) == (_MAGIC, PEAKS_PER_S) else (b"", 0)


def compute(channel: Pcm, first: int = 0) -> bytes:
    """The outline of one channel from peak number ``first`` on, read a minute at a time."""
    per_peak = channel.rate_hz // PEAKS_PER_S
    parts: list[NDArray[np.uint8]] = []
    left = channel.frames - first * per_peak
    with channel.path.open("rb") as file:
        file.seek(channel.offset + first * per_peak * SAMPLE_BYTES)
        while left > 0:
            samples = np.frombuffer(file.read(min(left, _BLOCK_S * channel.rate_hz) * SAMPLE_BYTES), dtype="<i2")
            if not len(samples):
                break
            left -= len(samples)
            whole = np.zeros(-(-len(samples) // per_peak) * per_peak, dtype=np.int32)
            whole[: len(samples)] = samples
            loudest = np.abs(whole).reshape(-1, per_peak).max(axis=1)
            parts.append((np.minimum(loudest, 32_767) // 128).astype(np.uint8))
    return np.concatenate(parts).tobytes() if parts else b""


def _count(frames: int, rate_hz: int) -> int:
    return -(-frames // (rate_hz // PEAKS_PER_S))


def _keep(path: Path, content: bytes) -> None:
    # Another request may be writing the same outline: each writes its own file and the last rename wins. An audio
    # folder that cannot be written to only costs the computation next time.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
