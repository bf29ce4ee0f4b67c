"""Samples as phone systems send them, as 16-bit mono PCM at 16 kHz.

Encodings: ITU-T G.711 mu-law and A-law, and 16-bit little-endian linear samples, at 8 or 16 kHz.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from pipeline.errors import InputError

RATE_HZ = 16_000
Encoding = Literal["s16", "mulaw", "alaw"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
SAMPLE_BYTES: dict[Encoding, int] = {"s16": 2, "mulaw": 1, "alaw": 1}
# Samples that NumPy goes through without giving Python's lock away. Among busy threads, getting that back takes a
# hundred times as long as the work.
_PIECE = 500
_END = 480
_TAPS = 16  # on each side of the sample between two samples

Pcm = npt.NDArray[np.int16]


class Decoder:
    """One channel's decoder: payloads in, 16-bit little-endian PCM at 16 kHz out, without a seam between payloads."""

    def __init__(self, encoding: Encoding, rate_hz: int) -> None:
        """Raises InputError for a rate other than 8000 or 16000."""
        if rate_hz not in (8_000, RATE_HZ):
            raise InputError(f"audio at {rate_hz} Hz cannot be taken: send 8000 or 16000")
        self._encoding = encoding
        self._doubled = rate_hz != RATE_HZ
        self._before: npt.NDArray[np.float32] = np.zeros(2 * _TAPS - 1, dtype=np.float32)

    def decode(self, payload: bytes) -> bytes:
        """The samples of a payload that holds whole ones; 8 kHz comes 2 ms later, by its filter."""
        if self._encoding == "s16" and not self._doubled:
            return payload
        samples = decoded(payload, self._encoding)
        return (self._interpolated(samples) if self._doubled else samples).astype("<i2", copy=False).tobytes()

    def _interpolated(self, samples: Pcm) -> Pcm:
        """Twice the samples: between each two, what a band-limited signal has there."""
        x = np.concatenate((self._before, samples.astype(np.float32)))
        self._before = x[-(2 * _TAPS - 1) :]
        between = np.convolve(x, _BETWEEN, mode="valid")
        out = np.empty(2 * len(samples), dtype=np.float32)
        out[0::2] = x[_TAPS - 1 : _TAPS - 1 + len(samples)]
        out[1::2] = between
        return np.clip(np.rint(out), -32768, 32767).astype(np.int16)


def decoded(payload: bytes, encoding: Encoding) -> Pcm:
    """The samples of a payload as int16, at the rate they came."""
    if encoding == "mulaw":
        return _MULAW[np.frombuffer(payload, np.uint8)]
    if encoding == "alaw":
        return _ALAW[np.frombuffer(payload, np.uint8)]
    return np.frombuffer(payload, "<i2").astype(np.int16, copy=False)


def parted(frame: bytes, channels: int, encoding: Encoding) -> list[bytes]:
    """The payload of each channel of an interleaved frame; none where it does not hold whole samples of each."""
    size = SAMPLE_BYTES[encoding]
    if not frame or len(frame) % (size * channels):
        return []
    if channels == 1:
        return [frame]
    samples = np.frombuffer(frame, np.uint16 if size == 2 else np.uint8).reshape(-1, channels)  # whatever they mean
    pieces = [samples[first : first + _PIECE] for first in range(0, len(samples), _PIECE)]
    return [b"".join([piece[:, number].tobytes() for piece in pieces]) for number in range(channels)]


def is_quiet(pcm: bytes, peak: int) -> bool:
    """Whether all 16-bit samples lie between ``-peak`` and ``peak``, both exclusive."""
    if pcm == bytes(len(pcm)):  # as a digital line is while the other side speaks; a fortieth of the time
        return True
    samples = np.frombuffer(pcm, "<i2")
    for first in range(0, len(samples), _PIECE):
        piece = samples[first : first + _PIECE]
        if np.maximum.reduce(piece) >= peak or np.minimum.reduce(piece) <= -peak:
            return False
    return True


def level_at_end(pcm: bytes) -> int:
    """The largest amplitude among the last 30 ms of 16-bit samples at 16 kHz; 0 where there are none."""
    samples = np.frombuffer(pcm, "<i2")[-_END:]
    return max(int(np.maximum.reduce(samples)), -int(np.minimum.reduce(samples))) if len(samples) else 0


def _half_band() -> npt.NDArray[np.float32]:
    """A windowed sinc halfway between samples, of sum 1 (Kaiser window, beta 7: some 70 dB of images away)."""
    at = np.arange(-_TAPS, _TAPS) + 0.5
    taps = np.sinc(at) * np.kaiser(2 * _TAPS, 7.0)
    scaled: npt.NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return scaled


def _mulaw_table() -> Pcm:
    """G.711 mu-law: the byte is inverted; 1 sign bit, 3 of exponent, 4 of mantissa, a bias of 33 at 14 bits."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = (((2 * mantissa + 33) << exponent) - 33) * 4
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _alaw_table() -> Pcm:
    """G.711 A-law: every second bit is inverted; 1 sign bit (set: positive), 3 of exponent, 4 of mantissa, 13 bits."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    size = np.where(exponent == 0, 2 * mantissa + 1, (2 * mantissa + 33) << np.maximum(exponent - 1, 0)) * 8
    return np.where(code & 0x80, size, -size).astype(np.int16)


_BETWEEN = _half_band()
_MULAW, _ALAW = _mulaw_table(), _alaw_table()
