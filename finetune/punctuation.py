"""The punctuation task: what mark follows a word and how the word is written, learnt from punctuated text."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from finetune.data import Row
from finetune.evaluate import Floats, Ints
from finetune.model import pad
from finetune.train import Example, Loss

MARKS = ("", ",", ".", "?")
CASES = ("lower", "Capital", "UPPER")
_IGNORED = -100  # tokens that carry no label
_SAME = {"!": ".", ";": ".", "…": ".", ":": ",", "–": ",", "—": ","}


@dataclass(frozen=True)
class Written:
    """Plain lower-case words with the number of the mark after each and of its writing."""

    words: tuple[str, ...]
    marks: tuple[int, ...]
    cases: tuple[int, ...]


def written(text: str) -> Written | None:
    """The words and labels of a punctuated text; None where its own writing is no example to follow.

    Not to follow: no final mark, all lower or all upper case, emoticons, links, placeholders, other alphabets.
    """
    text = re.sub(r"\s+", " ", text.replace("’", "'").replace("“", '"').replace("”", '"')).strip()
    if not re.search(r"[.?!]\"?$", text) or re.search(
        r"[^\x20-\x7e–—…]|[\[\]<>{}@#*_~^|\\/=+]|http|www\.|[:;]-?[)(DP]", text
    ):
        return None
    letters = [c for c in text if c.isalpha()]
    first = text.lstrip("\"'(")[:1]
    if not letters or sum(c.isupper() for c in letters) > 0.4 * len(letters) or first.islower():
        return None
    words: list[str] = []
    marks: list[int] = []
    cases: list[int] = []
    for part in text.replace(" - ", ", ").replace("--", ", ").split():
        found = re.fullmatch(r"[\"'(]*([A-Za-z0-9$][A-Za-z0-9$.,:%&'-]*?)?([\"').,;:?!…–—]*)", part)
        if found is None:
            return None
        core, tail = found[1] or "", found[2]
        mark = next((MARKS.index(_SAME.get(c, c)) for c in tail if _SAME.get(c, c) in MARKS), 0)
        if not core:
            if words and mark:
                marks[-1] = mark
            continue
        for piece in re.split(r"(?<=[A-Za-z])-(?=[A-Za-z])", core):
            words.append(piece.lower())
            marks.append(0)
            upper = sum(c.isupper() for c in piece)
            cases.append(2 if upper > 1 and piece.isupper() else 1 if piece[0].isupper() else 0)
        marks[-1] = mark
    return Written(tuple(words), tuple(marks), tuple(cases)) if len(words) > 1 else None


def joined(pieces: Sequence[Written], *, longest: int, rng: random.Random) -> list[Written]:
    """Runs of one to four neighbours of at most ``longest`` words: recognised speech has no sentence borders."""
    made: list[Written] = []
    place = 0
    while place < len(pieces):
        size = rng.choice((1, 1, 2, 2, 3, 4))
        words: tuple[str, ...] = ()
        marks: tuple[int, ...] = ()
        cases: tuple[int, ...] = ()
        for piece in pieces[place : place + size]:
            if words and len(words) + len(piece.words) > longest:
                break
            words, marks, cases = words + piece.words, marks + piece.marks, cases + piece.cases
            place += 1
        # A recogniser's window often ends inside a sentence: one in five runs is cut and then has no final mark.
        if len(words) > 6 and rng.random() < 0.2:
            end = rng.randrange(3, len(words))
            words, marks, cases = words[:end], marks[:end], cases[:end]
        made.append(Written(words, marks, cases))
    return made


def texts(rows: Sequence[Row]) -> list[Written]:
    """The usable ones of the rows, in their order."""
    return [found for row in rows if (found := written(row.text)) is not None]


def examples(pieces: Sequence[Written], tokenizer: Any, *, max_tokens: int, seed: int, epoch: int) -> list[Example]:
    """One example per run of sentences; a pure function of its arguments.

    Targets are two tuples with a label per token, ignored off the first token of each word. Runs are the same in all
    epochs in number: they are drawn once by the seed and only shuffled neighbours differ through the batches.
    """
    rng = random.Random(f"{seed}:runs")
    order = list(pieces)
    rng.shuffle(order)
    return [_example(run, tokenizer, max_tokens) for run in joined(order, longest=60, rng=rng)]


def _example(run: Written, tokenizer: Any, max_tokens: int) -> Example:
    coded = tokenizer.encode(list(run.words), is_pretokenized=True)
    marks, cases = [_IGNORED] * len(coded.ids), [_IGNORED] * len(coded.ids)
    last = None
    for place, word in enumerate(coded.word_ids):
        if word is not None and word != last:
            marks[place], cases[place] = run.marks[word], run.cases[word]
        last = word
    return Example(tuple(coded.ids[:max_tokens]), (tuple(marks[:max_tokens]), tuple(cases[:max_tokens])))


def loss(label_smoothing: float) -> Loss:
    """The sum of both heads' mean cross entropies over the labelled tokens of a batch."""

    def of(model: nn.Module, batch: Sequence[Example]) -> Tensor:
        ids, mask = pad([e.ids for e in batch])
        total = torch.zeros(())
        for head, scores in enumerate(model(ids, mask)):
            target = torch.full_like(ids, _IGNORED)
            for i, example in enumerate(batch):
                target[i, : len(example.ids)] = torch.tensor(example.target[head])
            total = total + functional.cross_entropy(
                scores.flatten(0, 1), target.flatten(), ignore_index=_IGNORED, label_smoothing=label_smoothing
            )
        return total

    return of


def labelled(examples: Sequence[Example], outputs: Sequence[Floats], head: int) -> tuple[Ints, Ints]:
    """True and predicted label numbers of one head over all labelled tokens; ``outputs`` are [tokens, labels] each."""
    true, said = [], []
    for example, scores in zip(examples, outputs, strict=True):
        target = np.asarray(example.target[head])
        kept = target != _IGNORED
        true.append(target[kept])
        said.append(scores[: len(target)][kept].argmax(-1))
    return np.concatenate(true).astype(np.int64), np.concatenate(said).astype(np.int64)
