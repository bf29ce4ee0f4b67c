"""Masks what is personal in texts: card, phone and other long numbers, in figures or as spoken, and mail addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WRITTEN_MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_SPOKEN_MAIL = r"\b\w+(?:(?: dot | underscore | dash )\w+)* at \w+(?: dot \w+)+\b"
_MAIL = re.compile(f"{_WRITTEN_MAIL}|{_SPOKEN_MAIL}", re.IGNORECASE)
# Figures that are no number of somebody's: dates, times of day, amounts.
_PLAIN = re.compile(
    r"\b\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?\b|\b\d{1,2}:\d{2}(?::\d{2})?\b|[$€£¥]\s?\d[\d,]*(?:\.\d+)?|"
    r"\b\d{1,3}(?:,\d{3})+(?:\.\d+)?\b|(?<![\d.])\d+\.\d{1,2}(?![\d.])"
)
_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SAID = (
    {word: str(digit) for digit, word in enumerate(_UNITS)}
    | {word: str(number) for number, word in enumerate(_TEENS, 10)}
    | {word: str(number) for number, word in zip(range(20, 100, 10), _TENS, strict=True)}
    | {"oh": "0", "o": "0"}
)
_TIMES = {"double": 2, "triple": 3}
_TOKEN = re.compile(r"\d+|[a-z]+", re.IGNORECASE)
_BETWEEN = re.compile(r"[ \t+().,/–-]{0,4}")
_YEARS = range(1900, 2100)


@dataclass(frozen=True)
class Span:
    """A personal part of a text: characters ``start`` to ``end`` (exclusive), and its kind."""

    start: int
    end: int
    kind: str

    @property
    def mask(self) -> str:
        """What stands in its place."""
        return f"[{self.kind}]"


@dataclass(frozen=True)
class _Figure:
    """A part of a number: its digits, and the characters they stand for."""

    digits: str
    start: int
    end: int
    tens: bool = False  # "twenty", which a "three" may follow


def redact(text: str, kinds: Sequence[str]) -> str:
    """The text with what is personal replaced by ``[card]``, ``[phone]``, ``[email]`` or ``[number]``.

    ``kinds`` are some of ``settings.PERSONAL``: card is 13 digits and more, phone 7 to 15, number any other 4 and
    more; "double five" and "twenty three" count as digits. Dates, times of day, amounts and lone years stay. The check
    digit of a card is not asked for, since a recogniser may mishear one.
    """
    out, done = [], 0
    for span in personal(text, kinds):
        out += [text[done : span.start], span.mask]
        done = span.end
    return "".join([*out, text[done:]])


def personal(text: str, kinds: Sequence[str]) -> list[Span]:
    """The personal parts of a text in order; none overlaps another."""
    mails = [Span(found.start(), found.end(), "email") for found in _MAIL.finditer(text)]
    barred = [*((mail.start, mail.end) for mail in mails), *(found.span() for found in _PLAIN.finditer(text))]
    numbers = [span for run in _runs(text, barred) if (span := _number(text, run, kinds))]
    return sorted([*(mails if "email" in kinds else ()), *numbers], key=lambda span: span.start)


def moved(start: int, end: int, spans: Sequence[Span]) -> tuple[int, int]:
    """Where the characters ``start`` to ``end`` are in the redacted text; a part of a span becomes the whole mask."""
    shift = 0
    new_start, new_end = start, end
    for span in spans:
        grown = len(span.mask) - (span.end - span.start)
        if span.end <= start:
            new_start += grown
        elif span.start < start:
            new_start = span.start + shift
        if span.end <= end:
            new_end += grown
        elif span.start < end:
            new_end = span.start + shift + len(span.mask)
        shift += grown
    return new_start, new_end


def _number(text: str, run: list[_Figure], kinds: Sequence[str]) -> Span | None:
    digits = "".join(figure.digits for figure in run)
    end = run[-1].end
    glued = text[: run[0].start][-1:].isalpha() or text[end : end + 1].isalpha()  # "AB1234567" is no phone's
    if len(digits) >= 13 and "card" in kinds and not glued:
        kind = "card"
    elif 7 <= len(digits) <= 15 and "phone" in kinds and not glued:
        kind = "phone"
    elif len(digits) >= 4 and "number" in kinds and not (len(digits) == 4 and int(digits) in _YEARS):
        kind = "number"
    else:
        return None
    start = run[0].start
    while start and text[start - 1] in "+(":
        start -= 1
    return Span(start, end, kind)


def _runs(text: str, barred: Sequence[tuple[int, int]]) -> Iterator[list[_Figure]]:
    """The figures that follow each other with nothing but spaces and punctuation between."""
    run: list[_Figure] = []
    times = 1  # of a "double" or "triple" before
    start = 0  # where that word stands
    for token in _TOKEN.finditer(text):
        word = token[0].lower()
        digits = word if word.isdigit() else _SAID.get(word, "")
        inside = any(low < token.end() and token.start() < high for low, high in barred)
        begins = start if times > 1 else token.start()
        follows = bool(run) and _BETWEEN.fullmatch(text, run[-1].end, begins) is not None
        if inside or not (digits or word in _TIMES):
            if run:
                yield run
            run, times = [], 1
        elif word in _TIMES:
            times, start = _TIMES[word], token.start()
        else:
            if run and not follows:
                yield run
                run = []
            if run and run[-1].tens and word in _UNITS[1:]:
                last = run.pop()
                run.append(_Figure(last.digits[0] + digits, last.start, token.end()))
            else:
                run.append(_Figure(digits * times, begins, token.end(), word in _TENS))
            times = 1
    if run:
        yield run
