"""Word boosting: the texts in which something heard gives way to a phrase that the client expects. Pure.

A text is only proposed here; whether it is what was said, the recogniser decides by the sound (hypotheses.py). So a
phrase cannot turn up out of nothing, as it does when Whisper is given it as a prompt: told to expect forty cities, it
wrote "Illinois, Ohio" for a "no".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jellyfish import metaphone
from rapidfuzz import fuzz, process

NATS = 0.1  # natural logarithm's units of probability that a boost of 1 is worth: 20 makes a phrase 7 times as likely
MOST_NATS = 10.0
MOST_VARIANTS = 10
_ALIKE = 45.0  # of 100, half letters and half consonants' sounds: less is no use proposing
_LONGEST_WORDS = 4  # of a stretch that gives way
_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True)
class Boosts:
    """The phrases that are expected, and by how much likelier each is, in natural logarithms."""

    nats: Mapping[str, float]

    def worth(self, text: str) -> float:
        """What the likeliest phrase in ``text`` adds to its score; the least likely one's where all are negative."""
        bare = f" {plain(text)} "
        found = [nats for phrase, nats in self.nats.items() if f" {plain(phrase)} " in bare]
        return max(found, default=0.0)


NONE = Boosts({})


def boosts(phrases: Mapping[str, float]) -> Boosts:
    """Boosts on Riva's scale (about 20 to 100, negative to discourage) as natural logarithms within bounds."""
    return Boosts({phrase: min(max(NATS * boost, -MOST_NATS), MOST_NATS) for phrase, boost in phrases.items()})


def plain(text: str) -> str:
    """The words alone, in lower case: texts that differ in nothing else are the same."""
    return " ".join(word.lower().replace("’", "'") for word in _WORDS.findall(text))


def variants(texts: Sequence[str], expected: Boosts) -> list[str]:
    """Texts with one stretch replaced by an expected phrase that is written or sounds like it, likeliest first."""
    phrases = [phrase for phrase, nats in expected.nats.items() if nats > 0 and plain(phrase)]
    if not phrases:
        return []
    stretches = [(text, *span) for text in texts for span in _stretches(text)]
    if not stretches:
        return []
    likeness = _likeness([text[start:end] for text, start, end in stretches], phrases)
    found: dict[str, str] = {}
    have = {plain(text) for text in texts}
    for place in np.argsort(-likeness, axis=None):
        row, column = divmod(int(place), len(phrases))
        if likeness[row, column] < _ALIKE or len(found) >= MOST_VARIANTS:
            break
        text, start, end = stretches[row]
        made = text[:start] + phrases[column] + text[end:]
        if plain(made) not in have:
            found.setdefault(plain(made), made)
    return list(found.values())


def _stretches(text: str) -> list[tuple[int, int]]:
    words = list(_WORDS.finditer(text))
    return [
        (words[first].start(), words[last].end())
        for first in range(len(words))
        for last in range(first, min(first + _LONGEST_WORDS, len(words)))
    ]


def _likeness(heard: Sequence[str], phrases: Sequence[str]) -> npt.NDArray[np.float32]:
    def compared(of: Sequence[str], to: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.asarray(process.cdist(of, to, scorer=fuzz.ratio, dtype=np.float32))

    letters = compared(*([plain(one).replace(" ", "") for one in side] for side in (heard, phrases)))
    sounds = compared(*([_sound(one) for one in side] for side in (heard, phrases)))
    return np.asarray((letters + sounds) / 2, dtype=np.float32)


def _sound(text: str) -> str:
    return "".join(metaphone(word) for word in plain(text).split())
