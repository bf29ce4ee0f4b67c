"""The JSON schema for editors says what the loader says."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from pipeline.dialog.checks import load_texts
from pipeline.dialog.schema import flow_schema, schema_text
from tests.dialog.talk import CORRECTED, FLOWS_FOLDER, PUBLISHED
from tests.dialog.test_checks import STATES

FILES = [path for folder in (FLOWS_FOLDER, CORRECTED, PUBLISHED) for path in sorted(folder.glob("*.yml"))]


def problems(content: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(flow_schema()).iter_errors(content)]


def test_the_shipped_schema_is_the_one_that_the_code_makes() -> None:
    shipped = (FLOWS_FOLDER / "flow.schema.json").read_text()
    assert shipped == schema_text(), "write it anew: (folder / 'flow.schema.json').write_text(schema_text())"
    Draft202012Validator.check_schema(json.loads(shipped))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_flows_fit_the_schema(path: Path) -> None:
    assert problems(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize(
    "state",
    [
        "x: hello",
        "x: {properties: {}}",
        "x: {type: mesage_text}",
        "x: {type: message_text}",
        "x: {type: message_text, properties: {text: [a]}}",
        "x: {type: message_text, properties: {text: a, delay: soon}}",
        "x: {type: message_text, properties: {text: a, txt: b}}",
        "x: {type: message_text_random, properties: {responses: Hi}}",
        "x: {type: input_user, properties: {nlp_type: rasa}}",
        "x: {type: input_user, properties: {require_match: maybe}}",
        "x: {type: input_user, transitions: {matched: init}}",
        "x: {type: confirm, properties: {key: a}}",
        "x: {type: reset, transitions: [init]}",
    ],
)
def test_what_the_loader_reports_the_schema_reports(state: str) -> None:
    text = f"{STATES}      {state}\n    intent_transitions: {{go: x}}\n"
    assert load_texts({"a.yml": dedent(text)})[1]
    assert problems(yaml.safe_load(dedent(text)))


def test_a_shipped_file_names_its_schema_for_editors() -> None:
    for path in FLOWS_FOLDER.glob("*.yml"):
        assert path.read_text().startswith("# yaml-language-server: $schema=flow.schema.json\n")
