"""The intent-slot task: what a sentence asks for, and which of its words say what; one encoder, two heads."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from finetune import evaluate, exchange, spans
from finetune.augment import augment_words
from finetune.config import Augmentation
from finetune.evaluate import Floats, Ints
from finetune.model import pad
from finetune.nemo import OUTSIDE, Labels, Tagged
from finetune.train import Example, Loss
from pipeline.server.bio import TURN, decoded, strangeness

_IGNORED = -100  # tokens that carry no tag: all but the first of each word
_MASKED = 0.06  # share of the tokens that are hidden in training, so that a value's place counts, not only the value
_TAGGING = 3.0  # weight of the tags' loss beside the intent's
UNKNOWN = "unknown"
DIALOG = frozenset({"greeting", "help", "goodbye", "start_over", "repeat", "agent", "affirm", "deny"})
HEADLINES = (
    "intent_accuracy", "intent_accuracy_dialog_as_unknown", "slot_f1", "sentence_accuracy", "out_of_scope_recall",
)  # fmt: skip
_WEIGHTS = (1.0, 0.75, 0.5, 0.25, 0.0)  # of equally good ones the first
_TURNS = (TURN, 0.35, 0.0, 1.4)  # likewise
_RETAIL = frozenset({"price_check", "inventory_check", "store_location"})


def examples(
    rows: Sequence[Tagged],
    tokenizer: Any,
    known: Labels,
    shares: Augmentation,
    values: exchange.Values,
    *,
    seed: int,
    epoch: int,
) -> list[Example]:
    """One example per row and repeat, each changed anew in this epoch; a pure function of its arguments.

    A target is the intent's number and a tag number per token.
    """
    rng = random.Random(f"{seed}:augment:{epoch}")
    intents = {name: number for number, name in enumerate(known.intents)}
    tags = {name: number for number, name in enumerate(known.slots)}
    mask = tokenizer.token_to_id("[MASK]")
    made = []
    for row in rows:
        for _ in range(row.repeat):
            words, named = exchange.exchanged(row.words, row.tags, values, rng, shares.exchange)
            words, named = augment_words(words, named, rng, shares)
            coded = tokenizer.encode(words, is_pretokenized=True)
            target = [_IGNORED] * len(coded.ids)
            for word, place in enumerate(firsts(coded)):
                target[place] = tags[named[word]]
            hidden = [
                mask if word is not None and rng.random() < _MASKED else token
                for token, word in zip(coded.ids, coded.word_ids, strict=True)
            ]
            made.append(Example(tuple(hidden), (intents[row.intent], tuple(target)), row.weight))
    return made


def firsts(coded: Any) -> list[int]:
    """The place of each word's first token in an encoding of separate words; words cut off at the end have none."""
    found: list[int] = []
    for place, word in enumerate(coded.word_ids):
        if word is not None and word == len(found):
            found.append(place)
    return found


def loss(label_smoothing: float) -> Loss:
    """The weighted cross entropy of the intents plus three times the mean cross entropy of the tags, of a batch."""

    def of(model: nn.Module, batch: Sequence[Example]) -> Tensor:
        ids, mask = pad([e.ids for e in batch])
        weight = torch.tensor([e.weight for e in batch])
        intent = torch.tensor([e.target[0] for e in batch])
        tags = torch.full_like(ids, _IGNORED)
        for i, example in enumerate(batch):
            tags[i, : len(example.ids)] = torch.tensor(example.target[1])
        for_intent, for_tags = model(ids, mask)
        each = functional.cross_entropy(for_intent, intent, reduction="none", label_smoothing=label_smoothing)
        tagging = functional.cross_entropy(for_tags.flatten(0, 1), tags.flatten(), ignore_index=_IGNORED)
        return (each * weight).sum() / weight.sum() + _TAGGING * tagging

    return of


def outputs(run: Any, rows: Sequence[Tagged], tokenizer: Any, known: Labels) -> tuple[Floats, list[Floats]]:
    """Intent logits [rows, intents], and for each row the probabilities of its words' tags [words, tags].

    ``run(ids, mask)`` gives both heads' arrays. A word that the tokenizer cut off is surely outside of any slot.
    """
    intents = np.zeros((len(rows), len(known.intents)))
    chances = []
    for number, row in enumerate(rows):
        coded = tokenizer.encode(list(row.words), is_pretokenized=True)
        ids, mask = pad([tuple(coded.ids)])
        intent, slots = run(ids, mask)
        intents[number] = intent[0]
        scores = slots[0][firsts(coded)]
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        each = np.zeros((len(row.words), len(known.slots)))
        each[:, known.slots.index(OUTSIDE)] = 1.0
        each[: len(scores)] = powers / powers.sum(-1, keepdims=True)
        chances.append(each)
    return intents, chances


def carried(rows: Sequence[Tagged]) -> dict[str, tuple[str, ...]]:
    """The slots that each intent has in some row, by name."""
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.intent, set()).update(tag[2:] for tag in row.tags if tag != OUTSIDE)
    return {intent: tuple(sorted(slots)) for intent, slots in sorted(found.items())}


def domain(intent: str) -> str:
    """The domain of an intent: what stands before its dot, else retail, dialog or the intent itself."""
    if intent in _RETAIL:
        return "retail"
    return "dialog" if intent in DIALOG else intent.partition(".")[0]


def decided(logits: Floats, scores: Floats, limit: float, known: Labels) -> Ints:
    """The intent numbers that are answered: unknown where a score is above ``limit``, else the best known intent."""
    unknown = known.intents.index(UNKNOWN)
    best = np.where(np.arange(len(known.intents)) == unknown, -np.inf, logits).argmax(1)
    answered: Ints = np.where(scores > limit, unknown, best).astype(np.int64)
    return answered


def energy(rows: Sequence[Tagged], logits: Floats, known: Labels) -> dict[str, float]:
    """What decides that a sentence is out of scope: the weight of ``unknown`` that finds most of the strange rows, and
    the threshold that rejects 5 % of the others. Where no intent is ``unknown``, nothing is out of scope: {}.
    """
    if UNKNOWN not in known.intents:
        return {}
    unknown = known.intents.index(UNKNOWN)
    strange = np.array([row.intent == UNKNOWN for row in rows], dtype=np.int64)
    scores = {weight: strangeness(logits, unknown, weight) for weight in _WEIGHTS}
    best = max(scores, key=lambda weight: spans.detection(scores[weight], strange))
    return {"unknown_weight": best, "threshold": spans.threshold(scores[best], strange)}


def turn(
    rows: Sequence[Tagged], chances: Sequence[Floats], known: Labels, carries: Mapping[str, Sequence[str]]
) -> float:
    """What a span right after another one costs (see ``bio.decoded``): of a few values that of the best slot F1."""
    true = [row.tags for row in rows]

    def fitting(cost: float) -> float:
        said = [
            decoded(each, known.slots, carries.get(row.intent), cost) for each, row in zip(chances, rows, strict=True)
        ]
        return spans.f1(spans.counts(true, said))

    return max(_TURNS, key=fitting)


def measured(
    rows: Sequence[Tagged],
    outcome: tuple[Floats, Sequence[Floats]],
    known: Labels,
    rule: Mapping[str, float],
    carries: Mapping[str, Sequence[str]],
    turn: float = TURN,
) -> dict[str, Any]:
    """The figures of a model on rows, answered as the server answers: with the ``rule`` that says what is out of scope
    (see ``energy``), and only with slots that the answered intent ``carries``.

    ``outcome`` is that of ``outputs``. Out of scope at 5 % false rejection is that of these rows, whatever the rule;
    it is left out where no intent is ``unknown``. Intervals are [value, low, high] of a bootstrap over sentences.
    """
    logits, chances = outcome
    truth = np.array([known.intents.index(row.intent) for row in rows], dtype=np.int64)
    unknown = known.intents.index(UNKNOWN) if UNKNOWN in known.intents else -1
    if unknown >= 0:
        scores = strangeness(logits, unknown, rule["unknown_weight"])
        said = decided(logits, scores, rule["threshold"], known)
    else:
        said = logits.argmax(1).astype(np.int64)
    tagged = [
        decoded(each, known.slots, carries.get(known.intents[intent]), turn)
        if intent != unknown
        else [OUTSIDE] * len(each)
        for each, intent in zip(chances, said, strict=True)
    ]
    counts = spans.counts([row.tags for row in rows], tagged)
    right = said == truth
    whole = right & np.array([list(row.tags) == tags for row, tags in zip(rows, tagged, strict=True)])

    def spread(measure: Callable[[Ints], float]) -> list[float]:
        found = spans.drawn(len(rows), measure)
        return [found.value, found.low, found.high]

    made: dict[str, Any] = {"rows": len(rows), "intent_accuracy": spread(lambda drawn: float(right[drawn].mean()))}
    if unknown >= 0:
        # As the goals count: what steers the dialog is no request, so it counts as unknown.
        merged = np.array([unknown if name in DIALOG else i for i, name in enumerate(known.intents)])
        strange = (truth == unknown).astype(np.int64)
        made |= {
            "intent_accuracy_dialog_as_unknown": spread(
                lambda drawn: float((merged[said] == merged[truth])[drawn].mean())
            ),
            "out_of_scope_recall": spread(lambda drawn: spans.detection(scores[drawn], strange[drawn])),
            "out_of_scope_rows": int(strange.sum()),
            "out_of_scope_found": float((said == unknown)[strange == 1].mean()) if strange.any() else 0.0,
            "false_rejection": float((said == unknown)[strange == 0].mean()) if not strange.all() else 0.0,
        }
    return made | {
        "slot_f1": spread(lambda drawn: spans.f1(counts[drawn])),
        "sentence_accuracy": spread(lambda drawn: float(whole[drawn].mean())),
        "intents": {c.label: _scores(c) for c in evaluate.report(truth, said, known.intents).classes},
        "slots": spans.by_label([row.tags for row in rows], tagged),
    }


def _scores(found: evaluate.ClassScore) -> dict[str, float]:
    return {"precision": found.precision, "recall": found.recall, "f1": found.f1, "rows": found.rows}
