"""The JSON schema of a flow file, for editors, and the reference of the language in Markdown; made from shape.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.dialog.shape import (
    DEFAULT_KEYS,
    DEFAULT_LABELS,
    FILE_KEYS,
    MEMORY_KEYS,
    ROUTE_KEYS,
    STATE_TYPES,
    USER_TYPE,
    Field,
    Kind,
    Shape,
)

_TEXT = {"type": ["string", "number", "boolean"]}
_WORDS = {"type": "array", "items": _TEXT, "minItems": 1}
_PAIRS = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
_TARGET: dict[str, Any] = {
    "anyOf": [
        {"type": ["string", "null"]},
        {
            "type": "object",
            "properties": {"flow": {"type": "string"}},
            "required": ["flow"],
            "additionalProperties": False,
        },
    ]
}
_KINDS: Mapping[Kind, dict[str, Any]] = {
    "text": _TEXT,
    "key": {"type": "string"},
    "texts": {"anyOf": [_TEXT, _WORDS]},
    "list": _WORDS,
    "names": {"anyOf": [_TEXT, _WORDS]},
    "pairs": {"anyOf": [_PAIRS, {"type": "array", "items": _PAIRS}]},
    "bindings": {"anyOf": [_PAIRS, _WORDS]},
    "seconds": {"type": "number", "minimum": 0},
    "switch": {"type": "boolean"},
    "nlp": {"enum": ["riva", "jarvis", "empty", "", None]},
    "state": _TARGET,
    "lists": {"type": "object", "additionalProperties": _WORDS},
}


def flow_schema() -> dict[str, Any]:
    """The schema of one flow file (JSON Schema 2020-12)."""
    special: dict[str, dict[str, Any]] = {
        "intent_transitions": {
            "type": ["object", "null"],
            "additionalProperties": {"anyOf": [_TARGET, _object(ROUTE_KEYS)]},
        },
        "states": {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/state"}},
        "defaults": _object(DEFAULT_KEYS, {"transitions": _labels(DEFAULT_LABELS)}),
        "memory": {"type": "array", "items": _object(MEMORY_KEYS)},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A flow of the Overtone assistant",
        **_object(FILE_KEYS, special),
        "$defs": {"state": _state()},
    }


def schema_text() -> str:
    """The content of data/flows/flow.schema.json."""
    return json.dumps(flow_schema(), indent=2) + "\n"


def reference() -> str:
    """The language as Markdown tables: types of states, then the keys of a file; docs/flows.md holds them."""
    lines = ["| type | does | properties | transitions |", "|---|---|---|---|"]
    for name, shape in [*STATE_TYPES.items(), ("*a capitalised name*", USER_TYPE)]:
        title = name if name.startswith("*") else f"`{name}`"
        lines.append(
            f"| {title}{_new(shape.new)} | {shape.doc} | {_described(shape.properties)} | "
            f"{'<br>'.join(f'`{label}`: {doc}' for label, doc in shape.labels.items())} |"
        )
    lines += ["", "| key of a file | meaning |", "|---|---|"]
    lines += [f"| `{name}`{_new(known.new)} | {known.doc} |" for name, known in FILE_KEYS.items()]
    return "\n".join(lines) + "\n"


def _new(new: bool) -> str:
    return " ＋" if new else ""


def _described(fields: Mapping[str, Field]) -> str:
    return "<br>".join(
        f"`{name}`{_new(known.new)}{' (required)' if known.required else ''}: {known.doc}"
        for name, known in fields.items()
    )


def _object(fields: Mapping[str, Field], special: Mapping[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    known = special or {}
    properties = {
        name: {**(known.get(name) or _KINDS[shape.kind]), "description": shape.doc} for name, shape in fields.items()
    }
    required = [name for name, shape in fields.items() if shape.required]
    closed: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**closed, "required": required} if required else closed


def _labels(labels: Mapping[str, str], *, is_open: bool = False) -> dict[str, Any]:
    properties = {label: {**_TARGET, "description": doc} for label, doc in labels.items()}
    return {"type": "object", "properties": properties, "additionalProperties": _TARGET if is_open else False}


def _state() -> dict[str, Any]:
    by_type = [_when({"const": name}, shape) for name, shape in STATE_TYPES.items()]
    return {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {
                "anyOf": [{"enum": list(STATE_TYPES)}, {"type": "string", "pattern": "^[A-Z]\\w*$"}],
                "description": "what the state does; a capitalised name is a user class",
            },
            "properties": {"type": ["object", "null"]},
            "transitions": {"description": "missing: the state below; empty or `return`: back, home or the end"},
        },
        "additionalProperties": False,
        "allOf": [*by_type, _when({"type": "string", "pattern": "^[A-Z]"}, USER_TYPE)],
    }


def _when(kind: dict[str, Any], shape: Shape) -> dict[str, Any]:
    properties: dict[str, Any] = {**_object(shape.properties), "type": ["object", "null"]}
    if shape.open:
        properties["additionalProperties"] = _TEXT
    labels = _labels({} if shape.open else shape.labels, is_open=shape.open)
    then: dict[str, Any] = {
        "properties": {
            "properties": properties,
            "transitions": {"anyOf": [{"type": ["string", "null"]}, _TARGET["anyOf"][1], labels]},
        }
    }
    if any(known.required for known in shape.properties.values()):
        then["required"] = ["properties"]
    return {"if": {"properties": {"type": kind}, "required": ["type"]}, "then": then}
