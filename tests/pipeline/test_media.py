from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.media import check_whole, pcm_header, read_report, reason, shown


def riff(data: bytes, announced: int | None = None, *, order: str = "<", extra: bytes = b"") -> bytes:
    """A WAV whose data chunk announces ``announced`` bytes."""
    fmt = struct.pack(f"{order}4sIHHIIHH", b"fmt ", 16, 1, 2, 16_000, 64_000, 4, 16)
    size = len(data) if announced is None else announced
    chunk = extra + struct.pack(f"{order}4sI", b"data", size) + data
    return struct.pack(f"{order}4sI4s", b"RIFF" if order == "<" else b"RIFX", 0, b"WAVE") + fmt + chunk


def ogg(body: bytes, segments: bytes) -> bytes:
    return b"OggS" + bytes(22) + bytes([len(segments)]) + segments + body


WHOLE = {
    "as long as it says": riff(bytes(1000)),
    "a few bytes short, as careless writers leave it": riff(bytes(1000), 1036),
    "length unknown": riff(bytes(1000), 0xFFFFFFFF),
    "length not yet written": riff(bytes(1000), 0),
    "big-endian": riff(bytes(1000), order=">"),
    "more after the data": riff(bytes(1000)) + b"LIST\4\0\0\0abcd",
    "a chunk of odd length before": riff(bytes(10), extra=b"note\3\0\0\0abc\0"),
    "no data chunk": riff(b"")[:36],
    "an Ogg page": ogg(bytes(300), bytes([255, 45])),
    "another kind of file": b"ID3 what ffmpeg judges",
}
CUT = {
    "a second short": riff(bytes(1000), 65_000),
    "big-endian and short": riff(bytes(1000), 65_000, order=">"),
    "an Ogg page cut in its body": ogg(bytes(200), bytes([255, 45])),
    "an Ogg page cut in its header": ogg(b"", bytes([255, 45]))[:20],
    "an Ogg page cut in its table": ogg(b"", bytes([255, 45]))[:28],
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_files_pass(name: str) -> None:
    check_whole(Path("call"), io.BytesIO(WHOLE[name]), len(WHOLE[name]))


@pytest.mark.parametrize("name", CUT)
def test_cut_files_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"call: it is cut short: at least [0-9]+ bytes"):
        check_whole(Path("call"), io.BytesIO(CUT[name]), len(CUT[name]))


def test_the_header_of_a_pipe_is_read_to_its_first_sample() -> None:
    file = io.BytesIO(riff(b"samples", extra=b"LIST\3\0\0\0abc\0"))
    assert pcm_header(file) == 2
    assert file.read() == b"samples"
    assert pcm_header(io.BytesIO(b"")) == 0
    assert pcm_header(io.BytesIO(b"RIFF\0\0\0\0WAVEfmt ")) == 0


def test_paths_are_shown_on_one_line() -> None:
    assert shown(Path("a b/it's 📞.wav")) == "a b/it's 📞.wav"
    assert shown(Path("new\nline\tcaf\udce9\x1b.wav")) == r"new\nline\tcaf\udce9\x1b.wav"


SAID = """
[mp3 @ 0x1] [warning] Estimating duration from bitrate, this may be inaccurate
[info] Input #0, mp3, from 'file:/a.mp3':
[info]   Duration: 00:00:03.17, start: 0.000000, bitrate: 24 kb/s
[info]   Stream #0:0: Audio: mp3 (mp3float), 8000 Hz, stereo, fltp, 24 kb/s
[info] Input #1, flac, from 'file:/b.flac':
[info]   Duration: 01:00:03.50, start: 0.000000, bitrate: 122 kb/s
[info]   Stream #1:0: Audio: flac, 8000 Hz, stereo, s16
[info]   Stream #1:1(eng): Audio: flac, 8000 Hz, stereo, s16
[info] Input #2, matroska,webm, from 'file:/c.mkv':
[info]   Duration: N/A
[info] Stream mapping:
[info] Output #0, wav, to 'pipe:1':
[info]   Stream #0:0: Audio: pcm_s16le
[flac @ 0x2] [error] invalid residual
[in#2/matroska,webm @ 0x3] [error] File ended prematurely
"""


def test_a_report_tells_inputs_lengths_and_complaints() -> None:
    report = read_report(SAID)
    assert [(one.format, one.claimed_s, one.audio_tracks) for one in report.inputs] == [
        ("mp3", None, 1),
        ("flac", 3603.5, 2),
        ("matroska,webm", None, 0),
    ]
    assert report.complaints == ["invalid residual", "File ended prematurely"]
    assert report.cut_short
    assert report.missing_s(1, 3603.0) == 0
    assert report.missing_s(1, 1800.0) == 1803.5
    assert report.missing_s(0, 1.0) == 0
    assert report.missing_s(9, 1.0) == 0


def test_reasons_are_in_our_words_where_we_know_them() -> None:
    assert "no audio track" in reason(["Stream map '' matches no streams.", "Error opening output files"])
    assert reason(["something new"]) == "ffmpeg cannot convert it: something new"
    assert "no reason" in reason([])
