"""The registry of models: versions that never change, and per task a pointer that says which one is in use.

::

    OVERTONE_HOME/models/<task>/current.json      the pointer: current, shadow, history; replaced as a whole
    OVERTONE_HOME/models/<task>/<version>/        model.json, the files it names, MODEL_CARD.md, origin.json

The model that we ship is version 0 of its task: it is in use until another one is promoted. A version is named after
the version of its config and a hash of its content, so that one model has one name however often it is registered.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pipeline import claims, weights
from pipeline.errors import ConfigError, InputError
from pipeline.settings import Settings

SHIPPED = "0"
POINTER = "current.json"
ORIGIN = "origin.json"
_CARD = "model.json"
_DIGITS = 8  # of the content's hash in a version's name
_AS_PUBLISHED = frozenset({"sentence_encoder"})  # nobody trains it: there are no versions to choose among
_UNHASHED = ("version", "speed")  # one is made from the hash, the other is the machine's

Step = Literal["promote", "rollback"]


@dataclass(frozen=True)
class Move:
    """One change of the model in use."""

    step: Step
    version: str  # the one in use afterwards
    by: str
    at: datetime  # aware, UTC


@dataclass(frozen=True)
class Pointer:
    """Which version of a task is in use, which one runs beside it ("" for none), and how it came to that."""

    current: str = SHIPPED
    shadow: str = ""
    history: tuple[Move, ...] = ()  # oldest first


@dataclass(frozen=True)
class Version:
    """One model of a task; ``card`` is its model.json, ``origin`` says snapshot, who registered it and when."""

    task: str
    version: str
    folder: Path
    shipped: bool
    card: Mapping[str, Any]
    origin: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """``name@version`` as predictions carry it."""
        return f"{self.card['name']}@{self.version}"


class Registry:
    """The models of one home. Processes may share it: every change is one atomic replace under a lock."""

    def __init__(self, root: Path, shipped: Path) -> None:
        """``root`` is the folder of the registry, ``shipped`` the folder of the models that we ship."""
        self.root, self.shipped = root, shipped

    @classmethod
    def of(cls, settings: Settings) -> Registry:
        """The registry of the home in ``settings``."""
        return cls(settings.home / "models", settings.models)

    def tasks(self) -> list[str]:
        """The names of all tasks that models are trained for, sorted."""
        found = {path.parent.name for path in self.shipped.glob(f"*/{_CARD}")}
        found |= {path.parent.parent.name for path in self.root.glob(f"*/*/{_CARD}")}
        return sorted(found - _AS_PUBLISHED)

    def versions(self, task: str) -> list[Version]:
        """All versions of a task: the shipped one first, then in the order in which they were registered."""
        shipped = [self._shipped(task)] if (self.shipped / task / _CARD).exists() else []
        own = [self._own(task, path.parent.name) for path in (self.root / task).glob(f"[!.]*/{_CARD}")]
        return shipped + sorted(own, key=lambda found: (found.origin.get("registered_at", ""), found.version))

    def version(self, task: str, wanted: str) -> Version:
        """The version of that name or unique beginning; ``0`` is the shipped one, as is its own version.

        Raises InputError where there is none or several.
        """
        if (self.shipped / task / _CARD).exists():
            shipped = self._shipped(task)
            if wanted in (SHIPPED, shipped.version):
                return shipped
        known = [path.parent.name for path in (self.root / task).glob(f"[!.]*/{_CARD}")]
        fitting = [name for name in known if name == wanted] or [name for name in known if name.startswith(wanted)]
        if len(fitting) != 1 or not wanted:
            said = "fits several versions" if len(fitting) > 1 else "is no version"
            raise InputError(f"{wanted!r} {said} of {task}; `overtone models list` shows them")
        return self._own(task, fitting[0])

    def current(self, task: str) -> Version:
        """The version in use. Raises ConfigError where its folder is gone or the pointer cannot be read."""
        wanted = self.pointer(task).current
        if wanted == SHIPPED:
            return self._shipped(task)
        try:
            return self.version(task, wanted)
        except InputError:
            raise ConfigError(
                f"the version {wanted} of {task} that is in use has no folder under {self.root / task}; "
                f"`overtone models rollback {task}` goes back to the one before"
            ) from None

    def pointer(self, task: str) -> Pointer:
        """The pointer of a task; the shipped version where nothing was promoted yet. Raises ConfigError."""
        path = self.root / task / POINTER
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            moves = [Move(m["step"], m["version"], m["by"], datetime.fromisoformat(m["at"])) for m in read["history"]]
            return Pointer(str(read["current"]), str(read["shadow"]), tuple(moves))
        except FileNotFoundError:
            return Pointer()
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ConfigError(f"cannot read the pointer {path}: {error}; mend or remove it") from error

    def stamp(self, task: str) -> tuple[int, ...]:
        """What changes whenever the pointer does; cheap, for a look per request."""
        try:
            seen = (self.root / task / POINTER).stat()
        except OSError:
            return ()
        return (seen.st_mtime_ns, seen.st_ino, seen.st_size)

    def name_of(self, folder: Path) -> str:
        """The version that a trained model's folder gets when it is registered. Raises ConfigError as weights do."""
        card = weights.card(folder.name, folder.parent)
        told = {key: value for key, value in card.items() if key not in _UNHASHED}
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        return f"{card['version']}-{digest[:_DIGITS]}"

    def register(self, folder: Path, *, snapshot: str = "", by: str = "", at: datetime | None = None) -> Version:
        """The version that holds a copy of the model in ``folder``; the one of that content where it is there already.

        ``snapshot`` is the id of what it was trained from. Raises ConfigError when the folder is no whole model.
        """
        weights.find(folder.name, folder.parent)
        card, name = weights.card(folder.name, folder.parent), self.name_of(folder)
        task = str(card["name"])
        target = self.root / task / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with claims.claim(target) as scratch:
                made = scratch / "made"
                made.mkdir()
                for file in (*card["files"], "MODEL_CARD.md"):
                    if (folder / file).exists():
                        shutil.copyfile(folder / file, made / file)
                told = {"snapshot": snapshot, "by": by, "registered_at": (at or datetime.now(UTC)).isoformat()}
                _write(made / ORIGIN, told)
                _write(made / _CARD, {**card, "version": name})
                for path in made.iterdir():
                    path.chmod(0o444)
                if not target.exists():
                    claims.publish(made, target)
        return self._own(task, name)

    def promote(self, task: str, wanted: str, *, by: str, at: datetime | None = None) -> Version:
        """The version that is in use from now on, after its files were checked. Raises InputError, ConfigError."""
        found = self.version(task, wanted)
        self.check(found)
        name = SHIPPED if found.shipped else found.version

        def change(pointer: Pointer) -> Pointer:
            if pointer.current == name:
                raise InputError(f"{found.identity} is in use already")
            move = Move("promote", name, by, at or datetime.now(UTC))
            return replace(pointer, current=name, history=(*pointer.history, move))

        self._change(task, change)
        return found

    def rollback(self, task: str, *, by: str, at: datetime | None = None) -> Version:
        """The version that was in use before the last promotion and is again. Raises InputError where there was none.

        Doing it again goes one promotion further back.
        """

        def change(pointer: Pointer) -> Pointer:
            used = _stack(pointer.history)
            if len(used) < 2:
                raise InputError(f"{task} has no version to go back to: the shipped one is in use")
            self.check(self.version(task, used[-2]))
            move = Move("rollback", used[-2], by, at or datetime.now(UTC))
            return replace(pointer, current=used[-2], history=(*pointer.history, move))

        self._change(task, change)
        return self.current(task)

    def shadow(self, task: str, wanted: str) -> Version | None:
        """The version that runs beside the one in use from now on; "" ends that. Raises InputError, ConfigError."""
        found = self.version(task, wanted) if wanted else None
        if found is not None:
            self.check(found)
        name = "" if found is None else SHIPPED if found.shipped else found.version

        def change(pointer: Pointer) -> Pointer:
            if name and name == pointer.current:
                raise InputError(f"{wanted} is the version in use: there is nothing to compare it with")
            return replace(pointer, shadow=name)

        self._change(task, change)
        return found

    def check(self, version: Version) -> None:
        """None when every byte is what the version's card and name say. Raises ConfigError otherwise."""
        weights.find(version.folder.name, version.folder.parent)
        if version.shipped:
            return
        base, _, digest = version.version.rpartition("-")
        told = {key: value for key, value in version.card.items() if key not in _UNHASHED}
        found = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:_DIGITS]
        if version.card["version"] != version.version or found != digest:
            raise ConfigError(f"{version.folder / _CARD} was changed after {base} was registered; register it anew")

    def _shipped(self, task: str) -> Version:
        card = weights.card(task, self.shipped)
        return Version(task, str(card["version"]), self.shipped / task, True, card)

    def _own(self, task: str, name: str) -> Version:
        folder = self.root / task / name
        try:
            origin = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            origin = {}
        return Version(task, name, folder, False, weights.card(name, folder.parent), origin)

    def _change(self, task: str, change: Callable[[Pointer], Pointer]) -> None:
        folder = self.root / task
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            made = change(self.pointer(task))
            moves = [{"step": m.step, "version": m.version, "by": m.by, "at": m.at.isoformat()} for m in made.history]
            part = folder / f"{POINTER}.part"
            _write(part, {"current": made.current, "shadow": made.shadow, "history": moves})
            part.replace(folder / POINTER)


def _stack(history: tuple[Move, ...]) -> list[str]:
    """The versions that a rollback would go through, the one in use last."""
    used = [SHIPPED]
    for move in history:
        if move.step == "promote":
            used.append(move.version)
        else:
            used.pop()
    return used


def _write(path: Path, told: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time changes the pointer; the lock dies with the process."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
