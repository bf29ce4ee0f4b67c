"""The models in data/models are what their description says, and right on sentences that leave no doubt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from finetune import calibrate, data, export, intent_slot, nemo
from finetune.calibrate import Calibration
from finetune.config import Source
from finetune.encoder import tokenizer
from tests.finetune.conftest import REPOSITORY

MODELS = REPOSITORY / "data" / "models"
SENTENCES = {
    "negative": [
        "This is the worst service I have ever had.",
        "I'm really frustrated, nobody ever calls me back.",
        "thanks for nothing",
        "Oh great, another fee.",
        "Oh wonderful, so you lost my order again.",
        "I'm not happy with how this was handled at all.",
        "I would like to speak to your supervisor, please, because this is not acceptable.",
        "i am sick and tired of waiting for you people to fix this",
        "If this isn't sorted today I'm taking my business elsewhere.",
        "You people are useless.",
        "That movie was a complete waste of two hours.",
        "The food was cold and the waiter was rude.",
        "I'm so disappointed in this company.",
    ],
    "neutral": [
        "I lost my card yesterday.",
        "How do I dispute a charge?",
        "my card was declined this morning",
        "The internet has been down since Tuesday.",
        "Thank you for calling, how may I help you?",
        "I'm sorry about that, let me take a look.",
        "Can I have your account number, please?",
        "uh huh okay",
        "i'd like to change my appointment to thursday",
        "No problem.",
        "Your order will arrive on Friday between nine and twelve.",
        "It's the one ending in four two seven one.",
        "what time do you close on sundays",
        "Have a nice day.",
    ],
    "positive": [
        "Oh that's wonderful, you've been so helpful.",
        "I couldn't be happier with the new phone.",
        "thank you so much you really saved my day",
        "That is such a relief, I was so glad to hear that.",
        "Honestly, this is the best customer service I've ever had.",
        "I love it, it works perfectly.",
        "you guys are amazing i really appreciate everything",
        "Not bad at all, I'm really impressed.",
        "An absolute joy of a film from start to finish.",
        "The staff were lovely and the room was beautiful.",
        "Wow, that was quick, fantastic!",
        "I'm thrilled with how fast you solved this.",
    ],
}


def test_the_sentiment_model_is_what_its_description_says() -> None:
    told = export.described(MODELS / "sentiment")
    assert (told["name"], told["task"], told["format"]) == ("sentiment", "text-classification", "onnx-int8")
    assert told["labels"] == list(data.LABELS)
    assert told["licence"] == "Apache-2.0"
    assert (MODELS / "sentiment" / "model.onnx").stat().st_size < 30_000_000
    opened = export.session(MODELS / "sentiment" / "model.onnx")
    assert [i.name for i in opened.get_inputs()] == ["input_ids", "attention_mask"]
    assert [o.name for o in opened.get_outputs()] == ["logits"]


@pytest.mark.parametrize("name", ["calls_dev", "calls_dev_asr"])
def test_int8_costs_less_than_a_point(name: str) -> None:
    found = export.described(MODELS / "sentiment")["metrics"][name]
    assert found["macro_f1"][0] > found["fp32"]["macro_f1"] - 0.01
    assert found["accuracy"][0] > found["fp32"]["accuracy"] - 0.01


def test_clear_sentences_get_their_label() -> None:
    folder = MODELS / "sentiment"
    told = export.described(folder)
    texts = [text for listed in SENTENCES.values() for text in listed]
    want = [label for label, listed in SENTENCES.items() for _ in listed]
    (logits,) = export.run(export.session(folder / "model.onnx"), texts, tokenizer(folder, told["max_tokens"]))
    fitted = Calibration(told["calibration"]["temperature"], tuple(told["calibration"]["bias"]))
    chances = calibrate.probabilities(logits, fitted)
    said = [told["labels"][i] for i in chances.argmax(1)]
    wrong = [f"{text} ({a}, not {b})" for text, a, b in zip(texts, said, want, strict=True) if a != b]
    assert wrong == []
    assert chances.sum(1) == pytest.approx(np.ones(len(texts)))


def test_the_figures_are_those_of_the_shipped_file() -> None:
    folder = MODELS / "sentiment"
    told = export.described(folder)
    source = "data/training/sentiment/calls_dev.tsv"
    rows, defects = data.read_source(Source(source), REPOSITORY, data.LABELS)
    assert defects == []
    (logits,) = export.run(
        export.session(folder / "model.onnx"), [r.text for r in rows], tokenizer(folder, told["max_tokens"])
    )
    fitted = Calibration(told["calibration"]["temperature"], tuple(told["calibration"]["bias"]))
    truth = np.array([data.LABELS.index(r.label) for r in rows])
    right = float((calibrate.probabilities(logits, fitted).argmax(1) == truth).mean())
    _, low, high = told["metrics"]["calls_dev"]["accuracy"]
    assert low <= right <= high + 0.01


def test_the_punctuation_model_writes_a_clear_sentence() -> None:
    folder = MODELS / "punctuation"
    told = export.described(folder)
    assert told["labels"] == {"punctuation": ["", ",", ".", "?"], "casing": ["lower", "Capital", "UPPER"]}
    words = ["hello", "this", "is", "anna", "how", "can", "i", "help", "you", "today"]
    coder = tokenizer(folder, told["max_tokens"])
    coded = coder.encode(words, is_pretokenized=True)
    feed = {
        "input_ids": np.array([coded.ids], dtype=np.int64),
        "attention_mask": np.ones((1, len(coded.ids)), dtype=np.int64),
    }
    marks, cases = (part[0].argmax(-1) for part in export.session(folder / "model.onnx").run(None, feed))
    first = [coded.word_ids.index(i) for i in range(len(words))]
    assert told["labels"]["punctuation"][marks[first[-1]]] == "?"
    for place in (0, 3, 6):
        assert told["labels"]["casing"][cases[first[place]]] == "Capital", words[place]


def test_the_intent_model_is_as_good_as_its_card_says() -> None:
    folder = MODELS / "intent_slot"
    told = export.described(folder)
    roots = {"repository": REPOSITORY}
    source = Source("data/training/nara/test.tsv", format="nemo")
    known = nemo.labels(source, roots)
    assert told["labels"] == {"intents": list(known.intents), "slots": list(known.slots)}
    assert (folder / "model.onnx").stat().st_size < 30_000_000
    rows = nemo.load([source], roots, known, seed=1)
    opened = export.session(folder / "model.onnx")

    def run(ids: torch.Tensor, mask: torch.Tensor) -> Any:
        return opened.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})

    found = intent_slot.outputs(run, rows, tokenizer(folder, told["max_tokens"]), known)
    measured = intent_slot.measured(rows, found, known, told["energy"], told["carries"], told["decoding"]["turn"])
    for name in intent_slot.HEADLINES:
        _, low, high = told["metrics"][name]
        assert low <= measured[name][0] <= high + 0.01, name
        assert told["metrics"]["fp32"][name] - measured[name][0] < 0.02, name
