"""Figures as they are said: "$3.50 at 7:05" to "three dollars and fifty cents at seven oh five" (English).

inflect names the numbers; the rules here know money, percent, times of day, years, decades, fractions, ranges, dates
and telephone numbers. What nobody can know from the figures (was "1984" a year?) takes its likelier reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.server.rewriting import Edit, Form

if TYPE_CHECKING:
    import inflect

_SPLIT = re.compile(r"([\"'“‘(\[]*)(.*?)([\"'”’)\],.;:!?…]*)", re.DOTALL)
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_CURRENCIES = {
    "$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yen", ""), "₩": ("won", ""),
}  # fmt: skip
_SCALES = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion"}
_LARGE = frozenset({"thousand", "million", "billion", "trillion"})
_UNITS = {"": "", "c": "celsius", "f": "fahrenheit"}
_FRACTIONS = {"1/2": "one half", "1/4": "one quarter", "3/4": "three quarters", "1/3": "one third", "2/3": "two thirds"}
_SIGNS = {"%": "percent", "&": "and", "+": "plus", "=": "equals", "°": "degrees"}


def _edits(words: Sequence[str]) -> list[Edit]:
    if not any(map(_worth_a_look, words)):
        return []
    # A text in lower case is not a written sentence: nothing is capitalised in it.
    cased = any(char.isupper() for word in words for char in word)
    edits = []
    position = 0
    while position < len(words):
        end, text = _reading(words, position) if _worth_a_look(words[position]) else (position + 1, None)
        if text is not None:
            lead, tail = _parts(words[position])[0], _parts(words[end - 1])[2]
            if end > position + 1:
                lead = lead.rstrip("(")  # of "(555) 123-4567", which lost the other bracket
            if cased and (position == 0 or words[position - 1].endswith((".", "?", "!"))):
                text = text[:1].upper() + text[1:]
            edits.append(Edit(position, end, tuple(f"{lead}{text}{tail}".split())))
        position = end
    return edits


def _worth_a_look(word: str) -> bool:
    return word in _SIGNS or any(char.isdecimal() for char in word)


def _parts(word: str) -> tuple[str, str, str]:
    """Opening punctuation, core and closing punctuation of a word."""
    match = _SPLIT.fullmatch(word)
    assert match is not None  # each group may be empty
    return match[1], match[2], match[3]


def _reading(words: Sequence[str], at: int) -> tuple[int, str | None]:
    """The end of the words that are read together from ``at`` on, and how they are read; None: as they stand."""
    _, core, tail = _parts(words[at])
    following = _parts(words[at + 1])[1] if at + 1 < len(words) else ""
    if core in _SIGNS:
        return at + 1, _SIGNS[core]
    money = re.fullmatch(rf"(-?)([$€£¥₩])({_NUMBER})(k|m|bn|b)?", core, re.IGNORECASE)
    if money:
        large = following.lower() if following.lower() in _LARGE and not tail else ""
        scale = large or _SCALES.get((money[4] or "").lower(), "")
        return at + 1 + bool(large), _minus(money[1]) + _money(money[2], money[3], scale)
    if not tail and following == "%" and re.fullmatch(rf"[-+]?(?:{_NUMBER})", core):
        return at + 2, f"{_number(core)} percent"
    if re.fullmatch(r"\d{3}", core) and re.fullmatch(r"\d{3}-\d{4}", following):  # (555) 123-4567
        return at + 2, f"{_digits(core)}, {_digits(following)}"
    if re.fullmatch(r"\d{1,2}:00", core) and following.lower() in ("am", "pm", "a.m", "p.m"):
        return at + 1, _cardinal(int(core[:-3]))
    for pattern, read in _READINGS:
        match = pattern.fullmatch(core)
        if match:
            return at + 1, read(match)
    return at + 1, _mixed(core)


def _money(sign: str, amount: str, scale: str) -> str:
    unit, small = _CURRENCIES[sign]
    whole, _, cents = amount.partition(".")
    if scale:
        return f"{_number(amount)} {scale} {_plural(unit, 2)}"
    if not small or len(cents) != 2:
        return f"{_number(amount)} {_plural(unit, 1 if amount == '1' else 2)}"
    count, change = int(whole.replace(",", "")), int(cents)
    major = f"{_number(whole)} {_plural(unit, count)}" if count or not change else ""
    minor = f"{_cardinal(change)} {_plural(small, change)}" if change else ""
    return " and ".join(filter(None, (major, minor)))


def _plural(unit: str, count: int) -> str:
    if count == 1 or unit in ("yen", "won"):
        return unit
    return "pence" if unit == "penny" else unit + "s"


def _clock(match: re.Match[str]) -> str:
    hour, minutes, rest = int(match[1]), int(match[2]), match[3] or ""
    if hour > 24 or minutes > 59:
        return f"{_cardinal(hour)} {_cardinal(minutes)}"
    said = _cardinal(hour) + (f" {_two(match[2])}" if minutes else "" if rest or not 1 <= hour <= 12 else " o'clock")
    return f"{said} {rest}".strip()


def _year(digits: str) -> str:
    """Four digits as a year: nineteen eighty four, nineteen oh five, nineteen hundred, two thousand five."""
    century, rest = int(digits[:2]), digits[2:]
    if rest == "00" and century % 10:
        return f"{_cardinal(century)} hundred"
    if century % 10 == 0 and int(rest) < 10:
        return _cardinal(int(digits))
    return f"{_cardinal(century)} {_two(rest)}"


def _two(digits: str) -> str:
    return f"oh {_cardinal(int(digits))}" if digits[0] == "0" else _cardinal(int(digits))


def _decade(match: re.Match[str]) -> str:
    century, tens = (match[1] or "", int(match[2]))
    if not tens:
        return (_year(century + "00") if century else "zero") + ("s" if century else "es")
    said = _cardinal(tens)
    plural = said[:-1] + "ies" if said.endswith("y") else said + "s"
    return f"{_cardinal(int(century))} {plural}" if century else plural


def _plain_number(match: re.Match[str]) -> str:
    digits = match[0]
    if len(digits) == 4 and "1100" <= digits <= "2099":
        return _year(digits)
    # An account number, a postcode or a telephone number, rather than a quantity.
    quantity = len(digits) < 5 or digits.endswith("00" if len(digits) < 7 else "0000")
    return _cardinal(int(digits)) if quantity and (digits[0] != "0" or digits == "0") else _digits(digits)


def _number(text: str) -> str:
    """A number with sign, thousands separators or decimals: "minus one thousand two hundred point five"."""
    whole, point, decimals = text.lstrip("+-").replace(",", "").partition(".")
    said = _minus(text) + _cardinal(int(whole))
    return f"{said} point {_digits(decimals)}" if point else said


def _minus(text: str) -> str:
    return "minus " if text.startswith("-") else ""


def _digits(text: str) -> str:
    """Each digit by itself; groups parted by other marks have a comma between them, which is heard as a pause."""
    groups = re.findall(r"\d+", text)
    return ", ".join(" ".join(_cardinal(int(digit)) for digit in group) for group in groups)


def _fraction(match: re.Match[str]) -> str:
    known = _FRACTIONS.get(match[0])
    over = "" if match[0] == "24/7" else "over "
    return known or f"{_cardinal(int(match[1]))} {over}{_cardinal(int(match[2]))}"


def _range(match: re.Match[str]) -> str:
    sides = [_year(side) if len(side) == 4 else _cardinal(int(side)) for side in (match[1], match[2])]
    return f"{sides[0]} to {sides[1]}"


def _date(match: re.Match[str]) -> str:
    year = _year(match[3]) if len(match[3]) == 4 else _two(match[3])
    return f"{_cardinal(int(match[1]))} {_cardinal(int(match[2]))} {year}"


def _degrees(match: re.Match[str]) -> str:
    return f"{_number(match[1])} degrees {_UNITS[match[2].lower()]}".strip()


def _mixed(core: str) -> str:
    """Figures among letters: "covid-19" to "covid nineteen", "B2B" to "B two B", "A320" to "A three two zero"."""
    pieces = []
    for piece in re.findall(r"\d+|[^\d]+", core):
        if not piece.isdecimal():
            pieces.append("point" if piece == "." else _SIGNS.get(piece, piece.strip("-_/#")))
        elif len(piece) <= 2 and piece[0] != "0":
            pieces.append(_cardinal(int(piece)))
        else:
            pieces.append(_digits(piece))
    return " ".join(filter(None, pieces))


# Tried in this order on a word without its outer punctuation.
_READINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?:\+?1[-.])?(?:\d{3}[-.])?\d{3}[-.]\d{4}"), lambda match: _digits(match[0])),
    (re.compile(rf"([-+]?(?:{_NUMBER}))%"), lambda match: f"{_number(match[1])} percent"),
    (re.compile(rf"([-+]?(?:{_NUMBER}))°([CcFf]?)"), _degrees),
    (re.compile(r"(\d{1,2}):(\d{2})(am|pm|a\.m|p\.m)?", re.IGNORECASE), _clock),
    (re.compile(r"(\d+)(?:st|nd|rd|th)", re.IGNORECASE), lambda match: _ordinal(match[1])),
    (re.compile(r"(\d{2})?(\d0)'?s"), _decade),
    (re.compile(r"\d+"), _plain_number),
    (re.compile(rf"[-+]?(?:{_NUMBER})"), lambda match: _number(match[0])),
    (re.compile(r"#(\d+)"), lambda match: f"number {_cardinal(int(match[1]))}"),
    (re.compile(r"(\d{1,2})/(\d{1,3})"), _fraction),
    (re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})"), _date),
    (re.compile(r"(\d{1,3}|\d{4})[-–](\d{1,3}|\d{4})"), _range),
)


@lru_cache(maxsize=1)
def _engine() -> inflect.engine:
    # Importing it costs as long as loading a model (1 s, 28 MB): only where figures are to be read out.
    import inflect

    return inflect.engine()


def _cardinal(number: int) -> str:
    said = _engine().number_to_words(number, andword="")  # type: ignore[arg-type]  # numbers are welcome
    return str(said).replace(",", "").replace("-", " ")


def _ordinal(digits: str) -> str:
    said = _engine().ordinal(_engine().number_to_words(int(digits), andword=""))  # type: ignore[arg-type]
    return str(said).replace(",", "").replace("-", " ")


spoken = Form(_edits)
"""Every figure in words; a text without figures stays as it is."""
