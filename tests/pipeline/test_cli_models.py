"""The verbs for models: versions are listed, promoted and taken back; training is handed on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import cli
from pipeline.errors import InputError
from pipeline.registry import Registry
from pipeline.settings import Settings
from tests.server.tiny_models import tiny


def run(home: Path, *arguments: str) -> Result:
    """The command in a home of its own."""
    return CliRunner(env={"OVERTONE_HOME": str(home)}).invoke(cli, arguments)


@pytest.fixture
def version(tmp_path: Path) -> str:
    """A registered version of sentiment."""
    registry = Registry(tmp_path / "models", Settings().models)
    metrics = {"calls_dev": {"macro_f1": [0.876, 0.84, 0.9]}}
    return registry.register(tiny(tmp_path / "t", version="2", metrics=metrics), snapshot="abcdef0123456789").version


def test_versions_are_listed_with_what_is_in_use(tmp_path: Path, version: str) -> None:
    told = run(tmp_path, "models", "list", "sentiment").output.splitlines()
    assert told[0].startswith("* sentiment")
    assert "(shipped)" in told[0]
    assert version in told[1]
    assert "macro-F1 87.6 (84.0 to 90.0) on calls_dev" in told[1]
    assert "snapshot abcdef012345" in told[1]
    rows = json.loads(run(tmp_path, "models", "list", "--json").output)["versions"]
    assert {row["task"] for row in rows} == {"sentiment", "punctuation", "intent_slot"}


def test_promotion_shadow_and_rollback(tmp_path: Path, version: str) -> None:
    assert f"sentiment@{version} runs beside" in run(tmp_path, "models", "shadow", "sentiment", version).output
    assert "no model runs beside" in run(tmp_path, "models", "shadow", "sentiment", "--off").output
    assert run(tmp_path, "models", "promote", "sentiment", version).output == f"sentiment@{version} is in use\n"
    told = json.loads(run(tmp_path, "models", "list", "sentiment", "--json").output)
    assert [row["current"] for row in told["versions"]] == [False, True]
    assert [move["step"] for move in told["history"]["sentiment"]] == ["promote"]
    assert run(tmp_path, "models", "rollback", "sentiment").exit_code == 0
    failed = run(tmp_path, "models", "rollback", "sentiment")
    assert isinstance(failed.exception, InputError)
    assert run(tmp_path, "models", "shadow", "sentiment").exit_code == 2
    assert run(tmp_path, "models", "shadow", "intent-slot", "0").exit_code == 2


def test_an_unknown_version_to_relabel_with_is_told(tmp_path: Path) -> None:
    failed = run(tmp_path, "relabel", "--model", "nonsense")
    assert isinstance(failed.exception, InputError)
    assert "overtone models list" in str(failed.exception)
