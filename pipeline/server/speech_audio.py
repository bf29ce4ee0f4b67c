"""Samples of a voice in the encoding and rate that a client asked for, piece by piece, and their tempo and loudness.

ffmpeg's libraries (PyAV) do the work. What comes out depends on the samples alone and not on how they were cut: a
streamed answer put together is the same bytes as the whole one.
"""

from __future__ import annotations

from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from riva.client.proto.riva_audio_pb2 import AudioEncoding

from pipeline.errors import InputError

Pcm = npt.NDArray[np.int16]

RATES_HZ = (8_000, 48_000)
_CODECS = {  # container and codec; raw samples have no header, as with Riva
    AudioEncoding.ENCODING_UNSPECIFIED: ("s16le", "pcm_s16le"),
    AudioEncoding.LINEAR_PCM: ("s16le", "pcm_s16le"),
    AudioEncoding.MULAW: ("mulaw", "pcm_mulaw"),
    AudioEncoding.ALAW: ("alaw", "pcm_alaw"),
    AudioEncoding.FLAC: ("flac", "flac"),
    AudioEncoding.OGGOPUS: ("ogg", "libopus"),
}
_OPUS_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
_OPUS_BITS = 32_000  # a second: transparent for one voice
# Opus waits for full pages of a second otherwise; the bitexact flag fixes the serial number of an Ogg stream.
_OPTIONS = {"fflags": "+bitexact+flush_packets"}
_PAGE = {"page_duration": "200000"}  # microseconds


class Encoder:
    """Mono 16-bit samples in, bytes of one encoding at one rate out."""

    def __init__(self, encoding: int, rate_hz: int, *, source_hz: int) -> None:
        """``rate_hz`` 0 keeps the voice's own. Raises InputError for a rate or an encoding that is not offered."""
        rate_hz = rate_hz or source_hz
        if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
            raise InputError(f"Invalid sample rate {rate_hz} Hz; give one of {RATES_HZ[0]} to {RATES_HZ[1]} Hz")
        if encoding not in _CODECS:
            raise InputError(f"Unsupported audio encoding {encoding}; use LINEAR_PCM, FLAC, MULAW, ALAW or OGGOPUS")
        container, codec = _CODECS[encoding]
        if codec == "libopus":
            # Its decoders play at 48 kHz whatever the encoder's rate was.
            rate_hz = min(rate for rate in _OPUS_HZ if rate >= rate_hz)
        self._source_hz = source_hz
        self._passed = 0
        self._sink = _Sink()
        self._output = av.open(
            self._sink, "w", format=container, options=_OPTIONS | (_PAGE if container == "ogg" else {})
        )
        self._stream = cast(AudioStream, self._output.add_stream(codec, rate=rate_hz))
        self._stream.layout = "mono"
        if codec == "libopus":
            self._stream.bit_rate = _OPUS_BITS
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)

    def add(self, samples: Pcm) -> bytes:
        """The bytes that are ready after ``samples``; some may follow later."""
        if len(samples):
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = self._source_hz
            frame.pts = self._passed
            self._passed += len(samples)
            self._encode(frame)
        return self._sink.take()

    def finish(self) -> bytes:
        """The last bytes; nothing may be added after them."""
        if self._passed:
            self._encode(None)
            for packet in self._stream.encode(None):
                self._output.mux(packet)
        self._output.close()
        return self._sink.take()

    def _encode(self, frame: av.AudioFrame | None) -> None:
        for resampled in self._resampler.resample(frame):
            for packet in self._stream.encode(resampled):
                self._output.mux(packet)


class _Sink:
    """What the muxer writes, until it is taken; it cannot be sought in, as a stream to a client cannot."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes) -> int:
        self._bytes += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken


def shaped(samples: Pcm, rate_hz: int, *, rate: float, gain: float) -> Pcm:
    """``samples`` spoken ``rate`` times as fast at the same pitch, ``gain`` times as loud (cut off at full scale)."""
    if rate != 1.0 and len(samples):
        samples = _stretched(samples, rate_hz, rate)
    if gain != 1.0:
        samples = np.clip(samples * np.float32(gain), -32768, 32767).astype(np.int16)
    return samples


def silence(seconds: float, rate_hz: int) -> Pcm:
    """Samples of ``seconds`` of silence."""
    return np.zeros(round(seconds * rate_hz), np.int16)


def _stretched(samples: Pcm, rate_hz: int, rate: float) -> Pcm:
    graph = av.filter.Graph()
    nodes: list[Any] = [graph.add_abuffer(sample_rate=rate_hz, format="s16", layout="mono")]
    while rate < 0.5:  # the least that the filter does at a time
        nodes.append(graph.add("atempo", "0.5"))
        rate /= 0.5
    nodes += [graph.add("atempo", f"{rate:.6f}"), graph.add("abuffersink")]
    graph.link_nodes(*nodes).configure()
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate_hz, 0
    nodes[0].push(frame)
    nodes[0].push(None)
    pieces = []
    while True:
        try:
            pieces.append(nodes[-1].pull().to_ndarray()[0])
        except (av.EOFError, av.BlockingIOError):
            return np.concatenate(pieces).astype(np.int16) if pieces else np.zeros(0, np.int16)
