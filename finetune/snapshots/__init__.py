"""Snapshots: what a model was trained from, kept so that it can be made again."""

from finetune.snapshots.contents import Change, Manifest, SnapshotStore, difference
from finetune.snapshots.gather import gathered
from finetune.snapshots.local import LocalStore

__all__ = ["Change", "LocalStore", "Manifest", "SnapshotStore", "difference", "gathered"]
