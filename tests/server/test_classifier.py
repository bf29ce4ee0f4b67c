"""Text classification: the probabilities of a model small enough to do by hand, and those of the real one."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.server.classifier import TextClassifier
from tests.server import tiny_models


def tiny(folder: Path, **said: Any) -> Path:
    """A models' folder with a bag-of-words classifier called ``sentiment``."""
    tiny_models.tiny(folder, **{"calibration": {"temperature": 2.0, "bias": [0.0, 0.5, -0.5]}} | said)
    return folder


def test_probabilities_are_the_calibrated_softmax(tmp_path: Path) -> None:
    model = TextClassifier("sentiment", tiny(tmp_path))
    (found,) = model.probabilities(["bad good bad other"])
    logits = [4 / 2 + 0.0, 1 / 2 + 0.5, 2 / 2 - 0.5]
    total = sum(map(math.exp, logits))
    assert found == pytest.approx([math.exp(logit) / total for logit in logits], abs=1e-6)


def test_padding_and_the_order_of_a_batch_change_nothing(tmp_path: Path) -> None:
    model = TextClassifier("sentiment", tiny(tmp_path))
    texts = ["good " * (number % 7) + "bad " * (number % 3) for number in range(200)]
    batch = model.probabilities(texts)
    assert batch.shape == (200, 3)
    single = np.concatenate([model.probabilities([text]) for text in texts])
    assert np.allclose(batch, single, atol=1e-6)


def test_a_long_text_is_cut_at_the_longest_input(tmp_path: Path) -> None:
    model = TextClassifier("sentiment", tiny(tmp_path))
    assert np.array_equal(model.probabilities(["bad " * 8]), model.probabilities(["bad " * 8 + "good " * 100_000]))


def test_no_text_gives_no_row_and_an_empty_text_gives_one(tmp_path: Path) -> None:
    model = TextClassifier("sentiment", tiny(tmp_path))
    assert model.probabilities([]).shape == (0, 3)
    assert model.probabilities([""]).sum() == pytest.approx(1)


def test_the_real_model_knows_good_from_bad(models: Path) -> None:
    model = TextClassifier("sentiment", models)
    assert model.card.labels == ("negative", "neutral", "positive")
    texts = [
        "This is the worst service I have ever had, I am furious.",
        "My account number is four two seven.",
        "Thank you so much, you have been wonderful!",
        "",
        "I have been waiting. " * 500,
    ]
    found = model.probabilities(texts)
    assert [int(row.argmax()) for row in found[:3]] == [0, 1, 2]
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    # Batches quantise their activations together, so that a text's numbers depend a little on its neighbours.
    assert np.allclose(found, np.concatenate([model.probabilities([text]) for text in texts]), atol=0.1)


def not_a_model(folder: Path) -> None:
    (folder / "sentiment" / "model.onnx").write_bytes(b"no model")


def not_a_tokenizer(folder: Path) -> None:
    (folder / "sentiment" / "tokenizer.json").write_bytes(b"{}")


@pytest.mark.parametrize(
    ("said", "spoil", "why"),
    [
        ({"task": "punctuation"}, None, "for punctuation, not for text-classification"),
        ({"labels": ["a", "b"]}, None, "labels and calibration do not fit"),
        ({"labels": [], "calibration": {}}, None, "labels and calibration do not fit"),
        ({"calibration": {"temperature": 0}}, None, "labels and calibration do not fit"),
        ({"max_tokens": "many"}, None, "cannot load the model in"),
        ({"files": {}}, not_a_model, "cannot load the model in"),
        ({"files": {}}, not_a_tokenizer, "cannot load the model in"),
        ({}, not_a_model, "is not the file we know"),
    ],
)
def test_a_model_that_does_not_fit_together_is_told(
    tmp_path: Path, said: dict[str, Any], spoil: Callable[[Path], None] | None, why: str
) -> None:
    folder = tiny(tmp_path, **said)
    if spoil is not None:
        spoil(folder)
    with pytest.raises(ConfigError, match=why):
        TextClassifier("sentiment", folder)
