"""The sentence encoder that we ship is the published one in int8, as the command makes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from finetune import encoder, export, sentence_encoder
from finetune.config import Encoder
from finetune.model import SentenceEmbedder, pad
from pipeline.embedding import SentenceEncoder
from tests.finetune.conftest import REPOSITORY, TinyEncoder

SHIPPED = REPOSITORY / "data" / "models" / "sentence_encoder"
TEXTS = ("I want my money back.", "just refund me already", "What time do you close on Sundays?", "uh huh")


def test_an_embedder_and_its_file_agree_and_padding_changes_nothing(tiny_encoder: TinyEncoder, tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = SentenceEmbedder(tiny_encoder()).eval()
    export.onnx(model, ["embedding"], tmp_path / "exact.onnx")
    ids, mask = pad([(101, 2023, 102), (101, 2023, 2003, 7592, 102)])
    (got,) = export.session(tmp_path / "exact.onnx").run(
        None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}
    )
    with torch.inference_mode():
        exact = model(ids, mask).numpy()
        alone = model(ids[:1, :3], mask[:1, :3]).numpy()
    assert got == pytest.approx(exact, abs=1e-4)
    assert alone[0] == pytest.approx(exact[0], abs=1e-5)
    assert np.linalg.norm(exact, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_shipped_encoder_is_what_the_command_makes(work: Path, tmp_path: Path) -> None:
    found = sentence_encoder.build(tmp_path / "sentence_encoder", work)
    made, shipped = SentenceEncoder(tmp_path), SentenceEncoder(SHIPPED.parent)
    for text in TEXTS:
        assert float(made.vector(text) @ shipped.vector(text)) > 0.999
    told = export.described(SHIPPED)
    assert told["metrics"]["fidelity"]["mean_gap"] == pytest.approx(found.mean_gap, abs=0.005)
    assert (SHIPPED / "MODEL_CARD.md").read_text(encoding="utf-8").count("derived weights, Apache-2.0") == 1
    assert "sentence_encoder/ is all-MiniLM-L6-v2 itself" in (REPOSITORY / "NOTICE").read_text(encoding="utf-8")


def test_int8_keeps_what_the_published_weights_say(work: Path) -> None:
    folder = encoder.unpack(work)
    model = SentenceEmbedder(encoder.read(folder, Encoder())).eval()
    exact = sentence_encoder.embeddings(model, TEXTS, encoder.tokenizer(folder, sentence_encoder.MAX_TOKENS))
    shipped = SentenceEncoder(SHIPPED.parent)
    found = sentence_encoder.fidelity(np.array([shipped.vector(text) for text in TEXTS], dtype=np.float64), exact)
    assert found.worst > 0.96
    assert found.largest_gap < 0.08
