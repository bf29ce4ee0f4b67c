from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from dashboard import wav
from pipeline.errors import InputError


def write(path: Path, samples: np.ndarray, rate_hz: int = 16_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    """A call whose second channel is shorter and that needs more than one block."""
    write(tmp_path / "channel-1.wav", np.arange(150_000) % 30_000)
    write(tmp_path / "channel-2.wav", -(np.arange(100_000) % 30_000))
    return tmp_path


def whole(audio: wav.CallAudio) -> bytes:
    return b"".join(wav.read_bytes(audio, 0, audio.size))


def test_the_virtual_file_is_a_stereo_wav_of_both_channels(stereo: Path) -> None:
    audio = wav.open_call(stereo)
    content = whole(audio)
    assert len(content) == audio.size
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 16_000, 150_000)
        frames = np.frombuffer(file.readframes(150_000), "<i2").reshape(-1, 2)
    assert (frames[:, 0] == np.arange(150_000) % 30_000).all()
    assert (frames[:100_000, 1] == -(np.arange(100_000) % 30_000)).all()
    assert not frames[100_000:, 1].any()
    assert audio.duration_s == pytest.approx(150_000 / 16_000)


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (0, 1),
        (0, 44),
        (0, 45),
        (10, 50),
        (43, 47),
        (44, 48),
        (45, 46),
        (46, 300_001),
        (262_188, 262_189),
        (599_999, 600_044),
    ],
)
def test_any_range_equals_that_part_of_the_whole(stereo: Path, start: int, stop: int) -> None:
    audio = wav.open_call(stereo)
    assert b"".join(wav.read_bytes(audio, start, stop)) == whole(audio)[start:stop]


def test_blocks_stay_small(stereo: Path) -> None:
    assert max(len(block) for block in wav.read_bytes(wav.open_call(stereo), 0, 600_044)) <= 256 * 1024


def test_a_mono_call_is_served_as_it_is(tmp_path: Path) -> None:
    write(tmp_path / "channel-1.wav", np.arange(1000))
    content = whole(wav.open_call(tmp_path))
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getnframes()) == (1, 1000)


def test_chunks_before_the_samples_and_unfinished_headers_are_understood(tmp_path: Path) -> None:
    samples = np.arange(64, dtype="<i2").tobytes()
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16_000, 2, 16)
    for size in (len(samples), 0, 0xFFFFFFFF, 10**6):
        path = tmp_path / f"{size}.wav"
        path.write_bytes(b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0" + fmt + struct.pack("<4sI", b"data", size) + samples)
        assert (wav.read_layout(path).frames, wav.read_layout(path).rate_hz) == (64, 8000)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a wav at all, just text", b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_wav_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "channel-1.wav").write_bytes(content)
    with pytest.raises(InputError, match=r"^channel-1\.wav"):
        wav.open_call(tmp_path)


def test_a_call_without_audio_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no audio is kept"):
        wav.open_call(tmp_path / "absent")


def test_a_size_past_4_gib_does_not_overflow_the_header(tmp_path: Path) -> None:
    pcm = wav.Pcm(tmp_path / "x.wav", 44, 24 * 3600 * 16_000, 16_000)
    head = wav.header(wav.CallAudio((pcm, pcm)))
    assert struct.unpack("<I", head[40:44])[0] == 0xFFFFFFFF
