from __future__ import annotations

import json
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from pipeline.alerts.book import SHIPPED
from pipeline.alerts.reading import RulesError, read
from pipeline.alerts.rules import Means, in_words
from pipeline.alerts.schema import reference, rules_schema, schema_text
from pipeline.alerts.shape import DEFAULT_CLOSENESS
from pipeline.errors import OvertoneError
from tests.docs import DOCS

HEAD = "rules:\n"
BROKEN = {
    "- {when: {silence_s: 30}}": "a rule needs `name`",
    "- {name: a}": "a rule needs `when`",
    "- {name: a, when: {silence_s: soon}}": "`silence_s` must be a number from 10 to 240",
    "- {name: a, when: {silence_s: 5}}": "from 10 to 240",
    "- {name: a, when: {silence_s: .nan}}": "must be a number",
    "- {name: a, when: {silense_s: 30}}": "did you mean `silence_s`?",
    "- {name: a, when: {silence_s: 30, talk_over_s: 3}}": "write a rule for each",
    "- {name: a, when: {silence_s: 30, for_s: 3}}": "`for_s` does not go with silence_s",
    "- {name: a, when: {talk_over_s: 30, within_s: 10}}": "does not fit into within_s",
    "- {name: a, when: {negative_in_a_row: 2.5}}": "must be a whole number from 2 to 50",
    "- {name: a, when: {asks_for_supervisor: false}}": "true or not there",
    "- {name: a, when: {says: []}}": "`says` must be a list of texts",
    "- {name: a, when: {says: ['...']}}": "is no phrase",
    "- {name: a, when: {says: [x], who: boss}}": "`who` must be one of agent, customer, anyone",
    "- {name: a, when: {means: [money back]}}": "is no sentence: write 3 words or more, or use `says`",
    "- {name: a, when: {means: []}}": "`means` must be a list of texts",
    "- {name: a, when: {means: [I want my money back], closeness: 2}}": "`closeness` must be a number from 0.3 to 0.95",
    "- {name: a, when: {means: [I want my money back], for_s: 2}}": "`for_s` does not go with means",
    "- {name: a, severity: loud, when: {silence_s: 30}}": "must be one of info, warning, critical",
    "- {name: a, enabled: perhaps, when: {silence_s: 30}}": "must be true or false",
    "- {name: a, cooldown_s: -1, when: {silence_s: 30}}": "`cooldown_s` must be a number from 0",
    "- {name: a, colour: red, when: {silence_s: 30}}": "`colour` is no key of a rule",
    "- hello": "a rule must be a map",
}


@pytest.mark.parametrize(("rule", "message"), BROKEN.items())
def test_each_defect_is_named_with_its_line(rule: str, message: str) -> None:
    with pytest.raises(RulesError) as caught:
        read(f"# a remark\n{HEAD}  {rule}\n", "alerts.yml")
    (defect,) = caught.value.defects
    assert message in defect.message
    assert defect.line == 3
    assert str(caught.value).startswith("the alert rules in alerts.yml cannot be used, 1 thing to mend:")


# What only the reader can know: no schema compares two values, or looks into a phrase.
READER_ONLY = (".nan", "talk_over_s: 30", "'...'", "asks_for_supervisor: false", "[money back]")


@pytest.mark.parametrize("rule", [rule for rule in BROKEN if not any(part in rule for part in READER_ONLY)])
def test_the_schema_finds_what_the_reader_finds(rule: str) -> None:
    assert list(Draft202012Validator(rules_schema()).iter_errors(yaml.safe_load(f"{HEAD}  {rule}")))


def test_every_defect_is_reported_at_once() -> None:
    text = f"{HEAD}" + "".join(f"  {rule}\n" for rule in BROKEN) + "colours: []\n"
    with pytest.raises(RulesError) as caught:
        read(text, "alerts.yml")
    assert len(caught.value.defects) == len(BROKEN) + 1
    assert [defect.line for defect in caught.value.defects] == list(range(2, len(BROKEN) + 3))


@pytest.mark.parametrize(
    "text", ["", "[]", "rules: {}", "rules: [", "a: &a [*a]", "{" * 400, "rules:\n  - x: !!python/none"]
)
def test_what_is_no_file_of_rules(text: str) -> None:
    with pytest.raises(RulesError):
        read(text, "alerts.yml")


def test_two_rules_of_one_name() -> None:
    with pytest.raises(RulesError, match="line 3: a rule called “a” is in line 2 already"):
        read(f"{HEAD}  - {{name: a, when: {{silence_s: 30}}}}\n  - {{name: a, when: {{silence_s: 40}}}}\n", "x")


def test_a_meaning_has_a_threshold_of_its_own_or_the_usual_one() -> None:
    usual, own = read(
        f"{HEAD}  - {{name: a, when: {{means: I want my money back}}}}\n"
        "  - {name: b, when: {means: [Give me  your password], who: agent, closeness: 0.6}}\n",
        "x",
    )
    assert usual.when == Means("anyone", ("I want my money back",), DEFAULT_CLOSENESS)
    assert own.when == Means("agent", ("Give me your password",), 0.6)
    assert in_words(own.when) == "The agent says something like “Give me your password”"


def test_no_rules_are_rules_too() -> None:
    assert read("rules:\n", "x") == ()


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(OvertoneError):
        read(text, "x")


def test_the_shipped_rules_use_every_condition_and_fit_the_schema() -> None:
    rules = read(SHIPPED.read_text(), SHIPPED.name)
    assert {type(rule.when).__name__ for rule in rules} == {
        "MoodBelow", "NegativeInARow", "Says", "Means", "AsksForSupervisor", "Silence", "TalkOver",
    }  # fmt: skip
    assert all(in_words(rule.when) for rule in rules)
    assert not list(Draft202012Validator(rules_schema()).iter_errors(yaml.safe_load(SHIPPED.read_text())))


def test_the_shipped_schema_and_the_docs_are_what_the_code_makes() -> None:
    shipped = (SHIPPED.parent / "rules.schema.json").read_text()
    assert shipped == schema_text(), "write it anew: rules.schema.json is schema_text()"
    Draft202012Validator.check_schema(json.loads(shipped))
    assert reference() in (DOCS / "alerts.md").read_text(), "docs/alerts.md must hold schema.reference()"
