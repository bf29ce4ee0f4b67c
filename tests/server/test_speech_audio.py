"""Encodings, rates, tempo and loudness."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from riva.client.proto.riva_audio_pb2 import AudioEncoding

from pipeline.errors import InputError
from pipeline.server.speech_audio import Encoder, Pcm, shaped, silence

HZ = 22_050
TONE = (np.sin(np.arange(2 * HZ) * 2 * np.pi * 440 / HZ) * 12_000).astype(np.int16)


def _encoded(encoding: int, rate_hz: int, *pieces: Pcm) -> bytes:
    encoder = Encoder(encoding, rate_hz, source_hz=HZ)
    return b"".join(map(encoder.add, pieces)) + encoder.finish()


def _decoded(data: bytes, container: str, options: dict[str, str]) -> tuple[Pcm, int]:
    with av.open(io.BytesIO(data), "r", format=container, options=options) as file:
        rate_hz = file.streams.audio[0].rate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
        frames = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), rate_hz


CASES = [
    pytest.param(AudioEncoding.LINEAR_PCM, 22_050, "s16le", 22_050, id="PCM, the voice's rate"),
    pytest.param(AudioEncoding.LINEAR_PCM, 8_000, "s16le", 8_000, id="PCM, 8 kHz"),
    pytest.param(AudioEncoding.LINEAR_PCM, 48_000, "s16le", 48_000, id="PCM, 48 kHz"),
    pytest.param(AudioEncoding.ENCODING_UNSPECIFIED, 0, "s16le", 22_050, id="nothing said"),
    pytest.param(AudioEncoding.MULAW, 8_000, "mulaw", 8_000, id="mu-law"),
    pytest.param(AudioEncoding.ALAW, 8_000, "alaw", 8_000, id="A-law"),
    pytest.param(AudioEncoding.FLAC, 44_100, "flac", 44_100, id="FLAC"),
    pytest.param(AudioEncoding.OGGOPUS, 44_100, "ogg", 48_000, id="Opus"),
]


@pytest.mark.parametrize(("encoding", "asked_hz", "container", "rate_hz"), CASES)
def test_what_is_encoded_sounds_the_same(encoding: int, asked_hz: int, container: str, rate_hz: int) -> None:
    raw = {"sample_rate": str(rate_hz)} if container in ("s16le", "mulaw", "alaw") else {}
    heard, found_hz = _decoded(_encoded(encoding, asked_hz, TONE), container, raw)
    assert found_hz == rate_hz
    assert len(heard) / rate_hz == pytest.approx(2.0, abs=0.05)
    middle = heard[rate_hz // 2 : rate_hz // 2 + rate_hz].astype(float)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(12_000, rel=0.1)


@pytest.mark.parametrize(("encoding", "asked_hz", "container", "rate_hz"), CASES)
def test_pieces_give_the_same_bytes_as_the_whole(encoding: int, asked_hz: int, container: str, rate_hz: int) -> None:
    pieces = (TONE[:1000], TONE[1000:1001], TONE[:0], TONE[1001:30_000], TONE[30_000:])
    assert _encoded(encoding, asked_hz, *pieces) == _encoded(encoding, asked_hz, TONE)


def test_pcm_has_no_header_and_comes_at_once() -> None:
    encoder = Encoder(AudioEncoding.LINEAR_PCM, HZ, source_hz=HZ)
    first = encoder.add(TONE)
    assert len(first) > 0.95 * TONE.nbytes
    assert first + encoder.finish() == TONE.tobytes()


@pytest.mark.parametrize("rate_hz", [2, 7_999, 48_001, -1])
def test_rates_out_of_range_are_refused(rate_hz: int) -> None:
    with pytest.raises(InputError, match=f"Invalid sample rate {rate_hz} Hz"):
        Encoder(AudioEncoding.LINEAR_PCM, rate_hz, source_hz=HZ)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(InputError, match="Unsupported audio encoding 7"):
        Encoder(7, HZ, source_hz=HZ)


@pytest.mark.parametrize("rate", [0.25, 0.8, 1.5, 3.0])
def test_tempo_changes_the_length_and_not_the_pitch(rate: float) -> None:
    heard = shaped(TONE, HZ, rate=rate, gain=1.0)
    assert len(heard) == pytest.approx(len(TONE) / rate, rel=0.03)
    middle = heard[len(heard) // 4 : len(heard) // 4 + HZ // 4].astype(float)
    assert np.argmax(np.abs(np.fft.rfft(middle))) * 4 == pytest.approx(440, abs=8)


def test_loudness_is_cut_off_at_full_scale() -> None:
    assert np.abs(shaped(TONE, HZ, rate=1.0, gain=0.5)).max() == pytest.approx(6_000, abs=2)
    assert shaped(TONE, HZ, rate=1.0, gain=10.0).max() == 32_767


def test_silence() -> None:
    assert len(silence(0.5, HZ)) == HZ // 2
    assert not silence(0.5, HZ).any()
