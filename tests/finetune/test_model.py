"""The models' shapes, pooling, freezing and learning rates."""

from __future__ import annotations

import torch

from finetune.model import SentenceClassifier, WordTagger, blend, freeze, pad, parameter_groups
from tests.finetune.conftest import TinyEncoder


def test_padding_changes_no_logit(tiny_encoder: TinyEncoder) -> None:
    made = SentenceClassifier(tiny_encoder(), 3, 0.1).eval()
    alone = made(*pad([(101, 7, 8, 102)]))
    beside = made(*pad([(101, 7, 8, 102), (101, *range(20, 40), 102)]))
    assert alone.shape == (1, 3)
    assert torch.allclose(alone[0], beside[0], atol=1e-5)


def test_a_tagger_answers_for_each_token(tiny_encoder: TinyEncoder) -> None:
    marks, cases = WordTagger(tiny_encoder(), 4, 3, 0.1)(*pad([(101, 7, 102), (101, 102)]))
    assert (marks.shape, cases.shape) == ((2, 3, 4), (2, 3, 3))


def test_what_is_frozen_has_no_group_and_rates_fall_downwards(tiny_encoder: TinyEncoder) -> None:
    made = SentenceClassifier(tiny_encoder(), 3, 0.1)
    freeze(made, embeddings=True, layers=1)
    groups = parameter_groups(made, learning_rate=1.0, head_learning_rate=5.0, layer_decay=0.5, weight_decay=0.1)
    trained = {id(p) for group in groups for p in group["params"]}
    for name, parameter in made.named_parameters():
        frozen = name.startswith(("encoder.embeddings", "encoder.encoder.layer.0."))
        assert (id(parameter) in trained) is not frozen, name
    assert {group["lr"] for group in groups} == {1.0, 5.0}
    assert all(group["weight_decay"] == 0.0 for group in groups for p in group["params"] if p.ndim < 2)

    free = SentenceClassifier(tiny_encoder(), 3, 0.1)
    rates = parameter_groups(free, learning_rate=1.0, head_learning_rate=5.0, layer_decay=0.5, weight_decay=0.1)
    assert {group["lr"] for group in rates} == {0.25, 0.5, 1.0, 5.0}


def test_a_blend_lies_between_trained_and_pretrained(tiny_encoder: TinyEncoder) -> None:
    made, before = SentenceClassifier(tiny_encoder(), 3, 0.1), tiny_encoder()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(1.0)
    head = made.head.weight.clone()
    blend(made, before, 0.75)
    for ours, theirs in zip(made.encoder.parameters(), before.parameters(), strict=True):
        assert torch.allclose(ours, theirs + 0.75, atol=1e-5)
    assert torch.equal(made.head.weight, head)
