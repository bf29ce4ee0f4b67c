"""Whisper's caption style mended: lines that begin with a capital after a pause and end without a mark.

Now and then Whisper writes a whole window like subtitles ("from the membership team I Understand may I ask why"). The
pauses between its words tell where such lines begin, and our punctuation model which mark closes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from pipeline.calls import Word
from pipeline.server.heard import Heard

_PAUSE_S = 0.35  # a name in the middle of a sentence rarely follows a longer one
_WORD_S = 0.25  # the length of a word is this ...
_LETTER_S = 0.06  # ... and this for each letter; what is longer hides a pause: Whisper stretches words over silences
_FEWEST = 3  # words of a text whose missing last mark is added: fewer are often cut off
_CLOSING = ".?!"
_MARKS = ".?!,;:…-–—"

Punctuate = Callable[[Sequence[str]], list[str]]


def mended(heard: Heard, punctuate: Punctuate) -> Heard:
    """``heard`` with a mark where a line of it ends, and in text and words alike; unchanged where it has no words.

    ``punctuate`` gives texts with marks and capitals; of what it says only the last mark of each line is taken.
    """
    words = list(heard.words)
    if [word.text for word in words] != heard.text.split() or len(words) < _FEWEST:
        return heard
    starts = [0, *(at for at in range(1, len(words)) if _line_begins(words[at - 1], words[at])), len(words)]
    open_lines = [(start, end) for start, end in pairwise(starts) if _is_open(words[end - 1])]
    if not open_lines:
        return heard
    marked = punctuate([" ".join(word.text for word in words[start:end]) for start, end in open_lines])
    for (_, end), line in zip(open_lines, marked, strict=True):
        mark = line[-1] if line[-1:] and line[-1] in _CLOSING else "."
        words[end - 1] = replace(words[end - 1], text=words[end - 1].text + mark)
    for at in range(len(words) - 1):
        if words[at].text == "I":  # "I Understand": the line's capital slipped to its second word
            second = words[at + 1]
            words[at + 1] = replace(second, text=second.text[:1].lower() + second.text[1:])
    return replace(heard, text=" ".join(word.text for word in words), words=tuple(words))


def _line_begins(before: Word, word: Word) -> bool:
    stretched_s = max(0.0, word.end_s - word.start_s - _WORD_S - _LETTER_S * len(word.text))
    return _is_open(before) and word.text[:1].isupper() and word.start_s - before.end_s + stretched_s >= _PAUSE_S


def _is_open(word: Word) -> bool:
    return word.text[-1:] not in _MARKS
