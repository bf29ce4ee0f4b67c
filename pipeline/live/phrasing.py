"""An answer in the pieces it is synthesised in: the first one short, since nothing is heard before it is made. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.assistant import sentences_of

SHORT = 24  # characters: a second and a half of speech
_LONGEST = 40
_LEAST_WORDS = 2  # on either side of a cut
# A phrase begins here, and a speaker may well draw breath before it.
_PHRASE = re.compile(
    r"(?<=[,;:])\s+|\s+(?=(?:in|at|on|for|from|with|to|about|near|is|are|has|have|costs|cost|and|or|but|so|that|which)\s)",
    re.IGNORECASE,
)


def pieces_of(replies: Sequence[str]) -> list[str]:
    """The replies in sentences, the first of them cut where a phrase ends early; joined by spaces they are the replies.

    Making speech takes time in proportion to its length: the first phrase of a sentence is there in a third of it.
    """
    sentences = [sentence for reply in replies for sentence in sentences_of(reply)]
    return [*_opened(sentences[0]), *sentences[1:]] if sentences else []


def as_spoken(piece: str) -> str:
    """``piece`` as the voice gets it: one that goes on ends in a comma, so that it does not sound like an end."""
    return piece if piece[-1:] in ".?!…,;:\"”’')" else piece + ","


def _opened(sentence: str) -> list[str]:
    if len(sentence) <= SHORT:
        return [sentence]
    cuts = [
        cut
        for cut in _PHRASE.finditer(sentence)
        if cut.start() <= _LONGEST
        and len(sentence[: cut.start()].split()) >= _LEAST_WORDS
        and len(sentence[cut.end() :].split()) >= _LEAST_WORDS
    ]
    if not cuts:
        return [sentence]
    best = min(cuts, key=lambda cut: abs(cut.start() - SHORT * 3 // 4))
    return [sentence[: best.start()], sentence[best.end() :]]
