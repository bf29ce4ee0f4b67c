"""Devices and precisions: what is not there is told, and a lower precision still learns."""

from __future__ import annotations

import pytest
import torch

from finetune import machine, sentiment, train
from finetune.machine import Machine
from finetune.model import SentenceClassifier
from pipeline.errors import ConfigError
from tests.finetune.conftest import TinyEncoder
from tests.finetune.test_train import SETTINGS, examples


def test_the_machine_is_what_was_asked_for() -> None:
    with machine.opened("cpu") as mine:
        assert mine == Machine("cpu", "float32")
        assert mine.leads
    with machine.opened("cpu", "bfloat16") as mine, mine.arithmetic():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.bfloat16
    with pytest.raises(ConfigError, match="--device is"), machine.opened("tpu"):
        pass
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="there is no GPU"), machine.opened("cuda"):
            pass


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_mixed_precision_learns_as_float32_does(tiny_encoder: TinyEncoder, device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    losses: dict[str, list[float]] = {}
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(1)
        model = SentenceClassifier(tiny_encoder(), 3, 0.0)
        steps: list[train.Step] = []
        with machine.opened(device, precision) as mine:
            train.fit(model, examples, sentiment.loss(0.0), SETTINGS, on_step=steps.append, machine=mine)
        losses[precision] = [step.loss for step in steps]
        assert next(model.parameters()).dtype is torch.float32
        assert next(model.parameters()).device.type == "cpu"
    assert losses["bfloat16"] == pytest.approx(losses["float32"], abs=0.05)
    assert losses["bfloat16"] != losses["float32"]
