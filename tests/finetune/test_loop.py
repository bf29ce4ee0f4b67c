"""From data to a registered model and back: a restored snapshot gives the same model, bit for bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from finetune import config, loop, machine
from finetune.encoder import sha256
from finetune.snapshots import LocalStore
from pipeline.errors import ConfigError, InputError
from pipeline.registry import Registry, Version
from pipeline.settings import Settings
from tests.finetune.conftest import REPOSITORY
from tests.finetune.training import made


class Home:
    """Where a test trains."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.repository = made(folder)
        self.datasets, self.work = folder / "datasets", work
        self.registry = Registry(folder / "home" / "models", Settings().models)
        self.snapshots = LocalStore(folder / "home" / "snapshots")
        self.said: list[str] = []

    def train(self, order: loop.Order) -> Version:
        """The registered version of a training."""
        read, path, places = loop.prepared(order, machine.CPU, store=None, say=self.said.append)
        version = loop.train(
            read, path, places, registry=self.registry, snapshots=self.snapshots, by="ann",
            on_step=lambda step: None, say=self.said.append,
        )  # fmt: skip
        assert version is not None
        return version

    @property
    def order(self) -> loop.Order:
        """Everything that is there."""
        return loop.Order(self.repository / "sentiment.yml", self.work, self.datasets, self.repository)


@pytest.fixture
def home(tmp_path: Path, work: Path) -> Home:
    """A home with data and no model of its own yet."""
    return Home(tmp_path, work)


def test_a_restored_snapshot_trains_to_the_very_same_model(home: Home, tmp_path: Path) -> None:
    first = home.train(home.order)
    (kept,) = home.snapshots.list()
    assert first.origin["snapshot"] == kept.id
    assert kept.model == first.identity
    assert {"config.yml", "datasets/public.tsv", "repository/calls_dev.tsv", "model/model.onnx"} <= set(kept.files)
    # What was trained on may change afterwards.
    (home.repository / "calls_contrasts.tsv").write_text("gone")
    home.snapshots.restore(kept, tmp_path / "again")
    again = home.train(loop.restored(tmp_path / "again", home.work))
    assert again == first
    assert sha256(again.folder / "model.onnx") == kept.files["model/model.onnx"].sha256
    assert home.snapshots.list() == [kept]
    assert not list(home.work.glob("*.checkpoint"))
    from pipeline.server.classifier import TextClassifier

    assert TextClassifier("model", tmp_path / "again").card.version == first.version


def test_without_public_data_it_trains_on_the_rest_and_says_so(home: Home) -> None:
    order = loop.Order(home.repository / "sentiment.yml", home.work, None, home.repository)
    version = home.train(order)
    assert version.card["data"] == {"calls_contrasts": 60}
    assert any("without public.tsv" in line for line in home.said)


def test_faults_of_config_and_data_come_together_and_nothing_is_made(home: Home) -> None:
    text = (home.repository / "sentiment.yml").read_text().replace('version: "9"', 'version: "9"\nepochz: 3')
    (home.repository / "sentiment.yml").write_text(text.replace("layers: 1", "layers: 9"))
    with (home.repository / "calls_contrasts.tsv").open("a", encoding="utf-8") as rows:
        rows.write("angry\tagent\tx\ty\tThis is it.\n")
    (home.datasets / "public.tsv").unlink()
    with pytest.raises(InputError) as caught:
        home.train(home.order)
    told = str(caught.value)
    for defect in (
        "sentiment.yml:3: epochz: no such key",
        "sentiment.yml:4: encoder: layers is 9",
        "calls_contrasts.tsv:62: label 'angry'",
        "public.tsv:0: cannot be read",
    ):
        assert defect in told
    assert told.startswith("4 defects")
    assert not home.registry.root.exists()


def test_a_class_without_examples_is_told_with_the_rest(home: Home) -> None:
    lines = (home.repository / "calls_contrasts.tsv").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("negative")]
    (home.repository / "calls_contrasts.tsv").write_text("".join(kept) + "neutral\tagent\tx\ty\t \n")
    with pytest.raises(InputError) as caught:
        home.train(home.order)
    assert "too few training rows for negative (0)" in str(caught.value)
    assert f"calls_contrasts.tsv:{len(kept) + 1}: the text is empty" in str(caught.value)


def test_a_config_survives_being_written(home: Home, tmp_path: Path) -> None:
    for path in (REPOSITORY / "finetune" / "configs").glob("*.yml"):
        read = config.load(path)
        (tmp_path / "c.yml").write_text(config.dumped(read), encoding="utf-8")
        assert config.load(tmp_path / "c.yml") == read
    (home.repository / "sentiment.yml").write_text("task: 3\nversion: '1'\ntrain: []\n")
    with pytest.raises(ConfigError, match=r"sentiment\.yml:1: task: 3 is not text"):
        home.train(home.order)


def test_an_unknown_task_is_told() -> None:
    with pytest.raises(InputError, match="known are intent-slot, punctuation, sentiment"):
        loop.shipped_config("mood")


def test_two_processes_train_as_one_does(home: Home, tmp_path: Path) -> None:
    text = (home.repository / "sentiment.yml").read_text().replace("layers: 1", "layers: 1, dropout: 0.0")
    (home.repository / "sentiment.yml").write_text(text)
    single = home.train(home.order)
    output = tmp_path / "several"
    done = subprocess.run(
        [
            sys.executable, "-m", "finetune", "train", "--config", str(home.repository / "sentiment.yml"),
            "--repository", str(home.repository), "--datasets", str(home.datasets), "--work", str(tmp_path / "work"),
            "--output", str(output), "--processes", "2", "--device", "cpu",
        ],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    from pipeline import weights

    together = weights.card("several", tmp_path)
    for measure in ("accuracy", "macro_f1"):
        expected = single.card["metrics"]["calls_dev"][measure][0]
        assert together["metrics"]["calls_dev"][measure][0] == pytest.approx(expected, abs=0.05)
    assert together["calibration"]["temperature"] == pytest.approx(single.card["calibration"]["temperature"], rel=0.05)
