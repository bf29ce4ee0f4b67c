"""Joint intents and slots with NeMo 2.4.1: `python intent_slot.py JOB.json` writes the job's ``result`` file.

The job says ``data`` (a folder in NeMo's format, written to), ``encoder`` (folder with config.json, weights, tokenizer
and vocab.txt), ``output`` (.nemo), ``work`` (checkpoints), ``steps``, ``batch_size``, ``learning_rate``, ``seed`` and
``queries`` to try the model on. It goes on from the last checkpoint in ``work``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def config(job: dict[str, Any]) -> dict[str, Any]:
    """NeMo's config of the model, as its example has it."""
    part = {
        "batch_size": job["batch_size"],
        "num_samples": -1,
        "num_workers": 0,
        "drop_last": False,
        "pin_memory": False,
    }
    return {
        "data_dir": job["data"],
        "class_labels": {"intent_labels_file": "intent_labels.csv", "slot_labels_file": "slot_labels.csv"},
        "class_balancing": None,
        "intent_loss_weight": 0.6,
        "pad_label": -1,
        "ignore_extra_tokens": False,
        "ignore_start_end": True,
        "train_ds": {**part, "prefix": "train", "shuffle": True},
        "validation_ds": {**part, "prefix": "test", "shuffle": False},
        "test_ds": {**part, "prefix": "test", "shuffle": False},
        "tokenizer": {
            "tokenizer_name": job["encoder"],
            "vocab_file": str(Path(job["encoder"]) / "vocab.txt"),
            "tokenizer_model": None,
            "special_tokens": None,
        },
        "language_model": {
            "max_seq_length": 50,
            "pretrained_model_name": job["encoder"],
            "lm_checkpoint": None,
            "config_file": None,
            "config": None,
        },
        "head": {"num_output_layers": 2, "fc_dropout": 0.1},
        "optim": {
            "name": "adamw",
            "lr": job["learning_rate"],
            "weight_decay": 0.01,
            "sched": {"name": "WarmupAnnealing", "warmup_ratio": 0.1, "last_epoch": -1, "max_steps": job["steps"]},
        },
    }


def main(path: Path) -> None:
    """Train, measure, save, and write what came of it."""
    import torch
    from lightning.pytorch import Trainer, seed_everything
    from lightning.pytorch.callbacks import ModelCheckpoint
    from nemo.collections.nlp.models import IntentSlotClassificationModel
    from omegaconf import OmegaConf

    job = json.loads(path.read_text(encoding="utf-8"))
    seed_everything(job["seed"])
    work = Path(job["work"])
    keep = ModelCheckpoint(dirpath=work, save_last=True, every_n_train_steps=max(1, job["steps"] // 5))
    # NeMo's measures go on in training what they began in validation, which inference mode forbids.
    trainer = Trainer(
        inference_mode=False,
        max_steps=job["steps"], accelerator="auto", devices=1, logger=False, callbacks=[keep],
        enable_progress_bar=False, log_every_n_steps=1,
    )  # fmt: skip
    model = IntentSlotClassificationModel(OmegaConf.create(config(job)), trainer=trainer)
    before = trainer.validate(model, verbose=False)
    last = work / "last.ckpt"
    trainer.fit(model, ckpt_path=str(last) if last.exists() else None)
    after = trainer.validate(model, verbose=False)
    model.save_to(job["output"])
    restored = IntentSlotClassificationModel.restore_from(job["output"], map_location=torch.device("cpu"))
    said = restored.predict_from_examples(job["queries"], OmegaConf.create(config(job)["test_ds"]))
    result = {
        "steps": trainer.global_step,
        "before": before[0] if before else {},
        "after": after[0] if after else {},
        "predictions": [list(map(str, part)) for part in said],
        "output": job["output"],
    }
    Path(job["result"]).write_text(json.dumps(result, indent=1, default=float) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
