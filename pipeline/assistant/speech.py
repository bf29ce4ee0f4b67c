"""Replies as a voice says them: sentence by sentence, the first piece short so that it can be heard at once. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

SHORT = 60  # characters of a first piece; about four seconds of speech
_SHORTEST_WORDS = 3  # on either side of a cut inside a sentence
_ENDS = re.compile(r"[.!?…][\"”’')]*( )(?=[\"“‘'(]*[A-Z0-9$€£¿¡])")
_CLAUSES = re.compile(r"(?<=[,;:–—])\s+|\s+(?=(?:and|but|or|so|because|which|with)\s)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|ave|blvd|rd|no|vs|jr|sr|inc|ltd|co|approx|e\.g|i\.e|u\.s|a\.m|p\.m)|\b[A-Z])\.$",
    re.IGNORECASE,
)


def sentences_of(text: str) -> list[str]:
    """The pieces that a text is spoken in, in order; joined by spaces they are the text.

    Sentences; a first one of more than 60 characters is cut at a clause, so that its beginning can be synthesised
    while nobody has waited long. A point after an abbreviation ("St.", "a.m.") or in a number ends no sentence.
    """
    line = " ".join(text.split())
    pieces: list[str] = []
    start = 0
    for end in _ENDS.finditer(line):
        if not _ABBREVIATION.search(line, start, end.start(1)):
            pieces.append(line[start : end.start(1)])
            start = end.end(1)
    if start < len(line):
        pieces.append(line[start:])
    return [*_halves(pieces[0]), *pieces[1:]] if pieces else []


def said_once(replies: Sequence[str]) -> tuple[str, ...]:
    """The replies, without a last sentence that the next one ends with too, such as where the answers come from."""
    kept = list(replies)
    for number, (reply, following) in enumerate(pairwise(replies)):
        last = sentences_of(reply)[-1:]
        if last and len(sentences_of(reply)) > 1 and following.endswith(f" {last[0]}"):
            kept[number] = reply.removesuffix(last[0]).rstrip()
    return tuple(kept)


def _halves(sentence: str) -> list[str]:
    """The sentence, or its two parts at the last clause that leaves the first one short."""
    if len(sentence) <= SHORT:
        return [sentence]
    cuts = [
        cut
        for cut in _CLAUSES.finditer(sentence)
        if cut.start() <= SHORT
        and len(sentence[: cut.start()].split()) >= _SHORTEST_WORDS
        and len(sentence[cut.end() :].split()) >= _SHORTEST_WORDS
    ]
    if not cuts:
        return [sentence]
    return [sentence[: cuts[-1].start()], sentence[cuts[-1].end() :]]
