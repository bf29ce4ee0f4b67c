"""Versions never change, the pointer is replaced as a whole, and every step back can be taken."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from pipeline.errors import ConfigError, InputError
from pipeline.registry import Registry
from tests.server.tiny_models import ROWS, tiny


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry with a shipped model."""
    tiny(tmp_path / "shipped")
    return Registry(tmp_path / "home" / "models", tmp_path / "shipped")


def trained(folder: Path, scale: float) -> Path:
    """A model of other weights."""
    return tiny(folder / f"trained-{scale:g}", rows=[[value * scale for value in row] for row in ROWS], version="2")


def test_the_shipped_model_is_version_0_and_in_use(registry: Registry) -> None:
    assert registry.tasks() == ["sentiment"]
    assert registry.current("sentiment").identity == "sentiment@1"
    assert registry.version("sentiment", "0") == registry.version("sentiment", "1")
    assert [version.shipped for version in registry.versions("sentiment")] == [True]


def test_a_version_is_named_after_its_content_and_registered_once(registry: Registry, tmp_path: Path) -> None:
    folder = trained(tmp_path, 2)
    first = registry.register(folder, snapshot="abc", by="ann")
    assert first.version.startswith("2-")
    assert first.origin["snapshot"] == "abc"
    assert registry.register(folder, snapshot="other") == first
    card = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(card | {"speed": {"milliseconds_per_sentence": 9}}))
    assert registry.register(folder) == first
    second = registry.register(trained(tmp_path, 3))
    assert second.version != first.version
    assert [version.version for version in registry.versions("sentiment")] == ["1", first.version, second.version]
    assert not (first.folder / "model.onnx").stat().st_mode & 0o222


def test_promotion_and_rollback_walk_the_history(registry: Registry, tmp_path: Path) -> None:
    one, two = (registry.register(trained(tmp_path, scale)) for scale in (2, 3))
    with pytest.raises(InputError, match="no version to go back to"):
        registry.rollback("sentiment", by="ann")
    registry.promote("sentiment", one.version, by="ann")
    registry.promote("sentiment", two.version[:12], by="ben")
    with pytest.raises(InputError, match="in use already"):
        registry.promote("sentiment", two.version, by="ben")
    assert registry.rollback("sentiment", by="cy") == one
    assert registry.rollback("sentiment", by="cy").shipped
    assert [(move.step, move.by) for move in registry.pointer("sentiment").history] == [
        ("promote", "ann"),
        ("promote", "ben"),
        ("rollback", "cy"),
        ("rollback", "cy"),
    ]
    registry.promote("sentiment", two.version, by="ann")
    assert registry.rollback("sentiment", by="ann").shipped


def test_a_shadow_runs_beside_and_never_is_the_model_in_use(registry: Registry, tmp_path: Path) -> None:
    one = registry.register(trained(tmp_path, 2))
    assert registry.shadow("sentiment", one.version) == one
    assert registry.pointer("sentiment").shadow == one.version
    with pytest.raises(InputError, match="nothing to compare"):
        registry.shadow("sentiment", "0")
    assert registry.shadow("sentiment", "") is None
    assert registry.pointer("sentiment").shadow == ""


def test_what_was_changed_is_not_promoted(registry: Registry, tmp_path: Path) -> None:
    one, two = (registry.register(trained(tmp_path, scale)) for scale in (2, 3))
    (one.folder / "model.onnx").chmod(0o644)
    (one.folder / "model.onnx").write_bytes(b"other")
    with pytest.raises(ConfigError, match="not the file we know"):
        registry.promote("sentiment", one.version, by="ann")
    card = two.folder / "model.json"
    card.chmod(0o644)
    card.write_text(card.read_text().replace("negative", "angry"))
    with pytest.raises(ConfigError, match="was changed after"):
        registry.promote("sentiment", two.version, by="ann")
    with pytest.raises(InputError, match="is no version of sentiment"):
        registry.promote("sentiment", "nonsense", by="ann")
    assert registry.pointer("sentiment").current == "0"


def test_a_missing_folder_or_a_broken_pointer_is_told(registry: Registry, tmp_path: Path) -> None:
    one = registry.register(trained(tmp_path, 2))
    registry.promote("sentiment", one.version, by="ann")
    one.folder.rename(tmp_path / "gone")
    with pytest.raises(ConfigError, match="models rollback sentiment"):
        registry.current("sentiment")
    assert registry.rollback("sentiment", by="ann").shipped
    (registry.root / "sentiment" / "current.json").write_text("{")
    with pytest.raises(ConfigError, match="cannot read the pointer"):
        registry.current("sentiment")


def test_promotions_at_the_same_time_all_stand_in_the_history(registry: Registry, tmp_path: Path) -> None:
    versions = [registry.register(trained(tmp_path, scale)).version for scale in (2, 3)] + ["0"]
    wins = []

    def work(wanted: str) -> None:
        for _ in range(10):
            try:
                registry.promote("sentiment", wanted, by=wanted)
                wins.append(wanted)
            except InputError:
                continue

    threads = [threading.Thread(target=work, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = registry.pointer("sentiment").history
    assert len(history) == len(wins)
    assert history[-1].version == registry.pointer("sentiment").current
