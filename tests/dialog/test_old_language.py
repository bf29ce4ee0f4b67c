"""The language as it was: every row of its semantics."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pipeline.dialog import ActionDone, Said, begin, check, load, step
from pipeline.dialog.checks import load_texts
from pipeline.dialog.flows import END, Flows
from tests.dialog.talk import CORRECTED, flows_of, last, said, talk, texts

ASK = """
    name: main
    intent_transitions: {{weather: tell}}
    states:
      init: {{type: message_text, properties: {{text: Hello., delay: 0.5}}}}
      ask:
        type: {kind}
        properties: {{nlp_type: {nlp}, entities: {{place: location}}, require_match: {match}}}
        transitions: {{{labels}}}
      tell:
        type: message_text
        properties: {{text: "Weather in {{{{location}}}}, {{{{place}}}}."}}
        transitions: return
      good: {{type: message_text, properties: {{text: "{{{{place}}}} it is."}}, transitions: {{next_state: ask}}}}
      bad: {{type: message_text, properties: {{text: "Where?"}}, transitions: {{next_state: ask}}}}
      either: {{type: message_text, properties: {{text: Either way.}}, transitions: {{next_state: ask}}}}
"""
MATCHING = "match: good, notmatch: bad"


def asking(kind: str = "input_user", nlp: str = "riva", match: str = "true", labels: str = MATCHING) -> Flows:
    unreached = ["either"] if labels == MATCHING else ["good", "bad"]
    return flows_of(ASK.format(kind=kind, nlp=nlp, match=match, labels=labels), *unreached)


def test_a_message_is_said_with_its_delay_and_falls_through_to_the_next_state() -> None:
    opened = begin(asking())
    assert [(reply.text, reply.delay_s) for reply in opened.replies] == [("Hello.", 0.5)]
    assert opened.state.at == "ask"


@pytest.mark.parametrize("nlp", ["jarvis", "riva", "RIVA"])
@pytest.mark.parametrize("kind", ["input_user", "input_context"])
def test_both_inputs_stop_and_both_spellings_of_nlp_type_match(kind: str, nlp: str) -> None:
    flows = asking(kind, nlp)
    (_, missed, matched) = talk(flows, said("no idea"), said("in Rome", "place", {"location": "Rome"}))
    assert texts(missed) == ["Where?"]
    assert texts(matched) == ["Rome it is."]


def test_slots_are_kept_under_their_own_names_and_the_intent_is_not() -> None:
    context = last(asking(), said("in Rome", "place", {"location": "Rome", "intent": "in"})).context
    assert context == {"location": "Rome", "place": "Rome", "raw_text": "in Rome"}


def test_without_require_match_next_state_is_taken() -> None:
    flows = asking(match="false", labels="next_state: either")
    assert texts(talk(flows, said("hm"))[1]) == ["Either way."]


def test_an_intent_switches_first_and_only_when_it_is_new() -> None:
    flows = asking()
    switched = talk(flows, said("rain in Rome", "weather", {"location": "Rome"}))[1]
    assert texts(switched) == ["Weather in Rome, [place]."]
    assert switched.state.at == END
    assert switched.state.context["intent"] == "weather"
    again = step(flows, switched.state, said("weather in Oslo", "weather", {"location": "Oslo"}))
    assert texts(again) == ["Hello.", "Oslo it is."], "the same intent answers the question instead"


def test_empty_understanding_gives_the_raw_text_and_no_intent() -> None:
    flows = flows_of(
        """
        name: main
        states:
          init: {type: input_user, properties: {nlp_type: empty, entities: {who: raw_text}, require_match: true}}
          greet: {type: message_text, properties: {text: "Hello, {{who}}."}}
        """
    )
    assert texts(talk(flows, said("Anna", "weather"))[1]) == ["Hello, Anna."]


@pytest.mark.parametrize("nlp", ["jarvis", "riva"])
def test_a_failed_understanding_sets_the_error_key_of_its_spelling_until_words_are_understood(nlp: str) -> None:
    flows = asking(nlp=nlp)
    steps = talk(flows, Said("Rome", error="no service"), said("Rome", "place", {"location": "Rome"}))
    assert steps[1].state.context[f"{nlp}_error"] == "no service"
    assert texts(steps[1]) == ["Where?"]
    assert f"{nlp}_error" not in steps[2].state.context


CONTEXT = """
    name: main
    states:
      init:
        type: change_context
        properties:
          del_keys: [gone]
          update_keys: {{colour: blue, copy: "{{{{colour}}}}", pair: "{{{{colour}}}} and {{{{colour}}}}"}}
      ask: {{type: {type}, properties: {properties}, transitions: {{{labels}}}}}
      one: {{type: message_text, properties: {{text: one}}, transitions: return}}
      two: {{type: message_text, properties: {{text: two}}, transitions: return}}
"""


@pytest.mark.parametrize(
    ("kind", "properties", "labels", "expected"),
    [
        ("conditional_exists", '{key: "{{colour}}"}', "exists: one, notexists: two", "one"),
        ("conditional_exists", '{key: "{{intent}}"}', "exists: one, notexists: two", "two"),
        ("conditional_exists", '{key: "{{intent}}{{pair}}"}', "exists: one, notexists: two", "one"),
        ("conditional_equal", '{value1: "{{colour}}", value2: blue}', "equal: one, notequal: two", "one"),
        ("conditional_equal", '{value1: "{{pair}}", value2: blue}', "equal: one, notequal: two", "two"),
        ("conditional_equal", '{value1: "{{copy}}", value2: "{{colour}}"}', "equal: one, notequal: two", "one"),
    ],
)
def test_conditions(kind: str, properties: str, labels: str, expected: str) -> None:
    opened = begin(flows_of(CONTEXT.format(type=kind, properties=properties, labels=labels)))
    assert texts(opened) == [expected]
    assert opened.state.at == END


def test_keys_are_deleted_then_set_in_order_and_a_lone_missing_key_sets_nothing() -> None:
    flows = flows_of(
        """
        name: main
        states:
          init:
            type: change_context
            properties: {update_keys: {colour: blue, size: ten, raw_text: none}}
          change:
            type: change_context
            properties:
              del_keys: [size, "{{raw_text}}"]
              update_keys:
                copy: "{{colour}}"
                both: "{{copy}}, {{size}}, {{size|any}}"
                colour: "{{size}}"
                on: true
                off: no
        """
    )
    assert begin(flows).state.context == {"copy": "blue", "both": "blue, [size], any", "on": "True", "off": ""}


def test_reset_clears_the_context_and_begins_again() -> None:
    flows = flows_of(
        """
        name: main
        states:
          init: {type: message_text, properties: {text: Hello.}}
          ask: {type: input_user, properties: {nlp_type: empty}}
          again: {type: reset}
        """
    )
    after = talk(flows, said("my name is Ann"))[1]
    assert texts(after) == ["Hello."]
    assert (after.state.at, after.state.context) == ("ask", {})


@pytest.mark.parametrize("written", ["", "return", "{}", "{next_state: return}", "{next_state: }"])
def test_empty_transitions_and_return_end_a_flow(written: str) -> None:
    flows = flows_of(
        f"""
        name: main
        states:
          init: {{type: message_text, properties: {{text: Hello.}}, transitions: {{next_state: last}}}}
          last: {{type: message_text, properties: {{text: Bye.}}, transitions: {written or '""'}}}
        """
    )
    assert begin(flows).state.at == END


@pytest.mark.parametrize("written", ["{flow: other}", "{next_state: {flow: other}}", '{next_state: "flow: other"}'])
def test_flow_leads_to_the_first_state_of_that_file(written: str) -> None:
    flows, defects = load_texts(
        {
            "main.yml": "name: main\nstates:\n"
            f"  init: {{type: message_text, properties: {{text: Hello.}}, transitions: {written}}}\n",
            "second.yml": "name: other\nstates:\n  first: {type: message_text, properties: {text: There.}}\n",
        }
    )
    assert not defects
    assert texts(begin(flows)) == ["Hello.", "There."]


def test_a_user_class_asks_for_an_action_with_the_whole_context_and_takes_its_result() -> None:
    flows = load(CORRECTED)
    steps = talk(flows, said("weather in Rome", "weather.weather", {"location": "Rome"}))
    (action,) = steps[-1].actions
    assert action.name == "weather"
    assert action.request == {"location": "Rome", "raw_text": "weather in Rome", "intent": "weather.weather"}
    told = step(flows, steps[-1].state, ActionDone(action.number, {"weather_status": "It is sunny in Rome."}))
    assert texts(told) == ["It is sunny in Rome."]
    assert told.state.at == "more_weather"


def test_a_folder_in_the_old_language_loads_unchanged_and_talks() -> None:
    assert check(CORRECTED) == []
    flows = load(CORRECTED)
    steps = talk(
        flows,
        said("hm"),
        said("how cold is it", "weather.temprature"),
        said("hm"),
        said("Oslo", "weather.temprature", {"location": "Oslo"}),
    )
    assert [taken.state.at for taken in steps] == [
        "ask_anything",
        "ask_anything",
        "input_weather_location",
        "input_weather_location",
        "fulfill_weather",
    ]
    assert texts(steps[-1]) == ["Let me check the weather in Oslo."]


def test_random_texts_are_spread_evenly_and_never_repeat_at_once() -> None:
    flows = flows_of(
        """
        name: main
        states:
          init: {type: message_text_random, properties: {responses: [a, b, c]}}
          ask: {type: input_user, properties: {nlp_type: empty}, transitions: {next_state: init}}
        """
    )
    firsts = [texts(begin(flows, seed))[0] for seed in range(300)]
    assert all(70 < firsts.count(text) < 130 for text in "abc")
    spoken = [texts(taken)[0] for taken in talk(flows, *[said("go on")] * 5)]
    assert sorted(spoken) == ["a", "a", "b", "b", "c", "c"]
    assert all(one != other for one, other in pairwise(spoken))
