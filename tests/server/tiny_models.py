"""Text classifiers small enough to write by hand: the real format, in milliseconds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

WORDS = {"[PAD]": 0, "[UNK]": 1, "bad": 2, "good": 3}
# A text's logits are the sums of its words' rows: bad is negative, good is positive, the rest neutral.
ROWS = ((9.0, 9.0, 9.0), (0.0, 1.0, 0.0), (2.0, 0.0, 0.0), (0.0, 0.0, 2.0))


def tiny(folder: Path, *, rows: Any = ROWS, name: str = "sentiment", **said: Any) -> Path:
    """The folder ``folder/name`` with a bag-of-words classifier; ``said`` replaces fields of its model.json."""
    target = folder / name
    target.mkdir(parents=True)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["rows", "input_ids"], ["each"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
            helper.make_node("Mul", ["each", "column"], ["masked"]),
            helper.make_node("ReduceSum", ["masked", "words"], ["logits"], keepdims=0),
        ],
        "tiny",
        [helper.make_tensor_value_info(n, TensorProto.INT64, ["b", "s"]) for n in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", 3])],
        [
            numpy_helper.from_array(np.array(rows, dtype=np.float32), "rows"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "words"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(target / "model.onnx"))
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(target / "tokenizer.json"))
    card = {
        "name": "sentiment",
        "version": "1",
        "task": "text-classification",
        "labels": ["negative", "neutral", "positive"],
        "max_tokens": 8,
        "files": {
            file: hashlib.sha256((target / file).read_bytes()).hexdigest() for file in ("model.onnx", "tokenizer.json")
        },
    } | said
    (target / "model.json").write_text(json.dumps(card))
    return target
