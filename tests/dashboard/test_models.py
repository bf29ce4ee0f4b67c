"""Versions, figures and commands as the Models page shows them, without a browser."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard import models
from dashboard.models import Figure
from pipeline.errors import InputError
from pipeline.registry import SHIPPED, Move, Registry
from pipeline.settings import Settings
from tests.server.tiny_models import tiny

SET = {"rows": 40, "accuracy": [0.5, 0.4, 0.6], "confusion": [[1, 1, 2], [0, 3, 0], [0, 0, 0]]}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models", Settings().models)


def test_the_shelf_says_what_is_in_use_beside_it_and_whether_one_can_go_back(
    registry: Registry, tmp_path: Path
) -> None:
    first = registry.register(tiny(tmp_path / "a", version="1", metrics={"dev": SET}), by="Ann", snapshot="5a")
    second = registry.register(tiny(tmp_path / "b", version="2"), by="Bob")
    found = models.shelf(registry, "sentiment")
    assert [held.version.version for held in found.held[:2]] == [second.version, first.version]
    assert found.live is not None
    assert found.live.version.shipped
    assert not found.can_roll_back
    assert models.change(registry, "sentiment", "promote", first.version, "Cy") == f"{first.identity} is in use."
    models.change(registry, "sentiment", "shadow", second.version, "Cy")
    found = models.shelf(registry, "sentiment")
    assert found.can_roll_back
    assert found.live is not None
    assert found.beside is not None
    assert (found.live.version, found.beside.version) == (first, second)
    assert found.live.headline == Figure("dev", 40, "Accuracy", 0.5, (0.4, 0.6))
    models.change(registry, "sentiment", "unshadow", second.version, "Cy")
    models.change(registry, "sentiment", "rollback", first.version, "Cy")
    found = models.shelf(registry, "sentiment")
    assert (found.can_roll_back, found.beside, found.pointer.current) == (False, None, SHIPPED)
    with pytest.raises(InputError, match="write your name first"):
        models.change(registry, "sentiment", "promote", first.version, "")


@pytest.mark.parametrize(("task", "headline"), [("sentiment", "Macro-F1"), ("intent_slot", "Intent accuracy")])
def test_shipped_cards_have_figures_with_intervals(registry: Registry, task: str, headline: str) -> None:
    version = registry.current(task)
    found = models.headline(version.card)
    assert found is not None
    assert found.name == headline
    assert found.interval is not None
    assert found.interval[0] < found.value < found.interval[1]
    rows = models.beside_live(version, version)
    assert {"Measured on", "Rows", "Figure", version.version} == set(rows[0])


def test_figures_are_said_in_words() -> None:
    assert models.in_words(Figure("dev", 40, "Accuracy", 0.5, (0.4, 0.6))) == "50.0 % (40.0 to 60.0)"
    assert models.in_words(Figure("dev", 40, "Accuracy", 0.5)) == "50.0 %"
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert models.move_in_words(Move("promote", "7-ab", "Ann", at)) == "promoted 7-ab"
    assert models.move_in_words(Move("rollback", SHIPPED, "Ann", at)) == "rolled back to the shipped version"


def test_evaluations_are_read_and_others_named(tmp_path: Path) -> None:
    good = {
        "model": "sentiment@1",
        "task": "sentiment",
        "against": "sentiment@0",
        "sets": [{**SET, "name": "dev", "comparison": {"verdict": "better"}, "reliability": [[3, 0.5, 0.4]]}],
    }
    (tmp_path / "good.json").write_text(json.dumps(good))
    for name, bad in (("empty", "{}"), ("list", "[]"), ("broken", "{"), ("set", '{"model":1,"task":"t","sets":[3]}')):
        (tmp_path / f"{name}.json").write_text(bad)
    (found,), faults = models.read_evaluations(tmp_path)
    assert found.verdicts == (("dev", "better"),)
    assert sorted(fault.split()[0] for fault in faults) == ["broken.json", "empty.json", "list.json", "set.json"]
    assert models.read_evaluations(tmp_path / "nothing") == ([], [])
    bins = models.reliability(found.sets[0])
    assert bins is not None
    assert bins.to_dict("records") == [{"rows": 3, "confidence": 0.5, "accuracy": 0.4}]
    assert models.reliability(SET) is None


def test_a_confusion_matrix_takes_its_labels_from_the_set_or_from_the_model() -> None:
    cells = models.confusion(SET, ["negative", "neutral", "positive"])
    assert cells is not None
    assert cells.to_dict("records")[2] == {"true": "negative", "said": "positive", "rows": 2, "share": 0.5}
    assert models.confusion(SET, ["a"]) is None
    assert models.confusion({}, ["a"]) is None
    assert models.confusion({"confusion": [[0] * 30] * 30}, ["a"] * 30) is None


def test_commands_name_what_they_are_about(registry: Registry, tmp_path: Path) -> None:
    shipped = registry.current("sentiment")
    file = f"'/my home/evaluations/sentiment-{shipped.version}.json'"
    command = f"overtone evaluate sentiment@0 --against sentiment --json {file}"
    assert models.compare_command(Path("/my home"), shipped) == command
    assert models.compare_command(Path("/h"), registry.current("punctuation")) is None
    assert models.train_command("intent_slot") == "overtone train intent-slot"
    assert models.train_command("sentiment") == "overtone train sentiment --reviewed"
