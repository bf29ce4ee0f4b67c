"""The exported file says what the model says, and its folder describes it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from finetune import export
from finetune.model import SentenceClassifier, WordTagger, pad
from pipeline.errors import InputError
from tests.finetune.conftest import TinyEncoder

IDS: list[tuple[int, ...]] = [(101, *range(1000, 1000 + n), 102) for n in (1, 4, 9, 30)]


@pytest.mark.parametrize("quantised", [False, True])
def test_a_classifier_and_its_file_agree(tiny_encoder: TinyEncoder, tmp_path: Path, quantised: bool) -> None:
    torch.manual_seed(1)
    model = SentenceClassifier(tiny_encoder(), 3, 0.1).eval()
    export.onnx(model, ["logits"], tmp_path / "exact.onnx")
    path = tmp_path / "exact.onnx"
    if quantised:
        export.int8(path, tmp_path / "int8.onnx")
        path = tmp_path / "int8.onnx"
    ids, mask = pad(IDS)
    (got,) = export.session(path).run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    with torch.inference_mode():
        found = export.parity(model(ids, mask).numpy().astype(np.float64), got.astype(np.float64))
    assert found.rows == len(IDS)
    assert found.largest_gap < (0.1 if quantised else 1e-4)


def test_a_tagger_and_its_file_agree(tiny_encoder: TinyEncoder, tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = WordTagger(tiny_encoder(), 4, 3, 0.1).eval()
    export.onnx(model, ["punctuation", "casing"], tmp_path / "exact.onnx")
    ids, mask = pad(IDS)
    opened = export.session(tmp_path / "exact.onnx")
    assert [output.name for output in opened.get_outputs()] == ["punctuation", "casing"]
    got = opened.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    with torch.inference_mode():
        for part, exact in zip(got, model(ids, mask), strict=True):
            assert part == pytest.approx(exact.numpy(), abs=1e-4)


def test_the_int8_file_is_smaller(tiny_encoder: TinyEncoder, tmp_path: Path) -> None:
    export.onnx(SentenceClassifier(tiny_encoder(), 3, 0.1), ["logits"], tmp_path / "a.onnx")
    export.int8(tmp_path / "a.onnx", tmp_path / "b.onnx")
    assert (tmp_path / "b.onnx").stat().st_size < 0.4 * (tmp_path / "a.onnx").stat().st_size


class _Tokenizer:
    """Only what publishing needs of a tokenizer."""

    def save(self, path: str, pretty: bool) -> None:
        Path(path).write_text("{}", encoding="utf-8")


def test_a_published_folder_is_checked_against_its_description(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"weights")
    folder = tmp_path / "out"
    export.publish(folder, tmp_path / "m.onnx", _Tokenizer(), {"name": "x", "labels": ["a"]}, "# x\n")
    assert sorted(p.name for p in folder.iterdir()) == ["MODEL_CARD.md", "model.json", "model.onnx", "tokenizer.json"]
    assert export.described(folder)["labels"] == ["a"]
    (folder / "model.onnx").write_bytes(b"other")
    with pytest.raises(InputError, match="not the file that model"):
        export.described(folder)
    (folder / "model.json").write_text(json.dumps([])[:-1], encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        export.described(folder)
