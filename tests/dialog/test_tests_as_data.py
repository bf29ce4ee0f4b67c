"""Conversations as data: what goes otherwise is told by line; a model can take the place of what is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from pipeline.calls import Intent
from pipeline.dialog import Asked, Said
from pipeline.dialog.cases import Case, Turn, as_written, read_cases
from pipeline.dialog.tests_as_data import Outcome, report, run
from pipeline.errors import InputError
from tests.dialog.talk import SHIPPED

RAIN = """
    - name: rain
      opens: weather
      turns:
        - user: will it rain in Rome
          intent: weather.rainfall_yes_no
          slots: {location: Rome}
          says: []
          state: ask_weather_service
          action: weather
          request: {kind: rainfall_yes_no, location: Rome}
          context: {location: Rome, weathertime: ''}
        - result: {weather_status: ok, answer: 'No.', choices: [a, b]}
          says: ['^no']
          action: ''
        - event: silence
          says: still there
"""


def cases_of(tmp_path: Path, text: str) -> tuple[Case, ...]:
    (tmp_path / "cases.yml").write_text(dedent(text))
    return read_cases(tmp_path)


def outcome_of(tmp_path: Path, text: str) -> Outcome:
    return run(SHIPPED, cases_of(tmp_path, text))


def test_a_conversation_that_goes_as_written(tmp_path: Path) -> None:
    outcome = outcome_of(tmp_path, RAIN)
    assert outcome.passed
    lines = report(outcome).splitlines()
    assert lines[0] == "1 of 1 conversations went as written"
    assert "  not covered: state greet" in lines
    assert not outcome.coverage.complete
    assert "listen" in outcome.coverage.states


@pytest.mark.parametrize(
    ("right", "wrong", "line", "expected"),
    [
        ("opens: weather", "opens: sports", 2, "opens with `"),
        ("says: []", "says: [hm]", 5, "says [], expected ['hm']"),
        ("says: ['^no']", "says: [yes]", 13, "says ['No.'], expected ['yes']"),
        ("says: still there", "says: goodbye", 16, "says ['Are you still there?'], expected `goodbye`"),
        ("state: ask_weather_service", "state: listen", 5, "comes to state ask_weather_service, expected listen"),
        ("action: weather", "action: retail", 5, "asks for ['weather'], expected retail"),
        ("action: weather", "action: ''", 5, "asks for ['weather'], expected no action"),
        ("location: Rome}\n          context", "location: Oslo}\n          context", 5, "requests {'kind'"),
        ("weathertime: ''", "weathertime: today", 5, "keeps `weathertime` as ``, expected `today`"),
        ("event: silence", "result: {answer: late}", 16, "nobody waited for this result"),
    ],
)
def test_a_conversation_that_goes_otherwise(tmp_path: Path, right: str, wrong: str, line: int, expected: str) -> None:
    assert right in RAIN
    outcome = outcome_of(tmp_path, RAIN.replace(right, wrong))
    assert not outcome.passed
    failures = outcome.results[0].failures
    assert any(failure.startswith(f"cases.yml:{line}: {expected}") for failure in failures), failures
    assert report(outcome).startswith("failed: rain\n  cases.yml:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b", "cases.yml:1: a file of conversations is a list"),
        ("- name: x", "cases.yml:1: `x` needs a list of `turns`"),
        ("- turns: [{event: silence}]", "cases.yml:1: a conversation needs a `name`"),
        ("- {name: x, seed: one, turns: [{event: silence}]}", "cases.yml:1: `seed` must be a whole number"),
        ("- {name: x, turns: [{event: noise}]}", "cases.yml:1: `event` must be one of silence, time-out"),
        ("- {name: x, turns: [{user: a, event: undo}]}", "cases.yml:1: a turn is one of `user`, `result` and `event`"),
        ("- {name: x, turns: [{user: a, say: b}]}", "cases.yml:1: a turn has no key `say`; it has user,"),
        ("- {name: x, turns: [{user: a, says: '('}]}", "cases.yml:1: `says` is no pattern: "),
        (
            "- {name: x, turns: [{user: a, slots: {b: c}}]}",
            "cases.yml:1: the slot `b` says `c`, which the user",
        ),
        ("- {name: x, turns: [{user: [a]}]}", "cases.yml:1: `user` must be a text"),
        ("- {name: x, name: y, turns: [{event: undo}]}", "cases.yml:1: `name` is written twice"),
    ],
)
def test_files_that_are_wrong_are_refused_with_their_lines(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InputError) as raised:
        cases_of(tmp_path, text)
    assert f"  {expected}" in str(raised.value)


def test_a_folder_without_conversations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no conversations"):
        read_cases(tmp_path)


def test_a_slot_may_have_a_value_of_its_own(tmp_path: Path) -> None:
    text = RAIN.replace(
        "{location: Rome}\n          says", "{location: {text: Rome, value: 'Rome, Italy'}}\n          says"
    )
    (case,) = cases_of(tmp_path, text)
    (slot,) = case.turns[0].slots
    assert (slot.text, slot.value, slot.start, slot.end) == ("Rome", "Rome, Italy", 16, 20)


def test_a_model_in_place_of_the_case_is_compared_with_it(tmp_path: Path) -> None:
    cases = cases_of(tmp_path, RAIN)

    def right(turn: Turn, asked: Asked) -> Said:
        return as_written(turn)

    def deaf(turn: Turn, asked: Asked) -> Said:
        return replace(as_written(turn), intent=Intent("greeting", 0.9, (), "deaf@1"))

    assert run(SHIPPED, cases, right).passed
    failures = run(SHIPPED, cases, deaf).results[0].failures
    assert "understood as greeting, expected weather.rainfall_yes_no" in failures[0]
    assert "gave the slots {}, expected {'location': ['rome']}" in failures[1]


def test_phrases_make_up_for_a_model_that_hears_another_intent(tmp_path: Path) -> None:
    cases = cases_of(tmp_path, "- {name: x, turns: [{user: thanks, intent: goodbye, state: listen}]}")
    assert run(SHIPPED, cases, lambda turn, asked: Said(turn.user or "")).passed


def test_judged_by_answers_another_understanding_is_listed_and_no_failure(tmp_path: Path) -> None:
    turn = "{user: thanks a lot, intent: goodbye, slots: {location: lot}, says: [welcome|pleasure|happy]}"
    cases = cases_of(tmp_path, f"- {{name: x, turns: [{turn}]}}")

    def other(turn: Turn, asked: Asked) -> Said:
        return Said("Thanks a lot!", Intent("greeting", 0.9, (), "deaf@1"))

    outcome = run(SHIPPED, cases, other, judge="answers")
    assert outcome.passed
    (line,) = outcome.results[0].misheard
    assert line == "cases.yml:1: `Thanks a lot!` gave the slots {}, expected {'location': ['lot']}"
    assert f"turns that were heard otherwise:\n  {line}" in report(outcome)
    assert not run(SHIPPED, cases, other).passed


def test_judged_by_its_course_a_conversation_may_be_misheard_on_the_way(tmp_path: Path) -> None:
    cases = cases_of(tmp_path, RAIN.replace("says: []", "says: [never said]").replace("'^no'", "never"))

    def misheard(turn: Turn, asked: Asked) -> Said:
        return replace(as_written(turn), text="Bullet rain in Rome")

    outcome = run(SHIPPED, cases, misheard, judge="course")
    assert outcome.passed, report(outcome)
    assert outcome.results[0].misheard == ("cases.yml:5: heard `Bullet rain in Rome`, expected `will it rain in Rome`",)

    def lost(turn: Turn, asked: Asked) -> Said:
        return Said("zzz")

    failures = run(SHIPPED, cases, lost, judge="course").results[0].failures
    assert [failure.partition(": ")[2] for failure in failures] == [
        "comes to state listen, expected ask_weather_service",
        "asks for no action, expected weather",
        "requests nothing, expected {'kind': 'rainfall_yes_no', 'location': 'Rome'}",
        "nobody waited for this result",
    ]
