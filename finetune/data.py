"""Reads the examples of a text task; all defects of all files are reported at once, each with file and line."""

from __future__ import annotations

import csv
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune.config import Source
from pipeline.errors import InputError

LABELS = ("negative", "neutral", "positive")
COLUMNS = ("label", "speaker", "industry", "phenomenon", "text")
OPTIONAL = ("call", "id")  # in this order after the others, where a file has them
SPEAKERS = ("agent", "customer", "unknown")


@dataclass(frozen=True)
class Row:
    """One sentence with its label; the fields after ``text`` are empty where the file has none."""

    label: str
    text: str
    path: str
    line: int  # 1-based
    speaker: str = ""
    industry: str = ""
    phenomenon: str = ""
    call: str = ""
    id: str = ""  # of the sentence, where the file has one; stands once in all files
    repeat: int = 1
    weight: float = 1.0


@dataclass(frozen=True)
class Defect:
    """Why one line cannot be used."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


Keep = Callable[[Source, list[Row]], list[Row]]


def load(
    sources: Sequence[Source],
    roots: Mapping[str, Path],
    *,
    seed: int,
    labels: Sequence[str],
    keep: Keep = lambda source, rows: rows,
) -> list[Row]:
    """The rows of ``collect``; raises InputError with all defects where there is one."""
    rows, defects = collect(sources, roots, seed=seed, labels=labels, keep=keep)
    refuse(defects)
    return rows


def collect(
    sources: Sequence[Source],
    roots: Mapping[str, Path],
    *,
    seed: int,
    labels: Sequence[str],
    keep: Keep = lambda source, rows: rows,
) -> tuple[list[Row], list[Defect]]:
    """The rows of all sources in their order, drawn down to each source's limit by the seed, that ``keep`` leaves.

    ``labels`` are the allowed ones; an empty sequence takes any. With them every defect, among them one text with two
    labels within files of format ``calls``, and ids that stand twice.
    """
    rows: list[Row] = []
    defects: list[Defect] = []
    for source in sources:
        read, bad = read_source(source, roots[source.root], labels)
        defects += bad
        if source.limit and len(read) > source.limit:
            kept = random.Random(f"{seed}:{source.path}").sample(range(len(read)), source.limit)
            read = [read[i] for i in sorted(kept)]
        rows += keep(source, read)
    own = {s.path for s in sources if s.format == "calls"}
    defects += contradictions(row for row in rows if row.path in own)
    defects += repeated(rows)
    return rows, defects


def refuse(defects: Iterable[Defect], so: str = "nothing trained") -> None:
    """None when there is no defect; else raises InputError with all of them, each once, by file and line."""
    found = sorted(set(defects), key=lambda d: (d.path, d.line, d.what))
    if found:
        listed = "\n  ".join(map(str, found))
        raise InputError(f"{len(found)} defects in the data, {so}; mend these lines:\n  {listed}")


def read_source(source: Source, root: Path, labels: Sequence[str]) -> tuple[list[Row], list[Defect]]:
    """The usable rows of one file and its defects.

    Lines of public data sets that are no readable text are left out: they are not ours to mend.
    """
    path = root / source.path
    try:
        raw = path.read_bytes()
    except OSError as exc:
        return [], [Defect(source.path, 0, f"cannot be read under {root} ({exc.strerror}); check --datasets")]
    lines, defects = decode(raw, source.path)
    broken = set(defects) if source.root == "datasets" and lines else set()
    try:
        found = list(_READERS[source.format](lines, source, defects))
    except (json.JSONDecodeError, KeyError, TypeError) as exc:
        return [], [*defects, Defect(source.path, 1, f"is no {source.format} file: {exc}")]
    kept = []
    block = re.compile(r"\b(" + "|".join(source.exclude) + r")\b", re.IGNORECASE) if source.exclude else None
    for row in found:
        if labels and row.label not in labels:
            defects.append(Defect(row.path, row.line, f"label {row.label!r} is not one of {', '.join(labels)}"))
        elif not row.text.strip():
            defects.append(Defect(row.path, row.line, "the text is empty"))
        elif (block is None or not block.search(row.text)) and (not source.only or row.label in source.only):
            kept.append(row)
    return kept, [defect for defect in defects if defect not in broken]


def contradictions(rows: Iterable[Row]) -> list[Defect]:
    """A defect for each text that stands twice with different labels, at its second place."""
    seen: dict[str, Row] = {}
    found = []
    for row in rows:
        first = seen.setdefault(key(row.text), row)
        if first.label != row.label:
            what = f"labelled {row.label}, but {first.label} at {first.path}:{first.line}"
            found.append(Defect(row.path, row.line, what))
    return found


def repeated(rows: Iterable[Row]) -> list[Defect]:
    """A defect for each id that stands twice, at its second place; one row named by two sources stands once."""
    seen: dict[str, Row] = {}
    found = []
    for row in rows:
        first = seen.setdefault(row.id, row) if row.id else row
        if (first.path, first.line) != (row.path, row.line):
            found.append(Defect(row.path, row.line, f"id {row.id!r} stands at {first.path}:{first.line} already"))
    return found


def key(text: str) -> str:
    """The text as it is compared: lower case, letters and digits only, single spaces."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower().replace("'", "")).split())


def without(rows: Sequence[Row], held_out: Iterable[Row]) -> list[Row]:
    """The rows whose text is in none of the held-out ones: what is measured is never trained on."""
    barred = {key(row.text) for row in held_out}
    return [row for row in rows if key(row.text) not in barred]


def lacking(found: Iterable[str], labels: Sequence[str], path: str, least: int = 2) -> list[Defect]:
    """A defect for each label that ``found``, the labels of all training rows, holds fewer than ``least`` times.

    ``path`` is the file to name: the first one that is trained on.
    """
    counts = Counter(found)
    return [
        Defect(path, 0, f"too few training rows for {label} ({counts[label]}); each label needs at least {least}")
        for label in labels
        if counts[label] < least
    ]


def decode(raw: bytes, path: str) -> tuple[list[str], list[Defect]]:
    """Lines of UTF-8 text; a line in another encoding is a defect and becomes empty."""
    lines, defects = [], []
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return [], [Defect(path, 1, "is UTF-16; save the whole file as UTF-8")]
    for number, part in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            lines.append(part.removesuffix(b"\r").decode("utf-8"))
        except UnicodeDecodeError:
            lines.append("")
            defects.append(Defect(path, number, "is not UTF-8; save the whole file in one encoding"))
            continue
        if "\x00" in lines[-1] or "\ufffd" in lines[-1]:
            lines[-1] = ""
            defects.append(Defect(path, number, "holds characters that an earlier conversion broke; write it anew"))
    return lines, defects


def _calls(lines: Sequence[str], source: Source, defects: list[Defect]) -> Iterator[Row]:
    """Rows of our own files: a header, five columns, and where known the call's name and the sentence's id."""
    header = tuple(lines[0].split("\t")) if lines else ()
    more = tuple(name for name in OPTIONAL if name in header)
    if header != (*COLUMNS, *more):
        if not (defects and not lines):
            what = f"the header must be {' '.join(COLUMNS)}, and at most {' '.join(OPTIONAL)} after it"
            defects.append(Defect(source.path, 1, what))
        return
    refused = {d.line for d in defects}
    for number, line in enumerate(lines[1:], 2):
        if number in refused or not line:
            if not line and number not in refused and number < len(lines):
                defects.append(Defect(source.path, number, "is empty"))
            continue
        parts = line.split("\t")
        if len(parts) != len(header):
            defects.append(Defect(source.path, number, f"has {len(parts)} columns instead of {len(header)}"))
            continue
        if parts[1] not in SPEAKERS:
            defects.append(Defect(source.path, number, f"speaker {parts[1]!r} is not agent or customer"))
            continue
        label, speaker, industry, phenomenon, text = parts[:5]
        known = dict(zip(more, parts[5:], strict=True))
        yield Row(
            label, text, source.path, number, speaker, industry, phenomenon, known.get("call", ""), known.get("id", ""),
            source.repeat, source.weight,
        )  # fmt: skip


def _labelled(lines: Sequence[str], source: Source, defects: list[Defect]) -> Iterator[Row]:
    """Rows of label, tab, text without a header."""
    refused = {d.line for d in defects}
    for number, line in enumerate(lines, 1):
        if number in refused or not line:
            continue
        label, tab, text = line.partition("\t")
        if not tab:
            defects.append(Defect(source.path, number, "has no tab between label and text"))
            continue
        yield _row(label, text, source, number)


def _banking77(lines: Sequence[str], source: Source, defects: list[Defect]) -> Iterator[Row]:
    """Rows of PolyAI's CSV ``text,category``; a text may span lines."""
    reader = csv.reader(line + "\n" for line in lines)
    for number, parts in enumerate(reader, 1):
        if number > 1 and parts:
            yield _row(source.label, " ".join(parts[0].split()), source, reader.line_num)


def _clinc150(lines: Sequence[str], source: Source, defects: list[Defect]) -> Iterator[Row]:
    """Rows of the training part of CLINC150's JSON; the line is the number of the query."""
    for number, (text, _intent) in enumerate(json.loads("\n".join(lines))["train"], 1):
        yield _row(source.label, text, source, number)


def _nlupp(lines: Sequence[str], source: Source, defects: list[Defect]) -> Iterator[Row]:
    """Rows of NLU++ JSON; the line is the number of the query."""
    for number, item in enumerate(json.loads("\n".join(lines)), 1):
        yield _row(source.label, item["text"], source, number)


def _tokens(lines: Sequence[str], source: Source, defects: list[Defect]) -> Iterator[Row]:
    """Rows of intent, tab, tokens, tab, tags."""
    refused = {d.line for d in defects}
    for number, line in enumerate(lines, 1):
        if number in refused or not line:
            continue
        parts = line.split("\t")
        if len(parts) != 3 or len(parts[1].split()) != len(parts[2].split()):
            defects.append(Defect(source.path, number, "needs intent, tokens and as many tags as tokens"))
            continue
        yield _row(source.label, parts[1], source, number)


def _row(label: str, text: str, source: Source, line: int) -> Row:
    return Row(label, text, source.path, line, repeat=source.repeat, weight=source.weight)


_READERS = {
    "calls": _calls,
    "reviewed": _calls,
    "labelled": _labelled,
    "banking77": _banking77,
    "clinc150": _clinc150,
    "nlupp": _nlupp,
    "tokens": _tokens,
}
