"""Text classification with an ONNX model of ours: texts in, calibrated probabilities out.

``model.json`` beside the weights says labels, longest input and calibration; the probabilities are
softmax(logits / temperature + bias) (Guo et al. 2017, with a bias per class).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from pipeline import weights
from pipeline.errors import ConfigError

_RUN = 320  # tokens in one run of the model, padding included: more of them fall out of the cache (measured)
_LONGEST_TOKEN = 24  # characters; what is longer than this times max_tokens would be cut off anyway

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ClassifierCard:
    """What a classifier calls itself and its classes."""

    name: str
    version: str
    labels: tuple[str, ...]
    max_tokens: int


class TextClassifier:
    """A loaded model; its methods may be called from several threads."""

    def __init__(self, task: str, models: Path) -> None:
        """Load ``models/<task>``. Raises ConfigError when it is missing, changed, or no text classification model."""
        folder = weights.find(task, models)
        said = weights.card(task, models)
        try:
            if said["task"] != "text-classification":
                raise ConfigError(f"{folder} holds a model for {said['task']}, not for text-classification")
            self.card = ClassifierCard(said["name"], said["version"], tuple(said["labels"]), int(said["max_tokens"]))
            calibration = said.get("calibration", {})
            self._temperature = float(calibration.get("temperature", 1.0))
            self._bias = np.asarray(calibration.get("bias", [0.0] * len(self.card.labels)), dtype=np.float32)
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = session(folder / "model.onnx")
        except ConfigError:
            raise
        except Exception as error:  # tokenizers and onnxruntime raise classes of their own without a common base
            raise ConfigError(f"cannot load the model in {folder}: {error}") from error
        if not self.card.labels or len(self._bias) != len(self.card.labels) or self._temperature <= 0:
            raise ConfigError(f"{folder / 'model.json'}: labels and calibration do not fit together")
        self._tokenizer.enable_truncation(self.card.max_tokens)
        self._tokenizer.no_padding()
        self._inputs = {given.name for given in self._session.get_inputs()}

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Probability of each label for each text: float32 [texts, labels], rows sum to 1. Texts are cut at max_tokens.

        Texts of like length run together, so that little of a batch is padding.
        """
        cut = [text[: self.card.max_tokens * _LONGEST_TOKEN] for text in texts]
        # A tokenizer without start and end marks gives an empty text no token at all; the model needs one.
        tokens = [encoded.ids or [0] for encoded in self._tokenizer.encode_batch(cut)]
        order = sorted(range(len(tokens)), key=lambda index: len(tokens[index]))
        result = np.zeros((len(texts), len(self.card.labels)), dtype=np.float32)
        for batch in _batches(order, [len(ids) for ids in tokens]):
            result[batch] = self._run([tokens[index] for index in batch])
        return result

    def _run(self, batch: Sequence[Sequence[int]]) -> Probabilities:
        ids = np.zeros((len(batch), max(map(len, batch))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (logits,) = self._session.run(["logits"], {name: feed[name] for name in self._inputs})
        scaled = logits / self._temperature + self._bias
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        probabilities: Probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        return probabilities


def _batches(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """``order``, which goes from short to long, in runs of at most ``_RUN`` tokens; a longer text runs by itself."""
    batches: list[list[int]] = []
    for index in order:
        if batches and lengths[index] * (len(batches[-1]) + 1) <= _RUN:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def session(model: Path) -> Any:
    """An onnxruntime session of a model file, on one core."""
    options = onnxruntime.SessionOptions()
    # One core a request: requests run side by side, and a sentence is too short to share out.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), sess_options=options, providers=["CPUExecutionProvider"])
