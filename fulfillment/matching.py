"""Finds things by what people call them: in other words' order, singular or plural, and slightly misheard. Pure.

The words of a question are looked up among the words of all names, alike ones too (RapidFuzz). The names are ranked by
how much of the question they explain and how much of them the question names, where rare words count more.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from rapidfuzz import fuzz, process

from fulfillment.words import stems

Key = TypeVar("Key", bound=Hashable)

SURE = 0.72  # how much of the question the name of a thing that is meant explains
CLOSE = 0.4  # and of a thing that is only like it
AS_GOOD = 0.05  # names within this much of the best one are as good
MOST_FOUND = 200  # things that are about as good
MOST_WORDS = 12  # of a question; people ask with fewer
_SMALL = frozenset({
    "a", "an", "the", "of", "for", "with", "and", "or", "in", "to", "my", "some", "any", "one", "new", "good", "place",
    "places", "spot", "joint", "me", "i", "please", "that", "this",
})  # fmt: skip


@dataclass(frozen=True)
class Match(Generic[Key]):
    """A thing found; ``score`` is 0..1, 1 where the question is its very name; ``explained`` is how much of it is."""

    key: Key
    score: float
    explained: float


class Index(Generic[Key]):
    """Names of things, to search; it never changes, so threads may share it."""

    def __init__(self, names: Iterable[tuple[Key, str]], small: frozenset[str] = frozenset()) -> None:
        """``names`` may name a thing several times; the words in ``small`` say nothing here."""
        self._small = _SMALL | small
        self._phrases: list[tuple[Key, tuple[str, ...]]] = []
        self._holding: dict[str, list[int]] = defaultdict(list)
        self._joined: dict[str, tuple[str, str]] = {}
        for key, name in names:
            words = tuple(dict.fromkeys(stems(name, self._small)))
            if not words:
                continue
            for word in words:
                self._holding[word].append(len(self._phrases))
            for first, second in pairwise(words):
                self._joined[first + second] = (first, second)
            self._phrases.append((key, words))
        total = len(self._phrases) + 1
        self._weight = {word: math.log(1 + total / len(held)) for word, held in self._holding.items()}
        self._by_length = _by_length(self._holding)

    def search(self, question: str) -> list[Match[Key]]:
        """The things that the question may name, the best first, each once.

        Its last word counts double and must be explained: milk is what "organic milk" is.
        """
        asked = self._split(stems(question, self._small)[:MOST_WORDS])
        if not asked:
            return []
        found: dict[int, dict[str, tuple[str, float]]] = defaultdict(dict)  # phrase -> its word -> the asked word
        for word in reversed(asked):
            last = word == asked[-1]
            for other, likeness in self._alike(word).items():
                for number in self._holding[other]:
                    if (last or number in found) and likeness > found[number].get(other, ("", 0.0))[1]:
                        found[number][other] = (word, likeness)
        weights = [1.0] * (len(asked) - 1) + [2.0]
        best: dict[Key, Match[Key]] = {}
        for number, matched in found.items():
            key, words = self._phrases[number]
            likeness_of: dict[str, float] = {}
            for word, likeness in matched.values():
                likeness_of[word] = max(likeness_of.get(word, 0.0), likeness)
            known = sum(w * likeness_of.get(word, 0.0) for word, w in zip(asked, weights, strict=True))
            explained = known / sum(weights)
            if explained < CLOSE:
                continue
            named = sum(self._weight[word] * likeness for word, (_, likeness) in matched.items())
            score = 0.75 * explained + 0.25 * named / sum(self._weight[word] for word in words)
            if key not in best or score > best[key].score:
                best[key] = Match(key, score, explained)
        return sorted(best.values(), key=lambda match: -match.score)

    def best(self, question: str, explained: float = SURE) -> list[Key]:
        """The things that the question names best, all that are about as good."""
        found = [match for match in self.search(question) if match.explained >= explained]
        return [match.key for match in found if match.score >= found[0].score - AS_GOOD][:MOST_FOUND]

    def _split(self, words: Sequence[str]) -> list[str]:
        """The words with "airpod" as "air", "pod", or "air", "pod" as "airpod", where the names spell them so."""
        split: list[str] = []
        for word in words:
            known = word in self._holding
            if not known and word in self._joined:
                split += self._joined[word]
            elif split and split[-1] + word in self._holding and not (known and split[-1] in self._holding):
                split[-1] += word
            else:
                split.append(word)
        return list(dict.fromkeys(split))

    def _alike(self, word: str) -> Mapping[str, float]:
        """Words of the names that the word may stand for, with their likeness 0..1; a known word stands for itself."""
        if word in self._holding:
            return {word: 1.0}
        if len(word) < 4 or word.replace(".", "").isdecimal():
            return {}
        near = [other for length in range(len(word) - 2, len(word) + 3) for other in self._by_length.get(length, ())]
        found = process.extract(word, near, scorer=fuzz.ratio, limit=3, score_cutoff=74)
        return {other: score / 100 for other, score, _ in found if len(word) > 5 or other[0] == word[0]}


def _by_length(words: Iterable[str]) -> Mapping[int, Sequence[str]]:
    lengths: dict[int, list[str]] = defaultdict(list)
    for word in words:
        if len(word) >= 3 and not word.replace(".", "").isdecimal():
            lengths[len(word)].append(word)
    return lengths
