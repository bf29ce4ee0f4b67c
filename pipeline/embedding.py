"""The meaning of a sentence as numbers: sentences that mean nearly the same lie near each other.

The encoder runs in the process that asks. Riva has no call that gives embeddings, so it cannot stand behind one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from pipeline import weights
from pipeline.errors import ConfigError

NAME = "sentence_encoder"
_LONGEST_TOKEN = 24  # characters; what is longer than this times max_tokens would be cut off anyway

Vector = npt.NDArray[np.float32]


class SentenceEncoder:
    """The loaded encoder; its method may be called from several threads."""

    def __init__(self, models: Path) -> None:
        """Load ``models/sentence_encoder``. Raises ConfigError when it is missing, changed, or no sentence encoder."""
        folder = weights.find(NAME, models)
        card = weights.card(NAME, models)
        if card.get("task") != "sentence-embedding":
            raise ConfigError(f"{folder} holds a model for {card.get('task')}, not for sentence-embedding")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # a sentence is too short to share out
        options.log_severity_level = 3
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), sess_options=options, providers=["CPUExecutionProvider"]
            )
            self._most_tokens = int(card["max_tokens"])
        except Exception as error:  # tokenizers and onnxruntime raise classes of their own without a common base
            raise ConfigError(f"cannot load the sentence encoder in {folder}: {error}") from error
        self._tokenizer.enable_truncation(self._most_tokens)
        self._tokenizer.no_padding()
        self.identity = f"{card['name']}@{card['version']}"

    def vector(self, text: str) -> Vector:
        """The meaning of one sentence: float32 [size], of length 1, so that a dot product is a closeness (-1 to 1).

        One at a time: an int8 model chooses its scales for a whole batch, and a sentence must mean the same in any.
        """
        ids = np.array([self._tokenizer.encode(text[: self._most_tokens * _LONGEST_TOKEN]).ids], dtype=np.int64)
        (found,) = self._session.run(["embedding"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        vector: Vector = found[0]
        return vector
