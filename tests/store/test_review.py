"""The reviewers' queue: who is asked what, in which order, and what labels and retractions make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.calls import Label, Sentiment, SentimentLabel
from pipeline.errors import InputError
from pipeline.store import Store
from pipeline.store.queries import Agreement, ReviewItem, ReviewQuery
from tests.store.samples import START, a_call, a_sentence, conversation, sentiment

ANN, BOB = ReviewQuery("ann"), ReviewQuery("bob")
CALL = a_call().id
NEW = "sentiment@2"


def label(index: int, value: SentimentLabel = "neutral", reviewer: str = "ann", call_id: str = CALL) -> Label:
    return Label(call_id, index, "sentiment", value, reviewer, START)


def scored(store: Store, said: dict[str, Sentiment]) -> None:
    """Scores of another model beside those of the sentences with those texts."""
    rows = [(ref, said[text]) for ref, text in store.unscored(NEW) if text in said]
    store.add_predictions("sentiment", NEW, rows)


def indices(queue: list[ReviewItem]) -> list[int]:
    return [item.sentence.index for item in queue]


@pytest.fixture
def spoken(store: Store) -> Store:
    """A store with one call; margins of its sentences: 0.8, 0.2, 0.6, 0 (and the last has no sentiment)."""
    store.add(a_call(), conversation(polarities=(0.1, -0.6, 0.2, 0.5, None)))
    return store


def test_the_least_certain_comes_first_with_its_context(spoken: Store) -> None:
    queue = spoken.review_queue(ANN)
    assert indices(queue) == [3, 1, 2, 0]  # what no model scored is nothing to judge
    first = queue[0]
    said = spoken.sentences(CALL)
    assert (first.before, first.sentence, first.after) == (said[2], said[3], said[4])
    assert (first.call, first.labels, first.asked_by) == (a_call(), (), None)
    assert [opinion.model for opinion in first.opinions] == ["sentiment@2026.11.1"]
    assert queue[3].before is None
    assert indices(spoken.review_queue(ANN, 2)) == [3, 1]
    assert spoken.review_queue(ANN, 0) == []


def test_what_others_labelled_comes_after_what_nobody_has(spoken: Store) -> None:
    spoken.add_label(label(3))
    spoken.add_label(replace(label(1), field="intent", value="billing"))
    assert indices(spoken.review_queue(ANN)) == [1, 2, 0]
    queue = spoken.review_queue(BOB)
    assert indices(queue) == [1, 2, 0, 3]
    assert queue[3].labels == (label(3),)


def test_filters_narrow_the_queue(spoken: Store) -> None:
    later = a_call("later", minutes=90, agent="Bo")
    spoken.add(later, conversation("later", (0.3, 0.4)))
    spoken.begin(a_call("live", status="live"))
    spoken.append("live", [a_sentence("live", 0)])
    assert {item.call.id for item in spoken.review_queue(ANN)} == {CALL, "later"}
    assert [item.call for item in spoken.review_queue(replace(ANN, agent="Bo"))] == [later] * 2
    assert indices(spoken.review_queue(replace(ANN, speaker="customer", agent="Ada Agent"))) == [3, 1]
    hour = START + timedelta(hours=1)
    assert {item.call.id for item in spoken.review_queue(replace(ANN, since=hour))} == {"later"}
    assert {item.call.id for item in spoken.review_queue(replace(ANN, until=hour))} == {CALL}


def test_a_label_taken_back_counts_no_more_and_stays_on_record(spoken: Store) -> None:
    spoken.add_label(label(1, "positive"))
    spoken.add_label(label(1, "negative"))
    then = START + timedelta(minutes=1)
    assert spoken.retract_label(CALL, 1, "ann", then) == label(1, "negative")
    assert spoken.labels(CALL) == [label(1, "positive")]  # what was said before counts again
    assert 1 not in indices(spoken.review_queue(ANN))
    assert spoken.retract_label(CALL, 1, "bob", then) is None
    assert spoken.retract_label(CALL, 1, "ann", then) == label(1, "positive")
    assert spoken.retract_label(CALL, 1, "ann", then) is None
    assert spoken.labels(CALL) == []
    assert 1 in indices(spoken.review_queue(ANN))
    spoken.add_label(label(1))
    history = spoken.label_history(CALL, 1)
    assert [(given.label.value, given.retracted_at) for given in history] == [
        ("positive", then), ("negative", then), ("neutral", None),
    ]  # fmt: skip


def test_a_label_keeps_what_models_said_when_it_was_given(spoken: Store) -> None:
    spoken.add_label(label(1))
    scored(spoken, {"Sentence number 1.": sentiment(0.9, NEW)})
    spoken.promote_predictions(NEW)
    spoken.add_label(label(1, reviewer="bob"))
    spoken.add_label(replace(label(1), field="intent", value="billing"))
    old = spoken.predictions(CALL, 1)[1]
    first, second, intent = spoken.label_history(CALL, 1)
    assert first.said == (old,)
    assert second.said == (sentiment(0.9, NEW), old)
    assert intent.said == ()


def test_a_second_opinion_comes_first_for_others_until_one_gives_it(spoken: Store) -> None:
    spoken.ask_opinion(CALL, 0, "ann", START)
    spoken.ask_opinion(CALL, 0, "ann", START)
    assert indices(spoken.review_queue(ANN)) == [3, 1, 2]
    queue = spoken.review_queue(BOB)
    assert indices(queue) == [0, 3, 1, 2]
    assert [item.asked_by for item in queue] == ["ann", None, None, None]
    assert indices(spoken.review_queue(replace(BOB, order="disagreed"))) == [0]
    spoken.add_label(label(0, reviewer="bob"))
    assert indices(spoken.review_queue(BOB)) == [3, 1, 2]
    assert indices(spoken.review_queue(ReviewQuery("cy"))) == [3, 1, 2, 0]
    spoken.ask_opinion(CALL, 2, "ann", START)
    assert spoken.withdraw_opinion(CALL, 2, "ann")
    assert not spoken.withdraw_opinion(CALL, 2, "ann")
    assert indices(spoken.review_queue(ANN)) == [3, 1, 2]


def test_models_that_contradict_each_other_come_first_and_then_reviewers(spoken: Store) -> None:
    scored(
        spoken,
        {
            "Sentence number 0.": sentiment(-0.6, NEW),  # neutral: margins 0.8 + 0.2
            "Sentence number 1.": sentiment(0.9, NEW),  # negative: the opposite
            "Sentence number 2.": sentiment(0.2, NEW),  # the same
            "Sentence number 3.": sentiment(0.9, NEW),  # neutral: margins 0 + 0.8
        },
    )
    disagreed = replace(ANN, order="disagreed")
    assert indices(spoken.review_queue(disagreed)) == [1, 0, 3]
    for given in (label(2, "positive", "bob"), label(2, "neutral", "cy"), label(1, "neutral", "bob")):
        spoken.add_label(given)
    assert indices(spoken.review_queue(disagreed)) == [0, 3, 2, 1]
    spoken.add_label(label(2, "positive", "cy"))  # they agree now
    assert indices(spoken.review_queue(disagreed)) == [0, 3, 1]

    current = "sentiment@2026.11.1"
    assert spoken.agreement(current, NEW) == Agreement(4, 1)
    assert spoken.agreement(current, NEW, START + timedelta(days=1)) == Agreement(0, 0)
    assert spoken.agreement(NEW, current) == Agreement(0, 0)
    found = spoken.disagreements(current, NEW)
    assert [(one.sentence.index, one.other.label) for one in found] == [
        (1, "positive"),
        (0, "negative"),
        (3, "positive"),
    ]
    assert len(spoken.disagreements(current, NEW, limit=1)) == 1


def test_labels_of_an_earlier_revision_do_not_count(spoken: Store) -> None:
    spoken.add_label(label(3))
    spoken.ask_opinion(CALL, 2, "bob", START)
    spoken.revise(a_call(), conversation(polarities=(0.1, -0.6, 0.2, 0.5)))
    assert indices(spoken.review_queue(ANN)) == [3, 1, 2, 0]
    assert spoken.label_history(CALL, 3) == []
    assert spoken.retract_label(CALL, 3, "ann", START) is None


def test_what_cannot_be_is_refused(spoken: Store) -> None:
    with pytest.raises(InputError, match="needs a name"):
        spoken.review_queue(ReviewQuery(" "))
    with pytest.raises(InputError, match="0 to 500"):
        spoken.review_queue(ANN, 501)
    with pytest.raises(InputError, match="no sentence 9"):
        spoken.ask_opinion(CALL, 9, "ann", START)
    with pytest.raises(InputError, match="no time zone"):
        spoken.retract_label(CALL, 1, "ann", START.replace(tzinfo=None))
    with pytest.raises(InputError, match="0 sentences or more"):
        spoken.disagreements("a@1", "b@1", limit=-1)


def test_deleting_a_call_takes_everything_with_it(spoken: Store) -> None:
    spoken.add_label(label(3))
    spoken.retract_label(CALL, 3, "ann", START)
    spoken.ask_opinion(CALL, 1, "ann", START)
    assert spoken.delete(CALL)
    assert spoken.review_queue(BOB) == []
