"""Any recording in; one 16 kHz 16-bit mono WAV per channel out, through ffmpeg, never more than a block in memory.

One ffmpeg process a file: it writes all channels as one WAV to a pipe, whose header says how many there are, and the
channels are separated block by block on their way to disk.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import shutil
import stat
import subprocess
import tempfile
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import IO

import ffmpeg
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from pipeline.claims import claim, publish
from pipeline.errors import ConfigError, InputError
from pipeline.media import Report, check_whole, pcm_header, read_report, reason, shown

RATE_HZ = 16_000
MOST_CHANNELS = 2
LONGEST_S = 24 * 3600  # a WAV's size field ends at 37 hours, and no call lasts a day
SMALL_BYTES = 1 << 20  # files up to this size may share a process; above it the start of one costs nothing
_SHARED = 24  # files that share a process
_BLOCK = 1 << 18  # samples of each channel that are in memory at once
_REPORT_BYTES = 1 << 18  # of ffmpeg's messages, from either end

Pcm = npt.NDArray[np.int16]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Channel:
    """One channel of a recording as a 16 kHz 16-bit mono WAV; ``number`` counts from 1."""

    number: int
    path: Path
    duration_s: float


def split(source: Path, folder: Path) -> tuple[Channel, ...]:
    """The channels of the recording ``source``, written to ``folder``/channel-1.wav and on; a folder there is replaced.

    Resampled once, loudness untouched; of several audio tracks the first. Raises InputError, one line that says what is
    wrong with the file and what to do; then, as after any other exception, nothing is left behind.
    """
    _check(source)
    with claim(folder) as scratch:
        made = scratch / "channels"
        made.mkdir()
        shape = _convert(source, made)
        publish(made, folder)
    return _channels(folder, *shape)


def split_many(pairs: Sequence[tuple[Path, Path]]) -> list[tuple[Channel, ...] | InputError]:
    """For each (source, folder) what ``split`` gives, or the InputError it raises; small files share ffmpeg processes.

    One bad file fails a shared process without saying which: its files are then converted one by one.
    """
    if len({folder for _, folder in pairs}) < len(pairs):
        raise ValueError("two sources are to be written to the same folder")
    results: dict[Path, tuple[Channel, ...] | InputError] = {}
    small = []
    for source, folder in pairs:
        try:
            _check(source)
            if source.stat().st_size <= SMALL_BYTES:
                small.append((source, folder))
        except InputError as error:
            results[folder] = error
    for first in range(0, len(small), _SHARED):
        results |= _split_together(small[first : first + _SHARED])
    for source, folder in pairs:
        if folder not in results:
            try:
                results[folder] = split(source, folder)
            except InputError as error:
                results[folder] = error
    return [results[folder] for _, folder in pairs]


def digest(source: Path) -> str:
    """SHA-256 of the file's bytes in hex, read in blocks. Raises InputError where it cannot be read."""
    with _opened(source) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def duration_s(path: Path) -> float:
    """Length in seconds of a channel's WAV as ``split`` writes it."""
    with wave.open(str(path), "rb") as file:
        return file.getnframes() / RATE_HZ


def read(path: Path, start_s: float, end_s: float) -> Pcm:
    """The samples from ``start_s`` to ``end_s`` of a channel's WAV: int16 [samples], fewer where the file ends."""
    with wave.open(str(path), "rb") as file:
        start = min(max(round(start_s * RATE_HZ), 0), file.getnframes())
        file.setpos(start)
        return np.frombuffer(file.readframes(max(round(end_s * RATE_HZ) - start, 0)), dtype="<i2")


def blocks(path: Path, block_s: float = 30.0) -> Iterator[Pcm]:
    """All samples of a channel's WAV in order, int16, ``block_s`` seconds at a time."""
    with wave.open(str(path), "rb") as file:
        while data := file.readframes(round(block_s * RATE_HZ)):
            yield np.frombuffer(data, dtype="<i2")


def floats(pcm: Pcm) -> npt.NDArray[np.float32]:
    """The samples as float32 in -1..1, as models take them."""
    return np.multiply(pcm, np.float32(1 / 32768), dtype=np.float32)


@lru_cache(maxsize=1)
def ffmpeg_program() -> str:
    """The ffmpeg on the PATH, else the one inside imageio-ffmpeg. Raises ConfigError where there is neither."""
    if found := shutil.which("ffmpeg"):
        return found
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ConfigError("no ffmpeg found; install it, or reinstall the imageio-ffmpeg package") from error


@lru_cache(maxsize=1)
def _resampler() -> str:
    """The aresample filter: soxr's quality, at no more cost, where the build has it.

    In floats: soxr's 16-bit mode adds a dither that differs from run to run, and a recording must give one transcript.
    """
    version = subprocess.run([ffmpeg_program(), "-version"], capture_output=True, text=True, check=False).stdout
    soxr = "--enable-libsoxr" in version
    return f"aresample={RATE_HZ}" + (":resampler=soxr:internal_sample_fmt=fltp" if soxr else "")


def _command(sources: Sequence[Path], targets: Sequence[str]) -> list[str]:
    """The ffmpeg command line that converts the first audio track of each source to its target, a 16 kHz WAV.

    Absolute paths behind ``file:`` keep colons and dashes in names from being read as protocols and options; only local
    files may be opened, whatever a playlist inside one asks for.
    """
    # ffmpeg-python cannot take names that are no valid Unicode, so it arranges numbers, and the names go in afterwards.
    names: dict[str, str] = {}
    outputs = []
    for number, (source, target) in enumerate(zip(sources, targets, strict=True)):
        names |= {f"input:{number}": f"file:{source.absolute()}", f"output:{number}": target}
        sound = ffmpeg.input(f"input:{number}", protocol_whitelist="file,pipe")["a:0"]
        made = {"format": "wav", "acodec": "pcm_s16le", "af": _resampler(), "fflags": "+bitexact", "map_metadata": "-1"}
        outputs.append(sound.output(f"output:{number}", **made))
    merged = ffmpeg.merge_outputs(*outputs).global_args("-nostdin", "-hide_banner", "-nostats", "-v", "level+info")
    return [names.get(part, part) for part in merged.compile(cmd=ffmpeg_program(), overwrite_output=True)]


def _convert(source: Path, folder: Path) -> tuple[int, int]:
    """Writes ``folder``/channel-N.wav from ``source``; how many channels, and how many samples in each."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            _command([source], ["pipe:1"]), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        assert process.stdout is not None
        try:
            shape = _separate(source, process.stdout, folder)
        except BaseException:
            process.kill()
            raise
        code = process.wait()
        report = _report(said)
    if code:
        raise InputError(f"{shown(source)}: {reason(report.complaints)}")
    if problem := _problem(report, 0, shape[1] / RATE_HZ):
        raise InputError(f"{shown(source)}: {problem}")
    if report.inputs and report.inputs[0].audio_tracks > 1:
        log.warning("%s: has %d audio tracks; the first is used", shown(source), report.inputs[0].audio_tracks)
    return shape


def _split_together(pairs: Sequence[tuple[Path, Path]]) -> dict[Path, tuple[Channel, ...] | InputError]:
    """Results by folder of one ffmpeg process for all pairs; none where anything at all was wrong with any of them."""
    if len(pairs) < 2:
        return {}
    with ExitStack() as stack:
        scratches = {}
        for _, folder in sorted(pairs, key=lambda pair: pair[1]):  # everybody claims in the same order: no deadlock
            scratches[folder] = stack.enter_context(claim(folder))
        wholes = [scratches[folder] / "all.wav" for _, folder in pairs]
        said = stack.enter_context(tempfile.TemporaryFile())
        command = _command([source for source, _ in pairs], [f"file:{whole.absolute()}" for whole in wholes])
        order = [part for flag, part in itertools.pairwise(command) if flag == "-i"]
        if subprocess.run(command, stdin=subprocess.DEVNULL, stderr=said, check=False).returncode:
            return {}
        report = _report(said)
        shapes = []
        for (source, _), whole in zip(pairs, wholes, strict=True):
            number = order.index(f"file:{source.absolute()}")
            made = whole.with_name("channels")
            made.mkdir()
            try:
                with whole.open("rb") as file:
                    shapes.append(_separate(source, file, made))
            except InputError:
                return {}
            if len(report.inputs) != len(pairs) or report.inputs[number].audio_tracks != 1:
                return {}
            if _problem(report, number, shapes[-1][1] / RATE_HZ):
                return {}
        for (_, folder), whole in zip(pairs, wholes, strict=True):
            publish(whole.with_name("channels"), folder)
        return {folder: _channels(folder, *shape) for (_, folder), shape in zip(pairs, shapes, strict=True)}


def _problem(report: Report, number: int, produced_s: float) -> str:
    """What is wrong with input ``number`` although ffmpeg converted it, or nothing."""
    if report.cut_short:
        return f"it is cut short after {produced_s:.1f} s of sound; copy or export it again"
    if missing_s := report.missing_s(number, produced_s):
        return (
            f"it is cut short or damaged: its header announces {missing_s:.1f} s more than the {produced_s:.1f} s "
            "that can be decoded; copy or export it again"
        )
    return "" if produced_s else "it holds no sound (0 samples); was the call recorded?"


def _separate(source: Path, whole: IO[bytes], folder: Path) -> tuple[int, int]:
    """Writes each channel of the WAV ``whole`` to its own file; how many channels, and how many samples in each."""
    count = pcm_header(whole)
    if count > MOST_CHANNELS:
        raise InputError(
            f"{shown(source)}: it has {count} channels; a call has one speaker on each of 1 or 2. Mix it down first, "
            f"e.g. `ffmpeg -i IN -ac 2 OUT.wav`"
        )
    samples = 0
    with ExitStack() as stack:
        files = [stack.enter_context(_writer(_channel_path(folder, number + 1))) for number in range(count)]
        while count and (data := whole.read(_BLOCK * 2 * count)):
            frames = np.frombuffer(data[: len(data) // (2 * count) * 2 * count], dtype="<i2").reshape(-1, count)
            for number, file in enumerate(files):
                file.writeframesraw(np.ascontiguousarray(frames[:, number]).data.cast("B"))
            samples += len(frames)
            if samples > LONGEST_S * RATE_HZ:
                raise InputError(f"{shown(source)}: it is longer than {LONGEST_S // 3600} hours; cut it into its calls")
    return count, samples


@contextmanager
def _writer(path: Path) -> Iterator[wave.Wave_write]:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        yield file


def _channel_path(folder: Path, number: int) -> Path:
    return folder / f"channel-{number}.wav"


def _channels(folder: Path, count: int, samples: int) -> tuple[Channel, ...]:
    return tuple(Channel(n, _channel_path(folder, n), samples / RATE_HZ) for n in range(1, count + 1))


def _report(said: IO[bytes]) -> Report:
    """What ffmpeg wrote; of very much of it, the two ends."""
    size = said.seek(0, 2)
    said.seek(0)
    text = said.read(_REPORT_BYTES)
    if size > 2 * _REPORT_BYTES:
        said.seek(size - _REPORT_BYTES)
    return read_report((text + said.read()).decode(errors="replace"))


def _check(source: Path) -> None:
    """Raises InputError where the file cannot be read, is empty, or says itself that it is cut short."""
    with _opened(source) as file:
        check_whole(source, file, source.stat().st_size)


@contextmanager
def _opened(source: Path) -> Iterator[BufferedReader]:
    try:
        mode = source.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{shown(source)}: it is a folder, not a recording; name its files, or ingest the folder")
        if not stat.S_ISREG(mode):
            raise InputError(f"{shown(source)}: it is not a regular file; save the recording to a file first")
        with source.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"{shown(source)}: there is no such file; check the name") from None
    except PermissionError:
        raise InputError(f"{shown(source)}: permission to read it is denied; e.g. `chmod a+r` it") from None
    except OSError as error:
        raise InputError(f"{shown(source)}: it cannot be read: {error.strerror or error}") from error
