"""The values of alert rules: what each condition asks, who is told how loudly, and how long a rule rests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
Who = Literal["agent", "customer", "anyone"]
WHO: tuple[Who, ...] = ("agent", "customer", "anyone")
_SPEAKERS = {"agent": "The agent", "customer": "The customer", "anyone": "Anyone"}
_NAMED = 3  # phrases of a rule in one line


@dataclass(frozen=True)
class MoodBelow:
    """The customer's running mood (-1..1) stays below ``limit`` for ``for_s`` seconds."""

    limit: float
    for_s: float


@dataclass(frozen=True)
class NegativeInARow:
    """The customer's last ``count`` rated sentences were all negative."""

    count: int


@dataclass(frozen=True)
class Says:
    """Somebody says one of the phrases; ``patterns`` are they, ready to search with."""

    who: Who
    phrases: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]


@dataclass(frozen=True)
class Means:
    """Somebody says something that means one of the sentences: it lies at least ``closeness`` (-1..1) near it."""

    who: Who
    sentences: tuple[str, ...]
    closeness: float


@dataclass(frozen=True)
class AsksForSupervisor:
    """The customer asks for somebody with more to say."""


@dataclass(frozen=True)
class Silence:
    """Nobody speaks for ``seconds``."""

    seconds: float


@dataclass(frozen=True)
class TalkOver:
    """Two channels speak at once for ``seconds`` in all within the last ``within_s`` of the call."""

    seconds: float
    within_s: float


Condition = MoodBelow | NegativeInARow | Says | Means | AsksForSupervisor | Silence | TalkOver


@dataclass(frozen=True)
class Rule:
    """One rule; after it fired on a call it rests for ``cooldown_s`` there."""

    name: str
    when: Condition
    severity: Severity
    message: str  # "" for the condition's own words
    cooldown_s: float
    enabled: bool


def in_words(when: Condition) -> str:
    """The condition as a manager would say it, for lists of rules."""
    match when:
        case MoodBelow(limit, for_s):
            how_long = f" for {for_s:g} s" if for_s else ""
            return f"The customer's mood stays below {limit:+.2f}{how_long}".replace("-", "−")
        case NegativeInARow(count):
            return f"{count} negative customer sentences in a row"
        case Says(who, phrases, _):
            return f"{_SPEAKERS[who]} says {_listed(phrases)}"
        case Means(who, sentences, _):
            return f"{_SPEAKERS[who]} says something like {_listed(tuple(text.rstrip('.') for text in sentences))}"
        case AsksForSupervisor():
            return "The customer asks for a supervisor"
        case Silence(seconds):
            return f"Nobody speaks for {seconds:g} s"
        case TalkOver(seconds, within_s):
            return f"Both sides speak at once for {seconds:g} s within {within_s:g} s"


def _listed(texts: tuple[str, ...]) -> str:
    more = f" or {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(f"“{text}”" for text in texts[:_NAMED]) + more
