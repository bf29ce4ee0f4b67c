"""Short and misheard answers, understood in the light of what was asked."""

from __future__ import annotations

import pytest

from fulfillment.cities import Cities, load_cities
from fulfillment.services import SAMPLE
from pipeline.assistant.answering import in_context
from pipeline.calls import Intent, Slot
from pipeline.dialog import Asked, Said, asked, begin, load, step
from pipeline.settings import DATA
from tests.assistant.conftest import Desk

FLOWS = load(DATA / "flows")
UNKNOWN = Intent("unknown", 0.9, (), "nara@1")


@pytest.fixture(scope="module")
def cities() -> Cities:
    return load_cities(SAMPLE / "cities.csv")


def wants(*slots: str, yes_or_no: bool = False) -> Asked:
    return Asked(frozenset(slots), yes_or_no, FLOWS.small_words, FLOWS.fillers, FLOWS.phrases)


def named(name: str, text: str, words: str, score: float = 0.9, intent: str = "inventory_check") -> Intent:
    start = text.index(words)
    return Intent(intent, 0.9, (Slot(name, words, words, start, start + len(words), score),), "nara@1")


def slots(found: Intent) -> list[tuple[str, str]]:
    return [(slot.name, slot.value) for slot in found.slots]


def test_what_is_asked_is_told_by_the_state() -> None:
    state = begin(FLOWS).state
    assert not asked(FLOWS, state).slots
    intent = Intent("weather.rainfall_yes_no", 0.9, (), "nara@1")
    which_city = step(FLOWS, state, Said("will it rain", intent)).state
    assert asked(FLOWS, which_city).slots == {"location"}
    assert not asked(FLOWS, which_city).yes_or_no
    sixty = named("item.quantity", "do you have sixty", "sixty")
    item = Slot("item.type", "chairs", "chairs", 18, 24, 0.9)
    sixty_chairs = Intent("inventory_check", 0.9, (*sixty.slots, item), "nara@1")
    number = step(FLOWS, state, Said("do you have sixty chairs", sixty_chairs)).state
    assert asked(FLOWS, number).slots == {"item.quantity"}
    assert asked(FLOWS, number).yes_or_no


@pytest.mark.parametrize(
    ("text", "found", "quantity"),
    [
        ("16.", named("item.size", "16.", "16"), "16"),
        ("no, sixteen", UNKNOWN, "sixteen"),
        ("To.", UNKNOWN, "two"),
        ("um, for", UNKNOWN, "four"),
        ("twenty five of them", UNKNOWN, "twenty five"),
    ],
)
def test_a_number_alone_is_how_many(cities: Cities, text: str, found: Intent, quantity: str) -> None:
    there = in_context(found, text, wants("item.quantity"), cities, heard=True)
    assert slots(there) == [("item.quantity", quantity)]
    elsewhere = in_context(found, text, wants(), cities, heard=True)
    assert slots(elsewhere) == slots(found)


@pytest.mark.parametrize(("text", "intent"), [("Know.", "deny"), ("Yas!", "affirm"), ("Noon.", "unknown")])
def test_yes_and_no_are_known_by_their_sound(cities: Cities, text: str, intent: str) -> None:
    assert in_context(UNKNOWN, text, wants(yes_or_no=True), cities, heard=True).name == intent
    assert in_context(UNKNOWN, text, wants(yes_or_no=True), cities, heard=False) == UNKNOWN
    assert in_context(UNKNOWN, text, wants(), cities, heard=True) == UNKNOWN


@pytest.mark.parametrize(
    ("text", "found", "heard", "location"),
    [
        ("Paris", UNKNOWN, False, "Paris"),
        ("and Denver,", UNKNOWN, True, "Denver"),
        ("Sprint field,", named("store.name", "Sprint field,", "Sprint field", 0.6), True, "Sprint field"),
        ("pears", named("item.type", "pears", "pears"), True, "pears"),
        ("Bless Angela's.", UNKNOWN, True, "Bless Angela's"),
        ("just here, where I am", UNKNOWN, True, "here"),
        ("pears", named("item.type", "pears", "pears"), False, ""),  # typed as it is meant
        ("tires", named("item.type", "tires", "tires"), True, ""),
        ("how much are pears", named("item.type", "how much are pears", "pears", intent="price_check"), True, ""),
        ("I do not know the name", UNKNOWN, True, ""),
    ],
)
def test_a_city_that_was_asked_for(cities: Cities, text: str, found: Intent, heard: bool, location: str) -> None:
    there = in_context(found, text, wants("location"), cities, heard=heard)
    assert [slot.value for slot in there.slots if slot.name == "location"] == ([location] if location else [])
    if not location:
        assert there == found


def test_a_guess_at_very_few_words_is_none(cities: Cities) -> None:
    for text, score, slot_score, kept in (
        ("fribble", 0.6, 0.4, False),
        ("bagels", 0.7, 1.0, True),
        ("a sweater", 0.9, 0.5, True),
        ("is that warm enough for me", 0.6, 0.4, True),
    ):
        word = text.split()[-1]
        guess = Intent("inventory_check", score, named("item.type", text, word, slot_score).slots, "nara@1")
        found = in_context(guess, text, wants(), cities, heard=False)
        assert (found == guess) is kept
        assert (found.name, found.slots) == (("unknown", ()) if not kept else (guess.name, guess.slots))
    question = Intent("start_over", 0.7, (), "nara@1")
    assert in_context(question, "good question", wants(), cities, heard=False).name == "unknown"
    assert in_context(question, "never mind", wants(), cities, heard=False) == question  # a phrase of the flows


def test_a_place_at_the_end_that_the_model_missed(cities: Cities) -> None:
    rain = Intent("weather.rainfall_yes_no", 0.99, (), "nara@1")
    assert slots(in_context(rain, "Will it rain and seeattle?", wants(), cities, heard=True)) == [
        ("location", "seeattle")
    ]
    later = named("weathertime", "will it rain and seeattle tomorrow", "tomorrow", intent="weather.rainfall_yes_no")
    found = in_context(later, "will it rain and seeattle tomorrow", wants(), cities, heard=True)
    assert ("location", "seeattle") in slots(found)
    for text in ("will it be warm and nice", "will it rain seattle", "will it rain and then", "will it rain"):
        assert in_context(rain, text, wants(), cities, heard=True) == rain
    assert in_context(rain, "Will it rain and seeattle?", wants(), cities, heard=False) == rain


def test_a_doubtful_place_beside_a_known_one_is_none(cities: Cities) -> None:
    text = "Bullock, rain, and Denver."
    both = (Slot("location", "Bullock", "Bullock", 0, 7, 0.88), Slot("location", "Denver", "Denver", 19, 25, 1.0))
    found = Intent("weather.rainfall", 0.4, both, "nara@1")
    assert slots(in_context(found, text, wants(), cities, heard=True)) == [("location", "Denver")]
    assert in_context(found, text, wants(), cities, heard=False) == found


def test_a_misheard_city_is_asked_about_and_an_exact_one_never_is(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    turn = talk.say("what's the weather in pears", recogniser="moonshine-tiny-en@1")
    assert turn.state == "did_you_mean"
    assert "pears" in turn.replies[0]
    assert "Did you mean Paris?" in turn.replies
    turn = talk.say("yes", recogniser="moonshine-tiny-en@1")
    assert "Paris" in turn.replies[0]
    assert turn.actions[0].status == "ok"
    turn = desk.assistant.begin("text").say("what's the weather in Paris")
    assert [action.status for action in turn.actions] == ["ok"]
    turn = desk.assistant.begin("text").say("what's the weather in Zzyzzx")
    assert turn.state == "hear_location"
    assert "zzyzzx" in turn.replies[0].lower()


def test_another_city_can_be_said_instead_of_no(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    assert talk.say("what's the weather in pears").state == "did_you_mean"
    turn = talk.say("no, in Boston")
    assert "Did you mean Boston?" in turn.replies
    assert "Boston" in talk.say("yes").replies[0]


def test_a_second_opinion_is_asked_for_what_means_nothing(desk: Desk) -> None:
    asked_for: list[str] = []

    def again(*said: str) -> tuple[str, ...]:
        asked_for.extend(said)
        return said

    better = "make that Gulfport instead"
    talk = desk.assistant.begin("text")
    draft = talk.consider("Make that gulf pour tin stead.", lambda: again(better))
    assert draft.heard.text == better
    assert draft.heard.intent is not None
    assert draft.heard.intent.name == "weather.weather"
    assert asked_for == [better]
    turn = talk.commit(draft, recogniser="moonshine-tiny-en@1")
    assert turn.user_text == better
    for understood in ("Will it rain in Boston?", "yes", "Help!", "hm", "how much is a blue wool sweater"):
        talk.consider(understood, lambda: again("what's the weather"))
    assert asked_for == [better]  # what was understood, and a word or two, are not heard again
    for nothing in ("", "my sister is a good dancer"):
        draft = talk.consider("Is my sister home yet?", lambda nothing=nothing: again(nothing))  # type: ignore[misc]
        assert draft.heard.text == "Is my sister home yet?"


@pytest.mark.parametrize(
    ("asked", "heard", "again", "taken"),
    [
        ("how warm is it", "I.", ("Our four.", "Oslo."), "Oslo."),  # no answer to "which city?"; the first of some
        ("how warm is it", "Daniel.", ("Yes.",), "Daniel."),  # a word of noise is no answer
        ("", "Owlitt Ring.", ("Will it rain?",), "Will it rain?"),  # a thing that nobody sells
        ("", "D. have lifting blue sweaters.", ("Do you have 15 blue sweaters?",), "Do you have 15 blue sweaters?"),
        ("", "What's the weather in Lanta?", ("What's the weather in Atlanta?",), "What's the weather in Atlanta?"),
        ("", "How much are zebra socks?", ("How much are zebra socks?",), "How much are zebra socks?"),
    ],
)
def test_what_names_nothing_known_or_is_no_answer_is_heard_again(
    desk: Desk, asked: str, heard: str, again: tuple[str, ...], taken: str
) -> None:
    talk = desk.assistant.begin("voice")
    if asked:
        assert talk.say(asked).state == "hear_location"
    assert talk.consider(heard, lambda: again).heard.text == taken


def test_a_recogniser_is_told_what_to_expect(desk: Desk) -> None:
    def boost(phrase: str) -> float:
        return max((one.boost for one in talk.expects if phrase in one.phrases), default=0.0)

    talk = desk.assistant.begin("voice")
    assert boost("Oslo") < 50
    assert boost("never mind") > 0
    assert boost("fifteen") == 0
    talk.say("how warm is it")
    assert 50 < boost("Oxford") < boost("Oslo")
    assert boost("Houston") == max(one.boost for one in talk.expects)
    talk.say("never mind")
    talk.say("do you have twelve blue sweaters")
    assert talk.state == "confirm_quantity"
    assert boost("fifteen") == boost("15") > 0


def test_a_state_chooses_among_the_places_that_were_offered(desk: Desk) -> None:
    talk = desk.assistant.begin("text")
    assert "Springfield, Illinois" in talk.say("weather in Springfield").replies[0]
    turn = talk.say("the one in Illinois")
    assert "In Springfield" in turn.replies[0]
    assert turn.actions[0].request["location"] == "Springfield, Illinois"
    assert "In Illinois" in talk.say("and in Illinois?").replies[0]  # by itself it is the state
