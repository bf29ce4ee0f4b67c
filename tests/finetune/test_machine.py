"""Devices and precisions: what is not there is told, and a lower precision still learns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from finetune import intent_slot, machine, punctuation, sentiment, train
from finetune.machine import Machine
from finetune.model import IntentSlots, SentenceClassifier, WordTagger
from finetune.train import Example, Loss
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


def _sentiment(encoder: nn.Module) -> tuple[nn.Module, Loss, list[Example]]:
    return SentenceClassifier(encoder, 3, 0.1), sentiment.loss(0.05), examples(0)[:8]


def _intent_slot(encoder: nn.Module) -> tuple[nn.Module, Loss, list[Example]]:
    batch = [Example(e.ids, (1, (2,) * len(e.ids))) for e in examples(0)[:8]]
    return IntentSlots(encoder, 5, 7, 0.1), intent_slot.loss(0.05), batch


def _punctuation(encoder: nn.Module) -> tuple[nn.Module, Loss, list[Example]]:
    batch = [Example(e.ids, ((1,) * len(e.ids), (2,) * len(e.ids))) for e in examples(0)[:8]]
    return WordTagger(encoder, 4, 3, 0.1), punctuation.loss(0.05), batch


_WITH_CUDA = torch.backends.cuda.is_built()  # type: ignore[no-untyped-call]


@pytest.mark.skipif(not _WITH_CUDA, reason="needs a torch that was built with CUDA; no GPU")
@pytest.mark.parametrize("task", [_sentiment, _intent_slot, _punctuation])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_tensor_of_a_step_lies_on_the_gpu(
    tiny_encoder: TinyEncoder,
    monkeypatch: pytest.MonkeyPatch,
    task: Callable[[nn.Module], tuple[nn.Module, Loss, list[Example]]],
    precision: machine.Precision,
) -> None:
    """Without a GPU: torch's fake tensors know device and type, and refuse to be mixed as true ones do."""
    # Autocast looks for a GPU and would otherwise switch itself off.
    monkeypatch.setattr("torch.cuda.amp.common.amp_definitely_not_available", lambda: False)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda *_: True)
    with FakeTensorMode(allow_non_fake_inputs=False):
        with torch.device("cuda"):
            model, loss_of, batch = task(tiny_encoder())
        layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
        products: list[torch.Tensor] = []
        for layer in layers:
            layer.register_forward_hook(lambda _layer, _given, made: products.append(made))
        with Machine("cuda", precision).arithmetic():
            loss = loss_of(model, batch)
        with pytest.raises(RuntimeError, match="same device"):
            loss_of(model, batch)
    assert (loss.device.type, loss.dtype) == ("cuda", torch.float32)
    assert {(p.device.type, p.dtype) for p in products[: len(layers)]} == {("cuda", getattr(torch, precision))}
