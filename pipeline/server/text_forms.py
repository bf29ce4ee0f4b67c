"""The forms a transcript can take: ``plain``, ``written``, ``spoken``, and with profane words masked.

Each is a Form: ``plain("Hello, Joe!")`` gives a text, ``plain.words(words)`` the same with the words' times.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.server.profanity import WORDS
from pipeline.server.rewriting import Edit, Form
from pipeline.server.spoken_form import spoken
from pipeline.server.written_form import written

__all__ = ["mask_profanity", "plain", "spoken", "written"]

# What is left of a word without its punctuation: numbers keep the marks inside them and their signs, words their
# apostrophes, masked ones their stars, addresses their dots and at signs. Dashes and slashes between letters part
# words.
_KEPT = re.compile(
    r"(?:(?<!\w)[-+])?[$€£¥₩#]?\d+(?:[.,:/-]\d+)*[^\W\d_]*[%°]?[^\W\d_]*"
    r"|[^\W_]+(?:['.@&][^\W_]+|\*{2,}[^\W_]*)*|[&%°$€£¥₩]"
)
_INITIALS = re.compile(r"(?:[a-z]\.)+[a-z]")
_PART = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def _plain(words: Sequence[str]) -> list[Edit]:
    edits = []
    for index, word in enumerate(words):
        kept = [part for found in _KEPT.findall(word.lower().replace("’", "'")) for part in _initials(found)]
        if kept != [word]:
            edits.append(Edit(index, index + 1, tuple(kept)))
    return edits


def _initials(word: str) -> list[str]:
    """Dotted letters without their dots: ``a.m`` is one word, ``u.s`` two, so that it is not taken for "us"."""
    if _INITIALS.fullmatch(word):
        return [word.replace(".", "")] if word in ("a.m", "p.m") else word.split(".")
    return [word]


def _masked(words: Sequence[str]) -> list[Edit]:
    edits = []
    for index, word in enumerate(words):
        masked = _PART.sub(lambda part: _mask(part[0]), word)
        if masked != word:
            edits.append(Edit(index, index + 1, (masked,)))
    return edits


def _mask(word: str) -> str:
    stem, apostrophe, ending = word.replace("’", "'").partition("'")
    return stem[0] + "*" * (len(stem) - 1) + apostrophe + ending if stem.lower() in WORDS else word


plain = Form(_plain)
"""Lower case without punctuation, as a recogniser writes without automatic punctuation. Numbers keep their marks."""

mask_profanity = Form(_masked)
"""Profane words with all but their first letter starred: Riva's ``profanity_filter`` (riva_asr.proto: "x**")."""
