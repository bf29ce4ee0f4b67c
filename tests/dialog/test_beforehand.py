"""What is known before any model is asked: how utterances begin, other languages, and what an intent keeps of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dialog import Asked
from pipeline.dialog.heard import understand
from pipeline.dialog.languages import FOREIGN, is_foreign
from pipeline.dialog.text import opening_of
from tests.dialog.talk import ROOT, SHIPPED, flows_of, last, said, talk

TRAINING = ROOT / "data" / "training" / "nara"
KEEPING = """
    name: main
    home: listen
    slots: [city]
    small_words: [and, in]
    actions: {Look: [look_status]}
    intent_transitions:
      cold: {state: which, set: {kind: cold, asked: '{{raw_text}}', gone: '{{city}}'}}
      wet: {state: which, set: {kind: wet, asked: ''}}
    states:
      init: {type: message_text, properties: {text: Hello}}
      listen: {type: input_user, properties: {nlp_type: riva, require_intent: true, no_match: 'What?'}}
      which:
        type: conditional_exists
        properties: {key: '{{city}}'}
        transitions: {exists: look, notexists: hear}
      hear:
        type: input_user
        properties: {nlp_type: riva, entities: {city: city}, require_match: true, no_match: 'Which city?'}
        transitions: {match: look}
      look:
        type: Look
        properties: {request: {kind: '{{kind}}', asked: '{{asked}}', gone: '{{gone}}', city: '{{city}}'}}
        transitions: return
"""


def test_an_opening_is_whole_words_and_the_longest_counts() -> None:
    openings = {"book a", "book", "track my"}
    assert opening_of("book a table", openings) == "book a"
    assert opening_of("book", openings) == "book"
    assert opening_of("bookshelves", openings) == ""
    assert opening_of("please track my order", openings) == ""
    assert opening_of("", openings) == ""


def test_openings_are_told_from_whole_phrases() -> None:
    flows = flows_of(
        """
        name: main
        phrases: {order: [Order something..., order], stop: [order nothing]}
        fillers: [um]
        intent_transitions: {order: no, stop: no}
        states:
          init: {type: input_user, properties: {nlp_type: riva}}
          no: {type: message_text, properties: {text: No}, transitions: {next_state: init}}
        """
    )
    heard = [
        understand(flows, said(text, "model")).intent
        for text in ("Um, order something nice!", "order", "order nothing", "order nothing today", "order things")
    ]
    assert heard == ["order", "order", "stop", "model", "model"]
    asked = Asked(phrases=flows.phrases, openings=flows.openings)
    assert asked.is_phrase("order something nice")
    assert not asked.is_phrase("order things")


@pytest.mark.parametrize("part", ["train", "test", "natural", "everyday", "calibration"])
def test_no_training_sentence_that_can_be_answered_is_taken_for_something_else(part: str) -> None:
    intents = (TRAINING / "dict.intents.csv").read_text().split()
    taken = []
    for line in (TRAINING / f"{part}.tsv").read_text().splitlines()[1:]:
        text, _, number = line.rpartition("\t")
        heard = understand(SHIPPED, said(text, "model")).intent
        if heard in ("out_of_scope", FOREIGN) and intents[int(number)] != "unknown":
            taken.append((text, intents[int(number)], heard))
    assert taken == []


@pytest.mark.parametrize(
    "text",
    [
        "¿Qué tiempo hace hoy?", "¿Cuánto cuesta una chaqueta?", "Quel temps fait-il demain ?",
        "Wie wird das Wetter morgen?",
        "wo ist der nächste Supermarkt", "какая погода в Москве", "今天天气怎么样", "날씨 어때", "كم السعر",
        "Hola!", "¿Habla español?",
        "Guten Tag",
    ],
)  # fmt: skip
def test_other_languages(text: str) -> None:
    assert is_foreign(text)


@pytest.mark.parametrize(
    "text",
    [
        "weather in São Paulo", "is there a Café de Flore in Köln", "Las Vegas", "how much is a Prada sac à main",
        "what's the weather in Москва", "El Camino de la Reina", "", "🙂", "5 €", "a para una", "π",
        "das Auto", "Hola Tacos in Denver", "guten", "will it rain in Nice",
    ],
)  # fmt: skip
def test_what_may_be_english(text: str) -> None:
    assert is_foreign(text) is (text == "π")


@given(st.text())
def test_any_text_can_be_judged(text: str) -> None:
    assert is_foreign(text) in (True, False)


def test_a_place_in_another_alphabet_answers_the_question() -> None:
    asked = said("how warm is it", "weather.temperature")
    assert last(SHIPPED, asked, said("in Москва", "unknown", {"location": "Москва"})).at == "ask_weather_service"
    assert last(SHIPPED, asked, said("какая погода", "unknown")).at == "only_english"


def test_an_intent_keeps_the_words_and_a_follow_up_leaves_them() -> None:
    flows = flows_of(KEEPING)
    steps = talk(
        flows,
        said("is it cold", "cold"),
        said("in Rome", "cold", {"city": "Rome"}),
        said("and in Oslo", "wet", {"city": "Oslo"}),
        said("I mean is it cold out", "cold"),
        said("is it wet", "wet"),
    )
    requests = [dict(action.request) for taken in steps for action in taken.actions]
    assert requests == [
        {"kind": "cold", "asked": "is it cold", "city": "Rome"},
        {"kind": "cold", "asked": "is it cold", "city": "Oslo"},
        {"kind": "cold", "asked": "I mean is it cold out", "gone": "Oslo", "city": "Oslo"},
        {"kind": "wet", "gone": "Oslo", "city": "Oslo"},
    ]


def test_the_same_intent_in_other_words_at_its_question_is_asked_anew() -> None:
    flows = flows_of(KEEPING)
    assert last(flows, said("is it cold", "cold"), said("how cold is it", "cold")).context["asked"] == "how cold is it"
    assert last(flows, said("is it cold", "cold"), said("mumble", "unknown")).context["asked"] == "is it cold"
