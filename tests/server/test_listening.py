"""The audio of requests: every encoding and rate, however it is cut into chunks, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import grpc
import numpy as np
import pytest

from pipeline.server.guard import Refusal
from pipeline.server.listening import AudioConfig, AudioReader
from tests.server.material import Floats, Pcm, at_rate, encoded, floats, noise, reading, wav

SPEECH = reading(1.2, 3.2)


def read(data: bytes, config: AudioConfig, *, chunk: int = 1 << 20) -> Floats:
    """All samples of ``data``, fed in chunks."""
    reader = AudioReader(config)
    found = [reader.feed(data[start : start + chunk]) for start in range(0, len(data), chunk)]
    return np.concatenate([*found, reader.finish()])


def likeness(samples: Floats, pcm: Pcm = SPEECH) -> float:
    """Correlation with the speech, at the best of a few milliseconds of delay; the lengths must agree to 20 ms."""
    assert abs(len(samples) - len(pcm)) <= 320
    expected = floats(pcm)
    length = min(len(samples), len(expected)) - 200
    return max(
        float(np.corrcoef(samples[shift : shift + length], expected[100 : 100 + length])[0, 1]) for shift in range(200)
    )


def mulaw(pcm: Pcm, rate_hz: int) -> bytes:
    return encoded(pcm, "mulaw", "pcm_mulaw", rate_hz)


def alaw(pcm: Pcm, rate_hz: int) -> bytes:
    return encoded(pcm, "alaw", "pcm_alaw", rate_hz)


@pytest.mark.parametrize(
    ("data", "config", "least"),
    [
        pytest.param(wav(SPEECH), AudioConfig(), 0.999, id="wav, nothing said"),
        pytest.param(wav(SPEECH), AudioConfig("LINEAR_PCM", 16000, 1), 0.999, id="wav, all said"),
        pytest.param(wav(SPEECH, 8000), AudioConfig(), 0.95, id="wav 8 kHz"),
        pytest.param(wav(SPEECH, 22050), AudioConfig(rate_hz=22050), 0.99, id="wav 22.05 kHz"),
        pytest.param(wav(SPEECH, 48000), AudioConfig(rate_hz=48000), 0.99, id="wav 48 kHz"),
        pytest.param(wav(SPEECH, 8000, codec="pcm_mulaw"), AudioConfig("MULAW", 8000), 0.95, id="mu-law wav"),
        pytest.param(wav(SPEECH, 8000, codec="pcm_alaw"), AudioConfig(), 0.95, id="A-law wav"),
        pytest.param(wav(SPEECH, codec="pcm_u8"), AudioConfig("LINEAR_PCM"), 0.95, id="8-bit wav"),
        pytest.param(SPEECH.tobytes(), AudioConfig("LINEAR_PCM", 16000), 0.999, id="headerless"),
        pytest.param(SPEECH.tobytes(), AudioConfig("", 16000), 0.999, id="headerless, only the rate said"),
        pytest.param(at_rate(SPEECH, 44100).tobytes(), AudioConfig("LINEAR_PCM", 44100), 0.99, id="headerless 44.1"),
        pytest.param(mulaw(SPEECH, 8000), AudioConfig("MULAW", 8000), 0.95, id="headerless mu-law"),
        pytest.param(alaw(SPEECH, 8000), AudioConfig("ALAW", 8000), 0.95, id="headerless A-law"),
        pytest.param(encoded(SPEECH, "flac", "flac"), AudioConfig(), 0.999, id="flac, nothing said"),
        pytest.param(encoded(SPEECH, "flac", "flac", 44100), AudioConfig("FLAC", 44100), 0.99, id="flac 44.1 kHz"),
        pytest.param(encoded(SPEECH, "ogg", "libopus", 48000), AudioConfig(), 0.9, id="opus, nothing said"),
        pytest.param(encoded(SPEECH, "ogg", "libopus", 48000), AudioConfig("OGGOPUS", 16000), 0.9, id="opus, a rate"),
    ],
)
def test_speech_arrives_as_16_khz_mono(data: bytes, config: AudioConfig, least: float) -> None:
    assert likeness(read(data, config)) > least


@pytest.mark.parametrize("chunk", [1, 7, 333, 4096])
@pytest.mark.parametrize(
    "data",
    [
        wav(SPEECH[:4000]),
        wav(SPEECH[:4000], 22050),
        wav(SPEECH[:4000], codec="pcm_s24le"),
        encoded(SPEECH[:4000], "flac", "flac"),
        encoded(SPEECH[:4000], "ogg", "libopus", 48000),
    ],
    ids=["wav", "wav 22.05 kHz", "wav 24 bits", "flac", "opus"],
)
def test_the_cut_into_chunks_changes_nothing(data: bytes, chunk: int) -> None:
    whole, pieces = read(data, AudioConfig()), read(data, AudioConfig(), chunk=chunk)
    # Where the resampler is fed in other blocks, its last digits may differ.
    assert len(whole) == len(pieces)
    assert np.allclose(whole, pieces, atol=1e-4)


def test_what_follows_the_samples_of_a_wav_file_is_no_sound() -> None:
    assert len(read(wav(SPEECH) + b"LIST\x04\0\0\0INFO", AudioConfig())) == len(SPEECH)


def test_a_wav_file_without_a_single_sample_is_empty_and_no_error() -> None:
    assert len(read(wav(SPEECH)[: -2 * len(SPEECH)], AudioConfig())) == 0


def test_samples_come_while_the_rest_is_still_on_its_way() -> None:
    reader = AudioReader(AudioConfig())
    data = wav(SPEECH)
    lengths = [len(reader.feed(part)) for part in (data[:2000], data[2000:4000], data[4000:])]
    assert all(lengths)


@pytest.mark.parametrize(
    ("data", "config", "why"),
    [
        pytest.param(wav(SPEECH, layout="stereo"), AudioConfig(), "2 channels.*split the channels", id="stereo wav"),
        pytest.param(SPEECH.tobytes(), AudioConfig("LINEAR_PCM", 16000, 2), "2 channels", id="stereo said"),
        pytest.param(encoded(SPEECH, "flac", "flac", layout="stereo"), AudioConfig(), "2 channels", id="stereo flac"),
        pytest.param(encoded(SPEECH, "ogg", "libopus", 48000, "stereo"), AudioConfig(), "2 channels", id="stereo opus"),
        pytest.param(wav(SPEECH), AudioConfig("MULAW"), "doesn't match with header format", id="pcm, mu-law said"),
        pytest.param(wav(SPEECH), AudioConfig("", 8000), "8000 Hz.*16000 Hz", id="other rate said"),
        pytest.param(wav(SPEECH), AudioConfig("FLAC"), "match with header format", id="wav, flac said"),
        pytest.param(encoded(SPEECH, "flac", "flac"), AudioConfig("LINEAR_PCM"), "match with", id="flac, pcm said"),
        pytest.param(encoded(SPEECH, "flac", "flac"), AudioConfig("", 8000), "match with", id="flac, other rate"),
        pytest.param(SPEECH.tobytes(), AudioConfig("OGGOPUS"), "match with header", id="raw, opus said"),
        pytest.param(noise(1).tobytes(), AudioConfig(), "no WAV, FLAC or Ogg Opus header", id="garbage"),
        pytest.param(b"fLaC" + noise(1).tobytes(), AudioConfig(), "flac data", id="garbage after fLaC"),
        pytest.param(b"OggS" + noise(1).tobytes(), AudioConfig(), "ogg data", id="garbage after OggS"),
        pytest.param(encoded(SPEECH, "ogg", "flac"), AudioConfig(), "only Opus", id="flac in ogg"),
        pytest.param(wav(SPEECH)[:30], AudioConfig(), "ends inside its header", id="half a header"),
        pytest.param(b"ab", AudioConfig(), "ends inside its header", id="two bytes"),
        pytest.param(wav(SPEECH, codec="adpcm_ms"), AudioConfig(), "format 2 with 4 bits", id="adpcm"),
        pytest.param(SPEECH.tobytes(), AudioConfig("LINEAR_PCM"), "sample_rate_hertz", id="no rate at all"),
        pytest.param(SPEECH.tobytes(), AudioConfig("LINEAR_PCM", 4000), "4000 Hz", id="too slow"),
        pytest.param(SPEECH.tobytes(), AudioConfig("LINEAR_PCM", -1), "-1 Hz", id="below zero"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(data: bytes, config: AudioConfig, why: str) -> None:
    with pytest.raises(Refusal, match=why) as caught:
        read(data, config)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


def test_a_reader_that_is_given_up_lets_its_decoder_go() -> None:
    reader = AudioReader(AudioConfig())
    data = encoded(SPEECH, "flac", "flac")
    for start, end in pairwise(range(0, len(data) // 2, 1000)):
        reader.feed(data[start:end])
    reader.close()
    reader.close()
