"""The JSON schema of a file of alert rules, for editors, and its keys as Markdown for the docs; made from shape.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.alerts.shape import CONDITIONS, RULE_KEYS, Key

_WORDS: dict[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}


def rules_schema() -> dict[str, Any]:
    """The schema of the file (JSON Schema 2020-12)."""
    conditions = [_closed(keys, required=[name]) for name, keys in CONDITIONS.items()]
    rule = _closed(RULE_KEYS, required=["name", "when"])
    rule["properties"]["when"] = {"oneOf": conditions, "description": "the condition; one a rule"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Alert rules of Overtone",
        "type": "object",
        "properties": {
            "forms": {
                "type": "object",
                "additionalProperties": _WORDS,
                "description": "other forms of a word; wherever a phrase has the word, each form is found too",
            },
            "rules": {"type": ["array", "null"], "items": rule},
        },
        "required": ["rules"],
        "additionalProperties": False,
    }


def schema_text() -> str:
    """The content of data/alerts/rules.schema.json."""
    return json.dumps(rules_schema(), indent=2, ensure_ascii=False) + "\n"


def reference() -> str:
    """The keys as Markdown tables: of a rule, then of its conditions; docs/alerts.md holds them."""
    lines = ["| key of a rule | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {key.doc} |" for name, key in RULE_KEYS.items()]
    lines += ["| `when` | the condition: one of those below |", "", "| condition | meaning | with |", "|---|---|---|"]
    for name, keys in CONDITIONS.items():
        others = "; ".join(f"`{other}`: {key.doc}" for other, key in keys.items() if other != name)
        lines.append(f"| `{name}` | {keys[name].doc} | {others} |")
    return "\n".join(lines) + "\n"


def _closed(keys: Mapping[str, Key], *, required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {**_kind(key), "description": key.doc} for name, key in keys.items()},
        "required": required,
        "additionalProperties": False,
    }


def _kind(key: Key) -> dict[str, Any]:
    match key.kind:
        case "text":
            return {"type": "string", "minLength": 1}
        case "texts":
            return {"anyOf": [{"type": "string", "minLength": 1}, _WORDS]}
        case "switch":
            return {"type": "boolean"}
        case "choice":
            return {"enum": list(key.choices)}
        case "count":
            return {"type": "integer", "minimum": int(key.low), "maximum": int(key.high)}
        case _:
            return {"type": "number", "minimum": key.low, "maximum": key.high}
