"""The encoder's package is checked; without it the message says what to install."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from finetune import encoder
from finetune.config import Encoder
from pipeline.errors import ConfigError


def test_the_package_is_unpacked_once_and_cut_to_its_bottom_layers(work: Path) -> None:
    folder = work / encoder.NAME
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert encoder.unpack(work) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert len(encoder.read(folder, Encoder(layers=2)).encoder.layer) == 2


def test_the_tokenizer_cuts_and_does_not_pad(work: Path) -> None:
    coder = encoder.tokenizer(work / encoder.NAME, 8)
    assert len(coder.encode("word " * 50).ids) == 8
    assert len(coder.encode("Hello").ids) == 3
    assert coder.encode("HELLO").ids == coder.encode("hello").ids


@pytest.mark.skipif(importlib.util.find_spec("all_minilm_l6_v2") is not None, reason="the encoder is installed")
def test_a_missing_package_is_told_with_the_command_that_brings_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--no-deps"):
        encoder.unpack(tmp_path)
