"""Rows become examples, weights count, and a teacher leaves out what it does not believe."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from finetune import sentiment
from finetune.config import Augmentation, Source
from finetune.data import Row
from finetune.encoder import tokenizer
from finetune.model import SentenceClassifier
from finetune.train import Example
from tests.finetune.conftest import REPOSITORY, TinyEncoder

MODEL = REPOSITORY / "data" / "models" / "sentiment"
ROWS = [
    Row("negative", "This is the worst service ever, I am furious.", "a", 1, repeat=2),
    Row("positive", "Wonderful, thank you so much, you made my day!", "a", 2, weight=0.5),
]


def test_a_row_stands_as_often_as_it_repeats_and_changes_with_the_epoch() -> None:
    coder = tokenizer(MODEL, 128)
    made = [sentiment.examples(ROWS, coder, Augmentation(1.0, 1.0, 1.0), seed=1, epoch=e) for e in (0, 1)]
    assert [e.target for e in made[0]] == [0, 0, 2]
    assert [e.weight for e in made[0]] == [1.0, 1.0, 0.5]
    assert made[0] != made[1]
    assert made[0] == sentiment.examples(ROWS, coder, Augmentation(1.0, 1.0, 1.0), seed=1, epoch=0)


class _Fixed(nn.Module):
    """Logits that say label 0 for every row."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.tensor([[2.0, 0.0, 0.0]]).expand(len(ids), 3)


def test_the_loss_is_the_weighted_mean() -> None:
    of = sentiment.loss(0.0)
    right, wrong = Example((101, 102), 0, 3.0), Example((101, 102), 1, 1.0)
    parts = [float(of(_Fixed(), [e])) for e in (right, wrong)]
    assert float(of(_Fixed(), [right, wrong])) == pytest.approx((3 * parts[0] + parts[1]) / 4)
    assert parts[1] - parts[0] == pytest.approx(2.0)


def test_logits_come_in_the_order_of_the_texts(tiny_encoder: TinyEncoder) -> None:
    model = SentenceClassifier(tiny_encoder(), 3, 0.1)
    coder = tokenizer(MODEL, 128)
    texts = ["one two three four five", "six", "seven eight"]
    together = sentiment.logits(model, texts, coder, batch_size=2)
    for i, text in enumerate(texts):
        assert together[i] == pytest.approx(sentiment.logits(model, [text], coder)[0], abs=1e-5)


def test_a_teacher_leaves_out_what_it_does_not_believe() -> None:
    keep = sentiment.teacher(MODEL)
    turned = Row("positive", ROWS[0].text, "a", 3)
    assert keep(Source("a", least=0.3), [*ROWS, turned]) == ROWS
    assert keep(Source("a"), [*ROWS, turned]) == [*ROWS, turned]
    assert keep(Source("a", least=0.3), []) == []
