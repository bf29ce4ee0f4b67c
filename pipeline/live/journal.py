"""What a live call must not lose when the gateway is killed: a folder with its description and a line per sentence.

``HOME/live/<call id>/call.json`` says what the call is; ``sentences.jsonl`` gets every sentence before the database
does. Whoever writes the call holds a lock (flock) on the folder, which dies with the process.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pipeline.calls import Call, Intent, Sentence, Sentiment, Slot, Word
from pipeline.errors import BackendError
from pipeline.live.intake import Gap

_CALL, _LINES = "call.json", "sentences.jsonl"


@dataclass(frozen=True)
class Described:
    """What ``call.json`` says."""

    call: Call
    protocol: str
    phone_id: str  # the phone system's id of the call; "" where it has none
    state: Literal["live", "ended"] = "live"
    second_pass: bool = True  # whether the call gets one
    gaps: tuple[Gap, ...] = ()


@dataclass
class Journal:
    """The folder of one call while this process holds its lock."""

    folder: Path
    described: Described
    _lock: int
    _lines: int = field(default=-1)

    def describe(self, described: Described) -> None:
        """Replace the description, whole or not at all."""
        self.described = described
        part = self.folder / (_CALL + ".part")
        part.write_text(json.dumps(asdict(described), default=_plain), encoding="utf-8")
        part.replace(self.folder / _CALL)

    def add(self, sentence: Sentence) -> None:
        """Write a sentence behind the others; it survives a kill of this process from here on."""
        if self._lines < 0:
            self._lines = os.open(self.folder / _LINES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(self._lines, (json.dumps(asdict(sentence)) + "\n").encode())

    def sentences(self) -> list[Sentence]:
        """All sentences in the order they were written; a line that a kill cut short is left out."""
        try:
            lines = (self.folder / _LINES).read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(_sentence(json.loads(line)))
            except (ValueError, KeyError, TypeError):
                continue
        return found

    @property
    def touched_at(self) -> float:
        """When anything was last written here, in seconds since 1970."""
        return max(path.stat().st_mtime for path in (self.folder, *self.folder.iterdir()))

    def close(self, *, remove: bool) -> None:
        """Give the lock back; ``remove`` takes the folder away first."""
        if remove:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._lines >= 0:
            os.close(self._lines)
        if self._lock >= 0:
            os.close(self._lock)
        self._lines = self._lock = -1


def begin(folder: Path, described: Described) -> Journal:
    """The journal of a new call. Raises BackendError where the home cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _try_lock(folder)
        if lock is None:
            raise BackendError(f"call {described.call.id} is being written by another gateway")
        journal = Journal(folder, described, lock)
        journal.describe(described)
    except OSError as error:
        raise BackendError(f"cannot write to {folder}: {error.strerror or error}", retryable=True) from error
    return journal


def left_behind(parent: Path) -> Iterator[Journal]:
    """The journals that no process holds: of calls that a killed gateway left, or whose second pass is to be done."""
    if not parent.is_dir():
        return
    for folder in sorted(path for path in parent.iterdir() if path.is_dir()):
        lock = _try_lock(folder)
        if lock is None:
            continue
        try:
            described = _described(json.loads((folder / _CALL).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            shutil.rmtree(folder, ignore_errors=True)  # killed before the call had begun
            os.close(lock)
            continue
        yield Journal(folder, described, lock)


def _try_lock(folder: Path) -> int | None:
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a journal")


def _described(row: dict[str, Any]) -> Described:
    call = row["call"]
    moment = datetime.fromisoformat(call["started_at"])
    known = Call(**{**call, "started_at": moment, "speakers": tuple(call["speakers"])})
    return Described(**{**row, "call": known, "gaps": tuple(Gap(**gap) for gap in row["gaps"])})


def _sentence(row: dict[str, Any]) -> Sentence:
    sentence = Sentence(**{**row, "words": tuple(Word(**word) for word in row["words"])})
    if mood := row["sentiment"]:
        sentence = replace(sentence, sentiment=Sentiment(**mood))
    if intent := row["intent"]:
        slots = tuple(Slot(**slot) for slot in intent["slots"])
        sentence = replace(sentence, intent=Intent(**{**intent, "slots": slots}))
    return sentence
