"""What goes beyond the old language, where the conversations in data/flows/tests do not show it alone."""

from __future__ import annotations

import pytest

from pipeline.calls import Slot
from pipeline.dialog import ActionDone, NoInput, Said, begin, step
from pipeline.dialog.text import is_fragment, meant
from tests.dialog.talk import SHIPPED, flows_of, last, said, talk, texts

ROME = said("weather in Rome tomorrow", "weather.weather", {"location": "Rome", "weathertime": "tomorrow"})
SUNNY = ActionDone(1, {"weather_status": "ok", "answer": "Sunny."})


def tagged(text: str, **values: str | list[str]) -> tuple[Slot, ...]:
    intent = said(text, "x", {name.replace("_", "."): value for name, value in values.items()}).intent
    assert intent
    return intent.slots


@pytest.mark.parametrize(
    ("text", "slots", "expected"),
    [
        ("no, in Denver", {"location": "Denver"}, True),
        ("And tomorrow?", {"location": "tomorrow"}, True),
        ("what about the red one?", {"location": "red"}, True),
        ("Denver", {"location": "Denver"}, True),
        ("what's the weather in Denver", {"location": "Denver"}, False),
        ("and in denver", {}, False),
        ("", {}, False),
    ],
)
def test_a_fragment_is_nothing_but_slots_and_small_words(text: str, slots: dict[str, str], expected: bool) -> None:
    assert is_fragment(text, tagged(text, **slots), SHIPPED.small_words) is expected


def test_a_fragment_is_known_without_the_right_offsets() -> None:
    assert is_fragment("and in Denver?", (Slot("location", "denver", "denver", 40, 46, 1),), SHIPPED.small_words)
    assert not is_fragment("and in Denver?", (Slot("location", "enver", "enver", 40, 46, 1),), SHIPPED.small_words)


@pytest.mark.parametrize(
    ("text", "said_there", "expected"),
    [
        ("not boston, denver", ["boston", "denver"], ["denver"]),
        ("denver, not boston", ["denver", "boston"], ["denver"]),
        ("boston, sorry, I mean denver", ["boston", "denver"], ["denver"]),
        ("boston and denver", ["boston", "denver"], ["boston", "denver"]),
        ("not boston", ["boston"], ["boston"]),
        ("boston no denver no austin", ["boston", "denver", "austin"], ["austin"]),
    ],
)
def test_what_is_taken_back_is_not_meant(text: str, said_there: list[str], expected: list[str]) -> None:
    slots = tagged(text, location=said_there)
    assert [slot.text for slot in meant(text, slots, SHIPPED.negations, SHIPPED.corrections)] == expected


def test_several_values_of_one_slot_are_all_requested_and_all_said() -> None:
    both = {"location": ["Oslo", "Bergen"]}
    asked = talk(SHIPPED, said("weather in Oslo and Bergen", "weather.weather", both))[-1]
    assert asked.actions[0].request["location"] == ("Oslo", "Bergen")
    told = step(SHIPPED, asked.state, ActionDone(asked.actions[0].number, {"weather_status": "no_such_place"}))
    assert "Oslo, Bergen" in texts(told)[0]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (said("thanks"), True),  # small talk forgets nothing
        (said("and in Oslo", "weather.weather", {"location": "Oslo"}), True),  # a follow-up changes what it says
        (said("will it rain", "weather.rainfall_yes_no"), False),  # a new question is about today again
    ],
)
def test_a_day_is_kept_by_follow_ups_and_forgotten_by_new_questions(words: Said, kept: bool) -> None:
    context = last(SHIPPED, ROME, SUNNY, words).context
    assert ("weathertime" in context) is kept
    assert "location" in context


def test_a_new_thing_forgets_what_belonged_to_the_old_one() -> None:
    shirt = {"item.color": "blue", "item.type": "shirt", "store.name": "macys"}
    state = last(
        SHIPPED,
        said("how much is a blue shirt at macys", "price_check", shirt),
        said("how much is a hat", "price_check", {"item.type": "hat"}),
    )
    assert state.pending
    assert state.pending.request == {"kind": "price_check", "item.type": "hat"}


def test_the_same_thing_named_again_keeps_what_belongs_to_it() -> None:
    state = last(
        SHIPPED,
        said("how much is a blue shirt", "price_check", {"item.color": "blue", "item.type": "shirt"}),
        ActionDone(1, {"retail_status": "ok", "answer": "Nine dollars."}),
        said("do you have the shirt in stock", "inventory_check", {"item.type": "shirt"}),
    )
    assert state.pending
    asked = {"item.type": "shirt", "item.color": "blue", "question": "do you have the shirt in stock"}
    assert state.pending.request == {"kind": "inventory_check", **asked}


def test_a_follow_up_goes_to_the_last_task_that_can_use_it() -> None:
    state = last(
        SHIPPED,
        ROME,
        SUNNY,
        said("how much is a hat", "price_check", {"item.type": "hat"}),
        ActionDone(3, {"retail_status": "ok", "answer": "Nine dollars."}),
        said("and on sunday", "weather.weather", {"weathertime": "sunday"}),
    )
    assert state.pending
    asked = {"location": "Rome", "weathertime": "sunday", "question": "weather in Rome tomorrow"}
    assert state.pending.request == {"kind": "general", **asked}


def test_a_fragment_without_a_task_goes_where_the_model_says() -> None:
    asked = talk(SHIPPED, said("and in Denver", "weather.weather", {"location": "Denver"}))[-1]
    assert asked.actions[0].request == {"kind": "general", "location": "Denver", "question": "and in Denver"}


def test_digressions_nest_and_come_back_one_by_one() -> None:
    steps = talk(
        SHIPPED,
        said("what's the weather", "weather.weather"),
        said("what does it cost", "price_check"),
        said("what can you do"),
        said("a hat", "inventory_check", {"item.type": "hat"}),
        ActionDone(4, {"retail_status": "ok", "answer": "Nine dollars."}),
        said("Rome", "weather.weather", {"location": "Rome"}),
    )
    assert [taken.state.at for taken in steps] == [
        "listen",
        "hear_location",
        "hear_item",
        "hear_item",
        "ask_retail_service",
        "hear_location",
        "ask_weather_service",
    ]
    assert steps[-1].state.stack == ()
    assert steps[-1].state.context["kind"] == "general"


def test_endless_digressions_remember_the_last_few() -> None:
    there_and_back = [said("what does it cost", "price_check"), said("what's the weather", "weather.weather")]
    assert len(last(SHIPPED, *there_and_back * 50).stack) == 4


@pytest.mark.parametrize("words", ["never mind", "start over", "goodbye", "agent"])
def test_what_drops_a_question_does_not_come_back_to_it(words: str) -> None:
    assert last(SHIPPED, said("what's the weather", "weather.weather"), said(words)).stack == ()


def test_phrases_count_more_than_the_model_and_are_compared_without_fillers() -> None:
    stopped = talk(SHIPPED, said("Um, START over... please!", "weather.weather"))[-1]
    assert texts(stopped)[0] == "All right, from the beginning."


@pytest.mark.parametrize("text", ["um", "Erm, well, please.", "hm hm", "..."])
def test_fillers_alone_mean_nothing_whatever_the_model_says(text: str) -> None:
    steps = talk(SHIPPED, said(text, "affirm"))
    assert steps[1].state.at == "listen"
    assert "didn't get that" in texts(steps[1])[0]


def test_silences_and_misses_are_counted_apart_and_anew_at_each_question() -> None:
    steps = talk(SHIPPED, NoInput(), said("hm"), NoInput(), said("what's the weather", "weather.weather"), NoInput())
    assert texts(steps[1]) == texts(steps[5]) == ["Are you still there?"]
    assert "didn't get that" in texts(steps[2])[0]
    assert texts(steps[3]) != texts(steps[1])


ESCALATION = """
    name: main
    states:
      init:
        type: input_user
        properties: {{nlp_type: riva, entities: {{location: location}}, require_match: true{own}}}
        transitions: {{match: good{out}}}
      good: {{type: message_text, properties: {{text: Good.}}, transitions: return}}
      bad: {{type: message_text, properties: {{text: Bad.}}, transitions: return}}
"""


@pytest.mark.parametrize(
    ("own", "out", "expected"),
    [
        ("", ", notmatch: bad", ["Bad."]),
        (", no_match: [Once., Twice.]", ", notmatch: bad", ["Once.", "Twice.", "Bad."]),
        (", no_match: Once.", ", no_match: bad", ["Once.", "Bad."]),
    ],
)
def test_no_match_texts_come_before_the_way_out(own: str, out: str, expected: list[str]) -> None:
    flows = flows_of(ESCALATION.format(own=own, out=out))
    steps = talk(flows, *[said("hm")] * len(expected))
    assert [texts(taken)[0] for taken in steps[1:]] == expected


def test_silence_in_an_old_folder_is_nothing() -> None:
    flows = flows_of(ESCALATION.format(own="", out=", notmatch: bad"))
    taken = step(flows, begin(flows).state, NoInput())
    assert (taken.state.at, taken.replies) == ("init", ())


def test_a_result_leaves_by_the_label_that_is_its_status() -> None:
    flows = flows_of(
        """
        name: main
        actions: {OrderTaxi: [order_taxi_status, minutes]}
        states:
          init:
            type: OrderTaxi
            properties: {request: {colour: yellow, to: "{{location}}"}}
            transitions: {busy: busy, next_state: coming}
          busy: {type: message_text, properties: {text: All are busy.}, transitions: return}
          coming: {type: message_text, properties: {text: "In {{minutes}} minutes."}, transitions: return}
        """
    )
    (action,) = begin(flows).actions
    assert (action.name, action.request) == ("order_taxi", {"colour": "yellow"})
    assert texts(talk(flows, ActionDone(0, {"order_taxi_status": "busy"}))[-1]) == ["All are busy."]
    assert texts(talk(flows, ActionDone(0, {"order_taxi_status": "ok", "minutes": "5"}))[-1]) == ["In 5 minutes."]


def test_what_an_action_brought_last_time_is_gone_when_it_is_asked_again() -> None:
    steps = talk(SHIPPED, ROME, SUNNY, said("and in Oslo", "weather.weather", {"location": "Oslo"}))
    assert "answer" not in steps[-1].state.context
    failed = step(SHIPPED, steps[-1].state, ActionDone(3, {"weather_status": "unavailable"}))
    assert texts(failed) == ["I can't reach the weather service right now. Please try again later."]
