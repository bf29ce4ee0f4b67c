"""WAV headers and raw samples, against FFmpeg's own reading of them."""

from __future__ import annotations

import contextlib
import struct

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.server.wav import SAMPLE_BYTES, BadHeader, Encoding, read_header, to_samples
from tests.server.material import reading, wav

CODECS: dict[Encoding, str] = {
    "u8": "pcm_u8",
    "s16": "pcm_s16le",
    "s24": "pcm_s24le",
    "s32": "pcm_s32le",
    "f32": "pcm_f32le",
    "f64": "pcm_f64le",
    "mulaw": "pcm_mulaw",
    "alaw": "pcm_alaw",
}


@pytest.mark.parametrize("encoding", CODECS)
def test_a_file_of_each_encoding_reads_as_ffmpeg_wrote_it(encoding: Encoding) -> None:
    pcm = reading(1.5, 2.5)
    data = wav(pcm, codec=CODECS[encoding])
    header = read_header(data)
    assert header is not None
    assert (header.encoding, header.rate_hz, header.channels) == (encoding, 16_000, 1)
    assert header.size == len(pcm) * SAMPLE_BYTES[encoding]
    samples = to_samples(data[header.start : header.start + header.size], encoding)
    # 8 bits are coarse in their own way; G.711 is finer for quiet speech.
    tolerance = {"u8": 0.01, "mulaw": 0.02, "alaw": 0.02}.get(encoding, 0.0001)
    assert np.abs(samples - pcm / 32768).max() < tolerance


@pytest.mark.parametrize(("encoding", "codec"), [("mulaw", "pcm_mulaw"), ("alaw", "pcm_alaw")])
def test_g711_decodes_each_of_its_256_codes_as_ffmpeg_does(encoding: Encoding, codec: str) -> None:
    context = av.CodecContext.create(codec, "r")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout = 8000, av.AudioLayout("mono")
    codes = bytes(range(256))
    (frame,) = context.decode(av.Packet(codes))
    ffmpeg = frame.to_ndarray()[0].astype(np.float32) / 32768
    assert np.abs(to_samples(codes, encoding) - ffmpeg).max() < 1e-6


def test_more_bytes_are_asked_for_until_the_header_is_whole() -> None:
    data = wav(reading(1.5, 1.6))
    header = read_header(data)
    assert header is not None
    assert all(read_header(data[:length]) is None for length in range(header.start))
    assert read_header(data[: header.start]) == header


def test_chunks_before_the_samples_are_skipped_even_of_odd_length() -> None:
    data = wav(reading(1.5, 1.6))
    header = read_header(data)
    assert header is not None
    odd = b"note" + struct.pack("<I", 5) + b"hello\0"
    moved = read_header(data[:12] + odd + data[12:])
    assert moved is not None
    assert moved.start == header.start + len(odd)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_size_that_its_writer_could_not_know_means_to_the_end(size: int) -> None:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    header = read_header(struct.pack("<4sI4s", b"RIFF", size, b"WAVE") + form + struct.pack("<4sI", b"data", size))
    assert header is not None
    assert header.size is None


def test_the_extensible_format_says_its_encoding_further_on() -> None:
    extra = struct.pack("<HI", 8, 0) + struct.pack("<H", 7) + bytes(14)  # valid bits, speakers, sub-format
    form = struct.pack("<HHIIHHH", 0xFFFE, 1, 8000, 8000, 1, 8, len(extra)) + extra
    data = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(form)) + form + b"data\x10\0\0\0"
    header = read_header(data)
    assert header is not None
    assert (header.encoding, header.rate_hz) == ("mulaw", 8000)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"RIFF\0\0\0\0AVI LIST", "no WAVE file"),
        (b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd", "before it says their format"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0abcd", "cut off"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 2, 1, 8000, 4055, 256, 4), "format 2 with 4 bits"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 0, 8000, 8000, 1, 8), "0 channels"),
        (b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\x7f" + bytes(20), "no samples within"),
    ],
)
def test_what_is_no_speech_file_is_told(data: bytes, why: str) -> None:
    with pytest.raises(BadHeader, match=why):
        read_header(data)


def test_infinities_and_nans_in_a_float_file_become_sound() -> None:
    samples = to_samples(np.array([np.nan, np.inf, -np.inf, 0.5], dtype="<f4").tobytes(), "f32")
    assert samples.tolist() == [0.0, 1.0, -1.0, 0.5]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_reader(tail: bytes) -> None:
    with contextlib.suppress(BadHeader):
        read_header(b"RIFF\0\0\0\0WAVE" + tail)
