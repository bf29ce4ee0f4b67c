"""The engine's laws: a state is the replay of its events, conversations never cross, every step can be followed."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.calls import Intent, Slot
from pipeline.dialog import (
    ActionDone,
    DialogState,
    Event,
    NoInput,
    Reset,
    Said,
    TimedOut,
    Undo,
    Waits,
    begin,
    ended,
    load,
    replay,
    step,
    waits,
)
from pipeline.dialog.checks import load_texts
from pipeline.dialog.flows import END, Asking, Flows, Work
from tests.dialog.talk import CORRECTED, ROOT, SHIPPED, flows_of, last, said, talk, texts

INTENTS = [*SHIPPED.intents, "unknown", "weather.temprature", ""]
VALUES = [
    "denver",
    "boston",
    "tomorrow",
    "fifteen",
    "one",
    "red",
    "sweater",
    "near me",
    "x" * 300,
    "Robert'); DROP TABLE",
]
PHRASES = [*SHIPPED.phrases, "um", "", "and", "no, not", "!undo", "!reset", "🙂", "\x00\u202eabc"]
STATUSES = [
    "ok",
    "no_such_place",
    "no_location",
    "several_places",
    "several_items",
    "nothing_found",
    "unavailable",
    "next_state",
]


@st.composite
def utterances(draw: st.DrawFn) -> Said:
    words = draw(st.sampled_from(PHRASES) | st.just("and in"))
    slots = []
    for name in draw(st.lists(st.sampled_from(SHIPPED.slots), max_size=3)):
        value = draw(st.sampled_from(VALUES))
        words = f"{words} {value}"
        slots.append(Slot(name, value, value, len(words) - len(value), len(words), 0.5))
    intent = Intent(draw(st.sampled_from(INTENTS)), draw(st.floats(0, 1)), tuple(slots), "test@1")
    error = draw(st.sampled_from(["", "", "", "no service"]))
    return Said(words, None if error else intent, error)


@st.composite
def results(draw: st.DrawFn) -> ActionDone:
    """A result; the number -1 stands for the action that is under way, if there is one."""
    status = draw(st.sampled_from(STATUSES))
    values: dict[str, str | list[str]] = {f"{name}_status": status for name in ("weather", "retail", "hand_over")}
    if draw(st.booleans()):
        values |= {"answer": "It is so.", "choices": ["one", "two"], "source": "sample"}
    return ActionDone(draw(st.sampled_from([-1, -1, -1, 0, 3])), values)


events = utterances() | results() | st.sampled_from([NoInput(), TimedOut(), Undo(), Reset()])
conversations = st.lists(events, max_size=25)


def under_way(event: Event, state: DialogState) -> Event:
    if isinstance(event, ActionDone) and event.number == -1:
        return replace(event, number=state.pending.number if state.pending else -1)
    return event


def held(flows: Flows, said_there: list[Event], seed: int = 0) -> DialogState:
    state = begin(flows, seed).state
    for event in said_there:
        state = step(flows, state, under_way(event, state)).state
    return state


@given(conversations, st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_a_state_equals_the_replay_of_its_events(said_there: list[Event], seed: int) -> None:
    state = held(SHIPPED, said_there, seed)
    assert len(state.events) == len(said_there)
    assert replay(SHIPPED, state.events, seed) == state


@given(conversations)
@settings(max_examples=50, deadline=None)
def test_the_old_language_replays_too(said_there: list[Event]) -> None:
    flows = load(CORRECTED)
    state = held(flows, said_there)
    assert replay(flows, state.events) == state


@given(conversations, st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_every_step_waits_for_somebody_or_is_the_end(said_there: list[Event], seed: int) -> None:
    state = begin(SHIPPED, seed).state
    for event in said_there:
        taken = step(SHIPPED, state, under_way(event, state))
        state = taken.state
        node = SHIPPED.states.get(state.at)
        assert isinstance(node, Asking | Work) or state.at == END
        assert (state.pending is not None) == isinstance(node, Work)
        assert len(taken.actions) <= 1
        for reply in taken.replies:
            assert reply.text.strip() == reply.text != ""
            assert not re.search(r"\{\{|\}\}|\[[\w.]+\]", reply.text), reply.text
        if not isinstance(event, ActionDone | Undo):
            assert taken.replies or taken.actions or isinstance(node, Work) or state.at == END


@given(conversations, conversations)
@settings(max_examples=50, deadline=None)
def test_conversations_never_cross(one: list[Event], other: list[Event]) -> None:
    alone = held(SHIPPED, one, 1), held(SHIPPED, other, 2)
    states = [begin(SHIPPED, 1).state, begin(SHIPPED, 2).state]
    for index in range(max(len(one), len(other))):
        for which, said_there in enumerate((one, other)):
            if index < len(said_there):
                states[which] = step(SHIPPED, states[which], under_way(said_there[index], states[which])).state
    assert tuple(states) == alone


@given(conversations, utterances())
@settings(max_examples=100, deadline=None)
def test_undo_takes_the_last_turn_back(said_there: list[Event], words: Said) -> None:
    before = held(SHIPPED, said_there)
    if before.pending or words.text.strip().lower().startswith("!"):
        return
    after = step(SHIPPED, step(SHIPPED, before, words).state, Undo()).state
    assert replace(after, events=()) == replace(before, events=())


def test_undo_twice_goes_back_twice_and_says_the_question_again() -> None:
    steps = talk(
        SHIPPED,
        said("how warm is it", "weather.temperature"),
        said("in Oslo", "weather.weather", {"location": "Oslo"}),
        ActionDone(2, {"weather_status": "ok", "answer": "Five degrees."}),
        Said("!undo"),
        Undo(),
        Undo(),
    )
    assert texts(steps[3]) == ["Five degrees."]
    assert (steps[4].state.at, texts(steps[4])) == ("hear_location", texts(steps[1]))
    assert (steps[5].state.at, texts(steps[5])) == ("listen", texts(steps[0]))
    assert steps[6].state.at == "listen"


def test_a_result_of_an_undone_or_replaced_action_changes_nothing() -> None:
    asked = talk(SHIPPED, said("weather in Oslo", "weather.weather", {"location": "Oslo"}))[-1]
    (first,) = asked.actions
    undone = step(SHIPPED, asked.state, Undo()).state
    again = step(SHIPPED, undone, said("weather in Rome", "weather.weather", {"location": "Rome"}))
    (second,) = again.actions
    assert first.number != second.number
    late = step(SHIPPED, again.state, ActionDone(first.number, {"weather_status": "ok", "answer": "Oslo is cold."}))
    assert (late.replies, late.state.at) == ((), "ask_weather_service")
    right = step(SHIPPED, late.state, ActionDone(second.number, {"weather_status": "ok", "answer": "Rome is warm."}))
    assert texts(right) == ["Rome is warm."]


def test_waits_come_from_the_state_else_from_the_defaults() -> None:
    listening = begin(SHIPPED).state
    assert waits(SHIPPED, listening) == Waits(8, 180)
    asked = last(SHIPPED, said("weather in Oslo", "weather.weather", {"location": "Oslo"}))
    assert waits(SHIPPED, asked) == Waits(None, 6)
    gone = last(SHIPPED, said("bye", "goodbye"))
    assert ended(gone)
    assert waits(SHIPPED, gone) == Waits()
    own = flows_of(
        """
        name: main
        defaults: {no_input_s: 8, time_out_s: 60}
        states:
          init:
            type: input_user
            properties: {nlp_type: riva, no_input_s: 3}
            transitions: {next_state: init}
        """
    )
    assert waits(own, begin(own).state) == Waits(3, 60)


def test_a_circle_that_no_check_has_stopped_ends_the_conversation() -> None:
    circle = """
        name: a
        states:
          init: {type: message_text, properties: {text: Hi.}}
          b: {type: message_text, properties: {text: Ho.}, transitions: {next_state: init}}
    """
    flows, defects = load_texts({"a.yml": dedent(circle)})
    assert [defect.state for defect in defects] == ["init"]
    assert begin(flows).state.at == END


def test_the_seed_varies_the_wording_and_nothing_else() -> None:
    openings = {texts(begin(SHIPPED, seed))[0] for seed in range(30)}
    assert len(openings) == 3
    assert {begin(SHIPPED, seed).state.at for seed in range(30)} == {"listen"}


def test_a_thousand_turns_and_an_undo_take_no_time() -> None:
    turns = [said("hello", "greeting"), said("weather", "weather.weather"), said("never mind")] * 300
    state = held(SHIPPED, list(turns))
    assert step(SHIPPED, state, Undo()).state.at == "hear_location"


@pytest.mark.parametrize("path", sorted((ROOT / "pipeline" / "dialog").glob("*.py")), ids=lambda path: path.name)
def test_the_engine_imports_values_only_and_the_loader_yaml(path: Path) -> None:
    """No clock, no chance, no I/O: what is not imported cannot be used."""
    allowed = {"pipeline", "__future__", "collections", "dataclasses", "typing", "re", "functools", "textwrap"}
    extra = {
        "nodes.py": {"yaml"},
        "checks.py": {"pathlib"},
        "cases.py": {"pathlib"},
        "defects.py": {"difflib"},
        "languages.py": {"unicodedata"},
        "walk.py": {"zlib"},
        "schema.py": {"json"},
    }
    tree = ast.parse(path.read_text())
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    assert {module.partition(".")[0] for module in modules} <= allowed | extra.get(path.name, set())
    ours = [module for module in modules if module.startswith("pipeline")]
    assert all(m.startswith("pipeline.dialog") or m in ("pipeline.calls", "pipeline.errors") for m in ours)
