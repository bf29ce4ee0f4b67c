"""A whole run from config to folder on a handful of rows, and the command's words when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune import card, config, export, runs
from finetune.cli import main
from pipeline.errors import InputError
from tests.finetune.conftest import REPOSITORY

OWN = REPOSITORY / "data" / "training" / "sentiment"
ENCODER = "encoder: {layers: 1}\ntraining: {epochs: 1, batch_size: 16, checkpoint_every: 2}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder with sixty training rows and forty dev rows of two files."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for name, rows in (("calls_contrasts", 60), ("calls_dev", 40)):
        lines = (OWN / f"{name}.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / f"{name}.tsv").write_text("".join(lines[: rows + 1]), encoding="utf-8")
    return folder


def _run(folder: Path, work: Path, task: str, more: str = "") -> Path:
    path = folder / f"{task}.yml"
    path.write_text(
        f"task: {task}\nversion: '1'\n{ENCODER}{more}train: [{{path: calls_contrasts.tsv}}]\n"
        "dev: [{path: calls_dev.tsv}]\n",
        encoding="utf-8",
    )
    output = folder / "out" / task
    places = runs.Places(folder, folder, work, output)
    steps: list[int] = []
    (work / f"{task}.checkpoint").unlink(missing_ok=True)
    runs.train_model(
        config.load(path), places, notes="\nNOTES\n", on_step=lambda s: steps.append(s.number), say=lambda line: None
    )
    assert steps == list(range(1, len(steps) + 1))
    return output


def test_a_sentiment_run_publishes_a_model_that_describes_itself(repository: Path, work: Path) -> None:
    output = _run(repository, work, "sentiment")
    told = export.described(output)
    assert told["labels"] == ["negative", "neutral", "positive"]
    assert told["data"] == {"calls_contrasts": 60}
    assert told["metrics"]["calls_dev"]["rows"] == 40
    assert 0 <= told["metrics"]["calls_dev"]["expected_calibration_error"] <= 1
    assert len(told["calibration"]["bias"]) == 3
    written = (output / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| calls, as written | 40 |" in written
    assert written.endswith("NOTES\n")


def test_a_punctuation_run_publishes_a_model_that_describes_itself(repository: Path, work: Path) -> None:
    told = export.described(_run(repository, work, "punctuation"))
    assert told["task"] == "punctuation"
    assert sorted(told["labels"]) == ["casing", "punctuation"]
    assert told["metrics"]["punctuation"]["rows"] == told["metrics"]["casing"]["rows"] > 100


def test_defects_leave_the_output_alone(repository: Path, work: Path) -> None:
    with (repository / "calls_contrasts.tsv").open("a", encoding="utf-8") as rows:
        rows.write("bad row\n")
    with pytest.raises(InputError, match=r"calls_contrasts\.tsv:62: has 1 columns"):
        _run(repository, work, "sentiment")
    assert not (repository / "out").exists()


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.yml"
    path.write_text("task: sentiment\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["train", "--config", str(path), "--datasets", str(tmp_path), "--work", str(tmp_path)])
    assert ended.value.code == 1
    assert capsys.readouterr().err.strip().startswith("overtone: config ")


@pytest.mark.parametrize("task", ["sentiment", "punctuation", "intent_slot"])
def test_the_shipped_card_tells_the_shipped_figures(task: str) -> None:
    folder = REPOSITORY / "data" / "models" / task
    path = REPOSITORY / "finetune" / "configs" / f"{task}.yml"
    made = config.load(path)
    told = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert told["version"] == made.version
    write = {"sentiment": card.sentiment, "punctuation": card.punctuation, "intent_slot": card.intent_slot}[task]
    notes = path.with_suffix(".notes.md").read_text(encoding="utf-8")
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8") == write(told, made, notes)


def test_an_intent_run_publishes_what_the_server_reads(tmp_path: Path, work: Path) -> None:
    from pipeline.server.understanding import Understander

    (tmp_path / "dict.intents.csv").write_text("weather.sunny\ngreeting\nunknown\n")
    (tmp_path / "dict.slots.csv").write_text("B-location\nI-location\nO\n")
    for name, rows in (
        ("train", ["sunny in york", "hi you there", "tell a joke"]),
        ("test", ["sun at rome", "hey a b", "do my tax"]),
    ):
        sentences = [f"{row}\t{intent}\n" for intent, row in enumerate(rows)] * 4
        (tmp_path / f"{name}.tsv").write_text("sentence\tlabel\n" + "".join(sentences))
        (tmp_path / f"{name}_slots.tsv").write_text("2 2 0\n2 2 2\n2 2 2\n" * 4)
    (tmp_path / "run.yml").write_text(
        f"task: intent-slot\nversion: '1'\n{ENCODER}train: [{{path: train.tsv, format: nemo}}]\n"
        "dev: [{path: test.tsv, format: nemo}]\n"
    )
    output = tmp_path / "models" / "intent_slot"
    (work / "intent_slot.checkpoint").unlink(missing_ok=True)
    places = runs.Places(tmp_path, tmp_path, work, output)
    runs.train_model(config.load(tmp_path / "run.yml"), places, on_step=lambda s: None, say=lambda line: None)
    told = export.described(output)
    assert told["metrics"]["rows"] == 12
    assert told["data"] == {"train": 12}
    assert "| train | 12 | 1 | 1 |" in (output / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert Understander("intent_slot", tmp_path / "models").understand("sunny in york").intent
