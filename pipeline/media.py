"""What a media file and ffmpeg say of a recording: is it whole, what tracks has it, why can it not be read.

ffmpeg converts a cut-short file as far as it goes and exits with 0, so the signs are read here: the sizes in RIFF and
Ogg headers, the lengths that ffmpeg read from headers, and its messages.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pipeline.errors import InputError

# Endings looked for in folders; a file named on the command line is tried whatever its ending.
SUFFIXES = frozenset({
    ".3g2", ".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".al", ".amr", ".ape", ".asf", ".au", ".avi",
    ".awb", ".caf", ".flac", ".gsm", ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4",
    ".mpeg", ".mpg", ".oga", ".ogg", ".ogv", ".opus", ".rf64", ".snd", ".spx", ".ul", ".w64", ".wav",
    ".wave", ".webm", ".wma", ".wmv", ".wv",
})  # fmt: skip

_STREAMED = 0x7FFFF000  # a size from here on, or 0, was written before the length was known: the data go on to the end
_SLACK = 64  # bytes by which careless writers miscount their own header
_CUT_SHORT = ("partial file", "File ended prematurely", "moov atom not found", "Truncat")
# Containers whose header counts the sound itself; elsewhere the length may be a guess or that of the picture.
_COUNTED = frozenset({"flac", "mp3", "aiff", "au", "caf", "wv", "ape", "tta"})
_REASONS = (
    ("matches no streams", "it has no audio track; export the call with its sound"),
    ("moov atom not found", "it is cut short (its index, the moov atom, is missing); copy or export it again"),
    ("Decoder not found", "this ffmpeg has no decoder for it; install a full ffmpeg, or convert it to WAV"),
    ("no decoder found", "this ffmpeg has no decoder for it; install a full ffmpeg, or convert it to WAV"),
    (
        "Invalid data found",
        "ffmpeg cannot read it as a recording (damaged, or not sound at all); check that it plays",
    ),
)


@dataclass
class Input:
    """What ffmpeg read from one input's header; ``claimed_s`` is None where the header does not count the sound."""

    format: str
    claimed_s: float | None = None
    audio_tracks: int = 0


@dataclass
class Report:
    """What one run of ffmpeg said: its inputs in order, its complaints, and the signs of cut-short input among them."""

    inputs: list[Input] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    cut_short: bool = False

    def missing_s(self, number: int, produced_s: float) -> float:
        """Seconds that input ``number`` claims to hold beyond those that came out; 0 where it claims nothing."""
        claimed_s = self.inputs[number].claimed_s if number < len(self.inputs) else None
        missing_s = (claimed_s or 0.0) - produced_s
        return missing_s if missing_s > 0.1 + 0.01 * (claimed_s or 0.0) else 0.0


def shown(path: Path) -> str:
    """The path as text that fits on one line: control characters and undecodable bytes are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(path))


def check_whole(source: Path, file: IO[bytes], size: int) -> None:
    """Raises InputError where the file is empty, or its own RIFF or Ogg structure says that bytes are missing."""
    if size == 0:
        raise InputError(f"{shown(source)}: the file is empty (0 bytes); copy or export it again")
    magic = file.read(4)
    missing = 0
    if magic in (b"RIFF", b"RIFX", b"RF64"):
        missing = _missing_from_riff(file, size, ">" if magic == b"RIFX" else "<")
    elif magic == b"OggS":
        missing = _missing_from_ogg(file, size)
    if missing:
        raise InputError(
            f"{shown(source)}: it is cut short: at least {missing} bytes that its header announces are missing; "
            "copy or export it again"
        )


def read_report(text: str) -> Report:
    """The report in what ffmpeg wrote to stderr with ``-v level+info``."""
    report = Report()
    headers = True  # the outputs' streams, which come later, look the same
    counted = True  # whether the next input's length is read from its header
    for line in text.splitlines():
        if re.search(r"\[(error|fatal|panic)\]", line):
            report.complaints.append(re.sub(r"\[[^]]*\] ", "", line).strip())
        if "Stream mapping:" in line or "] Output #" in line:
            headers = False
        if not headers:
            continue
        if "Estimating duration from bitrate" in line:  # said before the input is described
            counted = False
        elif found := re.search(r"\] Input #\d+, (\S+), from ", line):
            report.inputs.append(Input(found[1]))
        elif report.inputs and "]   Duration: " in line:
            found = re.search(r"Duration: (\d+):(\d+):([\d.]+)", line)  # or N/A
            if found and counted and report.inputs[-1].format in _COUNTED:
                report.inputs[-1].claimed_s = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
            counted = True
        elif report.inputs and re.search(r"\]\s+Stream #\d+:\d+.*: Audio: ", line):
            report.inputs[-1].audio_tracks += 1
    report.cut_short = any(sign in complaint for complaint in report.complaints for sign in _CUT_SHORT)
    return report


def reason(complaints: Sequence[str]) -> str:
    """Why ffmpeg could not read a file and what to do, from its complaints."""
    for sign, said in _REASONS:
        if any(sign in complaint for complaint in complaints):
            return said
    return f"ffmpeg cannot convert it: {complaints[-1] if complaints else 'it gave no reason'}"


def pcm_header(file: IO[bytes]) -> int:
    """The number of channels in the WAV header that ``file`` starts with, reading up to the first sample; 0 if none."""
    if len(file.read(12)) < 12:
        return 0
    channels = 0
    while len(chunk := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        if name == b"data":
            return channels
        body = file.read(size + size % 2)
        if name == b"fmt ":
            channels = struct.unpack_from("<H", body, 2)[0]
    return 0


def _missing_from_riff(file: IO[bytes], size: int, order: str) -> int:
    """Bytes that the data chunk announces beyond the end of the file; 0 where it announces no length."""
    position = 12
    long_length = 0  # of RF64 (EBU Tech 3306), whose 32-bit size says nothing
    while position + 8 <= size:
        file.seek(position)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        if name == b"ds64" and len(body := file.read(16)) == 16:
            long_length = struct.unpack_from("<Q", body, 8)[0]
        if name == b"data":
            announced = int(length) if 0 < length < _STREAMED else long_length
            missing = announced - (size - position - 8)
            return missing if missing > _SLACK else 0
        position += 8 + length + length % 2
    return 0


def _missing_from_ogg(file: IO[bytes], size: int) -> int:
    """Bytes missing from the last page; a page is at most 65,307 bytes (RFC 3533), so the file's end holds it."""
    start = max(0, size - 65_307)
    file.seek(start)
    tail = file.read()
    last = tail.rfind(b"OggS")
    if last < 0:
        return 0
    page = tail[last:]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return 27 + (page[26] if len(page) > 26 else 0) - len(page)
    return max(0, 27 + page[26] + sum(page[27 : 27 + page[26]]) - len(page))
