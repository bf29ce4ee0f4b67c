"""One evaluation from files to figures and words: rows are read, a model judges them, another may stand beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finetune import compare, data, figures, nemo, spans
from finetune.compare import Comparison
from finetune.config import Source
from finetune.evaluate import Interval
from finetune.figures import Figures, Judged
from finetune.heard import PipelineFigures
from finetune.judges import SENTIMENT, Judge
from finetune.labels import ReviewedRow
from pipeline.errors import InputError

_FEWEST = 10  # rows for any figure at all
_SOME = 3  # rows of a label that let it count in a slice
_WANTED = 0.05  # half of the interval that a figure should have
_COLUMNS = ("speaker", "industry", "phenomenon")


@dataclass(frozen=True)
class Texts:
    """Labelled texts of one file; ``tags`` are BIO tags of a text's words where the file has them."""

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    columns: Mapping[str, Sequence[str]]
    groups: tuple[str, ...]
    tags: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What one file says of a model, and of the other model where there is one."""

    name: str
    figures: Figures
    needed: int  # rows for an accuracy within 5 points
    other: Figures | None = None
    comparison: Comparison | None = None


def read(paths: Sequence[Path]) -> list[Texts]:
    """The labelled texts of files: ours (with header), ``label TAB text``, or NeMo's ``X.tsv`` with its folder.

    Raises InputError with every defect of every file.
    """
    made: list[Texts] = []
    defects: list[data.Defect] = []
    for path in paths:
        source = Source(str(path.resolve()), format="labelled")
        if (path.parent / "dict.intents.csv").exists():
            tagged, bad = nemo.read(source, Path("/"), nemo.labels(source, {"repository": Path("/")}))
            texts = Texts(
                path.stem,
                tuple(row.text for row in tagged),
                tuple(row.intent for row in tagged),
                {},
                (),
                tuple(row.tags for row in tagged),
            )
        else:
            with path.open("rb") if path.is_file() else _missing(path) as opened:
                ours = opened.readline().startswith(b"label\tspeaker\t")
            source = Source(str(path.resolve()), format="calls" if ours else "labelled")
            rows, bad = data.read_source(source, Path("/"), ())
            texts = from_rows(path.stem, rows)
        defects += bad
        made.append(texts)
    data.refuse(defects, "nothing measured")
    return made


def from_rows(name: str, rows: Sequence[data.Row]) -> Texts:
    """Rows as labelled texts, with a slice for each of their columns and whole calls as groups."""
    return Texts(
        name,
        tuple(row.text for row in rows),
        tuple(row.label for row in rows),
        {column: [getattr(row, column) for row in rows] for column in _COLUMNS},
        tuple(row.call or f"{row.path}:{row.line}" for row in rows),
    )


def evaluate(texts: Texts, judge: Judge, other: Judge | None = None) -> Outcome:
    """The figures of ``judge`` on the texts, and its comparison with ``other``.

    Raises InputError where the labels are not the model's, and where there are too few to say anything.
    """
    if len(texts.texts) < _FEWEST:
        raise InputError(
            f"{texts.name} has {len(texts.texts)} labelled texts, too few for any figure: at least {_FEWEST} are "
            f"needed, and about {_rows_for(0.8)} for an accuracy within {100 * _WANTED:.0f} points"
        )
    labels = _labels(texts, judge)
    mine = _judged(texts, judge, labels)
    found = figures.figures(mine, {name: list(values) for name, values in texts.columns.items()})
    needed = _rows_for(found.accuracy.value)
    if other is None:
        return Outcome(texts.name, found, needed)
    theirs = _judged(texts, other, labels)
    beside = compare.compare(mine, theirs, name=judge.identity, other=other.identity)
    return Outcome(texts.name, found, needed, figures.figures(theirs), beside)


def told(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON."""
    made = {"name": outcome.name, "needed_for_5_points": outcome.needed, **figures.told(outcome.figures)}
    if outcome.other is not None and outcome.comparison is not None:
        made["against"] = figures.told(outcome.other)
        made["comparison"] = compare.told(outcome.comparison)
    return made


def lines(outcome: Outcome) -> list[str]:
    """An outcome in words, a line each; percent, with 95 % intervals."""
    found = outcome.figures
    made = [
        f"{outcome.name}: {found.rows} sentences",
        f"  accuracy            {found.accuracy}",
        f"  macro-F1            {found.macro_f1}",
        f"  calibration error   {found.calibration_error}",
    ]
    if found.slot_f1 is not None:
        made.append(f"  slot F1             {found.slot_f1}")
    if found.rows < outcome.needed:
        made.append(f"  for an accuracy within 5 points, about {outcome.needed} labelled sentences are needed")
    made += ["  label                  rows  precision                 recall                    F1"]
    made += [f"  {c.label:<20} {c.rows:>6}  {c.precision!s:<24}  {c.recall!s:<24}  {c.f1}" for c in found.classes]
    if len(found.confusion) <= 8:
        made.append("  confusion, a row a true label: " + "; ".join(" ".join(map(str, row)) for row in found.confusion))
    for name, values in found.slices.items():
        made.append(f"  by {name:<18} rows  accuracy                  macro-F1")
        for value, part in values.items():
            # Of one label alone there is no mean over labels.
            several = sum(sum(row) >= _SOME for row in part.confusion) > 1
            made.append(
                f"    {value:<18} {part.rows:>5}  {part.accuracy!s:<24}  {part.macro_f1 if several else ''}".rstrip()
            )
        if found.small.get(name):
            made.append(f"    too few rows ({_FEWEST} are needed): {', '.join(found.small[name])}")
    if outcome.comparison is not None and outcome.other is not None:
        made += [
            f"  the other model: accuracy {outcome.other.accuracy}, macro-F1 {outcome.other.macro_f1}",
            f"  right where the other is wrong: {outcome.comparison.only_ours}, the other way round: "
            f"{outcome.comparison.only_theirs} (McNemar's exact test: p = {outcome.comparison.p_value:.3f})",
            f"  verdict: {outcome.comparison.verdict}",
        ]
    return made


def pipeline_lines(found: PipelineFigures) -> list[str]:
    """The pipeline metric in words, a line each."""
    made = [
        f"recognised calls: {found.calls} calls, {found.rows} sentences",
        f"  word error rate                                    {found.word_error_rate}",
        f"  mean difference of the sentiments, true and heard  {_plain(found.difference)}  (0 to 2)",
        f"  sentences whose sentiment changes                  {found.changed}",
    ]
    if found.lost:
        made.append(f"  sentences of which nothing was recognised: {found.lost}; they count as neutral")
    if found.split is not None:
        split = found.split
        made += [
            f"  against people's labels ({split.rows} sentences)       {_plain(split.total)}",
            f"    caused by the classifier                         {_plain(split.classifier)}",
            f"    caused by recognition                            {_plain(split.recognition)}",
            f"    right {split.right}; wrong on the true words already {split.classifier_wrong}; wrong by recognition "
            f"{split.recognition_wrong}; among the right ones by luck {split.mended}",
        ]
    return made


def _labels(texts: Texts, judge: Judge) -> tuple[str, ...]:
    """The labels of the data and, for sentiment, all three; in the order of the model or of first sight."""
    if judge.task == SENTIMENT:
        strange = sorted(set(texts.labels) - set(data.LABELS))
        if strange:
            raise InputError(f"{texts.name} has labels that are no sentiment: {', '.join(strange[:5])}")
        return data.LABELS
    return tuple(dict.fromkeys(texts.labels))


def _judged(texts: Texts, judge: Judge, labels: tuple[str, ...]) -> Judged:
    if judge.task == SENTIMENT:
        chances = judge.sentiments(texts.texts)
        truth = np.array([labels.index(label) for label in texts.labels], dtype=np.int64)
        said = chances.argmax(1).astype(np.int64)
        # A probability of float32 may be a hair above 1.
        return Judged(labels, truth, said, np.minimum(chances.max(1), 1.0), texts.groups)
    found = judge.meanings(texts.texts)
    # What a model says and no row has counts as one more label.
    known = (*labels, "(other)")
    truth = np.array([known.index(label) for label in texts.labels], dtype=np.int64)
    said = np.array([known.index(f.intent) if f.intent in known else len(labels) for f in found], dtype=np.int64)
    sure = np.clip(np.array([f.score for f in found], dtype=np.float64), 0.0, 1.0)
    counts = None
    if texts.tags:
        tagged = [_tags(text, meaning.slots) for text, meaning in zip(texts.texts, found, strict=True)]
        counts = spans.counts(texts.tags, tagged)
    return Judged(known, truth, said, sure, texts.groups, counts)


def _tags(text: str, slots: Sequence[tuple[int, int, str]]) -> tuple[str, ...]:
    """A BIO tag for each white-space word of a text with slots at characters."""
    tags, place = [], 0
    for word in text.split():
        start = text.index(word, place)
        place = start + len(word)
        inside = next((slot for slot in slots if slot[0] < place and start < slot[1]), None)
        tags.append("O" if inside is None else f"{'B' if start <= inside[0] else 'I'}-{inside[2]}")
    return tuple(tags)


def _rows_for(share: float) -> int:
    """Rows for which a share has a 95 % interval of 5 points to either side (normal approximation)."""
    share = min(max(share, 0.5), 0.95)
    return math.ceil(share * (1 - share) * (1.96 / _WANTED) ** 2)


def _missing(path: Path) -> Any:
    raise InputError(f"there is no file {path}; give files of labelled sentences by --data")


def _plain(found: Interval) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def of_reviewed(rows: Sequence[ReviewedRow]) -> Texts:
    """Reviewers' labels as labelled texts, whole calls as groups."""
    return Texts(
        "reviewed",
        tuple(row.sentence.text for row in rows),
        tuple(row.label for row in rows),
        {
            "speaker": [row.sentence.speaker for row in rows],
            "industry": [row.call.attributes.get("industry", "") for row in rows],
            "agent": [row.call.agent or "" for row in rows],
        },
        tuple(row.call.id for row in rows),
    )
