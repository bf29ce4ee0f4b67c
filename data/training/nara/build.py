"""Turns the annotated sentences of source/ into NeMo's joint intent-slot folder; README.md here tells the format.

    python data/training/nara/build.py              check, expand, write beside this file, print the counts
    python data/training/nara/build.py --check      check only
    python data/training/nara/build.py --audit      also list surfaces that carry several labels, for a person to judge

Every defect of every file is reported at once as file:line, and then nothing is written.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
WEATHER = tuple(
    f"weather.{kind}"
    for kind in (
        "weather", "temperature", "temperature_yes_no", "rainfall", "rainfall_yes_no", "snow", "snow_yes_no",
        "sunny", "cloudy", "humidity", "humidity_yes_no",
    )
)  # fmt: skip
CONTROL = ("greeting", "help", "goodbye", "start_over", "repeat", "agent", "affirm", "deny")
INTENTS = (*WEATHER, "price_check", "inventory_check", "store_location", "unknown", *CONTROL)
SLOTS = (
    "location", "weathertime", "store.type", "store.name", "store.status", "store.hour.day", "store.hour.start",
    "store.hour.end", "item.type", "item.name", "item.color", "item.size", "item.quantity", "cost.low",
    "cost.average", "cost.high", "rating.high", "rating.average", "rating.low", "time.period_of_time",
)  # fmt: skip
OUTSIDE = "O"
LABELS = (*(f"{edge}-{slot}" for slot in SLOTS for edge in "BI"), OUTSIDE)  # O last, as NeMo's documentation has it
HOURS = ("store.status", "store.hour.day", "store.hour.start", "store.hour.end")
RETAIL = tuple(s for s in SLOTS if s != "weathertime" and s not in HOURS)
ALLOWED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(WEATHER, ("location", "weathertime")),
    "price_check": RETAIL,
    "inventory_check": RETAIL,
    "store_location": (*RETAIL, *HOURS),
}
ARTICLES = {"a", "an", "the"}
PREPOSITIONS = {
    "in", "on", "at", "for", "from", "to", "by", "of", "with", "near", "around", "under", "over", "above", "below",
    "between", "until", "till", "before", "after", "within", "about", "through", "during", "than", "per", "since",
    "past", "toward", "into",
}  # fmt: skip
DANGLING = {"an", "the", "of", "to", "from", "for", "with", "at", "than", "and", "or"}
# Spans that begin with an article or a preposition and are right so: phrases of nearness, names, misheard names.
WHOLE = {
    "near me", "near here", "near us", "near by", "around here", "around me", "around the corner",
    "in n out", "in and out burger", "under armour", "under armor", "a dee das",
}  # fmt: skip
SPAN = re.compile(r"\[([a-z_.]+) ([^\[\]]+)\]")
LINE = re.compile(r"([a-z_.]+) \| (\S.*)")
SHARED = "# slots: "
# Never trained on; the name they are written as.
HELD_OUT = {"calibration.txt": "calibration", "dev.txt": "test", "natural.txt": "natural", "everyday.txt": "everyday"}
VOWEL = re.compile(r"(?!(uni|use|usb|uk|euro|one\b|once|u\b))[aeiou]|hour|[fhlmnrsx]\b")


@dataclass(frozen=True)
class Sentence:
    """One labelled sentence: as many BIO labels as tokens; ``line`` is 1-based in the file ``path``."""

    path: str
    line: int
    intent: str
    tokens: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def text(self) -> str:
        """The tokens with one space between them."""
        return " ".join(self.tokens)


@dataclass(frozen=True)
class Span:
    """A slot value at token positions ``start`` to ``end`` (end exclusive)."""

    slot: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Defect:
    """What is wrong with one line."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Values:
    """Words of one class that may stand for each other in the given slots."""

    path: str
    slots: tuple[str, ...]
    words: tuple[str, ...]


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of every line that is neither empty nor a comment."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, line.rstrip()


def spans(sentence: Sentence) -> list[Span]:
    """The slot values of a sentence from left to right."""
    found: list[Span] = []
    for i, label in enumerate(sentence.labels):
        if label.startswith("B-"):
            found.append(Span(label[2:], sentence.tokens[i], i, i + 1))
        elif label.startswith("I-"):
            found[-1] = replace(found[-1], text=f"{found[-1].text} {sentence.tokens[i]}", end=i + 1)
    return found


def parse(path: str, number: int, line: str) -> tuple[Sentence | None, list[Defect]]:
    """The sentence written on one line ``intent | words [slot words]``, and what is wrong with the line."""
    match = LINE.fullmatch(line)
    if not match:
        return None, [Defect(path, number, "not of the form `intent | sentence`")]
    intent, marked = match.groups()
    wrong: list[str] = []
    if intent not in INTENTS:
        wrong.append(f"no such intent: {intent}")
    tokens: list[str] = []
    labels: list[str] = []
    at = 0
    for span in SPAN.finditer(marked):
        before, slot, words = marked[at : span.start()], span[1], span[2].split()
        if before and not before[-1].isspace():
            wrong.append(f"no space before {span[0]}")
        at = span.end()
        if marked[at : at + 1].strip():
            wrong.append(f"no space after {span[0]}")
        wrong += span_defects(intent, slot, words)
        tokens += [*before.split(), *words]
        labels += [OUTSIDE] * len(before.split()) + [f"B-{slot}"] + [f"I-{slot}"] * (len(words) - 1)
    rest = marked[at:].split()
    tokens += rest
    labels += [OUTSIDE] * len(rest)
    text = " ".join(tokens)
    if "[" in text or "]" in text:
        wrong.append("brackets do not match")
    if text != text.lower() or not all(c.isalnum() or c in "' []" for c in text):
        wrong.append("not lower case without punctuation")
    defects = [Defect(path, number, what) for what in wrong]
    return Sentence(path, number, intent, tuple(tokens), tuple(labels)), defects


def span_defects(intent: str, slot: str, words: Sequence[str]) -> list[str]:
    """What the label policy forbids about one span."""
    shown = f"[{slot} {' '.join(words)}]"
    if slot not in SLOTS:
        return [f"no such slot in {shown}"]
    wrong = []
    if slot not in ALLOWED.get(intent, ()):
        wrong.append(f"{intent} has no slot {slot}: {shown}")
    if not words:
        return [*wrong, f"empty span {shown}"]
    spelled = len(words) > 1 and len(words[1]) == 1  # "a a batteries", "a t m"
    if " ".join(words) not in WHOLE and not spelled and words[0] in ARTICLES | PREPOSITIONS:
        wrong.append(f"a span begins with no article or preposition: {shown}")
    if len(words) > 1 and words[-1] in DANGLING:
        wrong.append(f"a span ends with no article, preposition or conjunction: {shown}")
    return wrong


def read_sentences(paths: Iterable[Path]) -> tuple[list[Sentence], list[Defect]]:
    """All sentences of the files and their defects, among them repeated sentences."""
    sentences: list[Sentence] = []
    defects: list[Defect] = []
    seen: dict[str, Sentence] = {}
    for path in paths:
        for number, line in lines_of(path):
            sentence, wrong = parse(path.name, number, line)
            defects += wrong
            if sentence is None:
                continue
            first = seen.setdefault(sentence.text, sentence)
            if first is not sentence:
                same = (first.intent, first.labels) == (sentence.intent, sentence.labels)
                how = "repeats" if same else "labels differently"
                defects.append(Defect(path.name, number, f"{how} the sentence of {first.path}:{first.line}"))
            sentences.append(sentence)
    return sentences, defects


def read_values(folder: Path) -> tuple[list[Values], list[Defect]]:
    """The value lists of a folder and their defects; the first line of each file names its slots."""
    lists: list[Values] = []
    defects: list[Defect] = []
    owner: dict[tuple[str, str], str] = {}
    for path in sorted(folder.glob("*.txt")):
        name = f"{folder.name}/{path.name}"
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        slots = tuple(first.removeprefix(SHARED).split()) if first.startswith(SHARED) else ()
        if not slots or not set(slots) <= set(SLOTS):
            defects.append(Defect(name, 1, f"the first line must be `{SHARED}NAME ...` with known slots"))
            continue
        words: list[str] = []
        for number, line in lines_of(path):
            for slot in slots:
                other = owner.setdefault((slot, line), name)
                if other != name or line in words:
                    defects.append(Defect(name, number, f"{line!r} of {slot} stands in {other} already"))
                    break
            words.append(line)
            defects += [Defect(name, number, w) for w in span_defects("store_location", "location", line.split())]
        lists.append(Values(name, slots, tuple(words)))
    return lists, defects


def with_value(sentence: Sentence, span: Span, value: str) -> Sentence:
    """The sentence with another value in one span, and the article before it made to fit."""
    words = value.split()
    tokens, labels = list(sentence.tokens), list(sentence.labels)
    tokens[span.start : span.end] = words
    labels[span.start : span.end] = [f"B-{span.slot}"] + [f"I-{span.slot}"] * (len(words) - 1)
    before = span.start - 1
    if before >= 0 and labels[before] == OUTSIDE and tokens[before] in {"a", "an"}:
        tokens[before] = "an" if VOWEL.match(value) else "a"
    return replace(sentence, tokens=tuple(tokens), labels=tuple(labels))


def expand(
    sentences: Sequence[Sentence], lists: Sequence[Values], *, times: int, seed: int, taken: Iterable[str]
) -> list[Sentence]:
    """Up to ``times`` new sentences for each given one that holds a listed value, drawn by the seed.

    Every listed value of a sentence is exchanged for another of its class. No new sentence equals one in ``taken``
    or another new one.
    """
    classes = {(slot, word): values for values in lists for slot in values.slots for word in values.words}
    rng = random.Random(seed)
    seen = set(taken)
    new: list[Sentence] = []
    for sentence in sentences:
        for _ in range(times):
            changed = sentence
            for span in reversed(spans(sentence)):  # from the right, so that earlier positions stay true
                values = classes.get((span.slot, span.text))
                if values:
                    changed = with_value(changed, span, rng.choice([w for w in values.words if w != span.text]))
            if changed.text not in seen:
                seen.add(changed.text)
                new.append(changed)
    return new


def audit(sentences: Sequence[Sentence]) -> list[str]:
    """Surfaces that carry several slots, or a slot here and none there, within one family of intents."""
    labelled: dict[tuple[str, str], dict[str, list[Sentence]]] = defaultdict(lambda: defaultdict(list))
    for sentence in sentences:
        for span in spans(sentence):
            labelled[family(sentence), span.text][span.slot].append(sentence)
    plain = {(fam, text): tuple(text.split()) for fam, text in labelled}
    for sentence in sentences:
        for (fam, text), words in plain.items():
            if fam == family(sentence):
                for i in range(len(sentence.tokens) - len(words) + 1):
                    j = i + len(words)
                    if sentence.tokens[i:j] == words and set(sentence.labels[i:j]) == {OUTSIDE}:
                        labelled[fam, text][OUTSIDE].append(sentence)
    report = []
    for (fam, text), slots in sorted(labelled.items()):
        if len(slots) > 1:
            where = "; ".join(
                f"{slot} {len(found)}x e.g. {found[0].path}:{found[0].line} {found[0].text!r}"
                for slot, found in sorted(slots.items())
            )
            report.append(f"{fam}: {text!r}: {where}")
    return report


def family(sentence: Sentence) -> str:
    """``weather``, ``retail`` or the intent itself: a surface should mean one thing within a family."""
    if sentence.intent in WEATHER:
        return "weather"
    return "retail" if sentence.intent in {"price_check", "inventory_check"} else sentence.intent


def write(folder: Path, name: str, sentences: Sequence[Sentence]) -> None:
    """None; writes NAME.tsv (header, sentence TAB intent number) and NAME_slots.tsv (a label number a token)."""
    rows = [f"{s.text}\t{INTENTS.index(s.intent)}" for s in sentences]
    slots = [" ".join(str(LABELS.index(label)) for label in s.labels) for s in sentences]
    (folder / f"{name}.tsv").write_text("\n".join(["sentence\tlabel", *rows, ""]), encoding="utf-8")
    (folder / f"{name}_slots.tsv").write_text("\n".join([*slots, ""]), encoding="utf-8")


def counts(groups: Mapping[str, Sequence[Sentence]]) -> str:
    """A table of sentences by intent and of spans by slot, one column a group."""
    intents = {name: Counter(s.intent for s in group) for name, group in groups.items()}
    slots = {name: Counter(span.slot for s in group for span in spans(s)) for name, group in groups.items()}
    header = f"{'':28}" + "".join(f"{name:>14}" for name in groups)
    rows = [header]
    for names, table in ((INTENTS, intents), (SLOTS, slots)):
        rows += [f"{n:28}" + "".join(f"{table[group][n]:14}" for group in groups) for n in names]
        rows.append(f"{'all':28}" + "".join(f"{sum(table[group].values()):14}" for group in groups))
    return "\n".join(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """0, or 1 when there are defects."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--source", type=Path, default=HERE / "source", help="the annotated sentences")
    parser.add_argument("--out", type=Path, default=HERE, help="where the NeMo files go")
    parser.add_argument("--expand", type=int, default=0, metavar="N", help="new rows for each training line (0)")
    parser.add_argument("--seed", type=int, default=20, help="of the expansion (20)")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--audit", action="store_true", help="list surfaces that carry several labels")
    args = parser.parse_args(argv)

    files = sorted(args.source.glob("*.txt"), key=lambda p: (p.name in HELD_OUT, p.name))
    sentences, defects = read_sentences(files)
    lists, wrong = read_values(args.source / "values")
    defects += wrong
    if not files:
        defects.append(Defect(str(args.source), 0, "no *.txt here"))
    if defects:
        listed = "\n  ".join(str(d) for d in sorted(defects, key=lambda d: (d.path, d.line)))
        sys.stderr.write(f"{len(defects)} defects, nothing written; mend these lines:\n  {listed}\n")
        return 1
    hand = [s for s in sentences if s.path not in HELD_OUT]
    held = {name: [s for s in sentences if s.path == path] for path, name in HELD_OUT.items()}
    drawn = expand(hand, lists, times=args.expand, seed=args.seed, taken=(s.text for s in sentences))
    if args.audit:
        sys.stdout.write("\n".join([*audit(sentences), ""]))
    if not args.check:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "dict.intents.csv").write_text("\n".join([*INTENTS, ""]), encoding="utf-8")
        (args.out / "dict.slots.csv").write_text("\n".join([*LABELS, ""]), encoding="utf-8")
        write(args.out, "train", [*hand, *drawn])
        for name, part in held.items():
            write(args.out, name, part)
    sys.stdout.write(counts({"train": [*hand, *drawn], **held}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
