"""A training that takes seconds: one layer, sixty rows, with a home of its own."""

from __future__ import annotations

from pathlib import Path

from tests.finetune.conftest import REPOSITORY

OWN = REPOSITORY / "data" / "training" / "sentiment"
CONFIG = """task: sentiment
version: "9"
encoder: {layers: 1}
training: {epochs: 1, batch_size: 16, checkpoint_every: 2}
train: [{path: calls_contrasts.tsv}, {path: public.tsv, format: labelled, root: datasets}]
dev: [{path: calls_dev.tsv}]
"""


def made(folder: Path) -> Path:
    """A repository with a config, sixty training rows and forty dev rows; beside it a folder of public data sets."""
    repository = folder / "repository"
    repository.mkdir(parents=True)
    for name, rows in (("calls_contrasts", 60), ("calls_dev", 40)):
        lines = (OWN / f"{name}.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
        (repository / f"{name}.tsv").write_text("".join(lines[: rows + 1]), encoding="utf-8")
    (repository / "sentiment.yml").write_text(CONFIG, encoding="utf-8")
    (folder / "datasets").mkdir()
    (folder / "datasets" / "public.tsv").write_text("positive\tWhat a lovely day it was!\n" * 4, encoding="utf-8")
    return repository
