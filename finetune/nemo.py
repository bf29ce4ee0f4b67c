"""Reads sentences with an intent and a BIO tag per word: folders in NeMo's joint intent-slot format, or public files.

In NeMo's format beside ``X.tsv`` (header, then sentence, tab, intent number) stand ``X_slots.tsv`` (a tag number per
word, no header) and the labels ``dict.intents.csv`` and ``dict.slots.csv``, a label a line, numbered from 0. Files of
format ``tokens`` hold intent, tab, words, tab, tags; their labels are those that stand in them. All defects are
reported at once.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune import data
from finetune.augment import plain
from finetune.config import Source
from finetune.data import Defect
from pipeline.errors import InputError

OUTSIDE = "O"


@dataclass(frozen=True)
class Labels:
    """The intents and BIO tags by their numbers."""

    intents: tuple[str, ...]
    slots: tuple[str, ...]


@dataclass(frozen=True)
class Tagged:
    """One sentence: a tag per word, and how much it counts in training."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    intent: str
    path: str
    line: int  # 1-based
    repeat: int = 1
    weight: float = 1.0

    @property
    def text(self) -> str:
        """The words with single spaces."""
        return " ".join(self.words)


def labels(source: Source, roots: Mapping[str, Path]) -> Labels:
    """The labels beside a source of format nemo. Raises InputError when a file is missing or names a label twice."""
    folder = (roots[source.root] / source.path).parent
    found = []
    for name in ("dict.intents.csv", "dict.slots.csv"):
        try:
            listed = tuple((folder / name).read_text(encoding="utf-8").split())
        except (OSError, UnicodeDecodeError) as exc:
            raise InputError(f"labels {folder / name} cannot be read ({exc}); build the folder again") from exc
        if not listed or len(set(listed)) != len(listed):
            raise InputError(f"labels {folder / name} are empty or stand twice; build the folder again")
        found.append(listed)
    return Labels(found[0], found[1])


def known_labels(trained: Sequence[Source], others: Sequence[Source], roots: Mapping[str, Path]) -> Labels:
    """The labels of a run: those beside its first source of format nemo, else those in its annotated files.

    A label that only the ``others`` (dev, report) hold is known too, so that missing it counts as the error it is.
    """
    folder = next((source for source in trained if source.format == "nemo"), None)
    if folder is not None:
        return labels(folder, roots)
    rows = [row for s in (*trained, *others) if s.annotated for row in _tokens(s, roots[s.root])[0]]
    names = {tag[2:] for row in rows for tag in row.tags if tag != OUTSIDE}
    tags = [f"{part}-{name}" for name in sorted(names) for part in "BI"]
    return Labels(tuple(sorted({row.intent for row in rows})), (*tags, OUTSIDE))


def load(sources: Sequence[Source], roots: Mapping[str, Path], known: Labels, *, seed: int) -> list[Tagged]:
    """The sentences of ``collect``; raises InputError with all defects where there is one."""
    found, defects = collect(sources, roots, known, seed=seed)
    data.refuse(defects)
    return found


def collect(
    sources: Sequence[Source], roots: Mapping[str, Path], known: Labels, *, seed: int
) -> tuple[list[Tagged], list[Defect]]:
    """The sentences of all sources in their order, those of other formats without a slot, and every defect."""
    found: list[Tagged] = []
    defects: list[Defect] = []
    for source in sources:
        if source.format == "nemo":
            rows, bad = read(source, roots[source.root], known)
        elif source.annotated:
            rows, bad = _tokens(source, roots[source.root])
        else:
            others, bad = data.read_source(source, roots[source.root], known.intents)
            said = [(row, tuple(plain(row.text).split())) for row in others]
            rows = [
                Tagged(words, (OUTSIDE,) * len(words), row.label, row.path, row.line, row.repeat, row.weight)
                for row, words in said
                if words
            ]
        defects += bad
        if source.limit and len(rows) > source.limit:
            drawn = random.Random(f"{seed}:{source.path}").sample(range(len(rows)), source.limit)
            rows = [rows[i] for i in sorted(drawn)]
        found += rows
    return found, defects


def read(source: Source, root: Path, known: Labels) -> tuple[list[Tagged], list[Defect]]:
    """The usable sentences of one source of format nemo, and its defects.

    Its numbers are those of the labels beside it; a label that is not among the ``known`` ones is a defect.
    """
    path = root / source.path
    beside = path.with_name(f"{path.stem}_slots{path.suffix}")
    lines: list[list[str]] = []
    defects: list[Defect] = []
    for part in (path, beside):
        try:
            raw = part.read_bytes()
        except OSError as exc:
            return [], [Defect(str(part), 0, f"cannot be read ({exc.strerror}); build the folder again")]
        found, bad = data.decode(raw, str(part))
        lines.append(found[:-1] if found and not found[-1] else found)
        defects += bad
    if defects:
        return [], defects
    sentences, tagged = lines[0][1:], lines[1]
    if len(sentences) != len(tagged):
        return [], [Defect(str(beside), 0, f"has {len(tagged)} lines for {len(sentences)} sentences")]
    try:
        own = labels(source, {source.root: root})
    except InputError as exc:
        return [], [Defect(source.path, 0, str(exc))]
    rows: list[Tagged] = []
    for number, (sentence, numbers) in enumerate(zip(sentences, tagged, strict=True), 2):
        text, _, intent = sentence.rpartition("\t")
        words = tuple(text.split())
        try:
            row = Tagged(
                words, tuple(own.slots[_number(n)] for n in numbers.split()), own.intents[_number(intent)],
                source.path, number, source.repeat, source.weight,
            )  # fmt: skip
        except (ValueError, IndexError):
            defects.append(Defect(source.path, number, "names an intent or tag by no number of the labels' files"))
            continue
        strange = sorted(({row.intent} - {*known.intents}) | ({*row.tags} - {*known.slots}))
        if not words:
            defects.append(Defect(source.path, number, "the text is empty"))
        elif len(row.tags) != len(words):
            defects.append(Defect(source.path, number, f"has {len(words)} words and {len(row.tags)} tags"))
        elif strange:
            defects.append(Defect(source.path, number, f"{', '.join(strange)}: no label of the first training file"))
        elif not source.only or row.intent in source.only:
            rows.append(row)
    return rows, defects


def without(rows: Sequence[Tagged], held_out: Sequence[Tagged]) -> list[Tagged]:
    """The rows whose text is in none of the held-out ones: what is measured is never trained on."""
    barred = {data.key(row.text) for row in held_out}
    return [row for row in rows if data.key(row.text) not in barred]


def _tokens(source: Source, root: Path) -> tuple[list[Tagged], list[Defect]]:
    """The sentences of a file of format tokens, and its defects; lines of public sets that cannot be used are none."""
    try:
        lines, defects = data.decode((root / source.path).read_bytes(), source.path)
    except OSError as exc:
        return [], [Defect(source.path, 0, f"cannot be read under {root} ({exc.strerror}); check --datasets")]
    rows = []
    for number, line in enumerate(lines, 1):
        intent, _, rest = line.partition("\t")
        words, _, tags = (tuple(part.split()) for part in rest.partition("\t"))
        if intent and words and len(words) == len(tags):
            rows.append(Tagged(words, tags, intent, source.path, number, source.repeat, source.weight))
        elif line:
            defects.append(Defect(source.path, number, "needs intent, tokens and as many tags as tokens"))
    return rows, [] if source.root == "datasets" and rows else defects


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number
