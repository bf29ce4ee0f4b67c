from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from pipeline import audio
from pipeline.errors import InputError
from tests.pipeline import sounds

LEFT_HZ, RIGHT_HZ = 440.0, 1000.0


@pytest.fixture(scope="module")
def stereo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of telephone stereo, 8 kHz 16-bit: 440 Hz on the left, 1 kHz on the right."""
    tones = [sounds.tone(3, hz, rate_hz=8000) for hz in (LEFT_HZ, RIGHT_HZ)]
    return sounds.write_wav(tmp_path_factory.mktemp("stereo") / "stereo.wav", *tones, rate_hz=8000)


def pitch_hz(path: Path) -> float:
    """The strongest frequency in a channel's WAV, which must be 16 kHz 16-bit mono."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16_000, 2, 1)
    samples = audio.floats(audio.read(path, 0, 100))
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * 16_000 / len(samples)


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


KINDS = {
    "mulaw.wav": ["-c:a", "pcm_mulaw"],
    "alaw.wav": ["-c:a", "pcm_alaw"],
    "cd.wav": ["-ar", "44100"],
    "old.wav": ["-c:a", "pcm_u8", "-ar", "11025"],
    "fine.wav": ["-c:a", "pcm_s24le", "-ar", "48000"],
    "big.wav": ["-rf64", "always"],
    "call.mp3": [],
    "call.m4a": [],
    "call.opus": ["-c:a", "libopus"],
    "call.ogg": ["-c:a", "libvorbis"],
    "call.flac": [],
    "call.webm": ["-c:a", "libopus"],
    "call.aiff": [],
    "call.au": [],
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_file_becomes_a_wav_per_channel(name: str, stereo: Path, tmp_path: Path) -> None:
    source = sounds.convert(stereo, tmp_path / name, *KINDS[name])
    left, right = audio.split(source, tmp_path / "call")
    assert (left.number, right.number) == (1, 2)
    assert left.path == tmp_path / "call" / "channel-1.wav"
    assert pitch_hz(left.path) == pytest.approx(LEFT_HZ, abs=2)
    assert pitch_hz(right.path) == pytest.approx(RIGHT_HZ, abs=2)
    assert left.duration_s == right.duration_s == pytest.approx(3.0, abs=0.08)
    assert audio.duration_s(left.path) == left.duration_s
    assert left_over(tmp_path) == sorted([name, "call"])


def test_a_mono_telephone_codec_has_one_channel(stereo: Path, tmp_path: Path) -> None:
    options = ["-af", "pan=mono|c0=c1", "-c:a", "libopencore_amrnb"]
    try:
        source = sounds.convert(stereo, tmp_path / "call.amr", *options)
    except subprocess.CalledProcessError:
        pytest.skip("this ffmpeg writes no AMR")
    (channel,) = audio.split(source, tmp_path / "call")
    assert pitch_hz(channel.path) == pytest.approx(RIGHT_HZ, abs=2)


def test_loudness_is_left_alone(stereo: Path, tmp_path: Path) -> None:
    quiet = sounds.write_wav(tmp_path / "quiet.wav", sounds.tone(2, loudness=0.01))
    for source, loudness in ((stereo, 0.3), (quiet, 0.01)):
        channel = audio.split(source, tmp_path / "call")[0]
        middle = audio.floats(audio.read(channel.path, 0.5, 1.5))
        assert np.abs(middle).max() == pytest.approx(loudness, rel=0.02)


def test_sound_at_16_khz_comes_through_bit_by_bit(tmp_path: Path) -> None:
    source = sounds.write_wav(tmp_path / "call.wav", sounds.speech(end_s=2), sounds.tone(2))
    left, right = audio.split(source, tmp_path / "call")
    assert np.array_equal(audio.read(left.path, 0, 9), sounds.speech(end_s=2))
    assert np.array_equal(audio.read(right.path, 0, 9), sounds.tone(2))


def test_a_film_gives_its_first_audio_track_and_says_so(
    stereo: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    picture = ["-f", "lavfi", "-i", "color=d=3:s=64x64", "-map", "1:v", "-map", "0:a"]
    one = sounds.convert(stereo, tmp_path / "one.mp4", *picture)
    assert [pitch_hz(channel.path) for channel in audio.split(one, tmp_path / "call")] == [
        pytest.approx(LEFT_HZ, abs=2),
        pytest.approx(RIGHT_HZ, abs=2),
    ]
    assert not caplog.records
    two = sounds.convert(one, tmp_path / "two.mkv", *picture[:4], "-map", "0:a", "-map", "0:a", "-map", "1:v")
    assert len(audio.split(two, tmp_path / "call")) == 2
    assert "two.mkv: has 2 audio tracks; the first is used" in caplog.text


def cut(path: Path, share: float = 0.6) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


BAD = {
    "empty.wav": "empty (0 bytes)",
    "text.wav": "ffmpeg cannot read it as a recording",
    "list.wav": "ffmpeg cannot",
    "cut.wav": "cut short",
    "cut.rf64.wav": "cut short",
    "cut.mp3": "cut short",
    "cut.flac": "cut short",
    "cut.ogg": "cut short",
    "cut.opus": "cut short",
    "cut.m4a": "cut short",
    "fast.m4a": "cut short",
    "cut.mkv": "cut short",
    "film.mp4": "no audio track",
    "none.wav": "0 samples",
    "six.wav": "6 channels",
    "missing.wav": "no such file",
    "folder.wav": "a folder",
    "pipe.wav": "not a regular file",
}


def make_bad(name: str, stereo: Path, folder: Path) -> Path:
    path = folder / name
    match name:
        case "empty.wav":
            path.touch()
        case "text.wav":
            path.write_text("Dear customer, this is no sound at all.\n" * 50)
        case "list.wav":
            path.write_text("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:9,\nhttp://localhost:9/secret.ts\n")
        case "film.mp4":
            sounds.convert(stereo, path, "-f", "lavfi", "-i", "color=d=1:s=64x64", "-map", "1:v")
        case "none.wav":
            sounds.write_wav(path, sounds.silence(0), sounds.silence(0))
        case "six.wav":
            sounds.write_wav(path, *[sounds.silence(1)] * 6)
        case "folder.wav":
            path.mkdir()
        case "pipe.wav":
            os.mkfifo(path)
        case "fast.m4a":
            cut(sounds.convert(stereo, path, "-movflags", "+faststart"))
        case "cut.rf64.wav":
            cut(sounds.convert(stereo, path, "-rf64", "always"))
        case _ if name.startswith("cut."):
            cut(sounds.convert(stereo, path))
    return path


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(name: str, stereo: Path, tmp_path: Path) -> None:
    source = make_bad(name, stereo, tmp_path)
    before = left_over(tmp_path)
    with pytest.raises(InputError) as refusal:
        audio.split(source, tmp_path / "call")
    message = str(refusal.value)
    assert message.startswith(f"{source}: ")
    assert BAD[name] in message
    assert "\n" not in message
    assert len(message) < len(str(source)) + 200
    assert left_over(tmp_path) == before


def test_a_file_that_may_not_be_read_is_refused(stereo: Path, tmp_path: Path) -> None:
    source = sounds.convert(stereo, tmp_path / "secret.wav")
    source.chmod(0)
    me = os.geteuid()
    if me == 0:  # root may read everything: be nobody for a moment
        os.seteuid(65534)
    try:
        with pytest.raises(InputError, match=r"secret\.wav: permission to read it is denied"):
            audio.split(source, tmp_path / "call")
        with pytest.raises(InputError, match="permission"):
            audio.digest(source)
    finally:
        os.seteuid(me)
    assert left_over(tmp_path) == ["secret.wav"]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_streamed_wavs_whose_header_knows_no_length_are_whole(size: int, stereo: Path, tmp_path: Path) -> None:
    data = bytearray(stereo.read_bytes())
    data[4:8] = data[40:44] = size.to_bytes(4, "little")
    source = tmp_path / "streamed.wav"
    source.write_bytes(data)
    assert audio.split(source, tmp_path / "call")[0].duration_s == pytest.approx(3.0)


STRANGE = [
    "two words.wav",
    'it\'s "quoted".wav',
    "new\nline.wav",
    "emoji 📞.wav",
    "-y.wav",
    "a:b.wav",
    "100%d.wav",
    "caf\udce9.wav",
]


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_work(name: str, stereo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(stereo.read_bytes())
    assert len(audio.split(Path(name), Path("folder of " + name))) == 2
    Path(name).write_bytes(b"")
    with pytest.raises(InputError) as refusal:
        audio.split(Path(name), Path("other"))
    assert "\n" not in str(refusal.value)
    str(refusal.value).encode()


def test_a_failure_leaves_the_earlier_channels_in_place(stereo: Path, tmp_path: Path) -> None:
    audio.split(stereo, tmp_path / "call")
    bad = make_bad("cut.flac", stereo, tmp_path)
    with pytest.raises(InputError):
        audio.split(bad, tmp_path / "call")
    assert left_over(tmp_path / "call") == ["channel-1.wav", "channel-2.wav"]
    assert left_over(tmp_path) == ["call", "cut.flac"]


def test_what_a_killed_run_left_goes_with_the_next(stereo: Path, tmp_path: Path) -> None:
    (tmp_path / ".call.partial").mkdir()
    (tmp_path / ".call.partial" / "channel-1.wav").write_bytes(b"half")
    audio.split(stereo, tmp_path / "call")
    assert left_over(tmp_path) == ["call"]


def test_blocks_and_cuts_give_the_samples_where_they_are(tmp_path: Path) -> None:
    samples = sounds.speech(end_s=3)
    path = sounds.write_wav(tmp_path / "channel.wav", samples)
    assert np.array_equal(np.concatenate(list(audio.blocks(path, 0.7))), samples)
    assert np.array_equal(audio.read(path, 1.0, 1.5), samples[16_000:24_000])
    assert len(audio.read(path, 2.9, 5.0)) == 1600
    assert len(audio.read(path, 7.0, 9.0)) == 0
    assert audio.floats(np.array([-32768, 0, 16384], dtype=np.int16)).tolist() == [-1.0, 0.0, 0.5]


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"some bytes" * 100_000)
    assert audio.digest(tmp_path / "file") == hashlib.sha256(b"some bytes" * 100_000).hexdigest()


def test_many_small_files_give_what_each_gives_alone(stereo: Path, tmp_path: Path) -> None:
    sources = [sounds.convert(stereo, tmp_path / name, *KINDS[name]) for name in ("call.mp3", "old.wav", "call.opus")]
    together = audio.split_many([(source, tmp_path / "together" / source.name) for source in sources])
    for source, channels in zip(sources, together, strict=True):
        assert not isinstance(channels, InputError)
        alone = audio.split(source, tmp_path / "alone")
        assert [(c.number, c.duration_s) for c in channels] == [(c.number, c.duration_s) for c in alone]
        for one, other in zip(channels, alone, strict=True):
            assert one.path.read_bytes() == other.path.read_bytes()
    assert left_over(tmp_path / "together") == sorted(source.name for source in sources)


def test_a_bad_file_among_many_is_the_only_one_refused(stereo: Path, tmp_path: Path) -> None:
    names = ["text.wav", "cut.flac", "six.wav", "empty.wav", "missing.wav"]
    sources = [
        stereo,
        *[make_bad(name, stereo, tmp_path) for name in names],
        sounds.convert(stereo, tmp_path / "a.mp3"),
    ]
    results = audio.split_many([(source, tmp_path / "out" / source.name) for source in sources])
    assert [isinstance(result, InputError) for result in results] == [False, *[True] * 5, False]
    for name, result in zip(names, results[1:], strict=False):
        assert BAD[name] in str(result)
    assert left_over(tmp_path / "out") == ["a.mp3", "stereo.wav"]


def test_a_cut_file_is_found_beside_one_whose_header_knows_no_length(stereo: Path, tmp_path: Path) -> None:
    guessed = sounds.convert(stereo, tmp_path / "guessed.mp3", "-write_xing", "0")
    bad = make_bad("cut.flac", stereo, tmp_path)
    pairs = [(source, tmp_path / "out" / source.name) for source in (stereo, guessed, bad)]
    for order in (pairs, pairs[::-1]):
        refused = [isinstance(result, InputError) for result in audio.split_many(order)]
        assert refused == [source is bad for source, _ in order]


def test_two_recordings_cannot_go_to_one_folder(stereo: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="same folder"):
        audio.split_many([(stereo, tmp_path / "x"), (stereo, tmp_path / "x")])


COUNTING = """
import sys
from pathlib import Path
from pipeline import audio
audio.split_many([(Path(a), Path(sys.argv[1]) / str(n)) for n, a in enumerate(sys.argv[2:])])
"""


def test_small_files_share_a_process_and_a_large_one_has_its_own(stereo: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho run >> "{tmp_path}/runs"\nexec "{audio.ffmpeg_program()}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    large = sounds.write_wav(tmp_path / "large.wav", sounds.silence(70))
    small = [sounds.convert(stereo, tmp_path / f"{n}.wav") for n in range(5)]
    subprocess.run(
        [sys.executable, "-c", COUNTING, str(tmp_path / "out"), *map(str, [*small, large])],
        check=True,
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
    )
    assert len(left_over(tmp_path / "out")) == 6
    # One asks for the version, one converts the five, one the large file.
    assert (tmp_path / "runs").read_text().count("run") == 3
