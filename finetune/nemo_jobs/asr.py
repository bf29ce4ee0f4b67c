"""Fine-tuning of speech recognition with NeMo 3: `python asr.py JOB.json` writes the job's ``result`` file.

The job says ``model`` (.nemo), ``train`` and ``measure`` (manifests), ``output`` (.nemo), ``work``, ``steps``,
``batch_size``, ``learning_rate`` and ``seed``. It goes on from the last checkpoint in ``work``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def heard(model: Any, manifest: str, batch_size: int) -> list[str]:
    """What the model hears in each recording of a manifest."""
    rows = [json.loads(line) for line in Path(manifest).read_text(encoding="utf-8").splitlines()]
    said = model.transcribe(
        [row["audio_filepath"] for row in rows], batch_size=batch_size, num_workers=0, verbose=False
    )
    return [getattr(one, "text", one) for one in said]


def main(path: Path) -> None:
    """Transcribe, train, transcribe again, save, and write what came of it."""
    from lightning.pytorch import Trainer, seed_everything
    from lightning.pytorch.callbacks import ModelCheckpoint
    from nemo.collections.asr.models import ASRModel
    from omegaconf import OmegaConf

    job = json.loads(path.read_text(encoding="utf-8"))
    seed_everything(job["seed"])
    work = Path(job["work"])
    model = ASRModel.restore_from(job["model"], map_location="cpu")
    before = heard(model, job["measure"], job["batch_size"])
    keep = ModelCheckpoint(dirpath=work, save_last=True, every_n_train_steps=max(1, job["steps"] // 5))
    trainer = Trainer(
        max_steps=job["steps"], accelerator="auto", devices=1, logger=False, callbacks=[keep],
        enable_progress_bar=False, log_every_n_steps=1,
    )  # fmt: skip
    model.set_trainer(trainer)
    rows = {"batch_size": job["batch_size"], "num_workers": 0, "sample_rate": 16000, "max_duration": 30.0}
    labels = OmegaConf.select(model.cfg, "train_ds.labels") or OmegaConf.select(model.cfg, "decoder.vocabulary")
    more = {"labels": list(labels)} if labels is not None else {}
    model.setup_training_data(OmegaConf.create({**rows, **more, "manifest_filepath": job["train"], "shuffle": True}))
    model.setup_multiple_validation_data(
        OmegaConf.create({**rows, **more, "manifest_filepath": job["measure"], "shuffle": False})
    )
    model.setup_optimization(
        OmegaConf.create(
            {
                "name": "adamw",
                "lr": job["learning_rate"],
                "weight_decay": 0.001,
                "sched": {
                    "name": "CosineAnnealing",
                    "warmup_steps": max(1, job["steps"] // 10),
                    "max_steps": job["steps"],
                },
            }
        )
    )
    last = work / "last.ckpt"
    trainer.fit(model, ckpt_path=str(last) if last.exists() else None)
    after = heard(model.eval(), job["measure"], job["batch_size"])
    model.save_to(job["output"])
    result = {"steps": trainer.global_step, "before": before, "after": after, "output": job["output"]}
    Path(job["result"]).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
