"""Folders that appear whole or not at all, and work that one process at a time does.

Work towards ``folder`` happens in ``.<name>.partial`` beside it, which its worker locks (flock on the folder itself, so
that the lock dies with the process). A process killed at any moment leaves at most that scratch folder; whoever finds
it unlocked may throw it away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX, _SUFFIX = ".", ".partial"


@contextmanager
def claim(folder: Path) -> Iterator[Path]:
    """An empty scratch folder beside ``folder``, ours alone; it goes, with all that is left in it, when the block ends.

    Waits while another worker, in this process or another, holds it. The scratch folder lies on the same file system as
    ``folder``, so that what was made in it can be renamed into place.
    """
    lock = _lock(_scratch(folder), wait=True)
    assert lock is not None
    with _held(lock, _scratch(folder)) as scratch:
        yield scratch


@contextmanager
def try_claim(folder: Path) -> Iterator[Path | None]:
    """As ``claim``, but None at once when another worker holds it."""
    lock = _lock(_scratch(folder), wait=False)
    if lock is None:
        yield None
        return
    with _held(lock, _scratch(folder)) as scratch:
        yield scratch


def publish(made: Path, folder: Path) -> None:
    """Renames ``made``, a folder inside the scratch folder of ``folder``, into place; what was there before goes."""
    if folder.exists():
        folder.rename(made.parent / f"{made.name}.replaced")
    made.rename(folder)


def abandoned(parent: Path) -> list[Path]:
    """The folders in ``parent`` whose work has begun and not ended: still going on, or left by a killed process."""
    if not parent.is_dir():
        return []
    return sorted(
        parent / entry.name[len(_PREFIX) : -len(_SUFFIX)]
        for entry in os.scandir(parent)
        if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX) and entry.is_dir(follow_symlinks=False)
    )


def _scratch(folder: Path) -> Path:
    return folder.parent / f"{_PREFIX}{folder.name}{_SUFFIX}"


@contextmanager
def _held(lock: int, scratch: Path) -> Iterator[Path]:
    try:
        for left in scratch.iterdir():
            _remove(left)
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        os.close(lock)


def _lock(scratch: Path, *, wait: bool) -> int | None:
    """A descriptor that holds the lock on ``scratch``, or None when it is taken and we do not wait."""
    scratch.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with suppress(FileExistsError):
            scratch.mkdir()
        try:
            lock = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # its owner finished between the two calls
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if _is(lock, scratch):
                return lock
        except BlockingIOError:
            os.close(lock)
            return None
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)  # the folder we waited for was removed by its owner, who had it first: begin again


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
