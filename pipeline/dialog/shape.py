"""The language as a table: every type of state, its properties and transitions, and every key of a file.

The loader checks files against it, the JSON schema for editors and the reference in docs/flows.md are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "text",  # may hold {{placeholders}}
    "key",  # '{{key}}' or several of them
    "texts",  # one text or a list of them
    "list",  # a list of texts
    "names",  # one name or a list of names
    "pairs",  # a map of names to texts
    "bindings",  # a map of context keys to slots, or a list of names that are both
    "seconds",
    "switch",  # true or false
    "nlp",  # empty, jarvis or riva
    "state",  # the name of a state
    "lists",  # a map of names to lists of texts
    "rules",  # a list of maps
    "table",  # a map with keys of its own
]


@dataclass(frozen=True)
class Field:
    """One key of the language."""

    kind: Kind
    doc: str
    required: bool = False
    new: bool = False  # beyond the old language


@dataclass(frozen=True)
class Shape:
    """One type of state."""

    doc: str
    properties: Mapping[str, Field] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)  # a transition's name -> when it is taken
    open: bool = False  # a user class: further properties and labels are its own
    new: bool = False


_NEXT = {"next_state": "always"}
_LEAVING = {
    "no_match": "after the last `no_match` text",
    "no_input": "after the last `no_input` text",
    "timed_out": "after `time_out_s`",
    "error": "the words could not be analysed",
}
_ASKING = {
    "no_match": Field("texts", "what to say to the first, second ... answer that is no use", new=True),
    "no_input": Field("texts", "what to say to the first, second ... silence", new=True),
    "no_input_s": Field("seconds", "how long a silence is", new=True),
    "time_out_s": Field("seconds", "how long to wait in this state at all", new=True),
}
_RESUME = {"resume": Field("state", "where to go on after the person asked for something else in between", new=True)}
_INPUT = Shape(
    "waits for the person's words, switches to another intent's state, or fills the context",
    {
        "nlp_type": Field("nlp", "`riva` (or `jarvis`): intent and slots; `empty`: the words as `raw_text`"),
        "entities": Field("bindings", "context key: slot; all slots are kept under their own names besides"),
        "require_match": Field("switch", "go to `match` only if all entities were said, else to `notmatch`"),
        "match_any": Field("names", "with `require_match`: one of these slots must have been said", new=True),
        "require_intent": Field("switch", "only another intent leads on; everything else is no match", new=True),
        "log_json": Field("switch", "accepted and ignored"),
        **_ASKING,
        **_RESUME,
    },
    {
        "next_state": "without `require_match`",
        "match": "with `require_match`, all entities were said",
        "notmatch": "with `require_match`, one is missing",
        **_LEAVING,
    },
)
_DELAY = {"delay": Field("seconds", "a pause before it")}

STATE_TYPES: Mapping[str, Shape] = {
    "message_text": Shape("says a text", {"text": Field("text", "what to say", required=True), **_DELAY}, _NEXT),
    "message_text_random": Shape(
        "says one of several texts, another one each time",
        {"responses": Field("list", "what to say", required=True), **_DELAY},
        _NEXT,
    ),
    "input_user": _INPUT,
    "input_context": _INPUT,
    "change_context": Shape(
        "deletes keys of the context, then sets keys",
        {
            "del_keys": Field("names", "keys to delete"),
            "update_keys": Field("pairs", "key: value; a lone `{{key}}` that is missing deletes"),
        },
        _NEXT,
    ),
    "conditional_exists": Shape(
        "asks whether the context holds a key (with several placeholders: any of them)",
        {"key": Field("key", "`'{{key}}'`", required=True)},
        {"exists": "it holds something", "notexists": "it does not"},
    ),
    "conditional_equal": Shape(
        "compares two texts",
        {"value1": Field("text", "a text", required=True), "value2": Field("text", "a text", required=True)},
        {"equal": "they are the same", "notequal": "they differ"},
    ),
    "reset": Shape("clears the context and goes to `init`"),
    "confirm": Shape(
        "asks yes or no; with a `key`, only while its value is not confirmed, and a new value is asked about again",
        {
            "text": Field("texts", "the question", required=True),
            "key": Field("key", "`'{{key}}'`: the value in question"),
            "unless": Field("names", "values that need no question"),
            **_ASKING,
            **_RESUME,
        },
        {"confirmed": "yes, or nothing to confirm", "denied": "no", **_LEAVING},
        new=True,
    ),
    "repeat": Shape(
        "says the last replies again; an intent that leads here leaves the person's place as it is",
        labels=_NEXT,
        new=True,
    ),
}
USER_TYPE = Shape(
    "a user class: asks the world outside for an action of its name (`Weather`: `weather`, `HandOver`: `hand_over`), "
    "and puts the result into the context",
    {
        "request": Field("pairs", "what to send; without it the whole context", new=True),
        "time_out_s": Field("seconds", "how long to wait for the result", new=True),
    },
    {
        "next_state": "the result is there",
        "timed_out": "after `time_out_s`",
        "any other": "the result's `<action>_status` is this word",
    },
    open=True,
)

FILE_KEYS: Mapping[str, Field] = {
    "name": Field("text", "the flow's name", required=True),
    "intent_transitions": Field("table", "intent: state, or `{state:, set: {key: value}, returns: false}`"),
    "states": Field("table", "the states, in order", required=True),
    "home": Field("state", "where `return` leads when nothing was interrupted", new=True),
    "defaults": Field("table", "what questions do that do not say it themselves", new=True),
    "slots": Field("list", "the slots that the understanding knows", new=True),
    "phrases": Field(
        "lists",
        "intent: whole utterances that mean it, whatever the model says, or with `...` at the end how they begin",
        new=True,
    ),
    "fillers": Field("list", "words that phrases are compared without, and that mean nothing alone", new=True),
    "small_words": Field("list", 'words that may stand around the slots of a fragment ("and in Denver?")', new=True),
    "negations": Field("list", 'words that take a slot back when another is said ("not Boston, Denver")', new=True),
    "corrections": Field("list", 'words that take back the same slot before them ("Boston, sorry, Denver")', new=True),
    "memory": Field("rules", "which keys something new makes obsolete: `naming`, `intents`, `forget`", new=True),
    "aliases": Field("pairs", "an intent as a model spells it: as the flows do", new=True),
    "actions": Field("lists", "user class: the context keys that its result brings", new=True),
}
DEFAULT_KEYS: Mapping[str, Field] = {
    **_ASKING,
    "transitions": Field("table", "where `no_match`, `no_input`, `timed_out` and `error` lead", new=True),
}
DEFAULT_LABELS: Mapping[str, str] = _LEAVING
ROUTE_KEYS: Mapping[str, Field] = {
    "state": Field("state", "where it leads", required=True, new=True),
    "set": Field("pairs", "keys to set on the way; a follow-up keeps what `{{key}}` was", new=True),
    "stand_ins": Field("pairs", "slot: the slot that it means in a follow-up to this intent", new=True),
    "returns": Field("switch", "false: an interrupted question is dropped", new=True),
}
MEMORY_KEYS: Mapping[str, Field] = {
    "forget": Field("list", "the keys, unless they are said too", required=True, new=True),
    "naming": Field("names", "when one of these slots gets a new value; without it, by every new question", new=True),
    "intents": Field("names", "only in questions of these intents", new=True),
}
