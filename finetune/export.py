"""A trained model as an int8 ONNX file in its folder, with the numbers that prove it is the same model."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from finetune import encoder
from finetune.model import pad
from pipeline.errors import InputError

_OF_SENTENCES = ("logits", "intent", "embedding")  # outputs with one row a sentence; others have one a token


@dataclass(frozen=True)
class Parity:
    """How near the int8 file is to the trained model on the same inputs."""

    rows: int
    agreement: float  # share of rows with the same arg max
    largest_gap: float  # of any logit


def onnx(model: nn.Module, outputs: Sequence[str], target: Path) -> None:
    """None; writes ``target`` (opset 17, float32) with inputs input_ids and attention_mask, batch and tokens free."""
    ids, mask = pad([(101, 2023, 2003, 102), (101, 7592, 102)])
    free = {name: {0: "batch", 1: "tokens"} for name in ("input_ids", "attention_mask")}
    free |= {name: {0: "batch"} if name in _OF_SENTENCES else {0: "batch", 1: "tokens"} for name in outputs}
    with warnings.catch_warnings(), torch.inference_mode():
        # The tracing exporter is the one whose graph quantises well; its deprecation and tracer notes say nothing new.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(), (ids, mask), str(target), dynamo=False, opset_version=17,
            input_names=["input_ids", "attention_mask"], output_names=list(outputs), dynamic_axes=free,
        )  # fmt: skip


def int8(source: Path, target: Path) -> None:
    """None; writes ``target`` with dynamic int8 weights per channel.

    Weights keep seven bits: processors without VNNI add products of eight-bit numbers in 16 bits, which overflow. The
    encoder's first layer keeps its floats: for 5 MB that gives back half of what int8 costs in macro-F1 (measured).
    """
    from onnx import load
    from onnxruntime.quantization import QuantType, quantize_dynamic

    first_layer = [node.name for node in load(str(source)).graph.node if "/layer.0/" in node.name]
    with tempfile.TemporaryDirectory() as made:
        part = Path(made) / target.name
        quantize_dynamic(
            str(source),
            str(part),
            per_channel=True,
            weight_type=QuantType.QInt8,
            reduce_range=True,
            nodes_to_exclude=first_layer,
        )
        target.write_bytes(part.read_bytes())


def session(path: Path, *, threads: int = 1) -> Any:
    """An onnxruntime session of the file on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(opened: Any, texts: Sequence[str], tokenizer: Any, *, batch_size: int = 32) -> list[NDArray[np.float64]]:
    """Each output of a session for the texts: [texts, ...]; token outputs are padded with zeros to the longest."""
    coded = [tuple(c.ids) for c in tokenizer.encode_batch(list(texts))]
    order = sorted(range(len(coded)), key=lambda i: len(coded[i]))
    longest = max(map(len, coded), default=1)
    made: list[NDArray[np.float64]] = []
    for start in range(0, len(order), batch_size):
        numbers = order[start : start + batch_size]
        ids, mask = pad([coded[i] for i in numbers])
        got = opened.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
        if not made:
            made = [np.zeros((len(coded), *([longest] if g.ndim == 3 else []), g.shape[-1])) for g in got]
        for whole, part in zip(made, got, strict=True):
            if part.ndim == 3:
                whole[numbers, : part.shape[1]] = part
            else:
                whole[numbers] = part
    return made


def parity(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Parity:
    """The comparison of two logits arrays [rows, labels]."""
    same = ours.argmax(-1) == theirs.argmax(-1)
    return Parity(len(ours), float(same.mean()), float(np.abs(ours - theirs).max()))


def publish(folder: Path, model: Path, tokenizer: Any, description: Mapping[str, Any], card: str) -> None:
    """None; puts model.onnx, tokenizer.json, model.json and MODEL_CARD.md into ``folder``, model.json last.

    model.json names the SHA-256 of the other files, so that whoever reads a half-copied folder finds out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.read_bytes())
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    files = {name: encoder.sha256(folder / name) for name in ("model.onnx", "tokenizer.json")}
    told = json.dumps({**description, "files": files}, indent=2, ensure_ascii=False)
    (folder / "model.json").write_text(told + "\n", encoding="utf-8")


def described(folder: Path) -> dict[str, Any]:
    """The content of ``folder``'s model.json after the SHA-256 of its files was checked (InputError otherwise)."""
    try:
        read = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise InputError(f"{folder / 'model.json'} cannot be read ({exc}); export the model again") from exc
    for name, want in read["files"].items():
        if not (folder / name).is_file() or encoder.sha256(folder / name) != want:
            raise InputError(f"{folder / name} is missing or not the file that model.json names; export it again")
    return dict(read)
