"""The shipped flows: without defects, covered to the last transition, short enough for the ear."""

from __future__ import annotations

import pytest

from pipeline.dialog import check
from pipeline.dialog.cases import Case, read_cases
from pipeline.dialog.flows import Confirm, Message
from pipeline.dialog.tests_as_data import report, run
from tests.dialog.talk import CASES_FOLDER, FLOWS_FOLDER, ROOT, SHIPPED

ACTIONS = ["weather", "retail", "hand_over"]
TRAINING = ROOT / "data" / "training" / "nara"
CASES = read_cases(CASES_FOLDER)


def test_there_is_no_defect() -> None:
    assert [path.name for path in sorted(FLOWS_FOLDER.glob("*.yml"))] == [
        "error_flow.yml",
        "main_flow.yml",
        "retail_flow.yml",
        "weather_flow.yml",
    ]
    assert check(FLOWS_FOLDER, actions=ACTIONS) == []


def test_intents_and_slots_are_those_of_the_training_sentences() -> None:
    intents = (TRAINING / "dict.intents.csv").read_text().split()
    slots = (TRAINING / "dict.slots.csv").read_text().split()
    assert check(FLOWS_FOLDER, intents=intents) == []
    assert {f"B-{slot}" for slot in SHIPPED.slots} == {slot for slot in slots if slot.startswith("B-")}
    assert {intent for intent in intents if "." in intent or "_" in intent} <= set(SHIPPED.intents)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}: {case.name}")
def test_a_conversation_goes_as_written(case: Case) -> None:
    (result,) = run(SHIPPED, [case]).results
    assert result.failures == ()


def test_every_state_and_every_transition_is_covered() -> None:
    outcome = run(SHIPPED, CASES)
    assert outcome.coverage.complete, report(outcome)


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_wording_that_varies_does_not_matter(seed: int) -> None:
    varied = [Case(case.file, case.line, case.name, case.turns, seed, case.opens) for case in CASES]
    outcome = run(SHIPPED, varied)
    assert outcome.passed, report(outcome)


def test_replies_are_short_enough_for_the_ear() -> None:
    for state in SHIPPED.states.values():
        for text in state.texts if isinstance(state, Message | Confirm) else ():
            assert len(text.split()) <= 36, f"{state.name}: {text}"
