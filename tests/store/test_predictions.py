"""Several models' predictions stand beside each other; which one is shown can change, and the calls' sums with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from pipeline.calls import Intent, Sentence, Sentiment
from pipeline.errors import InputError
from pipeline.store import Store
from pipeline.store.queries import CallSummary
from tests.store.samples import START, a_call, a_sentence, conversation, sentiment

OLD, NEW = "sentiment@2026.11.1", "sentiment@2"


def scored_by_new(store: Store, *polarities: float) -> list[tuple[int, Sentiment]]:
    """What the new model says of the sentences that it has not seen, one polarity after the other."""
    references = [reference for reference, _ in store.unscored(NEW)]
    return [(references[place], sentiment(polarity, NEW)) for place, polarity in enumerate(polarities)]


def summary(store: Store, call_id: str) -> CallSummary:
    (row,) = (row for row in store.calls().rows if row.call.id == call_id)
    return replace(row, stored_at=START)


def test_what_a_model_has_not_seen(store: Store) -> None:
    store.add(a_call("late", minutes=60), conversation("late"))
    store.begin(a_call("early"))
    store.append("early", conversation("early")[:2])
    found = store.unscored(NEW)
    assert [text for _, text in found] == [f"Sentence number {index}." for index in (0, 1, 2, 3, 0, 1)]
    assert store.unscored(NEW, limit=2) == found[:2]
    assert store.unscored(NEW, after=found[1][0]) == found[2:]
    assert store.unscored(NEW, START + timedelta(minutes=60), 10) == found[:4]
    assert store.unscored(OLD) == []
    store.add_predictions("sentiment", NEW, [(reference, sentiment(0.5, NEW)) for reference, _ in found[1:]])
    assert store.unscored(NEW) == found[:1]
    store.add(a_call("early"), [])  # its live sentences no longer count
    assert store.unscored("third@1", None, 100) == found[:4]
    with pytest.raises(InputError, match="not -1"):
        store.unscored(NEW, limit=-1)
    with pytest.raises(InputError, match="no time zone"):
        store.unscored(NEW, datetime(2026, 1, 1))


def test_a_second_model_writes_beside_the_first(store: Store) -> None:
    store.add(a_call(), conversation(polarities=(0.1, None)))
    newest = store.last_change()
    first, second = store.unscored(NEW)
    assert store.add_predictions("sentiment", NEW, [(first[0], sentiment(0.9, NEW)), (second[0], sentiment(0.2, NEW))])
    assert store.sentences(a_call().id) == conversation(polarities=(0.1, None))  # as before
    assert store.predictions(a_call().id, 0) == [sentiment(0.1), sentiment(0.9, NEW)]
    assert store.predictions(a_call().id, 1) == [sentiment(0.2, NEW)]
    assert store.last_change() == newest
    with pytest.raises(InputError, match="no sentence 2 of a call"):
        store.predictions(a_call().id, 2)
    with pytest.raises(InputError, match="no sentence 0 of a call 'gone'"):
        store.predictions("gone", 0)


def test_what_a_model_said_stays(store: Store) -> None:
    store.add(a_call(), conversation())
    given = scored_by_new(store, 0.9, 0.8)
    assert store.add_predictions("sentiment", NEW, given) == 2
    again = [(reference, sentiment(-1, NEW)) for reference, _ in given] + [(10**9, sentiment(0, NEW))]
    assert store.add_predictions("sentiment", NEW, again) == 0  # seen before, or not there
    assert store.predictions(a_call().id, 0)[1] == sentiment(0.9, NEW)
    assert store.add_predictions("sentiment", OLD, [(given[0][0], sentiment(-1, OLD))]) == 0
    assert store.predictions(a_call().id, 0)[0] == sentiment(0.1)
    assert store.add_predictions("sentiment", NEW, []) == 0


def test_intents_of_a_second_model(store: Store) -> None:
    store.add(a_call(), conversation()[:1])
    ((reference, _),) = store.unscored("intent@2", kind="intent")
    before = summary(store, a_call().id)
    asked = Intent("billing.other", 0.7, (), "intent@2")
    assert store.add_predictions("intent", "intent@2", [(reference, asked)]) == 1
    assert store.promote_predictions("intent@2") == 1
    assert store.sentences(a_call().id)[0] == replace(conversation()[0], intent=asked)
    assert summary(store, a_call().id) == before


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (sentiment(0.1, OLD), "is by 'sentiment@2026.11.1', not by 'sentiment@2'"),
        (Intent("x", 1.0, (), NEW), "is no sentiment"),
        (Sentiment("neutral", {"neutral": 1.0}, NEW), "a probability for each"),
        (Sentiment("neutral", {"negative": float("nan"), "neutral": 1, "positive": 0}, NEW), "nan"),
    ],
)
def test_predictions_that_cannot_be_stored_are_refused(store: Store, bad: Sentiment | Intent, complaint: str) -> None:
    store.add(a_call(), conversation()[:2])
    (first, _), (second, _) = store.unscored(NEW)
    with pytest.raises(InputError, match=complaint):
        store.add_predictions("sentiment", NEW, [(first, sentiment(0.5, NEW)), (second, bad)])
    assert len(store.unscored(NEW)) == 2


def test_promoting_shows_the_new_model_and_its_sums(store: Store) -> None:
    store.add(a_call("one"), conversation("one"))
    store.add(a_call("two"), conversation("two"))
    before = summary(store, "one"), summary(store, "two")
    given = scored_by_new(store, -0.9, 0.8, -0.7)  # three of the four sentences of the first call
    store.add_predictions("sentiment", NEW, given)
    assert (summary(store, "one"), summary(store, "two")) == before
    assert store.promote_predictions(NEW) == 3
    shown = [said.sentiment for said in store.sentences("one")]
    assert shown == [*(score for _, score in given), conversation()[3].sentiment]
    as_if = [replace(s, call_id="three", sentiment=score) for s, score in zip(conversation(), shown, strict=True)]
    store.add(a_call("three"), as_if)
    assert summary(store, "one") == replace(summary(store, "three"), call=a_call("one"))
    assert summary(store, "two") == before[1]
    assert store.predictions("one", 0) == [sentiment(-0.9, NEW), sentiment(0.1)]
    assert store.promote_predictions(NEW) == 0
    assert store.promote_predictions(OLD) == 3  # and back
    assert (summary(store, "one"), summary(store, "two")) == before
    assert store.promote_predictions("nobody@1") == 0


def test_promoting_gives_a_mood_to_what_had_none(store: Store) -> None:
    store.add(a_call(), conversation(polarities=(None, None)))
    store.add_predictions("sentiment", NEW, scored_by_new(store, 0.9, -0.9))
    assert summary(store, a_call().id).mood is None
    assert store.promote_predictions(NEW) == 2
    assert summary(store, a_call().id).mood == pytest.approx(-0.9)


def test_a_live_call_goes_on_from_the_promoted_sums(store: Store) -> None:
    spoken = [a_sentence(index=index, polarity=0.5) for index in range(70)]
    store.begin(a_call())
    store.append(a_call().id, spoken[:65])
    given = scored_by_new(store, *(-0.01 * place for place in range(65)))
    store.add_predictions("sentiment", NEW, given)
    store.promote_predictions(NEW)
    store.append(a_call().id, spoken[65:])
    grown = summary(store, a_call().id)
    made = [replace(said, sentiment=score) for said, (_, score) in zip(spoken, given, strict=False)] + spoken[65:]
    store.add(a_call("at once"), [replace(said, call_id="at once") for said in made])
    whole = summary(store, "at once")
    assert (grown.sentences, grown.labels) == (whole.sentences, whole.labels)
    assert grown.mood == pytest.approx(whole.mood, abs=1e-5)
    assert grown.trend == pytest.approx(whole.trend, abs=1e-5)


def test_old_revisions_do_not_count_in_the_sums(store: Store) -> None:
    store.begin(a_call())
    store.append(a_call().id, conversation(polarities=(-1.0, -1.0)))
    store.add_predictions("sentiment", NEW, scored_by_new(store, -1.0, -1.0))
    final: list[Sentence] = conversation(polarities=(0.9, 0.7))
    store.add(a_call(), final)
    before = summary(store, a_call().id)
    assert store.promote_predictions(NEW) == 2
    assert summary(store, a_call().id) == before
    assert store.sentences(a_call().id) == final


def test_many_sentences_are_promoted_by_a_handful_of_statements(store: Store) -> None:
    for number in range(20):
        call_id = f"call {number}"
        store.add(a_call(call_id), [replace(a_sentence(call_id, index), words=()) for index in range(100)])
    references = [reference for reference, _ in store.unscored(NEW, limit=20_000)]
    assert store.add_predictions("sentiment", NEW, ((reference, sentiment(0.8, NEW)) for reference in references))
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert store.promote_predictions(NEW) == 2000
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert 0 < len(statements) < 10
    assert {round(row.mood or 0, 6) for row in store.calls(limit=100).rows} == {0.8}
