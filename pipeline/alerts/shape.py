"""The keys of a file of alert rules in one table: the reader, the editors' schema and the docs are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.alerts.rules import SEVERITIES, WHO

Kind = Literal["text", "texts", "number", "count", "choice", "switch"]
DEFAULT_COOLDOWN_S = 120.0
DEFAULT_WITHIN_S = 30.0
# Two false alarms in 1,000 sentences that mean something else (docs/alerts.md says of which).
DEFAULT_CLOSENESS = 0.56
# Longer, and the call is taken for lost rather than silent.
LONGEST_SILENCE_S = 240.0


@dataclass(frozen=True)
class Key:
    """One key of the file: what it may hold and what it means; ``low`` and ``high`` bound a number, both inclusive."""

    kind: Kind
    doc: str
    required: bool = False
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()


RULE_KEYS: Mapping[str, Key] = {
    "name": Key("text", "what the rule is called, on the wall and in messages; no two alike", required=True),
    "severity": Key("choice", "how loud: info, warning (the default) or critical", choices=SEVERITIES),
    "message": Key("text", "one line for the manager; without it the condition speaks for itself"),
    "cooldown_s": Key(
        "number", f"seconds of rest after it fired on a call; {DEFAULT_COOLDOWN_S:g} if not given", low=0, high=86_400
    ),
    "enabled": Key("switch", "false turns the rule off"),
}
# The condition is named by its first key; the others go with it.
CONDITIONS: Mapping[str, Mapping[str, Key]] = {
    "mood_below": {
        "mood_below": Key("number", "the customer's running mood, -1 to 1, lies below this", low=-1, high=1),
        "for_s": Key("number", "and stays there this many seconds; 0 if not given", low=0, high=3_600),
    },
    "negative_in_a_row": {
        "negative_in_a_row": Key("count", "so many of the customer's sentences in a row are negative", low=2, high=50),
    },
    "says": {
        "says": Key(
            "texts", "somebody says one of these phrases: whole words, either case; `...` stands for up to three words"
        ),
        "who": Key("choice", "agent, customer or anyone (the default)", choices=WHO),
    },
    "means": {
        "means": Key(
            "texts", "somebody says something that means one of these: whole sentences, as people say them; 3 to 10 do"
        ),
        "who": Key("choice", "agent, customer or anyone (the default)", choices=WHO),
        "closeness": Key(
            "number",
            f"how near a sentence must be, -1 to 1; {DEFAULT_CLOSENESS:g} if not given, higher for fewer alerts",
            low=0.3,
            high=0.95,
        ),
    },
    "asks_for_supervisor": {
        "asks_for_supervisor": Key("switch", "true: the customer asks for a manager, a supervisor, somebody in charge"),
    },
    "silence_s": {
        "silence_s": Key("number", "nobody speaks for so many seconds", low=10, high=LONGEST_SILENCE_S),
    },
    "talk_over_s": {
        "talk_over_s": Key("number", "both sides speak at once for so many seconds in all", low=0.5, high=60),
        "within_s": Key(
            "number", f"within this many seconds of the call; {DEFAULT_WITHIN_S:g} if not given", low=5, high=300
        ),
    },
}
