"""What a snapshot is: a manifest of hashed files, named after the hash of all of it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import InputError


@dataclass(frozen=True)
class Entry:
    """One file of a snapshot."""

    sha256: str
    size: int  # bytes


@dataclass(frozen=True)
class Manifest:
    """One snapshot: training data, labels, config, code revision and the model that came of it.

    ``files`` are named by their place in a restored folder: ``config.yml``, ``repository/…``, ``datasets/…`` and
    ``model/…``. ``code`` says git commit, hash of what was not committed, hash of the trainer's source, and versions of
    the packages; ``run`` says device, precision and processes.
    """

    task: str
    files: Mapping[str, Entry]
    code: Mapping[str, str]
    run: Mapping[str, str]
    model: str = ""  # "name@version"; "" where nothing was trained yet
    created_at: datetime | None = None  # aware, UTC; no part of the id
    note: str = ""  # no part of the id
    id: str = field(default="", compare=False)

    def hashed(self) -> str:
        """The id: SHA-256 of everything but time and note, in hex."""
        told = {
            "task": self.task,
            "files": {name: [entry.sha256, entry.size] for name, entry in self.files.items()},
            "code": dict(self.code),
            "run": dict(self.run),
            "model": self.model,
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


class SnapshotStore(Protocol):
    """Where snapshots are kept."""

    def keep(self, manifest: Manifest, files: Mapping[str, Path]) -> None:
        """None, once every file is kept, for a snapshot that is made later. Raises InputError as ``create`` does."""

    def create(self, manifest: Manifest, files: Mapping[str, Path]) -> Manifest:
        """The manifest with its id, once every file is kept. Raises InputError where a file is not what it says."""

    def list(self) -> list[Manifest]:
        """All snapshots, oldest first."""

    def find(self, wanted: str) -> Manifest:
        """The snapshot of that id or unique beginning. Raises InputError."""

    def path(self, manifest: Manifest, name: str) -> Path:
        """A readable file with the content of one name of a snapshot."""

    def restore(self, manifest: Manifest, folder: Path) -> None:
        """None, once ``folder`` holds every file, each checked against its hash. Raises InputError."""


@dataclass(frozen=True)
class Change:
    """How one name differs between two snapshots; lines are None for what is no text."""

    name: str
    kind: str  # added | removed | changed
    lines_added: int | None = None
    lines_removed: int | None = None


def difference(store: SnapshotStore, old: Manifest, new: Manifest) -> list[Change]:
    """What changed from one snapshot to another: files by name, then code, run and model."""
    made = []
    for name in sorted({*old.files, *new.files}):
        if name not in old.files:
            made.append(Change(name, "added"))
        elif name not in new.files:
            made.append(Change(name, "removed"))
        elif old.files[name] != new.files[name]:
            made.append(_changed(name, store.path(old, name), store.path(new, name)))
    for part in ("code", "run"):
        before, after = getattr(old, part), getattr(new, part)
        made += [
            Change(f"{part}: {key} {before.get(key, 'none')} -> {after.get(key, 'none')}", "changed")
            for key in sorted({*before, *after})
            if before.get(key) != after.get(key)
        ]
    if old.model != new.model:
        made.append(Change(f"model: {old.model or 'none'} -> {new.model or 'none'}", "changed"))
    return made


def written(manifest: Manifest) -> str:
    """The manifest as JSON."""
    told: dict[str, Any] = {
        "id": manifest.id,
        "created_at": manifest.created_at.isoformat() if manifest.created_at else "",
        "task": manifest.task,
        "model": manifest.model,
        "note": manifest.note,
        "run": dict(manifest.run),
        "code": dict(manifest.code),
        "files": {name: [entry.sha256, entry.size] for name, entry in sorted(manifest.files.items())},
    }
    return json.dumps(told, indent=1) + "\n"


def read(path: Path) -> Manifest:
    """The manifest in a JSON file. Raises InputError where it cannot be read or its id is not that of its content."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        files = {name: Entry(str(sha256), int(size)) for name, (sha256, size) in told["files"].items()}
        made = Manifest(
            told["task"], files, told["code"], told["run"], told["model"],
            datetime.fromisoformat(told["created_at"]), told["note"], told["id"],
        )  # fmt: skip
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"the snapshot {path} cannot be read: {error!r}") from error
    if made.hashed() != made.id or path.stem != made.id:
        raise InputError(f"the snapshot {path} was changed after it was made")
    return made


def _changed(name: str, old: Path, new: Path) -> Change:
    try:
        before, after = (Counter(path.read_text(encoding="utf-8").splitlines()) for path in (old, new))
    except UnicodeDecodeError:
        return Change(name, "changed")
    return Change(name, "changed", (after - before).total(), (before - after).total())
