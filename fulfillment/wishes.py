"""What a yes-or-no question about the temperature wants to know: "is it cold", "will it be above eighty". Pure.

What words ask for is in ``_MOODS``: from which temperature on, in degrees Celsius, the answer is yes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from fulfillment.words import figures, fold

Side = Literal["cold", "warm"]
Verdict = Literal["yes", "at times", "no"]

WARM_C = 21.0  # a day that gets so warm is not called cold for its night


@dataclass(frozen=True)
class Wish:
    """What would make the answer yes: a temperature of ``limit`` or less (cold), or of it or more (warm).

    ``strict``: not the limit itself. ``fahrenheit`` says what the limit is in, and None that it is exact and Celsius;
    else it is compared with whole degrees, as people read them. ``ever``: a moment is enough; ``throughout``: none may
    be otherwise; without both the warmth of the day counts, and its extremes make it so at times.
    """

    said: str  # what it is then: "cold", "above 80", "warm enough to swim"
    side: Side
    limit: float
    strict: bool = False
    fahrenheit: bool | None = None
    ever: bool = False
    throughout: bool = False

    def holds(self, celsius: float) -> bool:
        """Whether a temperature is what is asked for."""
        reading = celsius
        if self.fahrenheit is not None:
            reading = round(celsius * 9 / 5 + 32) if self.fahrenheit else round(celsius)
        if reading == self.limit:
            return not self.strict
        return reading < self.limit if self.side == "cold" else reading > self.limit


# Words -> the side, the limit in degrees Celsius, what it is then. The first that is found counts.
_MOODS: tuple[tuple[str, Side, float, str], ...] = (
    (r"coats?|parka|bundle up|wrap up|dress (?:\w+ ){0,3}warm(?:ly)?|warm (?:clothes|clothing)|layers",
     "cold", 10.0, "cold enough for a coat"),
    (r"jackets?|sweaters?|hoodie|jumper|cardigan", "cold", 15.0, "cold enough for a jacket"),
    (r"swim|swimming|pool", "warm", 24.0, "warm enough to swim"),
    (r"shorts|t ?shirts?|short sleeves", "warm", 21.0, "warm enough for shorts"),
    (r"freez(?:e|es|ing)|frosts?|frosty|icy", "cold", 0.0, "freezing"),
    (r"cold|frigid|bitter", "cold", 10.0, "cold"),
    (r"chilly|nippy|cool", "cold", 15.0, "cool"),
    (r"hot|boiling|scorching|sweltering|roasting|heat ?wave", "warm", 28.0, "hot"),
    (r"warm|balmy|toasty", "warm", 21.0, "warm"),
)  # fmt: skip
_NAMES = re.compile(r"\b(?:hot|warm|cold|cool) (?:springs?|lake|air|tub|chocolate|front|snap)\b")
# Questions about something else: waters, warnings, an end, a change, a choice of two, whether a garment will do.
_OTHERWISE = re.compile(
    r"\b(?:lakes?|ponds?|water|sea|ocean|river|advisory|warnings?|watch|alerts?|is the pool|warm up|cool (?:off|down)|"
    r"(?:cold|heat ?wave)(?: \w+)? (?:over|break|breaks|end|ends|continue|last)|or (?!not|what|so|no)|"
    r"will (?:a|my|the) \w+ do)\b"
)
_QUESTION = re.compile(
    r"(?:and |so |ok |okay |hey |hi |hello |um |uh |well |please |tell me )*"
    r"(?:will|is|isnt|are|arent|am|do|does|did|should|shall|can|could|would|wont|was|has|have|might|must|if|whether|"
    r"going to|gonna)\b"
)
_WHETHER = re.compile(r"\b(?:if|whether)\b")
_OPEN = re.compile(
    r"(?:\w+ )?(?:(?:how|what)(?! about)|whats|which|when|where)\b|"
    r".*\bhow (?:hot|cold|warm|cool|chilly|high|low|much|many)\b"
)
_PRESENT = re.compile(
    r"\b(?:(?:is|isnt) it|are we)\b(?! (?:ever |really |still |actually )?"
    r"(?:going|gonna|getting|supposed|expected|meant|likely|to|about to)\b)"
)
_TOO_COLD = re.compile(r"\btoo (?:cold|chilly|cool)\b|\bfreeze\b")
_TOO_WARM = re.compile(r"\btoo (?:hot|warm)\b")
_STAY = re.compile(r"\b(?:stay|stays|remain|keep|all (?:day|week|night))\b")
_DEGREES = (
    r"(?P<minus>minus |negative |-)?(?P<number>\d{1,3}(?:\.\d)?)(?: ?(?:degrees?|deg))?"
    r"(?: ?(?P<unit>celsius|centigrade|fahrenheit|c|f)\b)?"
    r"(?! ?(?:percent|inch|inches|mm|mph|km|hours?|days?|minutes?|am|pm))"
)
# How a figure is asked for: the side, whether the figure itself is out, and the words.
_FIGURES: tuple[tuple[Side, bool, str, str], ...] = (
    ("warm", True, "above",
     r"above|over|more than|higher than|warmer than|hotter than|exceeds?|past|north of|tops?|break(?:s|ing)?"),
    ("cold", True, "below",
     r"below|under|less than|lower than|colder than|cooler than|south of"),
    ("cold", False, "down to",
     r"(?:drops?|falls?|goes|go|dips?|sinks?|down)(?: down)? to|gets? down to|as (?:low|cold) as"),
    ("warm", False, "up to",
     r"reach(?:es)?|hits?|gets? (?:up )?to|at least|up to|as (?:high|hot|warm) as|(?:climb|rise)s? to"),
)  # fmt: skip


def is_yes_or_no(question: str) -> bool:
    """Whether a question is one for yes or no: "will it be cold", not "how cold will it be"."""
    words = fold(question)
    return not _OPEN.match(words) and bool(_QUESTION.match(words) or _WHETHER.search(words))


def is_about_now(question: str) -> bool:
    """Whether a question that names no time means this moment: "is it hot in Phoenix", not "will it be"."""
    return _PRESENT.search(fold(question)) is not None


def wish(question: str, location: str = "", *, fahrenheit: bool) -> Wish | None:
    """What a question wants to know, None where nothing can be read, or two things ("hot or cold").

    The words of the ``location`` are no part of it ("Hot Springs"). A figure without a unit is in ``fahrenheit`` or
    degrees Celsius, as the answer will be; one with a unit is in that.
    """
    words = figures(re.sub(r"(^|\s)[-\u2212](?=\d)", r"\1minus ", question))
    for name in (figures(location), fold(location)):
        words = re.sub(rf"\b{re.escape(name)}\b", " ", words) if name else words
    words = _NAMES.sub(" ", words)
    if _OPEN.match(words):
        return None
    return _figure(words, fahrenheit=fahrenheit) or _mood(words)


def judged(asked: Wish, low_c: float, usual_c: float, high_c: float) -> Verdict:
    """Whether the wish comes true in a time with these temperatures; ``usual_c`` is the mean of the days' highs."""
    likeliest, least = (low_c, high_c) if asked.side == "cold" else (high_c, low_c)
    if asked.throughout:
        return "yes" if asked.holds(least) else "no"
    if asked.ever:
        return "yes" if asked.holds(likeliest) else "no"
    if asked.holds(usual_c):
        return "yes"
    mild = asked.side == "warm" or usual_c < WARM_C
    return "at times" if mild and asked.holds(likeliest) else "no"


def _figure(words: str, *, fahrenheit: bool) -> Wish | None:
    words = re.sub(r"\bfreezing(?: point)?\b", "0 celsius freezing", words)
    words = re.sub(r"\bzero\b", "0", words)
    throughout = _STAY.search(words) is not None
    for side, strict, how, pattern in _FIGURES:
        found = re.search(rf"\b(?:{pattern}) (?:about |around |the )?{_DEGREES}(?P<freezing> freezing)?", words)
        if found is None:
            continue
        unit = found["unit"] or ""
        scale = unit.startswith("f") if unit else fahrenheit
        number = float(found["number"]) * (-1 if found["minus"] else 1)
        shown = f"minus {-number:g}" if number < 0 else f"{number:g}"
        if found["freezing"]:
            shown = "freezing"
        if how == "up to" and number <= 0:  # "will it hit minus ten"
            side, how = "cold", "down to"
        where = {"up to": f"{shown} or more", "down to": f"{shown} or less"}.get(how, f"{how} {shown}")
        if found["freezing"] and how == "down to":
            where = "freezing"
        exact = None if found["freezing"] else scale
        return Wish(where, side, number, strict, exact, ever=not throughout, throughout=throughout)
    return None


def _mood(words: str) -> Wish | None:
    found = [(side, limit, said) for pattern, side, limit, said in _MOODS if re.search(rf"\b(?:{pattern})\b", words)]
    if not found or _OTHERWISE.search(words):
        return None
    side, limit, said = found[0]
    _, enough, purpose = said.partition(" enough ")
    if enough:
        too: Side | None = "cold" if _TOO_COLD.search(words) else "warm" if _TOO_WARM.search(words) else None
        if too and too != side:
            return Wish(f"too {too} {purpose}", too, limit, strict=too == "cold")
        if side == "cold" and re.search(r"\bwithout\b", words):
            return Wish(f"warm enough to go without {purpose.removeprefix('for ')}", "warm", limit)
        return Wish(said, side, limit, strict=side == "cold")
    if len({other for other, _, _ in found}) > 1:
        return None
    if said == "freezing":
        return Wish(said, side, limit, ever=True)
    return Wish(said, side, limit, strict=side == "cold")
