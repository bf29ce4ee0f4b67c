"""Weights are found where their packages lie, checked byte for byte, and missed with a hint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import weights
from pipeline.errors import ConfigError
from pipeline.settings import DATA, Settings

MODELS = Settings().models
THIRD_PARTY = sorted(json.loads((DATA / "models" / "weights.json").read_text())["weights"])


def table(folder: Path, **row: Any) -> Path:
    """``folder`` with a weights.json of one row, ``test``: the voice activity model with ``row`` changed."""
    rows = json.loads((DATA / "models" / "weights.json").read_text())["weights"]
    (folder / "weights.json").write_text(json.dumps({"weights": {"test": rows["silero-vad"] | row}}))
    return folder


def own(folder: Path, **card: Any) -> Path:
    """``folder`` with a model of ours, ``test``, of one file."""
    (folder / "test").mkdir()
    (folder / "test" / "model.onnx").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    said = {"version": "3", "files": {"model.onnx": digest}} | card
    (folder / "test" / "model.json").write_text(json.dumps(said))
    return folder


@pytest.mark.parametrize("name", THIRD_PARTY)
def test_what_the_packages_bring_is_what_we_know(name: str) -> None:
    found = weights.find(name, MODELS)
    assert found.exists()
    assert weights.version(name, MODELS)


def test_a_single_file_is_found_as_a_file() -> None:
    assert weights.find("silero-vad", MODELS).is_file()


def test_each_row_pins_the_version_that_is_installed() -> None:
    constraints = (DATA.parent / ".ci" / "constraints.txt").read_text().split()
    rows = json.loads((DATA / "models" / "weights.json").read_text())["weights"]
    assert {row["pip"] for row in rows.values()} <= set(constraints)


def test_a_folder_without_a_table_of_its_own_uses_ours(tmp_path: Path) -> None:
    assert weights.find("silero-vad", tmp_path) == weights.find("silero-vad", MODELS)


def test_other_bytes_than_expected_are_refused_and_the_mend_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"silero_vad_v6.onnx of the weights test is not the file we know .*install them again: pip"
    ):
        weights.find("test", table(tmp_path, files={"": "0" * 64}))


def test_a_missing_package_is_named_with_what_brings_it(tmp_path: Path) -> None:
    changed = table(tmp_path, package="no_such_package_of_weights", pip="no-such-package==1")
    with pytest.raises(ConfigError, match=r"the weights test are missing: pip install 'no-such-package==1' brings"):
        weights.find("test", changed)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the weights test lack .*/assets/other.onnx; install them again"):
        weights.find("test", table(tmp_path, path="assets/other.onnx"))


def test_a_model_of_ours_is_found_by_its_folder(tmp_path: Path) -> None:
    assert weights.find("test", own(tmp_path)) == tmp_path / "test"
    assert weights.version("test", tmp_path) == "3"


def test_a_model_of_ours_with_other_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model.onnx of the weights test is not the file we know"):
        weights.find("test", own(tmp_path, files={"model.onnx": "0" * 64}))


def test_a_model_that_is_not_there_is_told_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no model 'test': .* is missing; point OVERTONE_MODELS at"):
        weights.find("test", tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": {}}', '{"version": "1", "files": []}', "{"])
def test_a_card_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "model.json").write_text(text)
    with pytest.raises(ConfigError, match=r"model.json"):
        weights.find("test", tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "{"])
def test_a_broken_table_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "weights.json").write_text(text)
    with pytest.raises(ConfigError, match=r"cannot read the table of weights .*weights.json"):
        weights.find("silero-vad", tmp_path)
