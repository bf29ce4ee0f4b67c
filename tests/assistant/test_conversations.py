"""Whole conversations: words in, answers from the real model, the shipped flows and the sample catalogue out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from fulfillment.services import Services
from pipeline.assistant import Assistant
from pipeline.calls import Turn
from pipeline.nlp import Understander
from tests.assistant.conftest import FLOWS, NOON, Desk, at_noon


def spoken(turn: Turn) -> str:
    return " ".join(turn.replies)


def asked(turn: Turn) -> dict[str, str | tuple[str, ...]]:
    (action,) = turn.actions
    return dict(action.request)


def test_a_question_is_understood_answered_and_archived(desk: Desk) -> None:
    talk = desk.assistant.begin("text", "Ann", {"queue": "web"})
    assert talk.opening.event == "opened"
    assert talk.opening.number == 0
    assert talk.opening.replies
    turn = talk.say("Will it rain in Los Angeles tomorrow?")
    assert turn.intent is not None
    assert turn.intent.name == "weather.rainfall_yes_no"
    assert {slot.name: slot.value for slot in turn.intent.slots} == {
        "location": "los angeles",
        "weathertime": "2026-11-24",
    }
    assert asked(turn) == {"kind": "rainfall_yes_no", "location": "Los Angeles", "weathertime": "tomorrow"}
    (action,) = turn.actions
    assert (action.status, action.source, action.as_of) == ("ok", "sample weather", NOON)
    assert action.answer in spoken(turn)
    assert {"understand_ms", "dialog_ms", "fulfil_ms"} <= set(turn.timings_ms)
    assert turn.state == "listen"
    assert turn.path[0][1] == "weather.rainfall_yes_no"
    talk.close()
    talk.close()
    kept = desk.archive.conversation(talk.id)
    assert (kept.channel, kept.person, kept.attributes, kept.ended_at) == ("text", "Ann", {"queue": "web"}, NOON)
    assert desk.archive.turns(talk.id) == [talk.opening, turn]


def test_a_location_is_asked_back_and_follow_ups_keep_it(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    assert "city" in spoken(talk.say("will it snow tomorrow"))
    assert asked(talk.say("Boston"))["location"] == "Boston"
    assert asked(talk.say("and on Friday?")) == {
        "kind": "snow_yes_no",
        "location": "Boston",
        "weathertime": "Friday",
    }
    assert asked(talk.say("no, in Denver"))["location"] == "Denver"


def test_a_digression_is_answered_and_the_question_comes_back(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    assert talk.say("will it rain tomorrow").state == "hear_location"
    turn = talk.say("how much is a blue wool sweater")
    assert "$" in spoken(turn)
    assert turn.state == "hear_location"
    assert asked(talk.say("Denver")) == {"kind": "rainfall_yes_no", "location": "Denver", "weathertime": "tomorrow"}


def test_prices_stock_and_places(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    price = talk.say("How much is a blue wool sweater?")
    assert price.actions[0].status == "ok"
    assert "sample catalogue" in spoken(price)
    assert talk.say("and in red?").actions[0].request["item.color"] == "red"
    place = talk.say("where is the best pizza in Denver")
    assert place.actions[0].request["kind"] == "store_location"
    assert place.actions[0].status == "ok"


def test_repeat_start_over_and_goodbye(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    answer = talk.say("what's the weather in Oslo")
    assert talk.say("could you say that again").replies == answer.replies
    again = talk.say("let's start over")
    assert again.replies[0] == "All right, from the beginning."
    assert "city" in spoken(talk.say("and tomorrow?"))
    assert not talk.ended
    assert talk.say("goodbye").state == "END"
    assert talk.ended
    assert talk.silence() is None
    assert talk.timed_out() is None
    assert talk.say("weather in Oslo").actions  # words after the goodbye begin anew


def test_who_wants_a_person_is_told_where_to_find_one(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    turn = talk.say("I want to talk to a person")
    (wish,) = turn.actions
    assert (wish.name, wish.status, wish.source) == ("hand_over", "ok", "OVERTONE_HAND_OVER")
    assert wish.request == {"reason": "asked for a person", "last_words": "I want to talk to a person"}
    assert "555 0100" in spoken(turn)
    assert "putting you through" not in spoken(turn)
    assert talk.ended


def test_without_a_place_for_people_no_transfer_is_pretended(understander: Understander, services: Services) -> None:
    with Assistant(FLOWS, understander, services, clock=at_noon) as assistant:
        talk = assistant.begin("text")
        turn = talk.say("operator")
        assert turn.actions[0].status == "unavailable"
        assert "can't connect you" in spoken(turn)
        assert "go on helping" in spoken(turn)
        assert turn.state == "listen"
        assert asked(talk.say("weather in Rome"))["location"] == "Rome"


def test_silences_and_commands(desk: Desk) -> None:
    talk = desk.assistant.begin("voice")
    assert talk.waits.no_input_s == 8
    first = talk.silence()
    assert first is not None
    assert (first.event, first.user_text, spoken(first)) == ("silence", "", "Are you still there?")
    talk.say("weather in Oslo")
    undone = talk.say("!undo")
    assert (undone.event, undone.intent) == ("undo", None)
    assert talk.say("!reset").event == "reset"
    left = talk.timed_out()
    assert left is not None
    assert left.event == "time-out"
    assert talk.ended
    assert [turn.number for turn in desk.archive.turns(talk.id)] == [0, 1, 2, 3, 4, 5]


def test_a_caller_s_own_measures_and_times_are_kept(desk: Desk) -> None:
    talk = desk.assistant.begin("voice")
    spoken_at = NOON - timedelta(seconds=1)
    turn = talk.say("hello", recogniser="ear@1", spoken_at=spoken_at, timings_ms={"recognise_ms": 42.0})
    assert (turn.recogniser, turn.at, turn.timings_ms["recognise_ms"]) == ("ear@1", spoken_at, 42.0)


CITIES = ("Boston", "Denver", "Seattle", "Chicago", "Oslo", "Rome", "Paris", "London")


def test_eight_talks_at_once_never_cross(desk: Desk) -> None:
    def converse(city: str) -> tuple[str, list[Turn]]:
        talk = desk.assistant.begin("text", city)
        turns = [talk.opening, talk.say("will it rain tomorrow"), talk.say(city), talk.say("and on Friday?")]
        turns += [talk.say("how humid is it"), talk.say("what did you say")]
        return talk.id, turns

    with ThreadPoolExecutor(len(CITIES)) as threads:
        talks = list(threads.map(converse, CITIES))
    assert len({id for id, _ in talks}) == len(CITIES)
    for city, (id, turns) in zip(CITIES, talks, strict=True):
        assert desk.archive.turns(id) == turns
        requests = [action.request for turn in turns for action in turn.actions]
        assert [request["location"] for request in requests] == [city] * 3
        others = [other for other in CITIES if other != city]
        assert not any(other in spoken(turn) for turn in turns[1:] for other in others)


@pytest.mark.parametrize(
    "words",
    [
        "Will it rain in Denver tomorrow?",
        "will it rain",
        "how much is a blue wool sweater",
        "hello",
        "asdf jkl",
        "do you have fifty red scarves",
    ],
)
def test_a_draft_that_comes_true_is_what_say_would_answer(desk: Desk, words: str) -> None:
    first, second = desk.assistant.begin("voice"), desk.assistant.begin("voice")
    draft = first.consider(words)
    assert desk.archive.turns(first.id) == [first.opening]
    committed, said = first.commit(draft, recogniser="ear@1"), second.say(words, recogniser="ear@1")
    assert committed.replies == draft.replies
    for name in ("number", "at", "event", "user_text", "intent", "path", "state", "recogniser", "error"):
        assert getattr(committed, name) == getattr(said, name)
    assert [action.request for action in committed.actions] == [action.request for action in said.actions]
    assert [len(committed.replies), len(committed.actions)] == [len(said.replies), len(said.actions)]
    assert desk.archive.turns(first.id) == [first.opening, committed]


def test_a_draft_may_differ_from_the_words_by_punctuation_alone(desk: Desk) -> None:
    talk = desk.assistant.begin("voice")
    draft = talk.consider("will it rain in los angeles tomorrow")
    turn = talk.commit(draft, text="Will it rain in Los Angeles, tomorrow?")
    assert turn.user_text == "Will it rain in Los Angeles, tomorrow?"
    assert turn.intent is not None
    assert [turn.user_text[slot.start : slot.end] for slot in turn.intent.slots] == ["Los Angeles", "tomorrow"]
    assert desk.archive.turns(talk.id)[-1] == turn


def test_a_draft_that_does_not_fit_is_refused_and_changes_nothing(desk: Desk) -> None:
    talk, other = desk.assistant.begin("voice"), desk.assistant.begin("voice")
    draft = talk.consider("will it rain in Rome")
    with pytest.raises(ValueError, match="other words"):
        talk.commit(draft, text="will it rain in Rhodes")
    with pytest.raises(ValueError, match="not of this moment"):
        other.commit(draft)
    for empty in ("", "!undo"):
        with pytest.raises(ValueError, match="no words"):
            talk.commit(talk.consider(empty))
    talk.say("hello")
    with pytest.raises(ValueError, match="not of this moment"):
        talk.commit(draft)
    assert [turn.number for turn in desk.archive.turns(talk.id)] == [0, 1]


def test_a_hand_over_waits_until_the_draft_comes_true(desk: Desk) -> None:
    talk = desk.assistant.begin("voice")
    draft = talk.consider("I want to speak to a person")
    assert draft.waits_for_action
    assert not draft.replies
    turn = talk.commit(draft)
    assert turn.actions[0].status == "ok"
    assert "555 0100" in spoken(turn)


def test_two_questions_in_one_breath_are_both_answered(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    turn = talk.say("How much is a blue wool sweater, and do you have it in stock?")
    assert [action.request["kind"] for action in turn.actions] == ["price_check", "inventory_check"]
    assert {action.request["item.type"] for action in turn.actions} == {"wool sweater"}
    assert "$59" in spoken(turn)
    assert "in stock at" in spoken(turn)
    assert spoken(turn).count("sample catalogue") == 1
    assert desk.archive.turns(talk.id)[-1] == turn


def test_the_second_question_waits_for_what_is_asked_back(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    turn = talk.say("Will it rain and how warm will it be tomorrow?")
    assert "city" in spoken(turn)
    assert not turn.actions
    turn = talk.say("Seattle")
    assert [(action.request["kind"], action.request["weathertime"]) for action in turn.actions] == [
        ("rainfall_yes_no", "tomorrow"),
        ("temperature", "tomorrow"),
    ]
    (action,) = talk.say("and in Boston?").actions
    assert action.request["location"] == "Boston"


def test_a_draft_of_two_questions_is_what_saying_them_would_be(desk: Desk) -> None:
    text = "Is it going to snow in Denver? And where can I buy snow boots there?"
    said, drafted = desk.assistant.begin("text"), desk.assistant.begin("text")
    draft = drafted.consider(text)
    turn = drafted.commit(draft)
    assert draft.replies == turn.replies
    assert [action.request for action in turn.actions] == [action.request for action in said.say(text).actions]
    assert len(turn.actions) == 2


@pytest.mark.parametrize(
    "text", ["bread and butter", "is it hot and humid in Rome", "what do you have in black and red"]
)
def test_an_and_inside_one_question_stays_one_question(desk: Desk, text: str) -> None:
    assert len(desk.assistant.begin("text").say(text).actions) <= 1


def test_a_question_for_yes_or_no_gets_one(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    assert "city" in spoken(talk.say("Will it be cold tomorrow?"))
    turn = talk.say("Boston")
    assert asked(turn)["question"] == "Will it be cold tomorrow?"
    assert spoken(turn).startswith(("Yes, ", "No, "))
    turn = talk.say("and in Singapore?")
    assert spoken(turn).startswith("No, it won't be cold in Singapore tomorrow.")
    assert spoken(talk.say("Is it hot in Phoenix right now?")).startswith(("Yes, it's hot", "No, it isn't hot"))
    assert spoken(talk.say("Will it be above minus forty in Denver on Friday?")).startswith(
        "Yes, it will be above minus 40"
    )
    assert spoken(talk.say("do I need a coat in Oslo")).startswith(("Yes, ", "No, "))


def test_how_many_there_are_is_a_number(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    talk.say("How much is a blue wool sweater?")
    assert "of the blue wool sweater in stock at" in spoken(talk.say("How many do you have?"))


def test_what_cannot_be_done_and_other_languages_are_told_with_a_person_offered(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    turn = talk.say("I'd like to return a sweater, please.")
    assert turn.state == "not_possible"
    assert not turn.actions
    assert talk.say("no thanks").state == "listen"
    assert "only understand English" in spoken(talk.say("Wie wird das Wetter morgen in Berlin?"))
    turn = talk.say("yes")
    assert [action.name for action in turn.actions] == ["hand_over"]
