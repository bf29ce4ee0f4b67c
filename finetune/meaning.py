"""Trains the sentence encoder on meanings: wordings of one lie near each other, denials and questions further off.

The loss is InfoNCE over a batch of meanings (van den Oord et al. 2018, arXiv 1807.03748; with written negatives as in
Gao et al. 2021, arXiv 2104.08821): a wording is to be nearer to another of its meaning than to those of other meanings,
to a denial of its own, to a question on its subject, and to sentences of calls that mean none of them.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from finetune.augment import augment
from finetune.config import Augmentation
from finetune.model import SentenceEmbedder, pad
from pipeline.alerts.meaning import bare
from pipeline.errors import InputError

KINDS = ("said", "denied", "asked")
_COLUMNS = ["meaning", "who", "kind", "text"]
_SPOKEN = Augmentation(plain=0.4, fillers=0.1, asr_noise=0.15)  # towards what a recogniser writes


@dataclass(frozen=True)
class Meaning:
    """One meaning: its wordings, and what lies near it in words and means something else."""

    name: str
    said: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """How it is trained; the same seed gives the same weights on the same machine."""

    seed: int = 1
    epochs: int = 6  # each wording is paired once with another
    meanings: int = 48  # in a batch
    plain: int = 32  # sentences of calls in a batch
    learning_rate: float = 5e-5
    warmup_share: float = 0.1
    temperature: float = 0.05


SHIPPED = Recipe()


def read(folder: Path) -> list[Meaning]:
    """The meanings in the ``*.tsv`` of a folder. Raises InputError with every defect, by file and line."""
    faults, found = [], dict[str, dict[str, list[str]]]()
    for path in sorted(folder.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as opened:
            rows = csv.reader(opened, delimiter="\t", quoting=csv.QUOTE_NONE)
            if next(rows, None) != _COLUMNS:
                faults.append(f"{path}:1: the columns are not {', '.join(_COLUMNS)}")
                continue
            for line, row in enumerate(rows, 2):
                if len(row) != len(_COLUMNS) or not all(cell.strip() for cell in row) or row[2] not in KINDS:
                    faults.append(f"{path}:{line}: not a meaning, who says it, one of {', '.join(KINDS)}, and a text")
                    continue
                meaning, _, kind, text = row
                found.setdefault(meaning, {}).setdefault(kind, []).append(text)
    faults += [f"{name}: fewer than two wordings" for name, kinds in found.items() if len(kinds.get("said", ())) < 2]
    if faults or not found:
        raise InputError(f"{folder}: " + ("; ".join(faults) or "no meanings (*.tsv)"))
    return [
        Meaning(name, tuple(kinds["said"]), (*kinds.get("denied", ()), *kinds.get("asked", ())))
        for name, kinds in found.items()
    ]


def train(
    model: SentenceEmbedder,
    tokenizer: Any,
    meanings: Sequence[Meaning],
    plain: Sequence[str],
    recipe: Recipe = SHIPPED,
    on_step: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> None:
    """Trains ``model`` in place; ``plain`` are sentences of calls that mean none of the ``meanings``.

    ``on_step`` is told the step from 1, how many there are, and the loss.
    """
    torch.manual_seed(recipe.seed)
    rng = random.Random(recipe.seed)
    for parameter in model.encoder.embeddings.parameters():
        parameter.requires_grad = False
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=0.01)
    batches = [batch for _ in range(recipe.epochs) for batch in _batches(meanings, plain, recipe, rng)]
    warm = max(1, round(recipe.warmup_share * len(batches)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.0, (len(batches) - step) / max(1, len(batches) - warm)))
    )
    model.train()
    for step, batch in enumerate(batches, 1):
        loss = batch.loss(model, tokenizer, recipe.temperature, rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        on_step(step, len(batches), loss.item())
    model.eval()


@dataclass(frozen=True)
class _Batch:
    """A wording of each of some meanings, another of each, all that must lie further off."""

    wordings: tuple[str, ...]
    same: tuple[str, ...]
    others: tuple[str, ...]

    def loss(self, model: SentenceEmbedder, tokenizer: Any, temperature: float, rng: random.Random) -> Tensor:
        """InfoNCE, from the wordings and from the other wordings."""
        texts = [augment(bare(text), rng, _SPOKEN) for text in (*self.wordings, *self.same, *self.others)]
        ids, mask = pad([tuple(tokenizer.encode(text).ids) for text in texts])
        vectors = model(ids, mask)
        count = len(self.wordings)
        one, two, far = vectors[:count], vectors[count : 2 * count], vectors[2 * count :]
        target = torch.arange(count)
        forth = nn.functional.cross_entropy(torch.cat([one @ two.T, one @ far.T], 1) / temperature, target)
        back = nn.functional.cross_entropy(torch.cat([two @ one.T, two @ far.T], 1) / temperature, target)
        return (forth + back) / 2


def _batches(meanings: Sequence[Meaning], plain: Sequence[str], recipe: Recipe, rng: random.Random) -> Iterator[_Batch]:
    """Each wording once, beside another of its meaning; no meaning twice in a batch."""
    pairs = [_pairs(meaning, rng) for meaning in meanings]
    for place in range(max(len(each) for each in pairs)):
        turn = [(meaning, each[place]) for meaning, each in zip(meanings, pairs, strict=True) if place < len(each)]
        rng.shuffle(turn)
        for first in range(0, len(turn), recipe.meanings):
            part = turn[first : first + recipe.meanings]
            others = [rng.choice(meaning.others) for meaning, _ in part if meaning.others]
            others += rng.sample(list(plain), min(recipe.plain, len(plain)))
            yield _Batch(tuple(one for _, (one, _) in part), tuple(two for _, (_, two) in part), tuple(others))


def _pairs(meaning: Meaning, rng: random.Random) -> list[tuple[str, str]]:
    """The wordings in random order, two by two; of an odd number one is left out."""
    order = rng.sample(meaning.said, len(meaning.said))
    return list(zip(order[::2], order[1::2], strict=False))


def split(meanings: Sequence[Meaning], every: int = 10) -> tuple[list[Meaning], list[Meaning]]:
    """Meanings to train on, and every tenth to choose by."""
    return (
        [meaning for place, meaning in enumerate(meanings) if place % every],
        [meaning for place, meaning in enumerate(meanings) if place % every == 0],
    )
