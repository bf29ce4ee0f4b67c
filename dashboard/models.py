"""Versions of the models as the Models page shows them: figures, comparisons, history, commands. No Streamlit here.

Comparisons are what `overtone evaluate --json` wrote into the folder ``evaluations`` of the home, one file a run.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import InputError
from pipeline.registry import SHIPPED, Move, Pointer, Registry, Version

EVALUATIONS = "evaluations"
TASKS = {"sentiment": "Sentiment", "intent_slot": "Intents and slots", "punctuation": "Punctuation"}
_FIGURES = {
    "macro_f1": "Macro-F1",
    "accuracy": "Accuracy",
    "two_way_accuracy": "Accuracy, positive or negative",
    "calibration_error": "Calibration error",
    "expected_calibration_error": "Calibration error",
    "intent_accuracy": "Intent accuracy",
    "slot_f1": "Slot F1",
    "out_of_scope_recall": "Out of scope found",
    "false_rejection": "Falsely rejected",
}
_MEASURED = ("sentiment", "intent_slot")  # what `overtone evaluate` knows
_MOST_CLASSES = 12  # of a confusion matrix that can be read


@dataclass(frozen=True)
class Figure:
    """One figure of a model on one set of rows, with its 95 % interval where that is known."""

    set: str
    rows: int
    name: str
    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Evaluation:
    """What a run of `overtone evaluate` found out about a model, and about another one beside it."""

    model: str  # name@version
    task: str
    against: str | None
    sets: tuple[Mapping[str, Any], ...]
    at: datetime  # aware, UTC: when it was written
    file: str

    @property
    def verdicts(self) -> tuple[tuple[str, str], ...]:
        """Set and verdict, where another model was measured too."""
        return tuple((each["name"], each["comparison"]["verdict"]) for each in self.sets if each.get("comparison"))


@dataclass(frozen=True)
class Held:
    """One version as a list shows it."""

    version: Version
    live: bool
    shadow: bool
    registered_at: datetime | None
    headline: Figure | None


@dataclass(frozen=True)
class Shelf:
    """All versions of a task, the newest first, and how the one in use came to be."""

    task: str
    held: tuple[Held, ...]
    pointer: Pointer
    can_roll_back: bool
    evaluations: tuple[Evaluation, ...] = field(default=())  # the newest first

    @property
    def live(self) -> Held | None:
        """The version in use; None where its folder is gone."""
        return next((held for held in self.held if held.live), None)

    @property
    def beside(self) -> Held | None:
        """The version that runs beside it."""
        return next((held for held in self.held if held.shadow), None)


def shelf(registry: Registry, task: str, evaluations: Sequence[Evaluation] = ()) -> Shelf:
    """The versions of a task. Raises ConfigError for a registry that cannot be read."""
    pointer = registry.pointer(task)
    held = [
        Held(
            version,
            pointer.current == pointed(version),
            pointer.shadow == pointed(version),
            _moment(version.origin.get("registered_at", "")),
            headline(version.card),
        )
        for version in registry.versions(task)
    ]
    own = sorted((one for one in evaluations if one.task == task), key=lambda one: one.at, reverse=True)
    return Shelf(task, tuple(reversed(held)), pointer, _used(pointer.history) > 1, tuple(own))


def figures(card: Mapping[str, Any]) -> list[Figure]:
    """The figures in a model's card, in its order; parts of sets and single labels are left out."""
    metrics = card.get("metrics", {})
    sections = {"": metrics} | {name: part for name, part in metrics.items() if isinstance(part, dict)}
    return [
        Figure(name or "test", int(part["rows"]), _FIGURES[key], *_spread(value))
        for name, part in sections.items()
        if isinstance(part.get("rows"), int)
        for key, value in part.items()
        if key in _FIGURES
    ]


def headline(card: Mapping[str, Any]) -> Figure | None:
    """The one figure that a list has room for: the first macro-F1, else the first of all."""
    found = figures(card)
    return next((one for one in found if one.name == "Macro-F1"), found[0] if found else None)


def in_words(figure: Figure) -> str:
    """A figure as "87.1 % (83.8 to 90.5)"."""
    spread = "" if figure.interval is None else " ({:.1f} to {:.1f})".format(*(100 * end for end in figure.interval))
    return f"{100 * figure.value:.1f} %{spread}"


def beside_live(chosen: Version, live: Version | None) -> list[dict[str, Any]]:
    """A row per set and figure: of the chosen version, and of the one in use where that is another."""
    others = {} if live is None else {(one.set, one.name): one for one in figures(live.card)}
    told: list[dict[str, Any]] = []
    for one in figures(chosen.card):
        row = {"Measured on": one.set.replace("_", " "), "Rows": f"{one.rows:,}", "Figure": one.name}
        row |= {chosen.version: in_words(one)}
        if live is not None and live.identity != chosen.identity:
            other = others.get((one.set, one.name))
            row |= {f"{live.version} (in use)": in_words(other) if other else "–"}
        told.append(row)
    return told


def read_evaluations(folder: Path) -> tuple[list[Evaluation], list[str]]:
    """What the files of a folder hold, and a line about each that cannot be read; none of a folder that is missing."""
    found: list[Evaluation] = []
    faults: list[str] = []
    for path in sorted(folder.glob("*.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            sets = tuple(dict(each) for each in told["sets"])
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            made = Evaluation(str(told["model"]), str(told["task"]), told.get("against"), sets, written, path.name)
            _ = made.verdicts, [set_figures(each) for each in sets]
            found.append(made)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            faults.append(f"{path.name} holds no evaluation: write it by `overtone evaluate MODEL --json FILE`")
    return found, faults


def set_figures(found: Mapping[str, Any]) -> list[Figure]:
    """The figures of one set of an evaluation."""
    return [
        Figure(str(found["name"]), int(found["rows"]), _FIGURES[key], *_spread(value))
        for key, value in found.items()
        if key in _FIGURES
    ]


def confusion(found: Mapping[str, Any], labels: Sequence[str]) -> pd.DataFrame | None:
    """A row per cell: true, said, rows and share of the true label; None without a matrix that can be read.

    ``found`` is one set of a card or of an evaluation; ``labels`` are those of the model, where the set has none.
    """
    cells = found.get("confusion")
    if not cells or len(cells) > _MOST_CLASSES:
        return None
    names = list(found.get("classes", {})) if len(found.get("classes", {})) == len(cells) else list(labels)
    if len(names) != len(cells):
        return None
    return pd.DataFrame(
        [
            {"true": names[i] or "(none)", "said": names[j] or "(none)", "rows": cell, "share": cell / max(1, sum(row))}
            for i, row in enumerate(cells)
            for j, cell in enumerate(row)
        ]
    )


def reliability(found: Mapping[str, Any]) -> pd.DataFrame | None:
    """A row per bin: confidence, accuracy and rows; None where an evaluation has none."""
    bins = found.get("reliability")
    return pd.DataFrame(bins, columns=["rows", "confidence", "accuracy"]) if bins else None


def sets_of(card: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The sets on which a card has a confusion matrix."""
    return {
        name: part for name, part in card.get("metrics", {}).items() if isinstance(part, dict) and part.get("confusion")
    }


def compare_command(home: Path, version: Version) -> str | None:
    """The command that measures a version against the one in use for this page; None for a task that has none."""
    if version.task not in _MEASURED:
        return None
    file = home / EVALUATIONS / f"{version.task}-{version.version}.json"
    wanted = f"{version.task}@{pointed(version)}"
    return f"overtone evaluate {wanted} --against {version.task} --json {shlex.quote(str(file))}"


def train_command(task: str) -> str:
    """The command that trains a task, on what people corrected too."""
    reviewed = " --reviewed" if task == "sentiment" else ""
    return f"overtone train {task.replace('_', '-')}{reviewed}"


def move_in_words(move: Move) -> str:
    """What was done: "promoted 2026.11.2-3fa8c1d2"."""
    version = "the shipped version" if move.version == SHIPPED else move.version
    return f"promoted {version}" if move.step == "promote" else f"rolled back to {version}"


def change(registry: Registry, task: str, what: str, wanted: str, by: str) -> str:
    """Carries out promote, shadow, unshadow or rollback, and says it in a line. Raises InputError and ConfigError."""
    if not by:
        raise InputError("write your name first: it stands in the history")
    if what == "promote":
        return f"{registry.promote(task, wanted, by=by).identity} is in use."
    if what == "rollback":
        return f"{registry.rollback(task, by=by).identity} is in use again."
    if what == "shadow":
        registry.shadow(task, wanted)
        return f"{wanted} runs beside the version in use."
    registry.shadow(task, "")
    return "No version runs beside the one in use."


def pointed(version: Version) -> str:
    """How the registry's verbs name a version."""
    return SHIPPED if version.shipped else version.version


def _used(history: Sequence[Move]) -> int:
    """How many versions a roll back could go through, the one in use among them."""
    depth = 1
    for move in history:
        depth += 1 if move.step == "promote" else -1
    return depth


def _spread(value: Any) -> tuple[float, tuple[float, float] | None]:
    if isinstance(value, (int, float)):
        return float(value), None
    middle, low, high = value
    return float(middle), (float(low), float(high))


def _moment(told: str) -> datetime | None:
    try:
        return datetime.fromisoformat(told)
    except ValueError:
        return None
