"""Numbers as they are written: "thirty five percent" to "35 %" (inverse text normalisation, English).

text2num reads number words; the rules here say which of them become digits and what they mean beside their neighbours:
percent, money, times of day, years, decades, and digits said one by one. As in NVIDIA's grammars (NeMo, ITN), small
numbers stay words unless such a neighbour makes them figures, so that "one of the best" stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from text_to_num import Token, find_numbers

from pipeline.server.rewriting import Edit, Form

_LARGEST_WORD = 12  # numbers up to this stay words where they stand alone
_SPLIT = re.compile(r"([\"'“‘(\[]*)(.*?)([\"'”’)\],.;:!?…]*)", re.DOTALL)
_FIGURES = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_PERCENT = re.compile(r"(\d[\d,]*(?:\.\d+)?)%")
_MULTIPLIERS = frozenset({"hundred", "thousand", "million", "billion", "trillion"})
_LARGE = {"million": 10**6, "billion": 10**9, "trillion": 10**12}
_DIGITS = {"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
           "eight": "8", "nine": "9"}  # fmt: skip
_ZEROS = frozenset({"oh", "o"})
_REPEATS = {"double": 2, "triple": 3}
_CURRENCIES = {"dollar": "$", "dollars": "$", "euro": "€", "euros": "€"}
_MERIDIEMS = {"a.m": "a.m.", "p.m": "p.m.", "am": "a.m.", "pm": "p.m."}
_CLOCK = frozenset({"at", "by", "until", "till", "around", "about", "before", "after", "since", "from"})
_LABELS = frozenset({
    "number", "room", "flight", "extension", "option", "press", "dial", "apartment", "suite", "gate", "page", "step",
    "line", "unit", "chapter", "version", "level", "platform", "channel",
})  # fmt: skip
_MONTHS = frozenset({
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
})  # fmt: skip
_DECADES = {"twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70,
            "eighties": 80, "nineties": 90}  # fmt: skip
# After two numbers these say that they are an estimate ("fifteen twenty minutes"), not a year.
_COUNTED = frozenset({
    "second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks", "month", "months",
    "year", "years", "people", "times", "dollar", "dollars", "euro", "euros", "cent", "cents", "percent", "%",
    "miles", "pounds", "feet",
})  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """One word: its core in lower case and the punctuation around it."""

    lead: str
    core: str
    tail: str


@dataclass(frozen=True)
class _Number:
    """A number in the words ``start`` to ``end`` (exclusive); ``kind`` is integer, decimal, ordinal or digits."""

    start: int
    end: int
    text: str
    value: float
    kind: str
    figures: bool = False  # whether it was in figures already

    @property
    def small(self) -> bool:
        """Whether it stays a word when it stands alone."""
        return self.kind in ("integer", "ordinal") and self.value <= _LARGEST_WORD


class _Spoken(Token):  # type: ignore[misc]  # text2num ships no types
    """A word as text2num wants to see it."""

    def __init__(self, part: _Part, *, apart: bool, other: bool) -> None:
        self._text, self._apart, self._other = part.core, apart, other

    def text(self) -> str:
        return self._text

    def nt_separated(self, previous: Token) -> bool:
        return self._apart

    def not_a_number_part(self) -> bool:
        return self._other


def _edits(words: Sequence[str]) -> list[Edit]:
    parts = [_part(word) for word in words]
    numbers = {number.start: number for number in _numbers(parts)}
    edits = []
    position = 0
    while position < len(parts):
        edit = _edit_at(parts, numbers, position)
        if edit is None:
            position += 1
        else:
            edits.append(edit)
            position = edit.end
    return edits


def _part(word: str) -> _Part:
    match = _SPLIT.fullmatch(word)
    assert match is not None  # each group may be empty
    lead, core, tail = match.groups()
    return _Part(lead, core.lower(), tail)


def _numbers(parts: Sequence[_Part]) -> list[_Number]:
    found = _digit_runs(parts)
    taken = {index for number in found for index in range(number.start, number.end)}
    for index, part in enumerate(parts):
        if index not in taken and _FIGURES.fullmatch(part.core):
            kind = "decimal" if "." in part.core else "integer"
            value = float(part.core.replace(",", ""))
            found.append(_Number(index, index + 1, part.core, value, kind, figures=True))
    tokens = [
        _Spoken(
            part,
            apart=index > 0 and bool(parts[index - 1].tail or part.lead),
            # "twenty and five" are two numbers, "a hundred and five" is one.
            other=index in taken or (part.core == "and" and parts[index - 1].core not in _MULTIPLIERS),
        )
        for index, part in enumerate(parts)
    ]
    for hit in find_numbers(tokens, "en", 0):
        kind = "ordinal" if hit.is_ordinal else "decimal" if "." in hit.text else "integer"
        found.append(_Number(hit.start, hit.end, hit.text, hit.value, kind))
    return _with_large(sorted(found, key=lambda number: number.start), parts)


def _with_large(numbers: Sequence[_Number], parts: Sequence[_Part]) -> list[_Number]:
    """``numbers`` with "1.2" and "million" made one."""
    result: list[_Number] = []
    for number in numbers:
        before = result[-1] if result else None
        word = parts[number.start].core
        if (
            before is not None
            and before.end == number.start
            and before.kind in ("integer", "decimal")
            and number.end == number.start + 1
            and word in _LARGE
            and not parts[number.start - 1].tail
        ):
            result[-1] = _Number(
                before.start, number.end, f"{before.text} {word}", before.value * _LARGE[word], "decimal"
            )
        else:
            result.append(number)
    return result


def _digit_runs(parts: Sequence[_Part]) -> list[_Number]:
    """Three or more digits said one by one, with "oh", "double", "triple" and, in long ones, "eight hundred"."""
    runs = []
    position = 0
    while position < len(parts):
        end, digits = _digit_run(parts, position)
        if len(digits) >= 3 and not _is_clock(parts, position, end):
            runs.append(_Number(position, end, _phone(digits), float(digits), "digits"))
            position = end
        else:
            position += 1
    return runs


def _is_clock(parts: Sequence[_Part], start: int, end: int) -> bool:
    """Whether "seven oh five" is a time of day by what stands around it."""
    if end - start != 3 or _core(parts, start + 1) not in _ZEROS:
        return False
    return bool(_meridiem(parts, end)[1]) or _core(parts, start - 1) in _CLOCK


def _digit_run(parts: Sequence[_Part], start: int) -> tuple[int, str]:
    digits = ""
    position = start
    hundreds = False
    while position < len(parts):
        core = parts[position].core
        if core in _REPEATS and position + 1 < len(parts) and not parts[position].tail:
            digit = _digit(parts[position + 1].core)
            if len(digit) != 1:
                break
            digits += digit * _REPEATS[core]
            position += 2
        elif core == "hundred" and digits and len(_digit(parts[position - 1].core)) == 1:
            digits, hundreds = digits + "00", True
            position += 1
        elif digit := _digit(core):
            digits += digit
            position += 1
        else:
            break
        if parts[position - 1].tail:
            break
    if hundreds and len(digits) < 7:
        return start, ""
    if position < len(parts) and parts[position].core in (_MULTIPLIERS | {"point"}):
        return start, ""
    return position, digits


def _digit(core: str) -> str:
    """The digit or digits that a word says: "five", "5", "oh", "5-5-5"; empty for other words."""
    said = [_DIGITS.get(piece) or ("0" if piece in _ZEROS else piece) for piece in core.split("-")]
    return "".join(said) if all(len(piece) == 1 and piece.isdecimal() for piece in said) else ""


def _phone(digits: str) -> str:
    """Digits in the groups of a North American telephone number where there are as many, else all together."""
    if len(digits) == 7:
        return f"{digits[:3]}-{digits[3:]}"
    if len(digits) == 10:
        return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"
    if len(digits) == 11 and digits[0] == "1":
        return f"1-{digits[1:4]}-{digits[4:7]}-{digits[7:]}"
    return digits


def _edit_at(parts: Sequence[_Part], numbers: Mapping[int, _Number], at: int) -> Edit | None:
    """The edit that starts at word ``at``, None where that word stays."""
    glued = _PERCENT.fullmatch(parts[at].core)
    if glued:
        return _edit(parts, at, at + 1, (glued[1], "%"))
    start = at
    number = numbers.get(at)
    if number is None and parts[at].core == "a" and not parts[at].tail and _core(parts, at - 1) != "half":
        # "a hundred dollars" and "a hundred and five" are figures; "a hundred", "half a million dollars" and "a couple
        # hundred" are not.
        at += 1
        number = numbers.get(at)
    if number is None or (_core(parts, at) in _MULTIPLIERS) is not (start < at):
        return None
    for rule in (_percent, _money, _decade, _year, _time):
        found = rule(parts, numbers, number)
        if found is not None:
            return _edit(parts, start, *found)
    return _edit(parts, start, number.end, tuple(_figures(number).split())) if _alone(parts, numbers, number) else None


def _edit(parts: Sequence[_Part], start: int, end: int, words: tuple[str, ...]) -> Edit | None:
    """The words with the punctuation of what they replace; None where nothing changes."""
    tail = parts[end - 1].tail
    last = words[-1]
    if last.endswith(".") and tail.startswith("."):
        tail = tail[1:]
    words = (*words[:-1], last + tail)
    words = (parts[start].lead + words[0], *words[1:])
    same = end == start + 1 and words == (parts[start].lead + parts[start].core + parts[start].tail,)
    return None if same else Edit(start, end, words)


_Found = tuple[int, tuple[str, ...]]  # the end of the words replaced, and what replaces them


def _percent(parts: Sequence[_Part], numbers: Mapping[int, _Number], number: _Number) -> _Found | None:
    if number.kind == "ordinal" or parts[number.end - 1].tail:
        return None
    if _core(parts, number.end) in ("percent", "%"):
        return number.end + 1, (_figures(number), "%")
    if _core(parts, number.end) == "per" and _core(parts, number.end + 1) == "cent":
        return number.end + 2, (_figures(number), "%")
    return None


def _money(parts: Sequence[_Part], numbers: Mapping[int, _Number], number: _Number) -> _Found | None:
    sign = _CURRENCIES.get(_core(parts, number.end))
    if sign is None or number.kind == "ordinal" or parts[number.end - 1].tail:
        return None
    end = number.end + 1
    amount = _figures(number).split()
    and_cents = end + 1 if _core(parts, end) == "and" else end
    cents = numbers.get(and_cents)
    if (
        cents is not None
        and not parts[end - 1].tail
        and number.kind == "integer"
        and cents.kind == "integer"
        and cents.value < 100
        and _core(parts, cents.end) in ("cent", "cents")
    ):
        return cents.end + 1, (f"{sign}{amount[0]}.{int(cents.value):02}",)
    return end, (sign + amount[0], *amount[1:])


def _decade(parts: Sequence[_Part], numbers: Mapping[int, _Number], number: _Number) -> _Found | None:
    decade = _DECADES.get(_core(parts, number.end))
    if decade is None or number.kind != "integer" or not 13 <= number.value <= 20 or parts[number.end - 1].tail:
        return None
    return number.end + 1, (f"{int(number.value)}{decade}s",)


def _year(parts: Sequence[_Part], numbers: Mapping[int, _Number], number: _Number) -> _Found | None:
    if not _single(parts, number) or number.kind != "integer" or not 13 <= number.value <= 20 or number.figures:
        return None
    end, rest = _two_digits(parts, numbers, number.end)
    if not rest or _core(parts, end) in _COUNTED:
        return None
    return end, (f"{int(number.value)}{rest}",)


def _time(parts: Sequence[_Part], numbers: Mapping[int, _Number], number: _Number) -> _Found | None:
    if not _single(parts, number) or number.kind != "integer" or not 1 <= number.value <= 12:
        return None
    hour = int(number.value)
    if _core(parts, number.end) in ("o'clock", "o’clock", "oclock"):
        return number.end + 1, (str(hour), "o'clock")
    end, minutes = _two_digits(parts, numbers, number.end)
    if minutes and int(minutes) > 59:
        return None
    clock = f"{hour}:{minutes}" if minutes else str(hour)
    after, meridiem = _meridiem(parts, end)
    if meridiem and not (minutes and parts[end - 1].tail):
        return after, (clock, meridiem)
    before = _core(parts, number.start - 1)
    if minutes and before in _CLOCK and _core(parts, end) not in _COUNTED:
        return end, (clock,)
    return None


def _two_digits(parts: Sequence[_Part], numbers: Mapping[int, _Number], at: int) -> tuple[int, str]:
    """End and text of the two digits at word ``at``, as in "nineteen eighty four" and "seven oh five"; else ""."""
    number = numbers.get(at)
    if number is not None and number.kind == "integer" and 10 <= number.value <= 99 and number.text.isdecimal():
        return number.end, number.text
    digit = _DIGITS.get(_core(parts, at + 1), "0")
    if _core(parts, at) in _ZEROS and digit != "0" and not parts[at].tail:
        return at + 2, "0" + digit
    return at, ""


def _meridiem(parts: Sequence[_Part], at: int) -> tuple[int, str]:
    """End and text of the "a m" or "p.m." at word ``at``; else ""."""
    core = _core(parts, at)
    if core == "am" and _core(parts, at - 1) == "i":
        return at, ""
    if core in _MERIDIEMS:
        return at + 1, _MERIDIEMS[core]
    if core in ("a", "p") and _core(parts, at + 1) == "m":
        return at + 2, f"{core}.m."
    return at, ""


def _alone(parts: Sequence[_Part], numbers: Mapping[int, _Number], number: _Number) -> bool:
    """Whether a number without a neighbour that explains it becomes figures."""
    before = _core(parts, number.start - 1)
    if number.kind == "ordinal":
        month = before in _MONTHS or (_core(parts, number.end) == "of" and _core(parts, number.end + 1) in _MONTHS)
        fraction = before == "a" or any(
            other.end == number.start and other.kind == "integer" for other in numbers.values()
        )
        return month or not (number.small or fraction)
    if parts[number.start].core in _MULTIPLIERS:
        return number.end > number.start + 1  # "a hundred and five", but not "a hundred", "several thousand"
    if not number.small:
        # "two fifty" may be a price, a time or two of something: what nobody can know stays in words.
        return not any(
            other.end == number.start and other.small and other.kind == "integer" for other in numbers.values()
        )
    return before in _LABELS or _begins_range(parts, numbers, number)


def _begins_range(parts: Sequence[_Part], numbers: Mapping[int, _Number], number: _Number) -> bool:
    """Whether "five" stands before "to ten percent", whose other end becomes figures."""
    other = numbers.get(number.end + 1)
    if _core(parts, number.end) not in ("to", "or") or parts[number.end - 1].tail:
        return False
    if other is None:
        return _PERCENT.fullmatch(_core(parts, number.end + 1)) is not None
    return any(rule(parts, numbers, other) is not None for rule in (_percent, _money))


def _figures(number: _Number) -> str:
    """``number`` in figures: 2019, 25,000, 1.2 million, 3.14, 23rd."""
    if number.kind != "integer" or number.figures:
        return number.text
    value = int(number.value)
    for name, unit in reversed(_LARGE.items()):
        if value >= unit and value % (unit // 10) == 0:
            return f"{value / unit:.10g} {name}"
    return f"{value:,}" if value >= 10_000 else number.text


def _single(parts: Sequence[_Part], number: _Number) -> bool:
    """Whether a number is one word without punctuation after it."""
    return number.end == number.start + 1 and not parts[number.start].tail


def _core(parts: Sequence[_Part], at: int) -> str:
    return parts[at].core if 0 <= at < len(parts) else ""


written = Form(_edits)
"""Numbers in figures, with their signs and in their usual notation; a text already written so stays as it is."""
