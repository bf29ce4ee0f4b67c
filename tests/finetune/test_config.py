"""Configs are refused as a whole, with every fault named."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from finetune import config
from finetune.config import Augmentation, Config, Encoder, Source, Training
from pipeline.errors import ConfigError
from tests.finetune.conftest import REPOSITORY


@pytest.mark.parametrize("task", ["sentiment", "punctuation", "intent-slot"])
def test_shipped_configs_are_accepted(task: str) -> None:
    made = config.load(REPOSITORY / "finetune" / "configs" / f"{task.replace('-', '_')}.yml")
    assert made.task == task
    assert made.faults() == []


def test_only_commercially_usable_sets_are_trained_on() -> None:
    allowed = ("goemotions", "uci_", "banking77", "clinc150", "nlupp", "snips", "hwu64")
    for path in (REPOSITORY / "finetune" / "configs").glob("*.yml"):
        for source in config.load(path).train:
            named = source.path.rsplit("/", 1)[-1]
            assert source.root == "repository" or named.startswith(allowed), source.path
            assert "dev" not in named or config.load(path).task == "punctuation"


def test_every_fault_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text(
        "task: sentiment\n"
        "epochz: 3\n"
        "encoder: {layers: many, freeze: 2}\n"
        "training: {epochs: 2.5}\n"
        "train:\n"
        "  - {path: a.tsv, reepeat: 2}\n"
        "  - {format: calls}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    told = str(caught.value)
    assert str(path) in told
    for fault in (
        "epochz: no such key",
        "encoder.layers: 'many' is not a whole number",
        "encoder.freeze: no such key",
        "training.epochs: 2.5 is not a whole number",
        "train[1].reepeat: no such key",
        "train[2].path: missing",
        "version: missing",
    ):
        assert fault in told
    assert "7 faults" in told


def test_numbers_may_be_written_as_yaml_reads_them_as_text(tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text("task: sentiment\nversion: '1'\ntrain: [{path: a}]\ntraining: {learning_rate: 2e-4}\n", "utf-8")
    assert config.load(path).training.learning_rate == pytest.approx(2e-4)


@pytest.mark.parametrize("content", ["- a\n- b\n", "task: [", "", "\tx: 1"])
def test_a_file_that_is_no_mapping_is_refused_in_words(tmp_path: Path, content: str) -> None:
    path = tmp_path / "c.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"c\.yml"):
        config.load(path)


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (Encoder(layers=7), "layers is 7"),
        (Encoder(layers=3, freeze_layers=4), "freeze_layers is 4"),
        (Encoder(freeze_embeddings=False, freeze_layers=2), "would train what lies under frozen layers"),
        (Encoder(dropout=1.0), "dropout is 1.0"),
        (Encoder(max_tokens=4), "max_tokens is 4"),
        (Training(epochs=0), "epochs is 0"),
        (Training(learning_rate=0.0), "learning_rate is 0.0"),
        (Training(learning_rate=float("nan")), "learning_rate is nan"),
        (Training(warmup_share=0.9), "warmup_share is 0.9"),
        (Augmentation(plain=1.5), "plain is 1.5"),
        (Source("a", root="datasets", format="banking77"), "label must be set"),
        (Source("a", repeat=0), "repeat is 0"),
        (Source("a", weight=0.0), "weight is 0.0"),
        (Source("a", limit=-1), "limit is -1"),
    ],
)
def test_inconsistent_values_are_refused(part: Encoder | Training | Augmentation | Source, fault: str) -> None:
    assert any(fault in found for found in part.faults())


def test_training_on_what_is_measured_is_refused() -> None:
    made = Config("sentiment", "1", train=(Source("a.tsv"),), dev=(Source("a.tsv"),))
    assert any("also trained on" in fault for fault in made.faults())
    assert dataclasses.replace(made, dev=(Source("b.tsv"),)).faults() == []


def test_the_format_nemo_belongs_to_the_task_that_reads_tags() -> None:
    nemo, other = Source("a.tsv", format="nemo"), Source("b.tsv", format="labelled")
    assert "only the task intent-slot reads" in Config("sentiment", "1", (nemo,)).faults()[0]
    assert Config("intent-slot", "1", (nemo, other), (Source("c.tsv", format="nemo"),)).faults() == []
    assert "needs a source of format nemo" in Config("intent-slot", "1", (other,), (nemo,)).faults()[0]


def test_values_are_exchanged_for_those_of_a_folder() -> None:
    made = Config("sentiment", "1", (Source("a.tsv"),), augmentation=Augmentation(exchange=0.5))
    assert "values names no folder" in made.faults()[0]
    assert dataclasses.replace(made, values="lists").faults() == []
