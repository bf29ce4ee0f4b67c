"""The loop is decided by its seed, and a killed run continues to the very same weights."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from finetune import sentiment, train
from finetune.config import Training
from finetune.model import SentenceClassifier, freeze
from finetune.train import Example, Step
from pipeline.errors import ConfigError
from tests.finetune.conftest import REPOSITORY, TinyEncoder

SETTINGS = Training(seed=3, epochs=2, batch_size=8, learning_rate=1e-3, checkpoint_every=3, warmup_share=0.1)


def examples(epoch: int) -> list[Example]:
    """Forty sentences whose label their first word tells; other ones in each epoch."""
    rng = random.Random(epoch)
    made = []
    for i in range(40):
        label = i % 3
        made.append(
            Example((101, 1000 + label, *(rng.randrange(2000, 3000) for _ in range(rng.randrange(9))), 102), label)
        )
    return made


def run(
    tiny_encoder: TinyEncoder,
    checkpoint: Path | None = None,
    stop_after: int = 0,
    settings: Training = SETTINGS,
    wait_at: int = 0,
) -> SentenceClassifier:
    """A model after training, or after it was broken off in ``stop_after``; ``wait_at`` waits to be killed."""
    encoder = tiny_encoder()
    torch.manual_seed(settings.seed)
    model = SentenceClassifier(encoder, 3, 0.1)
    freeze(model, embeddings=True, layers=0)

    def on_step(step: Step) -> None:
        if step.number == stop_after:
            raise KeyboardInterrupt
        if step.number == wait_at:
            sys.stdout.write("waiting\n")
            sys.stdout.flush()
            time.sleep(60)

    train.fit(model, examples, sentiment.loss(0.1), settings, checkpoint=checkpoint, fingerprint="one", on_step=on_step)
    return model


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether all weights are bit-equal."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_one_seed_gives_one_result_and_another_seed_another(tiny_encoder: TinyEncoder) -> None:
    first = run(tiny_encoder)
    assert same(first, run(tiny_encoder))
    assert not same(first, run(tiny_encoder, settings=Training(**{**vars(SETTINGS), "seed": 4})))
    assert not first.training


@pytest.mark.parametrize(
    "stop_after", [2, 4, 5, 8]
)  # before the first checkpoint, in an epoch, at its end, in the next
def test_a_run_that_was_broken_off_ends_in_the_same_weights(
    tiny_encoder: TinyEncoder, tmp_path: Path, stop_after: int
) -> None:
    checkpoint = tmp_path / "c"
    with pytest.raises(KeyboardInterrupt):
        run(tiny_encoder, checkpoint, stop_after)
    torch.manual_seed(99)  # another process has other random state
    assert same(run(tiny_encoder, checkpoint), run(tiny_encoder))
    # A finished run has nothing left to do.
    assert same(run(tiny_encoder, checkpoint), run(tiny_encoder))


_CHILD = """
import sys, time
from pathlib import Path
import torch
from transformers import BertConfig, BertModel
from finetune import train
from tests.finetune import test_train
from tests.finetune.conftest import TINY

def tiny():
    torch.manual_seed(5)
    return BertModel(BertConfig(**TINY), add_pooling_layer=False)

test_train.run(tiny, Path(sys.argv[1]), wait_at=4)
"""


def test_a_killed_process_leaves_a_checkpoint_that_continues(tiny_encoder: TinyEncoder, tmp_path: Path) -> None:
    checkpoint = tmp_path / "c"
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(checkpoint)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "waiting\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert checkpoint.exists()
    assert same(run(tiny_encoder, checkpoint), run(tiny_encoder))


def test_it_learns_what_can_be_learnt(tiny_encoder: TinyEncoder) -> None:
    model = run(tiny_encoder, settings=Training(seed=1, epochs=25, batch_size=8, learning_rate=3e-3))
    held = examples(1000)
    from finetune.model import pad

    said = model(*pad([e.ids for e in held])).argmax(1).tolist()
    assert sum(a == e.target for a, e in zip(said, held, strict=True)) > 35


def test_a_checkpoint_of_other_data_is_refused(tiny_encoder: TinyEncoder, tmp_path: Path) -> None:
    checkpoint = tmp_path / "c"
    run(tiny_encoder, checkpoint)
    model = SentenceClassifier(tiny_encoder(), 3, 0.1)
    with pytest.raises(ConfigError, match="another config or other data"):
        train.fit(model, examples, sentiment.loss(0.0), SETTINGS, checkpoint=checkpoint, fingerprint="two")


def test_a_broken_checkpoint_is_refused_in_words(tiny_encoder: TinyEncoder, tmp_path: Path) -> None:
    checkpoint = tmp_path / "c"
    checkpoint.write_bytes(b"not a checkpoint")
    with pytest.raises(ConfigError, match="remove it to start afresh"):
        run(tiny_encoder, checkpoint)


def test_batches_hold_each_example_once_and_like_lengths_together() -> None:
    lengths = [random.Random(i).randrange(3, 60) for i in range(1000)]
    batches = train.plan(lengths, 16, random.Random(1))
    assert sorted(i for batch in batches for i in batch) == list(range(1000))
    spread = [max(lengths[i] for i in b) - min(lengths[i] for i in b) for b in batches]
    assert sum(spread) / len(spread) < 6
    assert batches == train.plan(lengths, 16, random.Random(1))
