"""A call's stereo WAV that exists nowhere: bytes asked for are interleaved from the mono channels as they are read.

The channels of a call lie in ``<audio folder>/<call id>/channel-1.wav`` ... as 16-bit mono WAVs of one rate (see
``pipeline.audio``). Browsers play one file with two channels and fetch it in byte ranges, so a 3-hour call costs the
memory of one block. The format follows the RIFF WAVE specification (Microsoft and IBM, 1991), PCM format 1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError

HEADER_BYTES = 44
SAMPLE_BYTES = 2
BLOCK_FRAMES = 65_536
_UNKNOWN_SIZE = 0xFFFFFFFF  # what a writer that cannot seek leaves in the header


@dataclass(frozen=True)
class Pcm:
    """Where the samples of a 16-bit mono WAV lie: ``frames`` samples of ``rate_hz`` from byte ``offset`` on."""

    path: Path
    offset: int
    frames: int
    rate_hz: int

    @property
    def duration_s(self) -> float:
        """Length of the channel in seconds."""
        return self.frames / self.rate_hz


@dataclass(frozen=True)
class CallAudio:
    """The channels of one call as one virtual WAV; ``channels`` has one entry (mono) or two (stereo)."""

    channels: tuple[Pcm, ...]

    @property
    def frames(self) -> int:
        """Samples per channel; the shorter channel is padded with silence."""
        return max(channel.frames for channel in self.channels)

    @property
    def rate_hz(self) -> int:
        """Sampling rate of all channels in Hz."""
        return self.channels[0].rate_hz

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return SAMPLE_BYTES * len(self.channels)

    @property
    def size(self) -> int:
        """Bytes of the whole virtual file with its header."""
        return HEADER_BYTES + self.frames * self.frame_bytes

    @property
    def duration_s(self) -> float:
        """Length of the call in seconds."""
        return self.frames / self.rate_hz


def open_call(folder: Path) -> CallAudio:
    """The audio of the call in ``folder``: its first two channels. Raises InputError where there is none."""
    paths = [path for number in (1, 2) if (path := folder / f"channel-{number}.wav").is_file()]
    if not paths:
        raise InputError(f"no audio is kept for call {folder.name}")
    channels = tuple(read_layout(path) for path in paths)
    if len({channel.rate_hz for channel in channels}) > 1:
        raise InputError(f"the channels of call {folder.name} differ in sampling rate; ingest its recording again")
    return CallAudio(channels)


def read_layout(path: Path) -> Pcm:
    """Where the samples of a 16-bit mono WAV lie; a file still being written counts as far as it goes.

    Raises InputError for anything else.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or len(file.read(4)) < 4 or file.read(4) != b"WAVE":
            raise InputError(f"{path.name} is not a WAV file")
        rate_hz = 0
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            if name == b"fmt ":
                kind, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", file.read(16))
                if (kind, channels, bits) not in ((1, 1, 16), (0xFFFE, 1, 16)):
                    raise InputError(f"{path.name} is not 16-bit mono PCM")
                file.seek(length - 16 + length % 2, 1)
            elif name == b"data" and rate_hz:
                left = size - file.tell()
                length = left if length in (0, _UNKNOWN_SIZE) else min(length, left)
                return Pcm(path, file.tell(), length // SAMPLE_BYTES, rate_hz)
            else:
                file.seek(length + length % 2, 1)
    raise InputError(f"{path.name} holds no samples")


def header(audio: CallAudio) -> bytes:
    """The 44 bytes before the samples; a size past 4 GiB is written as the largest that the field holds."""
    data = audio.frames * audio.frame_bytes
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        min(data + HEADER_BYTES - 8, _UNKNOWN_SIZE),
        b"WAVE",
        b"fmt ",
        16,
        1,
        len(audio.channels),
        audio.rate_hz,
        audio.rate_hz * audio.frame_bytes,
        audio.frame_bytes,
        8 * SAMPLE_BYTES,
        b"data",
        min(data, _UNKNOWN_SIZE),
    )


def read_bytes(audio: CallAudio, start: int, stop: int) -> Iterator[bytes]:
    """Bytes ``start`` (inclusive) to ``stop`` (exclusive) of the virtual file, in blocks of at most 256 KiB."""
    if start < HEADER_BYTES:
        yield header(audio)[start : min(stop, HEADER_BYTES)]
    first = max(start - HEADER_BYTES, 0)
    last = stop - HEADER_BYTES
    if last <= first:
        return
    files = [channel.path.open("rb") for channel in audio.channels]
    try:
        frame = first // audio.frame_bytes
        end_frame = -(-last // audio.frame_bytes)
        while frame < end_frame:
            count = min(BLOCK_FRAMES, end_frame - frame)
            block = _interleave(audio.channels, files, frame, count)
            base = frame * audio.frame_bytes
            yield block[max(first - base, 0) : last - base]
            frame += count
    finally:
        for file in files:
            file.close()


def _interleave(channels: Sequence[Pcm], files: Sequence[BinaryIO], frame: int, count: int) -> bytes:
    frames: NDArray[np.int16] = np.zeros((count, len(channels)), dtype="<i2")
    for column, (channel, file) in enumerate(zip(channels, files, strict=True)):
        wanted = min(count, channel.frames - frame)
        if wanted > 0:
            file.seek(channel.offset + frame * SAMPLE_BYTES)
            samples = np.frombuffer(file.read(wanted * SAMPLE_BYTES), dtype="<i2")
            frames[: len(samples), column] = samples
    return frames.tobytes()
