"""What recognition does to sentiment: calls with reference transcripts beside what was recognised.

The measure is MEAN(DIFF(sentiment of the true sentence, sentiment of the recognised sentence)), with the word error
rate beside it. Words of both are aligned per speaker, in the form that the models read (lower case, numbers in words),
so that each true sentence gets the words that were recognised in its place however the recogniser cut its sentences.

A sentiment counts as -1, 0 or 1. Where a person has labelled the true sentence, the whole error is split: what the
classifier gets wrong on the true words is its own, and what is added on the recognised words is the recogniser's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from finetune.data import LABELS
from finetune.evaluate import Floats, Interval
from finetune.figures import resampled
from finetune.judges import Judge
from pipeline.calls import Sentence
from pipeline.errors import InputError
from pipeline.server.understanding import words
from pipeline.store import Store

_FEWEST = 30  # sentences for an interval that says something


@dataclass(frozen=True)
class Said:
    """One true sentence of a reference transcript; ``label`` is "" where no person gave one."""

    speaker: str
    text: str
    label: str = ""


@dataclass(frozen=True)
class Heard:
    """A true sentence and what was recognised in its place."""

    call: str
    said: Said
    text: str  # as recognised; "" where nothing was
    words: int  # true words
    errors: int  # words wrong, lost or added


@dataclass(frozen=True)
class Split:
    """The whole error against people's labels, and its two causes; ``classifier`` + ``recognition`` = ``total``."""

    rows: int
    total: Interval
    classifier: Interval
    recognition: Interval
    right: int  # sentences whose sentiment is right on the recognised words
    classifier_wrong: int  # wrong on the true words already
    recognition_wrong: int  # right on the true words, wrong on the recognised ones
    mended: int  # wrong on the true words, right on the recognised ones, by luck


@dataclass(frozen=True)
class PipelineFigures:
    """The pipeline metric of one model over calls with references."""

    calls: int
    rows: int
    word_error_rate: Interval
    difference: Interval  # mean difference of the sentiments of true and recognised sentence, 0..2
    changed: Interval  # share of the sentences whose sentiment changes
    lost: int  # sentences of which nothing was recognised; their sentiment counts as neutral
    split: Split | None


def references(folder: Path) -> dict[str, list[Said]]:
    """The transcripts of a folder by the name of their audio file: ``NAME.json`` with ``audio`` and ``sentences``.

    Raises InputError with all files that cannot be read, and where there is none.
    """
    found, wrong = {}, []
    for path in sorted(folder.glob("*.json")):
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            said = [Said(s["speaker"], s["text"], s.get("sentiment", "")) for s in read["sentences"]]
            strange = sorted({s.label for s in said if s.label} - set(LABELS))
            if strange:
                wrong.append(f"{path}: sentiment {', '.join(strange)} is none of {', '.join(LABELS)}")
            found[str(read["audio"])] = said
        except (OSError, ValueError, KeyError, TypeError) as error:
            wrong.append(f"{path}: needs audio and sentences with speaker and text ({error!r})")
    if wrong or not found:
        listed = "\n  ".join(wrong) or f"{folder} holds no reference transcript (NAME.json)"
        raise InputError(f"the reference transcripts cannot be used:\n  {listed}")
    return found


def from_store(store: Store, folder: Path) -> tuple[list[Heard], list[str]]:
    """The sentences of the stored calls that have a reference in ``folder``, and the audio files that are not stored.

    A call belongs to the reference that names its source file.
    """
    wanted = references(folder)
    made: list[Heard] = []
    offset = 0
    missing = set(wanted)
    while page := store.calls(limit=200, offset=offset).rows:
        offset += len(page)
        for summary in page:
            call = summary.call
            if call.source in missing and call.status == "complete":
                missing.discard(call.source)
                made += aligned(call.source, wanted[call.source], store.sentences(call.id))
    return made, sorted(missing)


def aligned(call: str, said: Sequence[Said], sentences: Iterable[Sentence]) -> list[Heard]:
    """Each true sentence with the recognised words in its place, in the order of ``said``."""
    recognised = list(sentences)
    made: dict[int, Heard] = {}
    for speaker in {one.speaker for one in said}:
        numbers = [i for i, one in enumerate(said) if one.speaker == speaker]
        true = [(piece.word, i) for i in numbers for piece in words(said[i].text)]
        heard = [
            (piece.word, n, piece.start, piece.end)
            for n, sentence in enumerate(recognised)
            if sentence.speaker == speaker
            for piece in words(sentence.text)
        ]
        errors = dict.fromkeys(numbers, 0)
        got: dict[int, list[tuple[int, int, int]]] = {i: [] for i in numbers}
        for step in Levenshtein.opcodes([word for word, _ in true], [word for word, *_ in heard]):
            added = step.dest_end - step.dest_start
            for place in range(step.src_start, step.src_end):
                if step.tag != "equal":
                    errors[true[place][1]] += 1
                if added and step.tag != "delete":
                    got[true[place][1]].append(heard[step.dest_start + place - step.src_start][1:])
            if step.tag == "insert" and true:
                owner = true[max(step.src_start - 1, 0)][1]
                errors[owner] += added
                got[owner] += [word[1:] for word in heard[step.dest_start : step.dest_end]]
        for i in numbers:
            count = sum(owner == i for _, owner in true)
            made[i] = Heard(call, said[i], _text(got[i], recognised), count, errors[i])
    return [made[i] for i in sorted(made)]


def measured(rows: Sequence[Heard], judge: Judge) -> PipelineFigures:
    """The pipeline metric of a model. Raises InputError where there are too few sentences to say anything."""
    if len(rows) < _FEWEST:
        raise InputError(
            f"{len(rows)} sentences with references are too few: about {_FEWEST} are needed for an interval; ingest "
            "more calls that have a reference"
        )
    true = judge.sentiments([row.said.text for row in rows]).argmax(1) - 1
    answered = judge.sentiments([row.text or "." for row in rows]).argmax(1) - 1
    heard = np.where([not row.text for row in rows], 0, answered)
    groups = [row.call for row in rows]
    table = np.array(
        [[row.errors, row.words, abs(a - b), a != b, 1] for row, a, b in zip(rows, true, heard, strict=True)],
        dtype=np.float64,
    )
    spread = resampled(table, groups)
    labelled = [i for i, row in enumerate(rows) if row.said.label]
    return PipelineFigures(
        len(set(groups)),
        len(rows),
        _interval(table, spread, 0, 1),
        _interval(table, spread, 2, 4),
        _interval(table, spread, 3, 4),
        sum(not row.text for row in rows),
        _split(rows, true, heard, labelled) if labelled else None,
    )


def told(found: PipelineFigures) -> dict[str, Any]:
    """The figures as JSON: intervals as [value, low, high]."""
    made: dict[str, Any] = {
        "calls": found.calls,
        "sentences": found.rows,
        "word_error_rate": _spread(found.word_error_rate),
        "mean_difference": _spread(found.difference),
        "changed": _spread(found.changed),
        "lost": found.lost,
    }
    if found.split is not None:
        split = found.split
        made["against_people"] = {
            "sentences": split.rows,
            "total": _spread(split.total),
            "classifier": _spread(split.classifier),
            "recognition": _spread(split.recognition),
            "right": split.right,
            "classifier_wrong": split.classifier_wrong,
            "recognition_wrong": split.recognition_wrong,
            "mended_by_luck": split.mended,
        }
    return made


def _split(rows: Sequence[Heard], true: Any, heard: Any, labelled: Sequence[int]) -> Split:
    people = np.array([LABELS.index(rows[i].said.label) - 1 for i in labelled])
    own, whole = true[labelled], heard[labelled]
    table = np.stack(
        [abs(people - whole), abs(people - own), abs(people - whole) - abs(people - own), np.ones(len(people))], axis=1
    ).astype(np.float64)
    spread = resampled(table, [rows[i].call for i in labelled])
    total, classifier, recognition = (_interval(table, spread, column, 3) for column in range(3))
    return Split(
        len(people),
        total,
        classifier,
        recognition,
        int((whole == people).sum()),
        int(((own != people) & (whole != people)).sum()),
        int(((own == people) & (whole != people)).sum()),
        int(((own != people) & (whole == people)).sum()),
    )


def _text(places: Sequence[tuple[int, int, int]], recognised: Sequence[Sentence]) -> str:
    """The recognised words at (sentence, first character, end), as they stand there with the marks between them."""
    parts = []
    for number in sorted({place[0] for place in places}):
        here = [place for place in places if place[0] == number]
        text = recognised[number].text
        start, end = min(place[1] for place in here), max(place[2] for place in here)
        # The mark after the last word belongs to it.
        while end < len(text) and not text[end].isspace():
            end += 1
        parts.append(text[start:end])
    return " ".join(parts)


def _interval(table: Floats, spread: Floats, above: int, below: int) -> Interval:
    whole = table.sum(0)
    drawn = spread[:, above] / np.maximum(spread[:, below], 1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(whole[above] / max(whole[below], 1)), float(low), float(high))


def _spread(found: Interval) -> list[float]:
    return [found.value, found.low, found.high]
