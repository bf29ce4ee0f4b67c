"""Names that sound like what a recogniser wrote: "pears" for Paris, "bless Angela's" for Los Angeles. Pure.

Likeness is half of letters (RapidFuzz) and half of consonants' sounds (Metaphone, by jellyfish). Metaphone knows no
vowels, so it alone would take "Crete" for "crate"; letters alone do not find Paris in "pears".
"""

from __future__ import annotations

from collections.abc import Iterable

from jellyfish import metaphone
from rapidfuzz import fuzz

from fulfillment.words import fold

CLEAR = 77.0  # of 100: likeness from which a name may be the one that was said
AHEAD = 4.0  # how much likelier it must be than the next one
LONGEST = 40  # letters of a name
_LOST, _HEARD = 3, 4  # letters of a first syllable that was not heard, and of the rest, at least


class Sounds:
    """Names to compare with; they never change, so threads may share them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = [(name, *_written_and_spoken(name)) for name in dict.fromkeys(names)]

    def closest(self, heard: str) -> tuple[str, float]:
        """The name that clearly sounds most like what was heard, with its likeness 0..100; ``("", 0.0)`` for none."""
        letters, sounds = _written_and_spoken(heard)
        if not sounds or len(letters) > LONGEST:
            return "", 0.0
        scored = sorted(
            ((_likeness(letters, sounds, written, spoken), name) for name, written, spoken in self._names), reverse=True
        )[:2]
        if not scored or scored[0][0] < CLEAR or (len(scored) > 1 and scored[0][0] - scored[1][0] < AHEAD):
            return "", 0.0
        likeness, name = scored[0]
        return name, likeness


def _likeness(letters: str, sounds: str, written: str, spoken: str) -> float:
    """0..100; a beginning that was not heard costs letters, but no sounds: "lanta" is rather Atlanta than Luanda."""
    lost = len(written) - len(letters)
    if 0 < lost <= _LOST and len(letters) >= _HEARD and written.endswith(letters):
        spoken = sounds
    return (fuzz.ratio(letters, written) + fuzz.ratio(sounds, spoken)) / 2


def _written_and_spoken(text: str) -> tuple[str, str]:
    words = fold(text).split()
    return "".join(words), "".join(metaphone(word) for word in words)
