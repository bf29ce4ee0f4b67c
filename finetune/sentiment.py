"""The sentiment task: rows to examples, the loss, and logits of a trained model."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from finetune import calibrate, encoder, export
from finetune.augment import augment
from finetune.config import Augmentation, Source
from finetune.data import LABELS, Keep, Row
from finetune.evaluate import Floats, Ints
from finetune.model import pad
from finetune.train import Example, Loss


def examples(rows: Sequence[Row], tokenizer: Any, shares: Augmentation, *, seed: int, epoch: int) -> list[Example]:
    """One example per row and repeat, each changed anew in this epoch; a pure function of its arguments."""
    rng = random.Random(f"{seed}:augment:{epoch}")
    many = [row for row in rows for _ in range(row.repeat)]
    texts = [augment(row.text, rng, shares) for row in many]
    return [
        Example(tuple(coded.ids), LABELS.index(row.label), row.weight)
        for row, coded in zip(many, tokenizer.encode_batch(texts), strict=True)
    ]


def loss(label_smoothing: float) -> Loss:
    """The weighted cross entropy of a batch, over the sum of its weights."""

    def of(model: nn.Module, batch: Sequence[Example]) -> Tensor:
        ids, mask = pad([e.ids for e in batch])
        target = torch.tensor([e.target for e in batch])
        weight = torch.tensor([e.weight for e in batch])
        each = functional.cross_entropy(model(ids, mask), target, reduction="none", label_smoothing=label_smoothing)
        return (each * weight).sum() / weight.sum()

    return of


def logits(model: nn.Module, texts: Sequence[str], tokenizer: Any, *, batch_size: int = 64) -> Floats:
    """Float64 [texts, labels] of the model in evaluation mode."""
    coded = [tuple(c.ids) for c in tokenizer.encode_batch(list(texts))]
    order = sorted(range(len(coded)), key=lambda i: len(coded[i]))
    made = np.zeros((len(coded), len(LABELS)))
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            numbers = order[start : start + batch_size]
            made[numbers] = model(*pad([coded[i] for i in numbers])).numpy()
    return made


def teacher(folder: Path) -> Keep:
    """What leaves the rows of a source to whose label an exported model gives at least ``source.least``.

    The biases of the model's calibration are left out: they stand for the mix of labels in calls.
    """
    told = export.described(folder)
    opened = export.session(folder / "model.onnx")
    coder = encoder.tokenizer(folder, told["max_tokens"])
    scale = calibrate.Calibration(told["calibration"]["temperature"])

    def keep(source: Source, rows: list[Row]) -> list[Row]:
        if not source.least or not rows:
            return rows
        chances = calibrate.probabilities(export.run(opened, [row.text for row in rows], coder)[0], scale)
        given = chances[np.arange(len(rows)), truth(rows)]
        return [row for row, chance in zip(rows, given, strict=True) if chance >= source.least]

    return keep


def truth(rows: Sequence[Row]) -> Ints:
    """The label numbers of the rows."""
    return np.array([LABELS.index(row.label) for row in rows], dtype=np.int64)
