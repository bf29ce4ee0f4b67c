"""What agents should not forget on a call: a list in YAML (docs/dashboard.md), and which of it was said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.alerts.phrases import found, pattern
from pipeline.calls import Sentence, SpeakerRole
from pipeline.dialog.defects import did_you_mean
from pipeline.dialog.nodes import Items, Node, Scalar, Table, parse
from pipeline.errors import InputError
from pipeline.settings import DATA

SHIPPED = DATA / "reminders" / "default.yml"
_MOST = 30  # reminders; nobody reads more while they talk
_MOST_BYTES = 200_000
_KEYS = ("name", "says")


@dataclass(frozen=True)
class Reminder:
    """One thing to say; it is done once the agent says what one of the patterns finds."""

    name: str
    says: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]


@dataclass(frozen=True)
class Checklist:
    """The reminders in force; ``defects`` is why the company's own file does not count ("" where all is well)."""

    reminders: tuple[Reminder, ...]
    defects: str = ""


def own_file(home: Path) -> Path:
    """Where a company's own list lies; the file need not be there."""
    return home / "reminders.yml"


def load(home: Path) -> Checklist:
    """The company's own list; without one, or where it cannot be used, the shipped one with the reason why."""
    own = own_file(home)
    if not own.exists():
        return Checklist(read(_content(SHIPPED), SHIPPED.name))
    try:
        return Checklist(read(_content(own), own.name))
    except InputError as error:
        return Checklist(read(_content(SHIPPED), SHIPPED.name), str(error))


def read(text: str, origin: str) -> tuple[Reminder, ...]:
    """The reminders in a YAML ``text``, in its order; ``origin`` names it in the error.

    Raises InputError with everything that is wrong with it at once, by line.
    """
    root, flaws = parse(text)
    defects = [(flaw.line, flaw.message) for flaw in flaws]
    reminders = _reminders(root, defects) if root is not None else ()
    if defects:
        lines = [f"line {line}: {message}" for line, message in sorted(defects)]
        raise InputError("\n".join([f"the reminders in {origin} cannot be used:", *lines]))
    return reminders


def said(reminders: Iterable[Reminder], speaker: SpeakerRole, text: str) -> list[str]:
    """The names of the reminders that a sentence ticks off: the agent's, or anybody's where nobody knows who speaks."""
    if speaker == "customer":
        return []
    return [reminder.name for reminder in reminders if found(reminder.patterns, text) is not None]


def ticked(reminders: Sequence[Reminder], sentences: Iterable[Sentence]) -> dict[str, int]:
    """By name, the index of the first sentence that ticked the reminder off."""
    done: dict[str, int] = {}
    for sentence in sentences:
        for name in said(reminders, sentence.speaker, sentence.text):
            done.setdefault(name, sentence.index)
    return done


_Defects = list[tuple[int, str]]


def _reminders(root: Node, defects: _Defects) -> tuple[Reminder, ...]:
    if not isinstance(root, Table):
        defects.append((root.line, "the file must be a map with `reminders:`, a list"))
        return ()
    for key, _ in root.entries:
        if key.text not in ("reminders", "forms"):
            hint = did_you_mean(key.text or "", ("reminders", "forms"))
            defects.append((key.line, f"`{key.text}` is no key of the file{hint}"))
    forms = _forms(root.get("forms"), defects)
    listed = root.get("reminders")
    if not isinstance(listed, Items):
        defects.append(((listed or root).line, "`reminders` must be a list: each begins with `- name:`"))
        return ()
    if len(listed.items) > _MOST:
        defects.append((listed.line, f"{len(listed.items)} reminders; at most {_MOST} are shown"))
    reminders: dict[str, Reminder] = {}
    for node in listed.items:
        reminder = _reminder(node, forms, defects)
        if reminder is None:
            continue
        if reminder.name in reminders:
            defects.append((node.line, f"a reminder called “{reminder.name}” is there already"))
        reminders[reminder.name] = reminder
    return tuple(reminders.values())


def _reminder(node: Node, forms: Mapping[str, Sequence[str]], defects: _Defects) -> Reminder | None:
    if not isinstance(node, Table):
        defects.append((node.line, "a reminder must be a map with `name:` and `says:`"))
        return None
    for key, _ in node.entries:
        if key.text not in _KEYS:
            hint = did_you_mean(key.text or "", _KEYS)
            defects.append((key.line, f"`{key.text}` is no key of a reminder{hint}"))
    name = _texts(node.get("name"))
    if name is None or len(name) != 1:
        defects.append((node.line, "a reminder needs `name`, a text"))
        return None
    phrases = _texts(node.get("says"))
    if phrases is None:  # some are for the agent alone to tick off
        if node.get("says") is not None:
            defects.append((node.line, "`says` must be a list of texts, none of them empty"))
        return Reminder(name[0], (), ())
    patterns = []
    for phrase in phrases:
        try:
            patterns.append(pattern(phrase, forms))
        except ValueError as error:
            defects.append((node.line, f"“{phrase}” is no phrase: {error}"))
    return Reminder(name[0], phrases, tuple(patterns))


def _forms(node: Node | None, defects: _Defects) -> dict[str, tuple[str, ...]]:
    if node is None:
        return {}
    if not isinstance(node, Table):
        defects.append((node.line, "`forms` must be a map: a word, and the list of its other forms"))
        return {}
    forms: dict[str, tuple[str, ...]] = {}
    for key, value in node.entries:
        others = _texts(value)
        if others is None or any(len(word.split()) != 1 for word in (key.text or "", *others)):
            defects.append((key.line, f"“{key.text}” in `forms` must be one word with a list of single words"))
            continue
        forms[(key.text or "").lower()] = others
    return forms


def _texts(node: Node | None) -> tuple[str, ...] | None:
    """The texts of a list, or of a single one; None where there is none or one is empty."""
    items = node.items if isinstance(node, Items) else (node,)
    texts = [" ".join(item.text.split()) for item in items if isinstance(item, Scalar) and item.text]
    return tuple(texts) if texts and all(texts) and len(texts) == len(items) else None


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"the reminders in {path.name} cannot be used: more than {_MOST_BYTES:,} bytes")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"the reminders in {path.name} cannot be used: the file is not UTF-8 text") from None
    except OSError as error:
        raise InputError(f"cannot read the reminders {path}: {error.strerror}") from error
