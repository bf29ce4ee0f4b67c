"""Alerts on their way out, a file each, so that a kill loses none: put, then delivered or given up.

``<folder>/<channel>/<milliseconds>-<alert id>.json`` holds the message; what could not be delivered in the end moves to
``<folder>/failed/<channel>/`` with the reason in it. A file is written whole or not at all.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_NAME = re.compile(r"(\d+)-([0-9a-zA-Z_-]{1,64})\.json")
FAILED = "failed"


@dataclass(frozen=True)
class Waiting:
    """One message that waits; ``put_at`` is aware and UTC."""

    path: Path
    id: str
    put_at: datetime


class Outbox:
    """The waiting messages of one channel, in a folder of its own."""

    def __init__(self, folder: Path, channel: str) -> None:
        self._folder = folder / channel
        self._failed = folder / FAILED / channel
        self._folder.mkdir(parents=True, exist_ok=True)

    def put(self, id: str, message: Mapping[str, Any], at: datetime) -> Waiting:
        """The message ``id`` after it is safely on the disk; one of that id that waits already stays as it is."""
        for waiting in self.waiting():
            if waiting.id == id:
                return waiting
        path = self._folder / f"{round(at.timestamp() * 1000):015d}-{id}.json"
        _write(path, json.dumps(message, ensure_ascii=False))
        return Waiting(path, id, at)

    def waiting(self) -> list[Waiting]:
        """What waits, the oldest first."""
        found = []
        for path in sorted(self._folder.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match is not None:
                put_at = datetime.fromtimestamp(int(match.group(1)) / 1000, UTC)
                found.append(Waiting(path, match.group(2), put_at))
        return found

    def message(self, waiting: Waiting) -> dict[str, Any]:
        """What is to be delivered. Raises ValueError for a file that somebody damaged."""
        content = json.loads(waiting.path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"{waiting.path.name} holds no message")
        return content

    def delivered(self, waiting: Waiting) -> None:
        """Forget a message that arrived."""
        waiting.path.unlink(missing_ok=True)

    def give_up(self, waiting: Waiting, reason: str) -> None:
        """Keep a message that will never arrive, with the reason, where it is tried no more."""
        self._failed.mkdir(parents=True, exist_ok=True)
        try:
            content: Any = self.message(waiting)
        except ValueError:
            content = waiting.path.read_text(encoding="utf-8", errors="replace")
        _write(self._failed / waiting.path.name, json.dumps({"reason": reason, "message": content}, ensure_ascii=False))
        waiting.path.unlink(missing_ok=True)


def counts(folder: Path) -> dict[str, tuple[int, int]]:
    """How many messages wait and how many were given up, by channel; channels without either are left out."""
    found: dict[str, tuple[int, int]] = {}
    for channel in ("webhook", "email"):
        waiting, failed = (_count(part / channel) for part in (folder, folder / FAILED))
        if waiting or failed:
            found[channel] = (waiting, failed)
    return found


def _count(folder: Path) -> int:
    return sum(1 for path in folder.glob("*.json") if _NAME.fullmatch(path.name)) if folder.is_dir() else 0


def _write(path: Path, content: str) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
