"""Exchange of slot values in training sentences, so that a value's place in the sentence counts, not only the value.

The lists are text files: the first line is ``# slots: NAME ...``, each further one a value of these slots; the values
of one file may stand for each other. Lines that begin with ``#`` are comments.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import InputError
from pipeline.server.bio import spans

_HEADER = "# slots: "
# Before these "an" is said: sounds of vowels, letters read out ("h d tv"), not "a unit", "a euro", "a one".
_VOWEL = re.compile(r"(?!(uni|use|usb|uk|euro|one\b|once|u\b))[aeiou]|hour|[fhlmnrsx]\b")

Values = Mapping[tuple[str, str], Sequence[str]]  # slot and value -> the values that may take its place


def read(folder: Path) -> Values:
    """The values of all ``*.txt`` of a folder.

    Raises InputError when the folder holds none, or with the names of all files that name no slots.
    """
    found: dict[tuple[str, str], Sequence[str]] = {}
    wrong = []
    files = sorted(folder.glob("*.txt"))
    for path in files:
        first, _, rest = path.read_text(encoding="utf-8").partition("\n")
        slots = first.removeprefix(_HEADER).split() if first.startswith(_HEADER) else []
        if not slots:
            wrong.append(path.name)
        values = [line for line in rest.splitlines() if line and not line.startswith("#")]
        found |= {(slot, value): values for slot in slots for value in values}
    if wrong or not files:
        raise InputError(
            f"values {folder}: " + (f"no `{_HEADER}NAME` first in {', '.join(wrong)}" if wrong else "no *.txt here")
        )
    return found


def exchanged(
    words: Sequence[str], tags: Sequence[str], values: Values, rng: random.Random, share: float
) -> tuple[list[str], list[str]]:
    """The sentence with about ``share`` of its listed values exchanged for others of their lists, and its tags.

    "a" or "an" before an exchanged value is put right.
    """
    said, kept = list(words), list(tags)
    for start, end, slot in reversed(spans(tags)):
        others = values.get((slot, " ".join(words[start:end])))
        if not others or rng.random() >= share:
            continue
        new = rng.choice(others).split()
        said[start:end] = new
        kept[start:end] = [f"B-{slot}"] + [f"I-{slot}"] * (len(new) - 1)
        if start and kept[start - 1] == "O" and said[start - 1] in ("a", "an"):
            said[start - 1] = "an" if _VOWEL.match(" ".join(new)) else "a"
    return said, kept
