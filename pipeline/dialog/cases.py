"""Conversations as data: the YAML files of a tests folder, read as values with their lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.calls import Intent, Slot
from pipeline.dialog.nodes import Items, Node, Scalar, Table, parse
from pipeline.dialog.values import Said
from pipeline.errors import InputError

WRITTEN = "written@1"  # the model that a case's understanding names
_EVENTS = ("silence", "time-out", "undo", "reset", "late result")
_TURN_KEYS = ("user", "intent", "slots", "error", "result", "event", "says", "state", "action", "request", "context")
_CASE_KEYS = ("name", "seed", "opens", "typed", "turns")


@dataclass(frozen=True)
class Turn:
    """One event of a conversation, and what is expected to come of it; None expects nothing in particular."""

    line: int
    user: str | None = None
    intent: str = ""
    slots: tuple[Slot, ...] = ()
    error: str = ""
    result: Mapping[str, str | tuple[str, ...]] | None = None
    event: str = ""  # one of silence, time-out, undo, reset, late result
    says: tuple[str, ...] | None = None  # patterns, one for each reply
    says_somewhere: str = ""  # a pattern for all replies together
    state: str | None = None
    action: str | None = None  # "" expects none
    request: Mapping[str, str | tuple[str, ...]] | None = None  # exactly
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)  # among others; "" expects no such key


@dataclass(frozen=True)
class Case:
    """One conversation; ``opens`` is a pattern for what is said before anybody asks.

    What is ``typed`` cannot be spoken in the assistant's own voice and language.
    """

    file: str
    line: int
    name: str
    turns: tuple[Turn, ...]
    seed: int = 0
    opens: str = ""
    typed: bool = False


def as_written(turn: Turn) -> Said:
    """The turn as the case itself understands it: no model needed."""
    intent = Intent(turn.intent, 1.0, turn.slots, WRITTEN) if turn.intent else None
    return Said(turn.user or "", None if turn.error else intent, turn.error)


def read_cases(folder: Path) -> tuple[Case, ...]:
    """The conversations of a folder's ``*.yml`` files; InputError lists everything that is wrong with them."""
    wrong: list[str] = []
    cases: list[Case] = []
    for path in sorted(folder.glob("*.yml")):
        root, flaws = parse(path.read_text(encoding="utf-8"))
        wrong += [f"{path.name}:{flaw.line}: {flaw.message}" for flaw in flaws]
        if isinstance(root, Items):
            cases += [_case(_Reader(path.name, wrong), node) for node in root.items]
        elif not flaws:
            wrong.append(f"{path.name}:1: a file of conversations is a list")
    if wrong:
        raise InputError(
            "\n".join([f"the conversations in {folder} cannot be used:", *(f"  {line}" for line in wrong)])
        )
    if not cases:
        raise InputError(f"{folder} holds no conversations: write them as lists in *.yml files")
    return tuple(cases)


@dataclass(frozen=True)
class _Reader:
    file: str
    wrong: list[str]

    def say(self, line: int, message: str) -> None:
        self.wrong.append(f"{self.file}:{line}: {message}")

    def table(self, node: Node | None, what: str, keys: tuple[str, ...] = ()) -> Table:
        if not isinstance(node, Table):
            if node is not None:
                self.say(node.line, f"{what} must be a map")
            return Table(node.line if node else 0, ())
        for key, _ in node.entries:
            if keys and key.text not in keys:
                self.say(key.line, f"{what} has no key `{key.text}`; it has {', '.join(keys)}")
        return node

    def text(self, node: Node | None, what: str) -> str:
        if node is None:
            return ""
        if not isinstance(node, Scalar):
            self.say(node.line, f"{what} must be a text")
            return ""
        return node.text or ""

    def value(self, node: Node, what: str) -> str | tuple[str, ...]:
        if isinstance(node, Items):
            return tuple(self.text(item, what) for item in node.items)
        return self.text(node, what)

    def pattern(self, node: Node, what: str) -> str:
        text = self.text(node, what)
        try:
            re.compile(text)
        except re.error as error:
            self.say(node.line, f"{what} is no pattern: {error}")
            return ""
        return text


def _case(reader: _Reader, node: Node) -> Case:
    table = reader.table(node, "a conversation", _CASE_KEYS)
    name = reader.text(table.get("name"), "`name`")
    if not name:
        reader.say(table.line, "a conversation needs a `name`")
    turns = table.get("turns")
    if not isinstance(turns, Items) or not turns.items:
        reader.say(table.line, f"`{name}` needs a list of `turns`")
        turns = Items(table.line, ())
    seed = reader.text(table.get("seed"), "`seed`") or "0"
    if not seed.isdigit():
        reader.say(table.line, "`seed` must be a whole number")
        seed = "0"
    opens = table.get("opens")
    typed = reader.text(table.get("typed"), "`typed`") or "false"
    if typed not in ("true", "false"):
        reader.say(table.line, "`typed` must be true or false")
    return Case(
        reader.file,
        table.line,
        name,
        tuple(_turn(reader, turn) for turn in turns.items),
        int(seed),
        reader.pattern(opens, "`opens`") if opens else "",
        typed == "true",
    )


def _turn(reader: _Reader, node: Node) -> Turn:
    table = reader.table(node, "a turn", _TURN_KEYS)
    kinds = [key for key in ("user", "result", "event") if table.get(key)]
    if len(kinds) != 1:
        reader.say(table.line, "a turn is one of `user`, `result` and `event`")
    user = table.get("user")
    event = reader.text(table.get("event"), "`event`")
    if event and event not in _EVENTS:
        reader.say(table.line, f"`event` must be one of {', '.join(_EVENTS)}")
    said = reader.text(user, "`user`") if user else None
    says = table.get("says")
    action, state = table.get("action"), table.get("state")
    return Turn(
        table.line,
        said,
        reader.text(table.get("intent"), "`intent`"),
        _slots(reader, said or "", table.get("slots")),
        reader.text(table.get("error"), "`error`"),
        _values(reader, table.get("result")),
        event,
        tuple(reader.pattern(item, "an item of `says`") for item in says.items) if isinstance(says, Items) else None,
        reader.pattern(says, "`says`") if isinstance(says, Scalar) else "",
        reader.text(state, "`state`") if state else None,
        reader.text(action, "`action`") if action else None,
        _values(reader, table.get("request")),
        _values(reader, table.get("context")) or {},
    )


def _values(reader: _Reader, node: Node | None) -> dict[str, str | tuple[str, ...]] | None:
    if node is None:
        return None
    table = reader.table(node, "a map of keys")
    return {key.text or "": reader.value(value, f"`{key.text}`") for key, value in table.entries}


def _slots(reader: _Reader, user: str, node: Node | None) -> tuple[Slot, ...]:
    """The slots with their places in the user's text: a text, a list of texts, or `{text:, value:}`."""
    slots: list[Slot] = []
    for key, written in reader.table(node, "`slots`").entries if node else ():
        for one in written.items if isinstance(written, Items) else (written,):
            if isinstance(one, Table):
                text = reader.text(one.get("text"), "`text`")
                value = reader.text(one.get("value"), "`value`")
            else:
                text = value = reader.text(one, f"`{key.text}`")
            start = user.lower().find(text.lower())
            if start < 0 or not text:
                reader.say(key.line, f"the slot `{key.text}` says `{text}`, which the user does not")
                continue
            slots.append(Slot(key.text or "", value, text, start, start + len(text), 1.0))
    return tuple(slots)
