"""The store of snapshots that the settings choose."""

from __future__ import annotations

from pathlib import Path

from finetune.snapshots.contents import SnapshotStore
from finetune.snapshots.local import LocalStore
from finetune.snapshots.netapp import DataOpsVolume, NetAppStore
from pipeline.errors import ConfigError
from pipeline.settings import Settings

_NETAPP = "netapp:"


def store_of(settings: Settings) -> SnapshotStore:
    """The store that OVERTONE_SNAPSHOTS names: a folder, or ``netapp:VOLUME:/its/mount``. Raises ConfigError."""
    wanted = settings.snapshots
    if not wanted.startswith(_NETAPP):
        return LocalStore(Path(wanted).expanduser() if wanted else settings.home / "snapshots")
    volume, _, mount = wanted.removeprefix(_NETAPP).partition(":")
    if not volume or not mount:
        raise ConfigError(f"OVERTONE_SNAPSHOTS is {wanted!r}; write netapp:VOLUME:/its/mount")
    return NetAppStore(Path(mount), DataOpsVolume(volume))
