"""A live call's channels as WAV files that can be read at any moment, also after the process was killed.

Samples are written twice a second, and the sizes in the header are brought up to date every second; after a kill
these are at most that far behind, and ``repaired`` sets them by the length of the file.
"""

from __future__ import annotations

import logging
import math
import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.audio import RATE_HZ, Channel
from pipeline.errors import BackendError

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_UPDATE_S = 1.0
_PIECE = RATE_HZ  # bytes that are written together: half a second, which a kill may cost
_MOST_PENDING = 20 * RATE_HZ  # bytes that wait for a disk that hangs: ten seconds
_LARGEST = (1 << 32) - 1 - _HEADER.size  # bytes of samples that a WAV's sizes can tell: 37 hours

log = logging.getLogger(__name__)


class Recording:
    """The files ``folder``/channel-N.wav of a call, 16 kHz 16-bit mono; each is fed by one thread at a time."""

    def __init__(self, folder: Path, channels: int, due: Callable[[Recording], None] | None = None) -> None:
        """Go on behind what is there. Raises BackendError where the files cannot be written.

        ``due`` is told when there is something for `write_out`; None: it is written at once.
        """
        self.folder = folder
        self._due = due
        self._failed = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._files = [_Wav(channel_path(folder, number + 1)) for number in range(channels)]
        except OSError as error:
            raise BackendError(
                f"cannot write the call's audio to {folder}: {error.strerror or error}; make room there, or choose "
                "another OVERTONE_HOME",
                retryable=True,
            ) from error

    def write(self, channel: int, pcm: bytes) -> None:
        """Add samples to a channel (from 1). Does not wait for the disk, unless that has been away for long."""
        pending = self._files[channel - 1].add(pcm)
        if pending < _PIECE:
            return
        if self._due is None or pending > _MOST_PENDING:
            self.write_out()
        else:
            self._due(self)

    def write_out(self, until_s: float = math.inf) -> None:
        """Put on the disk what was added; where it is full, that is said once. For any thread.

        With ``until_s`` only the channels are written of which something before it is not on the disk yet.
        """
        try:
            for file in self._files:
                if file.written < min(until_s * 2 * RATE_HZ, file.size):
                    file.write_out()
        except OSError as error:
            if not self._failed:
                log.error("call %s: its audio cannot be written: %s", self.folder.name, error.strerror or error)
            self._failed = True

    def duration_s(self, channel: int) -> float:
        """Seconds of a channel (from 1) so far."""
        return self._files[channel - 1].size / 2 / RATE_HZ

    def close(self) -> tuple[Channel, ...]:
        """The channels as the analysis of recordings takes them; all files are complete."""
        for file in self._files:
            file.close()
        return tuple(
            Channel(number, file.path, file.size / 2 / RATE_HZ) for number, file in enumerate(self._files, start=1)
        )


def channel_path(folder: Path, number: int) -> Path:
    """The file of a channel (from 1) in a call's folder."""
    return folder / f"channel-{number}.wav"


def repaired(folder: Path) -> tuple[Channel, ...]:
    """The channels in a call's folder after a kill, with headers that tell their true length; none where none are."""
    found = []
    for number in range(1, 3):
        path = channel_path(folder, number)
        if not path.is_file():
            break
        file = _Wav(path)
        file.close()
        found.append(Channel(number, path, file.size / 2 / RATE_HZ))
    return tuple(found)


class _Wav:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        self.size = max(0, os.fstat(self._file).st_size - _HEADER.size) // 2 * 2
        os.ftruncate(self._file, _HEADER.size + self.size)
        self.written = self.size  # bytes of samples that are on the disk
        self._told_at = 0.0
        self._pending: list[bytes] = []
        self._waiting = 0  # bytes in them
        self._adding, self._writing = threading.Lock(), threading.Lock()
        self._tell(self.size)

    def add(self, pcm: bytes) -> int:
        """How many bytes wait to be written when ``pcm`` was added."""
        with self._adding:
            if self.size + len(pcm) <= _LARGEST:
                self._pending.append(pcm)
                self._waiting += len(pcm)
                self.size += len(pcm)
            return self._waiting

    def write_out(self) -> None:
        with self._writing:
            if self._file >= 0:
                self._write_out()

    def close(self) -> None:
        with self._writing:
            try:
                self._write_out(tell=True)
            finally:
                os.close(self._file)
                self._file = -1

    def _write_out(self, *, tell: bool = False) -> None:
        with self._adding:
            pieces, at = self._pending, _HEADER.size + self.size - self._waiting
            self._pending, self._waiting = [], 0
        left = memoryview(b"".join(pieces))
        while left:
            written = os.pwrite(self._file, left, at)
            left, at = left[written:], at + written
        self.written = max(self.written, at - _HEADER.size)
        if tell or time.monotonic() - self._told_at >= _UPDATE_S:
            self._tell(at - _HEADER.size)

    def _tell(self, written: int) -> None:
        """Write the header: RIFF WAVE, format 1 (linear), one channel (Microsoft's and IBM's format of 1991)."""
        self._told_at = time.monotonic()
        header = _HEADER.pack(
            *(b"RIFF", _HEADER.size - 8 + written, b"WAVE", b"fmt ", 16, 1, 1),
            *(RATE_HZ, 2 * RATE_HZ, 2, 16, b"data", written),
        )
        os.pwrite(self._file, header, 0)
