"""A folder with defects gets the full list: file, line, state."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from pipeline.dialog import FlowError, check, load
from pipeline.dialog.checks import in_words, load_texts
from pipeline.errors import InputError
from tests.dialog.talk import PUBLISHED

# The intents of a published model, which misspells two of its own.
MODEL = [
    "weather.weather",
    "weather.temprature",
    "weather.temprature_yes_no",
    "weather.rainfall",
    "weather.rainfall_yes_no",
    "weather.snow",
    "weather.snow_yes_no",
    "weather.sunny",
    "weather.cloudy",
    "weather.humidity",
    "weather.humidity_yes_no",
    "store_location",
    "navigation.startnavigationpoi",
    "navigation.geteta",
    "navigation.showdirection",
]
ENTITY = "keeps the entity `location` as `slot`, which nothing reads; write `location: location`"
UNREACHED = "no conversation can come to this state"
NO_RETAIL = "leads to state `retail`, which does not exist"


def test_a_published_folder_is_reported_with_exactly_its_defects() -> None:
    found = [(d.file, d.line, d.state, d.message) for d in check(PUBLISHED, intents=MODEL)]
    assert found == [
        ("main_flow.yml", 5, "intent_transitions", misspelt("weather.temperature", "weather.temprature")),
        ("main_flow.yml", 6, "intent_transitions", misspelt("weather.temperature_yes_no", "weather.temprature_yes_no")),
        ("main_flow.yml", 15, "intent_transitions", f"`navigation.startnavigationpoi` {NO_RETAIL}"),
        ("main_flow.yml", 16, "intent_transitions", f"`navigation.geteta` {NO_RETAIL}"),
        ("main_flow.yml", 17, "intent_transitions", f"`navigation.showdirection` {NO_RETAIL}"),
        ("main_flow.yml", 32, "ask_anything", ENTITY),
        (
            "main_flow.yml",
            48,
            "dont_get_the intent",
            "a state's name is letters, digits, `_`, `-` and `.`, without spaces",
        ),
        ("main_flow.yml", 48, "dont_get_the intent", UNREACHED),
        ("main_flow.yml", 55, "end_state", UNREACHED),
        ("retail_flow.yml", 20, "input_retail_location", ENTITY),
        (
            "retail_flow.yml",
            25,
            "input_retail_location",
            "`notmatch` leads to state `check_retail_jarvis_error`, which does not exist, "
            "did you mean `check_rerail_jarvis_error`?",
        ),
        ("retail_flow.yml", 27, "output_retail_acknowledge", UNREACHED),
        ("weather_flow.yml", 25, "input_weather_location", ENTITY),
        ("weather_flow.yml", 32, "output_weather_acknowledge", UNREACHED),
    ]


def misspelt(name: str, right: str) -> str:
    return f"the understanding has no intent `{name}`, did you mean `{right}`?"


def test_a_published_folder_is_refused_with_all_its_errors_in_one_message() -> None:
    with pytest.raises(FlowError, match=r"4 errors to mend") as raised:
        load(PUBLISHED)
    message = str(raised.value)
    for line in (
        "main_flow.yml:15: intent_transitions: `navigation.startnavigationpoi`",
        "main_flow.yml:16: ",
        "main_flow.yml:17: ",
        "retail_flow.yml:25: input_retail_location: `notmatch`",
    ):
        assert line in message
    assert len(raised.value.defects) == 12, "the warnings are there too"


STATES = """
    name: main
    states:
      init: {type: message_text, properties: {text: Hello.}, transitions: {next_state: listen}}
      listen:
        type: input_user
        properties: {nlp_type: riva, entities: {location: location}}
        transitions: {next_state: init}
"""


def defects(text: str, *more: str, **options: list[str]) -> list[str]:
    files = {"a.yml": dedent(text), **{f"b{index}.yml": dedent(one) for index, one in enumerate(more)}}
    return [str(defect) for defect in load_texts(files, **options)[1]]


def test_a_folder_without_defects_has_none() -> None:
    assert defects(STATES) == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("x: hello", "a.yml:9: x: a state is a map with a `type`"),
        ("x: {properties: {}}", "a.yml:9: x: the state has no `type`"),
        ("x: {type: mesage_text}", "a.yml:9: x: unknown type `mesage_text`, did you mean `message_text`?"),
        ("x: {type: weather}", "a.yml:9: x: unknown type `weather`; a user class begins with a capital letter"),
        ("x: {type: message_text}", "a.yml:9: x: `message_text` needs `text`: what to say"),
        ("x: {type: message_text, properties: {text: }}", "a.yml:9: x: `text` is empty"),
        ("x: {type: message_text, properties: {text: [a, b]}}", "a.yml:9: x: `text` must be a text"),
        (
            "x: {type: message_text, properties: {text: {{location}}}}",
            "a.yml:9: x: a key must be a word; write quotes around a text that begins with {{",
        ),
        ("x: {type: message_text_random, properties: {responses: Hi}}", "a.yml:9: x: `responses` must be a list"),
        ("x: {type: message_text_random, properties: {responses: []}}", "a.yml:9: x: `responses` is an empty list"),
        (
            "x: {type: message_text, properties: {text: a, delay: soon}}",
            "a.yml:9: x: `delay` must be a number of seconds",
        ),
        (
            "x: {type: message_text, properties: {text: a, delay: 500}}",
            "a.yml:9: x: a delay of 500 s: `delay` is in seconds, not milliseconds",
        ),
        (
            "x: {type: message_text, properties: {txt: a}}",
            "a.yml:9: x: `txt` is no key of `message_text`, did you mean `text`?",
        ),
        (
            "x: {type: message_text, propertys: {}}",
            "a.yml:9: x: `propertys` is no key of a state, did you mean `properties`?",
        ),
        (
            "x: {type: input_user, properties: {require_match: maybe}}",
            "a.yml:9: x: `require_match` must be true or false",
        ),
        ("x: {type: input_user, properties: {nlp_type: rasa}}", "a.yml:9: x: `nlp_type` must be riva, jarvis or empty"),
        (
            "x: {type: input_user, properties: {entities: location}}",
            "a.yml:9: x: `entities` must be a map of `key: value` lines",
        ),
        (
            "x: {type: input_user, properties: {resume: y}}",
            "a.yml:9: x: `resume` leads to state `y`, which does not exist",
        ),
        (
            "x: {type: conditional_exists, properties: {key: '{{loction}}'}}",
            "a.yml:9: x: reads `{{loction}}`, which nothing sets, did you mean `location`?",
        ),
        (
            "x: {type: change_context, properties: {update_keys: {y: '{{colour}}'}}}",
            "a.yml:9: x: reads `{{colour}}`, which nothing sets",
        ),
        ("x: {type: reset, transitions: {next_state: [init]}}", "a.yml:9: x: `next_state` must name one state"),
        (
            "x: {type: reset, transitions: {nxt_state: init}}",
            "a.yml:9: x: `nxt_state` is no key of the transitions of `reset`",
        ),
        ("x: {type: reset, transitions: [init]}", "a.yml:9: x: `transitions` must be a map of `key: value` lines"),
        (
            "x: {type: reset, transitions: {flow: mian}}",
            "a.yml:9: x: `next_state` leads to flow `mian`, which does not exist, did you mean `main`?",
        ),
        ("END: {type: reset}", "a.yml:9: END: `END` has a meaning of its own and cannot be a state's name"),
        ("listen: {type: reset}", "a.yml:9: listen: `listen` is written twice, first in line 5"),
    ],
)
def test_each_defect_of_a_state(state: str, expected: str) -> None:
    found = defects(f"{STATES}      {state}\n")
    assert any(line.startswith(expected) for line in found), found


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("hom: init", "a.yml:9: `hom` is no key of a flow file, did you mean `home`?"),
        ("home: start", "a.yml:9: `home` leads to state `start`, which does not exist"),
        (
            "intent_transitions: {a: here}",
            "a.yml:9: intent_transitions: `a` leads to state `here`, which does not exist",
        ),
        ("intent_transitions: {a: {set: {b: c}}}", "a.yml:9: intent_transitions: `a` needs `state`: where it leads"),
        (
            "defaults: {transitions: {no_match: help}}",
            "a.yml:9: defaults: `no_match` leads to state `help`, which does not",
        ),
        ("defaults: {patience: 3}", "a.yml:9: defaults: `patience` is no key of `defaults`"),
        ("memory: {forget: [a]}", "a.yml:9: `memory` must be a list of rules"),
        ("memory: [{naming: [a]}]", "a.yml:9: memory: a rule of `memory` needs `forget`: the keys, unless"),
        ("phrases: {yes: [um, ok], no: [ok]}", "a.yml:9: phrases: the phrase `ok` means both `yes` and `no`"),
        ("slots: [city]", "a.yml:7: listen: the entity `location` is not among `slots`"),
    ],
)
def test_each_defect_of_a_file(key: str, expected: str) -> None:
    found = defects(f"{STATES}    {key}\n")
    assert any(line.startswith(expected) for line in found), found


def test_defects_between_files() -> None:
    other = """
        name: main
        home: listen
        intent_transitions: {a: more}
        states:
          listen: {type: reset}
          more: {type: reset}
    """
    found = defects(f"{STATES}    home: listen\n    intent_transitions: {{a: listen}}\n", other)
    assert found == [
        "b0.yml:2: a flow called `main` exists already",
        "b0.yml:3: `home` is in a.yml already",
        "b0.yml:4: intent_transitions: `a` has a transition in a already",
        "b0.yml:6: listen: a state of this name is in a.yml:5 already; names are unique across files",
        "b0.yml:7: more: no conversation can come to this state",
    ]


def test_a_phrase_of_nothing_but_fillers_is_told() -> None:
    found = defects(f"{STATES}    fillers: [um]\n    phrases: {{hm: [Um!]}}\n")
    assert found == ["a.yml:10: phrases: the phrase `Um!` is nothing but fillers"]


def test_circles_that_wait_for_nobody() -> None:
    found = defects(
        """
        name: main
        states:
          init: {type: reset}
        """
    )
    assert found == ["a.yml:4: init: goes round for ever without waiting for anybody: init -> init"]


def test_no_init() -> None:
    assert "a.yml: no file has a state `init`" in defects(STATES.replace("init:", "start:"))


def test_actions_that_nobody_declares_or_serves() -> None:
    taxi = f"{STATES}      x: {{type: Taxy}}\n    intent_transitions: {{taxi: x}}\n"
    assert defects(taxi) == []
    declared = f"{taxi}    actions: {{Taxi: [minutes]}}\n"
    assert defects(declared) == ["a.yml:9: x: `actions` does not declare `Taxy`, did you mean `taxi`?"]
    assert defects(taxi, actions=["taxi"]) == ["a.yml:9: x: nobody serves the action `taxy`, did you mean `taxi`?"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a.yml:1: the file is empty"),
        ("- a\n- b\n", "a.yml:1: a flow file is a map with `name` and `states`"),
        ("name: a\nstates:\n  init: {type: reset\n", "a.yml:4: not YAML: expected ',' or '}'"),
        ("name: a\n\tstates: b\n", "a.yml:2: not YAML: "),
        ("name: a\n---\nname: b\n", "a.yml:2: not YAML: "),
        ("name: *nothing\n", "a.yml:1: not YAML: found undefined alias"),
        ("[" * 3000, "a.yml:1: nested too deeply"),
        ("name: \x00", "a.yml:1: not YAML: unacceptable character"),
    ],
)
def test_bad_yaml_is_told_and_hides_no_other_file(text: str, expected: str) -> None:
    found = [str(defect) for defect in load_texts({"a.yml": text, "b.yml": dedent(STATES)})[1]]
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_aliases_are_read_once_and_a_loop_of_them_is_harmless() -> None:
    laughs = "\n".join(f"    l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 30))
    assert defects(f"{STATES}    l0: &l0 [x, x]\n{laughs}\n")
    assert defects("&a\nname: a\nstates: *a\n")


def test_a_folder_that_is_none_or_empty_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder of flows"):
        check(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"holds no \*.yml file"):
        load(tmp_path)
    (tmp_path / "a.yml").write_bytes(b"name: caf\xe9\n")
    (tmp_path / "b.yml").write_text(dedent(STATES))
    assert [str(defect) for defect in check(tmp_path)] == ["a.yml:1: not UTF-8 text"]


def test_errors_and_warnings_are_told_apart() -> None:
    lines = in_words(check(PUBLISHED)).splitlines()
    assert sum(line.startswith("error: ") for line in lines) == 4
    assert sum(line.startswith("warning: ") for line in lines) == 8
