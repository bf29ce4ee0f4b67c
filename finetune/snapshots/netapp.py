"""Snapshots on a NetApp volume: the same folder, and after each snapshot one of the whole volume.

The volume is mounted on this machine. Its own snapshots cannot be written to, so that what is damaged or deleted on the
volume is taken from there: ONTAP shows them in the folder ``.snapshot`` of the mount.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from finetune.snapshots.contents import Manifest
from finetune.snapshots.local import LocalStore
from pipeline.errors import BackendError, ConfigError, InputError

_PREFIX = "overtone_"  # of the names of the volume's snapshots
_FOLDER = "overtone-snapshots"  # on the volume

log = logging.getLogger(__name__)


class Volume(Protocol):
    """A volume that can keep its state under a name."""

    def create(self, name: str) -> None:
        """Keep the state of now. Raises BackendError."""

    def names(self) -> list[str]:
        """The names of all states that are kept. Raises BackendError."""


class DataOpsVolume:
    """A volume by the NetApp DataOps Toolkit.

    It reads the system from ~/.netapp_dataops/config.json and the account from the keyring, as `netapp_dataops_cli.py
    config` wrote them.
    """

    def __init__(self, name: str) -> None:
        """Raises ConfigError where the toolkit is not installed."""
        self._name = name
        try:
            from netapp_dataops import traditional
        except ImportError as error:
            raise ConfigError("snapshots on a NetApp volume need `pip install 'overtone[netapp]'`") from error
        self._toolkit = traditional

    def create(self, name: str) -> None:
        """Keep the state of now. Raises BackendError."""
        try:
            self._toolkit.create_snapshot(volume_name=self._name, snapshot_name=name)
        except Exception as error:  # the toolkit's errors have no common base
            raise BackendError(f"the NetApp volume {self._name} made no snapshot {name}: {error!r}") from error

    def names(self) -> list[str]:
        """The names of all snapshots of the volume. Raises BackendError."""
        try:
            rows = self._toolkit.list_snapshots(volume_name=self._name)
        except Exception as error:  # the toolkit's errors have no common base
            raise BackendError(f"the NetApp volume {self._name} does not list its snapshots: {error!r}") from error
        return [str(row["Snapshot Name"]) for row in rows]


class NetAppStore:
    """Snapshots on a mounted volume."""

    def __init__(self, mount: Path, volume: Volume) -> None:
        """Raises ConfigError where nothing is mounted at ``mount``."""
        if not mount.is_dir():
            raise ConfigError(f"there is no folder {mount}; mount the volume there, or set OVERTONE_SNAPSHOTS")
        self._mount, self._volume = mount, volume
        self._live = LocalStore(mount / _FOLDER)

    def keep(self, manifest: Manifest, files: Mapping[str, Path]) -> None:
        """None, once every file lies on the volume, for a snapshot that is made later."""
        self._live.keep(manifest, files)

    def create(self, manifest: Manifest, files: Mapping[str, Path]) -> Manifest:
        """The manifest with its id, once the files lie on the volume and the volume has kept its state."""
        made = self._live.create(manifest, files)
        name = _PREFIX + made.id[:16]
        if name not in self._volume.names():
            self._volume.create(name)
        return made

    def list(self) -> list[Manifest]:
        """All snapshots whose state the volume has kept, oldest first."""
        kept = set(self._volume.names())
        return [one for one in self._live.list() if _PREFIX + one.id[:16] in kept]

    def find(self, wanted: str) -> Manifest:
        """The snapshot of that id or unique beginning. Raises InputError."""
        return self._live.find(wanted)

    def path(self, manifest: Manifest, name: str) -> Path:
        """A readable file with the content of one name of a snapshot."""
        return self._live.path(manifest, name)

    def restore(self, manifest: Manifest, folder: Path) -> None:
        """None, once ``folder`` holds every file; from the volume's own snapshot where the volume is damaged."""
        try:
            self._live.restore(manifest, folder)
        except InputError as error:
            kept = self._mount / ".snapshot" / (_PREFIX + manifest.id[:16]) / _FOLDER
            if "is damaged" not in str(error) or not kept.is_dir():
                raise
            log.warning("%s; taking the files from %s", error, kept)
            LocalStore(kept).restore(manifest, folder)
