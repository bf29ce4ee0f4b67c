"""A text as a row of words, and some of them replaced by others: the same for bare texts and for words with times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.calls import Word


@dataclass(frozen=True)
class Edit:
    """The words from ``start`` to ``end`` (exclusive) of a text and what stands in their place; it may be nothing."""

    start: int
    end: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """A way to write what was said. It rewrites a text and timed words alike, so that the two always agree."""

    edits: Callable[[Sequence[str]], list[Edit]]  # of the words of a text, in their order, not overlapping

    def __call__(self, text: str) -> str:
        """``text`` in this form, with single spaces between its words."""
        words = text.split()
        return " ".join(_replace(words, self.edits(words)))

    def words(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """``words`` in this form. Joined by spaces they read as the rewritten text.

        Words that become one take the time from the first's start to the last's end and the lowest confidence; words
        that come out of others share their time by length, which is an estimate.
        """
        single = [piece for word in words for piece in _share((word,), tuple(word.text.split()))]
        result: list[Word] = []
        position = 0
        for edit in self.edits([word.text for word in single]):
            result += single[position : edit.start]
            result += _share(single[edit.start : edit.end], edit.words)
            position = edit.end
        return (*result, *single[position:])


def _replace(words: Sequence[str], edits: Sequence[Edit]) -> list[str]:
    result: list[str] = []
    position = 0
    for edit in edits:
        result += words[position : edit.start]
        result += edit.words
        position = edit.end
    return [*result, *words[position:]]


def _share(source: Sequence[Word], texts: tuple[str, ...]) -> list[Word]:
    """``texts`` in the time of ``source``, each as long as its share of the letters."""
    if not source or not texts:
        return []
    if len(source) == len(texts):
        return [Word(text, word.start_s, word.end_s, word.confidence) for word, text in zip(source, texts, strict=True)]
    start_s, end_s = source[0].start_s, max(source[0].start_s, source[-1].end_s)
    sure = [word.confidence for word in source if word.confidence is not None]
    letters = sum(map(len, texts))
    passed = 0
    bounds = [start_s]
    for text in texts:
        passed += len(text)
        bounds.append(start_s + (end_s - start_s) * passed / letters)
    bounds[-1] = end_s
    return [
        Word(text, begins_s, ends_s, min(sure) if sure else None)
        for text, (begins_s, ends_s) in zip(texts, pairwise(bounds), strict=True)
    ]
