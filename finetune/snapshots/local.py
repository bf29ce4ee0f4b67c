"""Snapshots in a folder: every content once, named by its hash and never written to again.

Files that may still be edited are taken in as copies, which share their blocks where the file system can (reflinks);
files that nobody writes to any more, such as those of registered models, as hard links.
"""

from __future__ import annotations

import dataclasses
import fcntl
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from finetune.encoder import sha256
from finetune.snapshots import contents
from finetune.snapshots.contents import Entry, Manifest
from pipeline.errors import InputError

_FICLONE = 0x40049409  # linux/fs.h: share all blocks of another file


class LocalStore:
    """Snapshots under one folder; processes may share it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, manifest: Manifest, files: Mapping[str, Path]) -> None:
        """None, once every file is kept, for a snapshot that is made later. Raises InputError as ``create`` does."""
        for name, entry in manifest.files.items():
            self._take(name, entry, files[name])

    def create(self, manifest: Manifest, files: Mapping[str, Path]) -> Manifest:
        """The manifest with its id; the snapshot that is there already where nothing differs.

        Raises InputError where a file is missing or is no longer what the manifest says.
        """
        self.keep(manifest, files)
        made = dataclasses.replace(manifest, id=manifest.hashed(), created_at=manifest.created_at or datetime.now(UTC))
        target = self.root / f"{made.id}.json"
        if target.exists():
            return contents.read(target)
        part = target.with_suffix(f".{os.getpid()}.part")
        part.write_text(contents.written(made), encoding="utf-8")
        part.chmod(0o444)
        part.replace(target)
        return made

    def list(self) -> list[Manifest]:
        """All snapshots, oldest first."""
        found = [contents.read(path) for path in self.root.glob("*.json")]
        return sorted(found, key=lambda one: (one.created_at or datetime.min.replace(tzinfo=UTC), one.id))

    def find(self, wanted: str) -> Manifest:
        """The snapshot of that id or unique beginning. Raises InputError."""
        found = [path for path in self.root.glob("*.json") if wanted and path.stem.startswith(wanted)]
        if len(found) != 1:
            said = "fits several snapshots" if found else "is no snapshot"
            raise InputError(f"{wanted!r} {said} in {self.root}; `overtone snapshot list` shows them")
        return contents.read(found[0])

    def path(self, manifest: Manifest, name: str) -> Path:
        """The file that holds the content of a name; not to be written to. Raises InputError for an unknown name."""
        if name not in manifest.files:
            raise InputError(f"snapshot {manifest.id[:12]} holds no {name}")
        return self._object(manifest.files[name])

    def restore(self, manifest: Manifest, folder: Path) -> None:
        """None, once ``folder``, which must be empty or not there, holds every file of the snapshot.

        Raises InputError where a content is missing or damaged; ``folder`` is then not made.
        """
        if folder.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} is not empty; restore into a new folder")
        damaged = [name for name, entry in manifest.files.items() if not self._sound(entry)]
        if damaged:
            raise InputError(
                f"snapshot {manifest.id[:12]} is damaged, nothing restored; missing or changed: {', '.join(damaged)}"
            )
        part = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(part, ignore_errors=True)
        for name, entry in manifest.files.items():
            target = part / name
            if not target.resolve().is_relative_to(part.resolve()):
                raise InputError(f"snapshot {manifest.id[:12]} names a file outside of its folder: {name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            # A copy: what is restored may be edited, what is kept may not.
            copied(self._object(entry), target)
        part.mkdir(parents=True, exist_ok=True)
        (part / "snapshot.json").write_text(contents.written(manifest), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        part.rename(folder)

    def _take(self, name: str, entry: Entry, source: Path) -> None:
        target = self._object(entry)
        if self._sound(entry):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        part.unlink(missing_ok=True)
        try:
            frozen = not source.stat().st_mode & 0o222
            if not (frozen and _linked(source, part)):
                copied(source, part)
        except OSError as error:
            raise InputError(f"{name} ({source}) cannot be kept: {error.strerror}") from error
        if sha256(part) != entry.sha256:
            part.unlink()
            raise InputError(f"{name} ({source}) was changed while the snapshot was made; make it again")
        part.chmod(0o444)
        part.replace(target)

    def _object(self, entry: Entry) -> Path:
        return self.root / "objects" / entry.sha256[:2] / entry.sha256[2:]

    def _sound(self, entry: Entry) -> bool:
        path = self._object(entry)
        return path.is_file() and path.stat().st_size == entry.size and sha256(path) == entry.sha256


def copied(source: Path, target: Path) -> None:
    """None; ``target`` is a new file with the content of ``source``, sharing its blocks where that is possible."""
    with source.open("rb") as read, target.open("wb") as write:
        try:
            fcntl.ioctl(write.fileno(), _FICLONE, read.fileno())
        except OSError:
            # Most file systems cannot share blocks.
            shutil.copyfileobj(read, write, 1 << 20)


def _linked(source: Path, target: Path) -> bool:
    try:
        target.hardlink_to(source)
    except OSError:  # another file system
        return False
    return True
