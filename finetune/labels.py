"""Reviewers' corrections as training rows: the text as it was heard, the last label, and how far people agree."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune.data import COLUMNS, OPTIONAL
from pipeline.calls import Call, Label, Sentence
from pipeline.store import Store

_HELD_OUT = 0.3  # share of the reviewed calls that are kept for measuring


@dataclass(frozen=True)
class ReviewedRow:
    """One sentence that people labelled."""

    call: Call
    sentence: Sentence
    label: str  # the last one that was given
    given: tuple[tuple[str, str], ...]  # reviewer and the last label of each, in the order of their first label

    @property
    def id(self) -> str:
        """What tells the sentence from all others."""
        return f"{self.call.id}:{self.sentence.index}"

    @property
    def corrected(self) -> bool:
        """Whether the model in use had said otherwise."""
        return self.sentence.sentiment is None or self.sentence.sentiment.label != self.label


@dataclass(frozen=True)
class Agreement:
    """How far reviewers agree on the sentences that several of them labelled."""

    sentences: int
    pairs: int  # of reviewers on one sentence
    agreed: float  # share of the pairs with one label; 0 without pairs
    alpha: float | None  # Krippendorff's, nominal: 1 is perfect, 0 what chance gives; None where it has no value


def reviewed(store: Store) -> list[ReviewedRow]:
    """The labelled sentences of all calls, oldest call first."""
    found = [row for call in _calls(store) for row in _of_call(store, call)]
    return sorted(found, key=lambda row: (row.call.started_at, row.call.id, row.sentence.index))


def held_out(rows: Sequence[ReviewedRow]) -> tuple[list[ReviewedRow], list[ReviewedRow]]:
    """The rows to train on and those to measure with: whole calls, about 3 of 10, the same ones every time."""
    train: list[ReviewedRow] = []
    measure: list[ReviewedRow] = []
    for row in rows:
        share = int(hashlib.sha256(row.call.id.encode()).hexdigest()[:8], 16) / 16**8
        (measure if share < _HELD_OUT else train).append(row)
    return train, measure


def agreement(rows: Iterable[ReviewedRow]) -> Agreement:
    """How far the reviewers agree.

    Krippendorff's alpha for nominal values and any number of reviewers: 1 - observed / expected disagreement (Hayes and
    Krippendorff 2007, "Answering the call for a standard reliability measure for coding data").
    """
    units = [[label for _, label in row.given] for row in rows if len(row.given) > 1]
    same = pairs = 0
    disagreed = 0.0
    total: Counter[str] = Counter()
    for unit in units:
        counts, size = Counter(unit), len(unit)
        alike = sum(n * (n - 1) for n in counts.values())
        same, pairs = same + alike // 2, pairs + size * (size - 1) // 2
        disagreed += (size * (size - 1) - alike) / (size - 1)
        total += counts
    values = total.total()
    chance = values * values - sum(n * n for n in total.values())
    alpha = 1 - (values - 1) * disagreed / chance if chance else None
    return Agreement(len(units), pairs, same / pairs if pairs else 0.0, alpha)


def write(rows: Sequence[ReviewedRow], path: Path) -> None:
    """None; writes rows of format ``reviewed``: our columns, the call, and an id that stands once."""
    lines = ["\t".join((*COLUMNS, *OPTIONAL))]
    for row in rows:
        industry = row.call.attributes.get("industry", "other")
        kind = "corrected" if row.corrected else "confirmed"
        fields = (row.label, row.sentence.speaker, industry, kind, row.sentence.text, row.call.id, row.id)
        lines.append("\t".join(" ".join(field.split()) for field in fields))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.replace(path)


def _calls(store: Store) -> Iterator[Call]:
    offset = 0
    while page := store.calls(limit=500, offset=offset).rows:
        offset += len(page)
        yield from (summary.call for summary in page)


def _of_call(store: Store, call: Call) -> Iterator[ReviewedRow]:
    given: dict[int, list[Label]] = {}
    for label in store.labels(call.id):
        if label.field == "sentiment":
            given.setdefault(label.index, []).append(label)
    if not given:
        return
    sentences = {sentence.index: sentence for sentence in store.sentences(call.id)}
    for index, labels in given.items():
        if index in sentences and sentences[index].text.strip():
            last = {label.reviewer: label.value for label in labels}
            yield ReviewedRow(call, sentences[index], labels[-1].value, tuple(last.items()))
