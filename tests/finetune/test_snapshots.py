"""Snapshots never change, say what differs, and are refused when damaged; on a volume they outlive its damage."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from finetune.encoder import sha256
from finetune.snapshots import LocalStore, Manifest, difference
from finetune.snapshots.contents import Entry
from finetune.snapshots.netapp import NetAppStore
from finetune.snapshots.places import store_of
from pipeline.errors import ConfigError, InputError
from pipeline.settings import Settings


def of(folder: Path, **files: str) -> tuple[Manifest, dict[str, Path]]:
    """A manifest of files with these texts."""
    folder.mkdir(exist_ok=True)
    paths = {}
    for name, text in files.items():
        paths[name] = folder / name
        paths[name].write_text(text)
    entries = {name: Entry(sha256(path), path.stat().st_size) for name, path in paths.items()}
    return Manifest("sentiment", entries, {"commit": "abc"}, {"device": "cpu"}), paths


def test_one_content_is_one_snapshot(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    first = store.create(*of(tmp_path / "d", rows="a\nb\n"))
    assert store.create(*of(tmp_path / "d", rows="a\nb\n")) == first
    assert store.create(*of(tmp_path / "e", rows="a\nb\n")).id == first.id
    assert store.find(first.id[:8]) == first
    with pytest.raises(InputError, match="is no snapshot"):
        store.find("zzz")


def test_later_edits_do_not_reach_what_is_kept_nor_what_was_restored(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    manifest, paths = of(tmp_path / "d", rows="a\n")
    kept = store.create(manifest, paths)
    with paths["rows"].open("a") as rows:
        rows.write("b\n")
    store.restore(kept, tmp_path / "one")
    assert (tmp_path / "one" / "rows").read_text() == "a\n"
    (tmp_path / "one" / "rows").write_text("mine")
    store.restore(kept, tmp_path / "two")
    assert (tmp_path / "two" / "rows").read_text() == "a\n"
    with pytest.raises(InputError, match="is not empty"):
        store.restore(kept, tmp_path / "two")


def test_files_that_nobody_writes_to_are_linked(tmp_path: Path) -> None:
    manifest, paths = of(tmp_path / "d", weights="0101")
    paths["weights"].chmod(0o444)
    store = LocalStore(tmp_path / "s")
    kept = store.create(manifest, paths)
    assert store.path(kept, "weights").samefile(paths["weights"])


def test_a_file_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    manifest, paths = of(tmp_path / "d", rows="a\n")
    paths["rows"].write_text("other\n")
    store = LocalStore(tmp_path / "s")
    with pytest.raises(InputError, match="was changed while"):
        store.create(manifest, paths)
    assert store.list() == []


def test_what_differs_is_named(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    old = store.create(*of(tmp_path / "a", rows="1\n2\n3\n", gone="x"))
    manifest, paths = of(tmp_path / "b", rows="1\n3\n4\n5\n", new="y")
    new = store.create(dataclasses.replace(manifest, code={"commit": "def"}, model="sentiment@2"), paths)
    found = {change.name: change for change in difference(store, old, new)}
    assert (found["rows"].lines_added, found["rows"].lines_removed) == (2, 1)
    assert (found["gone"].kind, found["new"].kind) == ("removed", "added")
    assert "code: commit abc -> def" in found
    assert "model: none -> sentiment@2" in found
    assert difference(store, old, old) == []


def test_damage_is_found_and_nothing_restored(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "s")
    kept = store.create(*of(tmp_path / "d", rows="a\n", more="b\n"))
    path = store.path(kept, "rows")
    path.chmod(0o644)
    path.write_text("z\n")
    with pytest.raises(InputError, match="is damaged, nothing restored; missing or changed: rows"):
        store.restore(kept, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    listed = tmp_path / "s" / f"{kept.id}.json"
    listed.chmod(0o644)
    listed.write_text(listed.read_text().replace("abc", "abd"))
    with pytest.raises(InputError, match="was changed after it was made"):
        store.list()


class FolderVolume:
    """A volume in a folder: its states are copies, shown as ONTAP shows them."""

    def __init__(self, mount: Path) -> None:
        self.mount = mount

    def create(self, name: str) -> None:
        """Copy all there is."""
        target = self.mount / ".snapshot" / name
        shutil.copytree(self.mount, target, ignore=shutil.ignore_patterns(".snapshot"))

    def names(self) -> list[str]:
        """The copies."""
        return sorted(path.name for path in (self.mount / ".snapshot").glob("*"))


def test_a_volume_keeps_its_state_and_mends_what_is_damaged(tmp_path: Path) -> None:
    mount = tmp_path / "volume"
    mount.mkdir()
    volume = FolderVolume(mount)
    store = NetAppStore(mount, volume)
    kept = store.create(*of(tmp_path / "d", rows="a\n"))
    assert store.create(*of(tmp_path / "d", rows="a\n")) == kept
    assert volume.names() == [f"overtone_{kept.id[:16]}"]
    assert store.list() == [kept] == [store.find(kept.id[:10])]
    path = store.path(kept, "rows")
    path.chmod(0o644)
    path.write_text("z\n")
    store.restore(kept, tmp_path / "out")
    assert (tmp_path / "out" / "rows").read_text() == "a\n"
    shutil.rmtree(mount / ".snapshot")
    assert store.list() == []
    with pytest.raises(InputError, match="is damaged"):
        store.restore(kept, tmp_path / "other")


def test_the_setting_chooses_the_store(tmp_path: Path) -> None:
    assert isinstance(store_of(Settings(home=tmp_path)), LocalStore)
    with pytest.raises(ConfigError, match="netapp:VOLUME:/its/mount"):
        store_of(Settings(snapshots="netapp:vol"))
