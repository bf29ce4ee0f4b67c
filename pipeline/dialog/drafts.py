"""Flow files as drafts: read and typed one by one, with targets that are not looked up yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.dialog.defects import Defect, did_you_mean
from pipeline.dialog.flows import END, RETURN
from pipeline.dialog.nodes import Items, Scalar, Table, parse
from pipeline.dialog.reading import FieldValue, Reader, Target, Use
from pipeline.dialog.shape import (
    DEFAULT_KEYS,
    DEFAULT_LABELS,
    FILE_KEYS,
    MEMORY_KEYS,
    ROUTE_KEYS,
    STATE_TYPES,
    USER_TYPE,
    Field,
    Shape,
)

_USER_CLASS = re.compile(r"[A-Z]\w*")
_STATE_NAME = re.compile(r"[\w.\-]+")
_STATE_KEYS = ("type", "properties", "transitions")
_ROUTE = "intent_transitions"


@dataclass(frozen=True)
class DraftState:
    """A state as written; ``labels`` is None without transitions, and empty where they are empty or `return`."""

    name: str
    line: int
    type: str
    values: Mapping[str, FieldValue]
    labels: Mapping[str, Target] | None
    lines: Mapping[str, int] = field(default_factory=dict)  # of its properties


@dataclass(frozen=True)
class DraftRoute:
    """An intent's transition as written."""

    intent: str
    line: int
    target: Target
    sets: Mapping[str, str]
    returns: bool
    stand_ins: Mapping[str, str]


@dataclass(frozen=True)
class Draft:
    """One file as written; ``settings`` are its keys beyond name, states and intents."""

    file: str
    name: str = ""
    states: tuple[DraftState, ...] = ()
    routes: tuple[DraftRoute, ...] = ()
    settings: Mapping[str, FieldValue] = field(default_factory=dict)
    defaults: Mapping[str, FieldValue] = field(default_factory=dict)
    default_labels: Mapping[str, Target] = field(default_factory=dict)
    lists: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    memory: tuple[Mapping[str, FieldValue], ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)  # of its keys
    uses: tuple[Use, ...] = ()
    defects: tuple[Defect, ...] = ()
    readable: bool = True  # False: what the file defines is not known


def draft(file: str, text: str) -> Draft:
    """The file as written, with what is wrong in itself."""
    root, flaws = parse(text)
    reader = Reader(file)
    if not isinstance(root, Table):
        message = flaws[0].message if flaws else "a flow file is a map with `name` and `states`"
        return Draft(file, defects=(Defect(file, flaws[0].line if flaws else 1, "", message),), readable=False)
    states = _states(reader, root)
    for flaw in flaws:
        before = [state for state in states if state.line <= flaw.line]
        twice = next((state.name for state in states if f"`{state.name}` is written twice" in flaw.message), "")
        reader.state = twice or (before[-1].name if before else "")
        reader.wrong(flaw.line, flaw.message)
    reader.state = ""
    simple = reader.fields(root, FILE_KEYS, "a flow file")
    lists = {name: _lists(reader, root, name) for name in ("phrases", "actions")}
    routes = _routes(reader, root)
    defaults, default_labels = _defaults(reader, root)
    memory = _memory(reader, root)
    return Draft(
        file,
        str(simple.pop("name", _stem(file))),
        states,
        routes,
        simple,
        defaults,
        default_labels,
        lists,
        memory,
        {key.text or "": key.line for key, _ in root.entries},
        tuple(reader.uses),
        tuple(reader.defects),
    )


def action_name(user_class: str) -> str:
    """The action of a user class: ``HandOver`` gives ``hand_over``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", user_class).lower()


def shape_of(type_name: str) -> Shape | None:
    """The shape of a type of state, None if there is no such type; a capitalised one is a user class."""
    return STATE_TYPES.get(type_name) or (USER_TYPE if _USER_CLASS.fullmatch(type_name) else None)


def _stem(file: str) -> str:
    return file.rpartition("/")[2].removesuffix(".yml")


def _states(reader: Reader, root: Table) -> tuple[DraftState, ...]:
    table = reader.table(root.get("states"), "`states`")
    states = (_state(reader, key, node) for key, node in (table.entries if table else ()))
    return tuple(state for state in states if state)


def _state(reader: Reader, key: Scalar, node: object) -> DraftState | None:
    name = reader.state = key.text or ""
    if not _STATE_NAME.fullmatch(name):
        reader.wrong(key.line, "a state's name is letters, digits, `_`, `-` and `.`, without spaces", "warning")
    if name in (END, RETURN):
        reader.wrong(key.line, f"`{name}` has a meaning of its own and cannot be a state's name")
    if not isinstance(node, Table):
        reader.wrong(key.line, "a state is a map with a `type`")
        return DraftState(name, key.line, "", {}, None)
    for part, _ in node.entries:
        if part.text not in _STATE_KEYS:
            reader.unknown(part, "a state", _STATE_KEYS)
    kind = _type(reader, key, node)
    shape = shape_of(kind)
    properties = reader.table(node.get("properties"), "`properties`") or Table(key.line, ())
    other = Field("text", "") if shape and shape.open else None
    values = reader.fields(properties, shape.properties, f"`{kind}`", other) if shape else {}
    labels = _transitions(reader, node, kind, shape)
    lines = {part.text or "": part.line for part, _ in properties.entries}
    return DraftState(name, key.line, kind, values, labels, lines)


def _type(reader: Reader, key: Scalar, node: Table) -> str:
    found = node.get("type")
    if found is None:
        reader.wrong(key.line, "the state has no `type`")
        return ""
    kind = (reader.text(found, "`type`", template=False) or "").strip()
    if kind and not shape_of(kind):
        hint = did_you_mean(kind, STATE_TYPES) or "; a user class begins with a capital letter"
        reader.wrong(found.line, f"unknown type `{kind}`{hint}")
    return kind


def _transitions(reader: Reader, node: Table, kind: str, shape: Shape | None) -> dict[str, Target] | None:
    found = node.get("transitions")
    if found is None:
        return None
    if isinstance(found, Scalar):
        name = (found.text or "").strip()
        target = reader.target(found, "`transitions`")
        return {"next_state": target} if target and name not in ("", RETURN) else {}
    table = reader.table(found, "`transitions`")
    if table is None:
        return None
    if [key.text for key, _ in table.entries] == ["flow"]:
        target = reader.target(table, "`transitions`")
        return {"next_state": target} if target else {}
    labels = {}
    for key, value in table.entries:
        label = key.text or ""
        if shape and not shape.open and label not in shape.labels:
            reader.unknown(key, f"the transitions of `{kind}`", shape.labels)
        target = reader.target(value, f"`{label}`")
        if target:
            labels[label] = target
    return labels


def _lists(reader: Reader, root: Table, name: str) -> dict[str, tuple[str, ...]]:
    node = root.get(name)
    return {key.text or "": texts for key, texts in reader.lists(node, name)} if node else {}


def _routes(reader: Reader, root: Table) -> tuple[DraftRoute, ...]:
    table = reader.table(root.get(_ROUTE), f"`{_ROUTE}`")
    reader.state = _ROUTE
    routes = []
    for key, node in table.entries if table else ():
        intent = key.text or ""
        plain = not isinstance(node, Table) or node.get("flow") is not None
        values = {} if plain or not isinstance(node, Table) else reader.fields(node, ROUTE_KEYS, f"`{intent}`")
        target = reader.target(node, f"`{intent}`") if plain else values.get("state")
        sets, stand_ins = _pairs(values, "set"), _pairs(values, "stand_ins")
        if isinstance(target, Target):
            routes.append(DraftRoute(intent, key.line, target, sets, values.get("returns") is not False, stand_ins))
    reader.state = ""
    return tuple(routes)


def _pairs(values: Mapping[str, FieldValue], key: str) -> dict[str, str]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _defaults(reader: Reader, root: Table) -> tuple[dict[str, FieldValue], dict[str, Target]]:
    table = reader.table(root.get("defaults"), "`defaults`")
    if table is None:
        return {}, {}
    reader.state = "defaults"
    values = reader.fields(table, DEFAULT_KEYS, "`defaults`")
    labels = reader.table(table.get("transitions"), "`transitions`")
    targets = {}
    for key, node in labels.entries if labels else ():
        if key.text not in DEFAULT_LABELS:
            reader.unknown(key, "the default transitions", DEFAULT_LABELS)
        target = reader.target(node, f"`{key.text}`")
        if target:
            targets[key.text or ""] = target
    reader.state = ""
    return values, targets


def _memory(reader: Reader, root: Table) -> tuple[dict[str, FieldValue], ...]:
    node = root.get("memory")
    if node is None:
        return ()
    if not isinstance(node, Items):
        reader.wrong(node.line, "`memory` must be a list of rules")
        return ()
    reader.state = "memory"
    tables = (reader.table(item, "a rule of `memory`") for item in node.items)
    rules = tuple(reader.fields(table, MEMORY_KEYS, "a rule of `memory`") for table in tables if table)
    reader.state = ""
    return rules
