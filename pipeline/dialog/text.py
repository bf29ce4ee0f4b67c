"""Texts with ``{{placeholders}}``, and what is left of an utterance once its slots and small words are gone. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from pipeline.calls import Slot
from pipeline.dialog.values import Value

LONGEST_VALUE = 200  # characters; what a person names is shorter

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}|]+?)\s*(?:\|([^{}]*))?\}\}")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def placeholders(template: str) -> tuple[str, ...]:
    """The keys that a template reads, in order: ``"{{a}} of {{b|none}}"`` gives ``("a", "b")``."""
    return tuple(_plain_key(match[1]) for match in _PLACEHOLDER.finditer(template))


def key_of(text: str) -> str:
    """The one key that ``{{key}}`` or ``key`` names."""
    found = placeholders(text)
    return found[0] if found else text.strip()


def render(template: str, context: Mapping[str, Value]) -> str:
    """The template with its placeholders replaced, once: a value that looks like a placeholder stays as it is.

    A missing key gives the text after ``|``, or ``[key]`` where there is none.
    """

    def value(match: re.Match[str]) -> str:
        held = context.get(_plain_key(match[1]), "")
        if held:
            return spoken(held)
        return match[2].strip() if match[2] is not None else f"[{match[1]}]"

    return _PLACEHOLDER.sub(value, template)


def fill(template: str, context: Mapping[str, Value]) -> Value | None:
    """What a key is set to: the value itself for a lone ``{{key}}`` (None if missing), else the rendered text."""
    alone = _PLACEHOLDER.fullmatch(template.strip())
    if alone and alone[2] is None:
        return context.get(_plain_key(alone[1])) or None
    return render(template, context)


def spoken(value: Value) -> str:
    """A value as one text: several are joined by commas."""
    return value if isinstance(value, str) else ", ".join(value)


def clean(text: str, longest: int = LONGEST_VALUE) -> str:
    """A text from outside made fit for a context: one line, no control or direction characters, not too long."""
    return " ".join(_UNWANTED.sub(" ", text).split())[:longest].strip()


def normal(text: str, fillers: Collection[str] = ()) -> str:
    """The words of a text in lower case, without punctuation and fillers, one space between: to compare phrases."""
    return " ".join(word for word in _words(text) if word not in fillers)


def opening_of(words: str, openings: Collection[str]) -> str:
    """The longest opening with which normal words begin, as whole words; "" where there is none."""
    spaces = [place for place, letter in enumerate(words) if letter == " "]
    return next((words[:end] for end in (len(words), *reversed(spaces)) if words[:end] in openings), "")


def is_fragment(text: str, slots: Sequence[Slot], small_words: Collection[str]) -> bool:
    """Whether an utterance is nothing but slots and small words ("and in Denver?"): no sentence of its own."""
    if not slots or not small_words:
        return False
    rest = text
    for slot in sorted(slots, key=lambda slot: slot.start, reverse=True):
        if rest[slot.start : slot.end].lower() == slot.text.lower():
            rest = f"{rest[: slot.start]} {rest[slot.end :]}"
        else:
            rest = re.sub(rf"(?<!\w){re.escape(slot.text)}(?!\w)", " ", rest, count=1, flags=re.IGNORECASE)
    return all(word in small_words for word in _words(rest))


def meant(
    text: str, slots: Sequence[Slot], negations: Collection[str], corrections: Collection[str]
) -> tuple[Slot, ...]:
    """The slots but those taken back: "not Boston, Denver" and "Boston, sorry, Denver" mean Denver.

    A slot stays where no other of its name is left.
    """
    kept: list[Slot] = []
    denied: list[Slot] = []
    end = 0
    for slot in sorted(slots, key=lambda slot: slot.start):
        before = set(_words(text[end : slot.start]))
        end = max(end, slot.end)
        if before & set(negations):
            denied.append(slot)
            continue
        if kept and kept[-1].name == slot.name and before & set(corrections):
            denied.append(kept.pop())
        kept.append(slot)
    names = {slot.name for slot in kept}
    return tuple(slot for slot in slots if slot in kept or slot.name not in names)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.replace("’", "'").lower())


def _plain_key(key: str) -> str:
    return key.removeprefix("payload.")
