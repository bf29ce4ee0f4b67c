"""The sentence encoder: trained on meanings, quantised, and what alerts load."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from finetune import export, meaning, sentence_encoder
from finetune.meaning import Recipe
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


def test_the_command_trains_and_makes_what_alerts_load(work: Path, tmp_path: Path) -> None:
    folder = tmp_path / "meanings"
    folder.mkdir()
    rows = [
        (name, text) for name in ("kept out", "lost", "hours") for text in (f"{name}, {TEXTS[0]}", f"{name} or not")
    ]
    lines = [f"{name}\tcustomer\tsaid\t{text}" for name, text in rows]
    (folder / "few.tsv").write_text("\n".join(["meaning\twho\tkind\ttext", *lines, ""]), encoding="utf-8")
    told: list[float] = []
    found = sentence_encoder.build(
        tmp_path / "sentence_encoder",
        work,
        recipe=Recipe(epochs=1, meanings=2, plain=4),
        meanings=folder,
        on_step=lambda step, steps, loss: told.append(loss),
    )
    assert len(told) == 1
    made = SentenceEncoder(tmp_path)
    for text in TEXTS:
        assert np.linalg.norm(made.vector(text)) == pytest.approx(1, abs=1e-5)
    assert found.worst > 0.95  # int8 keeps what the trained weights say
    assert found.largest_gap < 0.1
    card = (tmp_path / "sentence_encoder" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "2 meanings of what people say on calls, 4 wordings" in card


def test_the_shipped_encoder_was_made_by_the_shipped_recipe() -> None:
    told = export.described(SHIPPED)
    assert told["training"] == dataclasses.asdict(meaning.SHIPPED)
    assert told["metrics"]["fidelity"]["worst"] > 0.95
    assert told["metrics"]["fidelity"]["largest_gap"] < 0.1
    assert "sentence_encoder/ is all-MiniLM-L6-v2 trained on by us" in (REPOSITORY / "NOTICE").read_text(
        encoding="utf-8"
    )
