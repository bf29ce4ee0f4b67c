"""The audio of a request, however encoded, as 16 kHz mono samples: sniffed, checked against the config, resampled.

One reader serves both calls: a unary request feeds it once, a stream feeds it chunk by chunk, and a header may be
spread over several chunks. What Riva refuses is refused with Riva's own texts where those are known.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Any, Protocol

import av
import numpy as np

from pipeline.server.guard import Refusal
from pipeline.server.wav import SAMPLE_BYTES, BadHeader, Encoding, Header, Samples, read_header, to_samples

RATE_HZ = 16_000
_SLOWEST_HZ, _FASTEST_HZ = 8_000, 192_000
_BLOCK = 1 << 16  # samples that go through the resampler at once
_MAGIC = 4  # bytes that tell the container

MISMATCH = "Error: config format doesn't match with header format"


@dataclass(frozen=True)
class AudioConfig:
    """What the client says of its audio; Riva's names of the encodings, empty and 0 where it does not say."""

    encoding: str = ""  # LINEAR_PCM, FLAC, MULAW, OGGOPUS, ALAW
    rate_hz: int = 0
    channels: int = 0


class Body(Protocol):
    """Decodes what comes after a header."""

    def feed(self, data: bytes) -> Samples:
        """The 16 kHz samples that are ready after ``data``."""

    def finish(self) -> Samples:
        """The rest of them; nothing may be fed afterwards."""


class AudioReader:
    """One request's audio: bytes in, float32 mono samples at 16 kHz out. Every error is a Refusal."""

    def __init__(self, config: AudioConfig) -> None:
        if config.channels > 1:
            raise _stereo(config.channels)
        if config.rate_hz:
            _check_rate(config.rate_hz)
        self._config = config
        self._head = bytearray()
        self._body: Body | None = None

    def feed(self, data: bytes) -> Samples:
        """The samples that are ready after ``data``; none while the header is incomplete."""
        if self._body is not None:
            return self._body.feed(data)
        self._head += data
        if len(self._head) < _MAGIC:
            return _NOTHING
        opened = self._open(bytes(self._head[:_MAGIC]))
        if opened is None:
            return _NOTHING
        self._body, start = opened
        rest = bytes(self._head[start:])
        self._head.clear()
        return self._body.feed(rest)

    def finish(self) -> Samples:
        """The samples that were still inside."""
        if self._body is None:
            if not self._head:
                return _NOTHING
            raise Refusal("Error: the audio ends inside its header")
        return self._body.finish()

    def close(self) -> None:
        """Let go of a decoder that was not finished, for streams that break off."""
        if isinstance(self._body, _Compressed):
            self._body.abandon()

    def _open(self, magic: bytes) -> tuple[Body, int] | None:
        if magic == b"RIFF":
            try:
                header = read_header(self._head)
            except BadHeader as error:
                raise Refusal(f"Error: cannot read the audio: {error}") from error
            return None if header is None else (self._wav(header), header.start)
        if magic == b"fLaC":
            self._must_be("FLAC")
            return _Compressed("flac", self._config.rate_hz), 0
        if magic == b"OggS":
            self._must_be("OGGOPUS")
            # Opus has no rate of its own: a header's 48000 beside a config's 16000 is no contradiction.
            return _Compressed("ogg", 0), 0
        return self._headerless(), 0

    def _wav(self, header: Header) -> Body:
        if header.channels > 1:
            raise _stereo(header.channels)
        self._must_be({"mulaw": "MULAW", "alaw": "ALAW"}.get(header.encoding, "LINEAR_PCM"))
        _check_rate(header.rate_hz)
        if self._config.rate_hz not in (0, header.rate_hz):
            raise Refusal(f"{MISMATCH}: {self._config.rate_hz} Hz in the config, {header.rate_hz} Hz in the header")
        return _Raw(header.encoding, header.rate_hz, header.size)

    def _headerless(self) -> Body:
        encoding, rate_hz = self._config.encoding, self._config.rate_hz
        if encoding in ("FLAC", "OGGOPUS"):
            raise Refusal(f"{MISMATCH}: the config says {encoding}, the audio has no such header")
        if not rate_hz:
            raise Refusal("Error: no WAV, FLAC or Ogg Opus header: for raw samples set encoding and sample_rate_hertz")
        return _Raw(_RAW[encoding], rate_hz, None)

    def _must_be(self, found: str) -> None:
        if self._config.encoding not in ("", found):
            raise Refusal(f"{MISMATCH}: {self._config.encoding} in the config, {found} in the header")


_RAW: dict[str, Encoding] = {"": "s16", "LINEAR_PCM": "s16", "MULAW": "mulaw", "ALAW": "alaw"}
_NOTHING: Samples = np.zeros(0, dtype=np.float32)


class _Raw:
    """Samples without compression; ``size`` bytes of them, then whatever chunks follow them in a WAV file."""

    def __init__(self, encoding: Encoding, rate_hz: int, size: int | None) -> None:
        self._encoding, self._left = encoding, size
        self._rest = b""
        self._resampler = _Resampler(rate_hz) if rate_hz != RATE_HZ else None

    def feed(self, data: bytes) -> Samples:
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        data = self._rest + data
        whole = len(data) - len(data) % SAMPLE_BYTES[self._encoding]
        self._rest = data[whole:]
        samples = to_samples(data[:whole], self._encoding)
        return samples if self._resampler is None else self._resampler.feed(samples)

    def finish(self) -> Samples:
        return _NOTHING if self._resampler is None else self._resampler.finish()


class _Resampler:
    """Any rate to 16 kHz, block by block, with FFmpeg's resampler."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._inner = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)

    def feed(self, samples: Samples) -> Samples:
        found = []
        for start in range(0, len(samples), _BLOCK):
            block = samples[start : start + _BLOCK]
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="mono")
            frame.sample_rate = self._rate_hz
            found += self._inner.resample(frame)
        return _joined(found)

    def finish(self) -> Samples:
        return _joined(self._inner.resample(None))


class _Compressed:
    """FLAC or Ogg Opus: FFmpeg reads from a pipe in a thread of its own, since it cannot be fed."""

    def __init__(self, container: str, rate_hz: int) -> None:
        self._container, self._rate_hz = container, rate_hz
        self._pipe = _Pipe()
        self._ready: queue.SimpleQueue[Samples] = queue.SimpleQueue()
        self._error: Refusal | None = None
        self._any = False
        self._thread = threading.Thread(target=self._run, name=f"decode-{container}", daemon=True)
        self._thread.start()

    def feed(self, data: bytes) -> Samples:
        if self._error is not None:
            raise self._error
        self._pipe.write(data)
        return self._collect()

    def finish(self) -> Samples:
        self._pipe.write(b"")
        self._thread.join()
        if self._error is not None:
            raise self._error
        found = self._collect()
        if not self._any:
            raise Refusal(f"Error: the {self._container} data is damaged or holds no audio")
        return found

    def abandon(self) -> None:
        self._pipe.write(b"")

    def _collect(self) -> Samples:
        found = []
        while not self._ready.empty():
            found.append(self._ready.get())
        self._any = self._any or bool(found)
        return np.concatenate(found) if found else _NOTHING

    def _run(self) -> None:
        try:
            # Small probes: the headers say everything, and a live stream must not wait for megabytes.
            options = {"probesize": "4096", "analyzeduration": "0"}
            with av.open(self._pipe, "r", format=self._container, options=options) as source:
                self._decode(source)
        except Refusal as error:
            self._error = error
        except Exception as error:  # noqa: BLE001  whatever FFmpeg stumbles over is in the client's bytes
            self._error = Refusal(f"Error: cannot read the {self._container} data: {_reason(error)}")

    def _decode(self, source: Any) -> None:
        if not source.streams.audio:
            raise Refusal(f"Error: the {self._container} data holds no audio")
        stream = source.streams.audio[0]
        codec, channels = stream.codec_context.name, stream.codec_context.layout.nb_channels
        if self._container == "ogg" and "opus" not in codec:
            raise Refusal(f"Error: Ogg with {codec} inside; only Opus is supported in Ogg")
        if channels > 1:
            raise _stereo(channels)
        if self._rate_hz not in (0, stream.rate):
            raise Refusal(f"{MISMATCH}: {self._rate_hz} Hz in the config, {stream.rate} Hz in the header")
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
        for frame in source.decode(stream):
            self._ready.put(_joined(resampler.resample(frame)))
        self._ready.put(_joined(resampler.resample(None)))


class _Pipe:
    """A file that is written by one thread and read by another; an empty write ends it."""

    def __init__(self) -> None:
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._rest = b""
        self._ended = False

    def write(self, data: bytes) -> None:
        self._chunks.put(data)

    def read(self, size: int) -> bytes:
        if not self._rest and not self._ended:
            self._rest = self._chunks.get()
            self._ended = not self._rest
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def _joined(frames: list[Any]) -> Samples:
    if not frames:
        return _NOTHING
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _check_rate(rate_hz: int) -> None:
    if not _SLOWEST_HZ <= rate_hz <= _FASTEST_HZ:
        raise Refusal(f"Error: {rate_hz} Hz; the sample rate must lie between {_SLOWEST_HZ} and {_FASTEST_HZ}")


def _stereo(channels: int) -> Refusal:
    return Refusal(
        f"Error: the audio has {channels} channels; only single channel audio is supported: "
        "split the channels and send each in a request of its own"
    )
