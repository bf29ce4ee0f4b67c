"""Sentences with tags become examples, a tiny model learns them, and figures follow the rule that is shipped."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from finetune import encoder, export, intent_slot, model, train
from finetune.augment import augment_words
from finetune.config import Augmentation, Training
from finetune.nemo import Labels, Tagged
from pipeline.server.bio import decoded
from tests.finetune.conftest import REPOSITORY, TinyEncoder

KNOWN = Labels(("weather.sunny", "greeting", "unknown"), ("B-location", "I-location", "O"))
ROWS = [
    Tagged(("sunny", "in", "albuquerque"), ("O", "O", "B-location"), "weather.sunny", "x", 1),
    Tagged(("sun", "over", "new", "york"), ("O", "O", "B-location", "I-location"), "weather.sunny", "x", 2),
    Tagged(("hello", "there"), ("O", "O"), "greeting", "x", 3, repeat=2),
    Tagged(("tell", "me", "a", "joke"), ("O",) * 4, "unknown", "x", 4, weight=0.5),
]
NONE = Augmentation(0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def coder() -> Any:
    """The tokenizer of the encoder."""
    return encoder.tokenizer(REPOSITORY / "data" / "models" / "sentiment", 32)


def test_a_tag_stands_at_the_first_token_of_its_word(coder: Any) -> None:
    made = intent_slot.examples(ROWS, coder, KNOWN, NONE, {}, seed=1, epoch=0)
    assert len(made) == 5
    intent, tags = made[0].target
    assert intent == 0
    assert len(tags) == len(made[0].ids)
    assert [tag for tag in tags if tag >= 0] == [2, 2, 0]
    assert tags[0] == tags[-1] == -100
    assert [example.weight for example in made] == [1.0, 1.0, 1.0, 1.0, 0.5]
    assert made == intent_slot.examples(ROWS, coder, KNOWN, NONE, {}, seed=1, epoch=0)
    first, second = (intent_slot.examples(ROWS * 20, coder, KNOWN, NONE, {}, seed=1, epoch=n) for n in (0, 1))
    assert first != second
    assert [example.target for example in first] == [example.target for example in second]


def test_slots_stay_whole_when_sentences_change() -> None:
    words, tags = ["what", "is", "it", "in", "new", "york", "for", "two"], ["O"] * 4 + ["B-l", "I-l", "O", "B-q"]
    rng = random.Random(1)
    seen = set()
    for _ in range(200):
        said, named = augment_words(words, tags, rng, Augmentation(fillers=0.5, asr_noise=0.5))
        assert len(said) == len(named)
        assert all(said)
        place = named.index("B-l")
        assert named[place + 1] == "I-l"
        assert named.count("B-l") == named.count("I-l") == named.count("B-q") == 1
        seen.add(" ".join(said))
    assert len(seen) > 20
    assert augment_words(words, tags, rng, NONE) == (words, tags)
    assert augment_words(["the"], ["O"], rng, Augmentation(asr_noise=1.0, fillers=0.0))[0]


def test_a_tiny_model_learns_and_its_file_says_the_same(tiny_encoder: TinyEncoder, coder: Any, tmp_path: Path) -> None:
    torch.manual_seed(1)
    tiny = model.IntentSlots(tiny_encoder(), 3, 3, 0.0)
    settings = Training(epochs=40, batch_size=5, learning_rate=5e-3, head_learning_rate=1e-2)
    losses: list[float] = []
    train.fit(
        tiny,
        lambda epoch: intent_slot.examples(ROWS, coder, KNOWN, NONE, {}, seed=1, epoch=epoch),
        intent_slot.loss(0.0),
        settings,
        on_step=lambda step: losses.append(step.loss),
    )
    assert losses[-1] < 0.2 * losses[0]
    export.onnx(tiny, ["intent", "slots"], tmp_path / "exact.onnx")
    opened = export.session(tmp_path / "exact.onnx")

    def run(ids: Any, mask: Any) -> Any:
        return opened.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})

    logits, chances = intent_slot.outputs(run, ROWS, coder, KNOWN)
    assert logits.argmax(1).tolist() == [0, 0, 1, 2]
    assert [decoded(each, KNOWN.slots) for each in chances] == [list(row.tags) for row in ROWS]
    ids, mask = model.pad([tuple(coder.encode(list(ROWS[0].words), is_pretokenized=True).ids)])
    with torch.inference_mode():
        assert logits[0] == pytest.approx(tiny(ids, mask)[0][0].numpy(), abs=1e-4)


def test_what_the_tokenizer_cuts_off_is_outside(coder: Any) -> None:
    row = Tagged(("sun",) * 50, ("B-location",) * 50, "unknown", "x", 1)
    (chances,) = intent_slot.outputs(lambda ids, mask: (np.zeros((1, 3)), np.zeros((1, ids.shape[1], 3))), [row], coder,
                                     KNOWN)[1]  # fmt: skip
    assert len(chances) == 50
    assert chances[0] == pytest.approx([1 / 3] * 3)
    assert chances[-1].tolist() == [0.0, 0.0, 1.0]


def test_figures_follow_the_rule_that_is_shipped() -> None:
    rows = [ROWS[0]] * 40 + [ROWS[2]] * 40 + [ROWS[3]] * 20
    logits = np.array([[5.0, 0, 0]] * 40 + [[0, 5.0, 0]] * 40 + [[0.2, 0, 4.0]] * 19 + [[6.0, 0, 0]])
    chances = [np.array([[tag == name for name in KNOWN.slots] for tag in row.tags], dtype=np.float64) for row in rows]
    rule = intent_slot.energy(rows, logits, KNOWN)
    assert set(rule) == {"unknown_weight", "threshold"}
    carries = intent_slot.carried(ROWS)
    assert carries == {"greeting": (), "unknown": (), "weather.sunny": ("location",)}
    found = intent_slot.measured(rows, (logits, chances), KNOWN, rule, carries)
    assert found["out_of_scope_recall"][0] == pytest.approx(0.95)
    assert found["out_of_scope_found"] == pytest.approx(0.95)
    assert found["false_rejection"] <= 0.05
    assert found["intent_accuracy"][0] == pytest.approx(0.99)
    assert found["slot_f1"][0] == 1.0
    assert found["intents"]["unknown"]["rows"] == found["out_of_scope_rows"] == 20
    bare = intent_slot.measured(rows, (logits, chances), KNOWN, rule, carries | {"weather.sunny": ()})
    assert bare["slot_f1"][0] == 0.0


def test_without_an_unknown_intent_nothing_is_out_of_scope() -> None:
    known = Labels(("greeting", "weather.sunny"), KNOWN.slots)
    rows = [row for row in ROWS if row.intent in known.intents] * 10
    logits = np.array([[5.0, 0.0] if row.intent == "greeting" else [0.0, 5.0] for row in rows])
    chances = [np.array([[tag == name for name in KNOWN.slots] for tag in row.tags], dtype=np.float64) for row in rows]
    rule = intent_slot.energy(rows, logits, known)
    assert rule == {}
    found = intent_slot.measured(rows, (logits, chances), known, rule, intent_slot.carried(rows))
    assert found["intent_accuracy"][0] == found["slot_f1"][0] == found["sentence_accuracy"][0] == 1.0
    assert "out_of_scope_recall" not in found


def test_what_a_span_after_another_costs_is_read_off_the_rows() -> None:
    known = Labels(("flight",), ("B-day", "I-day", "B-time", "I-time", "O"))
    rows = [Tagged(("monday", "morning"), ("B-day", "B-time"), "flight", "x", 1)]
    close = [np.array([[0.9, 0.0, 0.1, 0.0, 0.0], [0.0, 0.35, 0.65, 0.0, 0.0]])]
    carries = {"flight": ("day", "time")}
    assert intent_slot.turn(rows, close, known, carries) < 0.7
    assert decoded(close[0], known.slots, None, 0.0) == ["B-day", "B-time"]
    assert decoded(close[0], known.slots, None, 0.7) == ["B-day", "I-day"]


@pytest.mark.parametrize(
    ("intent", "domain"),
    [("weather.snow", "weather"), ("price_check", "retail"), ("greeting", "dialog"), ("unknown", "unknown")],
)
def test_an_intent_has_its_domain(intent: str, domain: str) -> None:
    assert intent_slot.domain(intent) == domain
