"""The header of a WAV stream, read from its first bytes; and raw samples of every encoding as numbers.

Formats: Microsoft's RIFF WAVE (chunks of a four-letter name, a little-endian size and the data; `fmt ` says the
encoding, `data` begins the samples) and ITU-T G.711 for mu-law and A-law.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Encoding = Literal["u8", "s16", "s24", "s32", "f32", "f64", "mulaw", "alaw"]
Samples = npt.NDArray[np.float32]

# The header grows with the chunks before the samples (titles, cue points, pictures); beyond this it is no speech file.
_LONGEST_HEADER = 1 << 20

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_ENCODINGS: dict[tuple[int, int], Encoding] = {
    (_PCM, 8): "u8",
    (_PCM, 16): "s16",
    (_PCM, 24): "s24",
    (_PCM, 32): "s32",
    (_FLOAT, 32): "f32",
    (_FLOAT, 64): "f64",
    (_ALAW, 8): "alaw",
    (_MULAW, 8): "mulaw",
}
SAMPLE_BYTES: dict[Encoding, int] = {
    "u8": 1, "s16": 2, "s24": 3, "s32": 4, "f32": 4, "f64": 8, "mulaw": 1, "alaw": 1,
}  # fmt: skip


class BadHeader(ValueError):  # noqa: N818  as in errors.py: the name says what is wrong
    """The bytes begin like a WAV file and are none that we can read; the message says why."""


@dataclass(frozen=True)
class Header:
    """What a WAV header says; the samples begin at byte ``start``, ``size`` bytes of them, None if it does not say."""

    encoding: Encoding
    rate_hz: int
    channels: int
    start: int
    size: int | None


def read_header(data: bytes | bytearray) -> Header | None:
    """The header at the beginning of ``data``; None while more bytes are needed to read it.

    Raises BadHeader for anything that is not a WAV file of linear, floating, mu-law or A-law samples.
    """
    if len(data) < 12:
        return None
    if data[8:12] != b"WAVE":
        raise BadHeader("a RIFF file that is no WAVE file")
    at, form = 12, None
    while True:
        if at > _LONGEST_HEADER:
            raise BadHeader(f"no samples within the first {_LONGEST_HEADER} bytes of the WAV file")
        if at + 8 > len(data):
            return None
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"data":
            if form is None:
                raise BadHeader("the WAV file has samples before it says their format")
            # Writers that cannot seek back (pipes, phones) leave the size at 0 or at its largest value.
            return Header(*form, start=at + 8, size=None if size in (0, 0xFFFFFFFF) else size)
        if name == b"fmt ":
            if at + 8 + size > len(data):
                return None
            form = _format(bytes(data[at + 8 : at + 8 + size]))
        at += 8 + size + (size & 1)


def to_samples(data: bytes, encoding: Encoding) -> Samples:
    """Float samples -1..1 from whole samples of raw bytes."""
    if encoding == "s16":
        return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(1 << 15)
    if encoding == "mulaw":
        return _MULAW_TABLE[np.frombuffer(data, np.uint8)]
    if encoding == "alaw":
        return _ALAW_TABLE[np.frombuffer(data, np.uint8)]
    if encoding == "u8":
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(1 << 7)
    if encoding == "s24":
        parts = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)
        # The highest byte goes to the top of 32 bits, so that its sign bit is the number's.
        wide = (parts[:, 2] << 24) | (parts[:, 1] << 16) | (parts[:, 0] << 8)
        return wide.astype(np.float32) / np.float32(1 << 31)
    if encoding == "s32":
        return np.frombuffer(data, "<i4").astype(np.float32) / np.float32(1 << 31)
    floats = np.frombuffer(data, "<f4" if encoding == "f32" else "<f8").astype(np.float32)
    # A float file may hold anything, infinity included, and one such sample would poison every filter after it.
    return np.clip(np.nan_to_num(floats, nan=0.0), -1.0, 1.0)


def _format(chunk: bytes) -> tuple[Encoding, int, int]:
    if len(chunk) < 16:
        raise BadHeader("the format of the WAV file is cut off")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = struct.unpack_from("<H", chunk, 24)[0]  # the first two bytes of the sub-format's identifier
    encoding = _ENCODINGS.get((tag, bits))
    if encoding is None:
        raise BadHeader(f"a WAV file of format {tag} with {bits} bits; give linear PCM, mu-law or A-law")
    if channels < 1 or rate_hz < 1:
        raise BadHeader(f"a WAV file with {channels} channels at {rate_hz} Hz")
    return encoding, rate_hz, channels


def _mulaw_table() -> Samples:
    """G.711 mu-law: the byte is inverted; 1 sign bit, 3 of exponent, 4 of mantissa, a bias of 33 at 14 bits."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = ((2 * mantissa + 33) << exponent) - 33
    return (np.where(code & 0x80, -size, size) / 8192).astype(np.float32)


def _alaw_table() -> Samples:
    """G.711 A-law: every second bit is inverted; 1 sign bit (set: positive), 3 of exponent, 4 of mantissa, 13 bits."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = np.where(exponent == 0, 2 * mantissa + 1, (2 * mantissa + 33) << np.maximum(exponent - 1, 0))
    return (np.where(code & 0x80, size, -size) / 4096).astype(np.float32)


_MULAW_TABLE, _ALAW_TABLE = _mulaw_table(), _alaw_table()
