"""A speech model with random weights in a `.nemo` file, made by NeMo itself: `python tiny_conformer.py TARGET`."""

from __future__ import annotations

import sys


def main(target: str) -> None:
    """Write the model: two Conformer layers, letters."""
    from nemo.collections.asr.models import EncDecCTCModel
    from omegaconf import OmegaConf

    letters = [" ", *"abcdefghijklmnopqrstuvwxyz", "'"]
    rows = {"manifest_filepath": None, "sample_rate": 16000, "batch_size": 4, "labels": letters, "shuffle": False}
    config = {
        "sample_rate": 16000,
        "train_ds": rows,
        "validation_ds": rows,
        "preprocessor": {
            "_target_": "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor",
            "sample_rate": 16000,
            "features": 40,
            "window_size": 0.025,
            "window_stride": 0.01,
            "dither": 0.0,
        },
        "encoder": {
            "_target_": "nemo.collections.asr.modules.ConformerEncoder",
            "feat_in": 40,
            "feat_out": -1,
            "n_layers": 2,
            "d_model": 48,
            "subsampling": "striding",
            "subsampling_factor": 4,
            "subsampling_conv_channels": 48,
            "ff_expansion_factor": 2,
            "n_heads": 4,
            "conv_kernel_size": 9,
        },
        "decoder": {
            "_target_": "nemo.collections.asr.modules.ConvASRDecoder",
            "feat_in": 48,
            "num_classes": len(letters),
            "vocabulary": letters,
        },
        "optim": {"name": "adamw", "lr": 0.001},
    }
    EncDecCTCModel(OmegaConf.create(config)).save_to(target)


if __name__ == "__main__":
    main(sys.argv[1])
