"""The model of a task that the registry's pointer names, followed while the server runs.

A changed pointer is noticed by the next request (a look at the file's times). The new model is loaded beside the old
one, which answers until the new one is whole; a new one that cannot be loaded is refused, and the old one stays.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from pipeline.errors import OvertoneError
from pipeline.registry import Registry, Version

T = TypeVar("T")

_KEPT = 2  # versions asked for by name that stay loaded beside the current one; 30 MB each

log = logging.getLogger(__name__)


class Current(Generic[T]):
    """A task's model in use, and its other versions by name; threads may share it."""

    def __init__(self, registry: Registry, task: str, load: Callable[[str, Path], T]) -> None:
        """Load the version in use; ``load(name, folder above)`` makes a model. Raises ConfigError as it does."""
        self._registry, self._task, self._load = registry, task, load
        self._swapping, self._lock = threading.Lock(), threading.Lock()
        self._named: OrderedDict[str, T] = OrderedDict()
        self._stamp = registry.stamp(task)
        self._version = registry.current(task)
        self._model = self._opened(self._version)

    def get(self) -> T:
        """The model in use; a new one takes its place once it is loaded."""
        stamp = self._registry.stamp(self._task)
        with self._lock:
            changed, self._stamp = stamp != self._stamp, stamp
        if changed:
            threading.Thread(target=self._follow, name=f"{self._task} model", daemon=True).start()
        return self._model

    def at(self, wanted: str) -> T:
        """The registered version of that name, loaded when it is first asked for. Raises InputError, ConfigError."""
        version = self._registry.version(self._task, wanted)
        with self._swapping:
            if version.folder == self._version.folder:
                return self._model
            if version.version not in self._named:
                self._named[version.version] = self._opened(version)
                while len(self._named) > _KEPT:
                    self._named.popitem(last=False)
            self._named.move_to_end(version.version)
            return self._named[version.version]

    def _opened(self, version: Version) -> T:
        self._registry.check(version)
        return self._load(version.folder.name, version.folder.parent)

    def _follow(self) -> None:
        with self._swapping:
            try:
                version = self._registry.current(self._task)
                if version.folder == self._version.folder:
                    return
                model = self._opened(version)
            except OvertoneError as error:
                log.error("the new model of %s is refused, %s stays: %s", self._task, self._version.identity, error)
                return
            log.info("%s takes the place of %s", version.identity, self._version.identity)
            self._version, self._model = version, model
