"""16-bit mono samples from one rate to another, piece by piece, by FFmpeg's resampler."""

from __future__ import annotations

import av
import numpy as np


class Resampler:
    """Bytes of 16-bit little-endian samples at ``source_hz`` in, at ``target_hz`` out; the seams cannot be heard."""

    def __init__(self, source_hz: int, target_hz: int) -> None:
        self._source_hz = source_hz
        self._inner = None if source_hz == target_hz else av.AudioResampler("s16", "mono", target_hz)
        self._odd = b""  # the first byte of a sample whose second one is still to come
        self._passed = 0

    def feed(self, pcm: bytes) -> bytes:
        """The samples that are ready after ``pcm``, which may be cut anywhere, also within a sample."""
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        if self._inner is None or not whole:
            return pcm[:whole]
        samples = np.frombuffer(pcm[:whole], dtype="<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = self._source_hz, self._passed
        self._passed += samples.shape[1]
        return _bytes(self._inner.resample(frame))

    def finish(self) -> bytes:
        """The last samples; nothing may be fed after them."""
        return _bytes(self._inner.resample(None)) if self._inner is not None and self._passed else b""


def _bytes(frames: list[av.AudioFrame]) -> bytes:
    return b"".join(frame.to_ndarray().astype("<i2").tobytes() for frame in frames)
