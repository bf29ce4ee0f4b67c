"""Phrases as search patterns: whole words, either case, any punctuation between them, and each word's other forms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

GAP = "..."
GAP_WORDS = 3  # words that may stand where a phrase has ``...``
_BETWEEN = r"[^\w'’]+"
_WORD = r"[\w'’]+"
# What a customer says who wants somebody above the agent.
_SUPERVISORS = (
    "manager", "managers", "supervisor", "supervisors", "boss", "team leader", "team lead", "superior",
    "somebody in charge", "someone in charge", "person in charge", "somebody above you", "someone above you",
    "somebody senior", "someone senior", "somebody more senior", "someone more senior", "somebody higher up",
    "someone higher up",
)  # fmt: skip
_ASKING = (
    "speak to", "speak with", "talk to", "talk with", "get me", "put me through to", "connect me to", "connect me with",
    "transfer me to", "pass me to", "put me on to", "escalate this to", "escalate it to", "give me", "i want",
    "i need", "i would like", "i'd like", "i demand", "let me have", "is there", "where is", "can you get",
)  # fmt: skip


def pattern(phrase: str, forms: Mapping[str, Sequence[str]]) -> re.Pattern[str]:
    """The pattern that finds ``phrase`` in a sentence; ``forms`` lists other forms of a word in lower case.

    ``...`` inside a phrase lets up to GAP_WORDS other words stand there. A word is never found inside another one, nor
    the ``can`` in ``can't``. Raises ValueError for a phrase without a word, or that begins or ends with ``...``.
    """
    parts = phrase.replace("…", GAP).replace(GAP, f" {GAP} ").split()
    if not parts or parts[0] == GAP or parts[-1] == GAP or not any(c.isalnum() for c in phrase):
        raise ValueError("write words, and `...` only between two of them")
    made = ""
    for place, part in enumerate(parts):
        if part == GAP:
            continue
        gap = place > 0 and parts[place - 1] == GAP
        between = f"{_BETWEEN}(?:{_WORD}{_BETWEEN}){{0,{GAP_WORDS}}}" if gap else _BETWEEN
        made += (between if place else "") + _any_form(part, forms)
    return re.compile(rf"(?<![\w'’]){made}(?!\w|['’]t\b)", re.IGNORECASE)


def found(patterns: Sequence[re.Pattern[str]], text: str) -> str | None:
    """The words of ``text`` that the first matching pattern found, as said; None where none does."""
    for each in patterns:
        match = each.search(text)
        if match is not None:
            return match.group(0)
    return None


def _any_form(word: str, forms: Mapping[str, Sequence[str]]) -> str:
    known = [word, *forms.get(word.lower(), ())]
    spelled = [re.escape(form.replace("’", "'")).replace("'", "['’]") for form in known]
    return spelled[0] if len(spelled) == 1 else f"(?:{'|'.join(spelled)})"


def _one_of(phrases: Sequence[str]) -> str:
    return "|".join(_BETWEEN.join(_any_form(word, {}) for word in phrase.split()) for phrase in phrases)


# Somebody is asked for, up to three words, somebody with more to say.
SUPERVISOR: tuple[re.Pattern[str], ...] = (
    re.compile(
        rf"(?<![\w'’])(?:{_one_of(_ASKING)}){_BETWEEN}(?:{_WORD}{_BETWEEN}){{0,{GAP_WORDS}}}"
        rf"(?:{_one_of(_SUPERVISORS)})(?!\w)",
        re.IGNORECASE,
    ),
)
