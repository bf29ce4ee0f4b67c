"""Calls go in whole, come back equal, and live calls grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.calls import (
    SENTIMENT_LABELS,
    SPEAKER_ROLES,
    Call,
    Intent,
    Label,
    Sentence,
    Sentiment,
    Slot,
    Word,
)
from pipeline.errors import InputError
from pipeline.store import Store, open_store
from pipeline.store.queries import Role
from tests.store.samples import START, a_call, a_sentence, conversation

STRANGE = "naïve 😀 \"quoted\" 'it''s' 100% a_b \\ back\nnew line\ttab \u202eright to left 漢字 e\u0301"


def test_a_call_comes_back_as_it_went_in(store: Store) -> None:
    call, sentences = a_call(), conversation()
    assert not store.has(call.id)
    assert store.add(call, iter(sentences))
    assert store.has(call.id)
    assert store.call(call.id) == call
    assert store.sentences(call.id) == sentences


def test_a_call_without_sentences_is_a_call(store: Store) -> None:
    call = replace(a_call(agent=None, customer=None), attributes={}, speakers=())
    assert store.add(call, [])
    assert store.call(call.id) == call
    assert store.sentences(call.id) == []


def test_adding_twice_changes_nothing(store: Store) -> None:
    assert store.add(a_call(), conversation())
    newest = store.last_change()
    assert not store.add(a_call(source="another name.wav"), conversation(polarities=(0.5,)))
    assert store.call(a_call().id) == a_call()
    assert store.sentences(a_call().id) == conversation()
    assert store.last_change() == newest


def test_what_is_stored_outlives_the_store(url: str) -> None:
    with open_store(url) as store:
        store.add(a_call(), conversation())
    with open_store(url) as store:
        assert store.call(a_call().id) == a_call()
        assert store.sentences(a_call().id) == conversation()


def test_a_source_that_fails_half_way_leaves_nothing(store: Store) -> None:
    def failing() -> Iterator[Sentence]:
        yield a_sentence(index=0)
        raise ConnectionError("the recogniser is gone")

    with pytest.raises(ConnectionError):
        store.add(a_call(), failing())
    assert not store.has(a_call().id)
    assert store.calls().total == 0
    assert store.last_change() == 0


@pytest.mark.parametrize(
    "text",
    [STRANGE, "", " ", "\ufffe\uffff", "x" * 100_000],
    ids=["strange", "empty", "space", "non-characters", "long"],
)
def test_any_text_comes_back(store: Store, text: str) -> None:
    call = replace(a_call(source=text, agent=text), attributes={text: text})
    sentence = replace(a_sentence(text=text), words=(Word(text, 0.0, 1.0),), recogniser=text)
    store.add(call, [sentence])
    assert store.call(call.id) == call
    assert store.sentences(call.id) == [sentence]


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (replace(a_call(), source="a\x00b"), "source of call .* NUL"),
        (replace(a_call(), customer="a\udcffb"), r"customer of call .* not text \('a\\udcffb'\)"),
        (replace(a_call(), attributes={"queue": "\x00"}), "attribute 'queue' .* NUL"),
        (replace(a_call(), started_at=datetime(2026, 1, 1)), "no time zone"),
        (replace(a_call(), duration_s=float("nan")), "duration of call .* is nan"),
        (replace(a_call(), id=""), "without an id"),
    ],
)
def test_a_call_that_no_database_can_hold_is_refused(store: Store, bad: Call, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        store.add(bad, [])
    with pytest.raises(InputError, match=complaint):
        store.begin(bad)
    assert store.calls().total == 0


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (replace(a_sentence(), text="a\x00b"), "text of sentence 0 .* NUL"),
        (replace(a_sentence(), words=(Word("\x00", 0, 1),)), "a word of sentence 0 .* NUL"),
        (replace(a_sentence(), words=(Word("a", 0, float("inf")),)), "a word of sentence 0 .* inf"),
        (replace(a_sentence(), end_s=float("inf")), "end of sentence 0 .* inf"),
        (replace(a_sentence(), index=-1), "count from 0"),
        (replace(a_sentence(), channel=0), "channels from 1"),
        (replace(a_sentence(), call_id="another"), "belongs to call 'another'"),
        (replace(a_sentence(), sentiment=Sentiment("neutral", {"neutral": 1.0}, "m@1")), "a probability for each"),
        (replace(a_sentence(), intent=Intent("x", float("nan"), (), "m@1")), "intent of sentence 0 .* nan"),
        (replace(a_sentence(), intent=Intent("x", 1, (Slot("a", "\x00", "c", 0, 1, 1),), "m@1")), "a slot of .* NUL"),
    ],
)
def test_a_sentence_that_cannot_be_stored_takes_its_call_with_it(store: Store, bad: Sentence, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        store.add(a_call(), [a_sentence(index=1), bad])
    assert store.calls().total == 0
    assert store.last_change() == 0
    store.begin(a_call())
    with pytest.raises(InputError, match=complaint):
        store.append(a_call().id, [a_sentence(index=1), bad])
    assert store.sentences(a_call().id) == []


def test_an_index_used_twice_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="two sentences with index 1"):
        store.add(a_call(), [a_sentence(index=1), a_sentence(index=1)])


def test_times_are_utc_whatever_the_zone_they_came_in(store: Store) -> None:
    in_delhi = START.astimezone(timezone(timedelta(hours=5, minutes=30)))
    store.add(replace(a_call(), started_at=in_delhi), [])
    read = store.call(a_call().id).started_at
    assert read == START
    assert read.tzinfo is UTC
    assert store.calls().rows[0].stored_at.tzinfo is UTC


def test_a_call_is_found_by_the_start_of_its_id(store: Store) -> None:
    for id in ("aa11", "aa12", "aa1", "b_1", "bx1"):
        store.add(a_call(id), [])
    assert store.call("aa11").id == "aa11"
    assert store.call("aa1").id == "aa1"  # exact, though others start so
    assert store.call("b_").id == "b_1"  # not a wildcard
    with pytest.raises(InputError, match="more than one call starts with 'aa'"):
        store.call("aa")
    with pytest.raises(InputError, match="no call 'zz' in the store"):
        store.call("zz")
    with pytest.raises(InputError, match="no call was named"):
        store.call("")
    with pytest.raises(InputError, match="NUL"):
        store.call("a\x00")
    with pytest.raises(InputError, match="no call 'aa' in the store"):
        store.sentences("aa")


def test_a_live_call_grows_and_is_finished(store: Store) -> None:
    call = a_call(duration_s=0.0)
    assert store.begin(call) == 0
    assert store.call(call.id) == replace(call, status="live")
    assert not store.has(call.id)
    store.append(call.id, conversation()[:3])
    store.append(call.id, conversation()[3:])
    store.append(call.id, [])
    assert store.call(call.id).duration_s == conversation()[3].end_s
    assert store.begin(call) == 4  # taken up again by a new process
    store.finish(call.id, 33.0)
    assert store.has(call.id)
    assert store.call(call.id) == replace(call, duration_s=33.0)
    assert store.sentences(call.id) == conversation()
    newest = store.last_change()
    store.finish(call.id, 44.0)
    assert store.call(call.id).duration_s == 33.0
    assert store.last_change() == newest


def test_a_call_that_is_not_live_takes_no_sentences(store: Store) -> None:
    store.add(a_call(), conversation())
    with pytest.raises(InputError, match="is complete: no sentence can be appended"):
        store.append(a_call().id, [a_sentence(index=9)])
    with pytest.raises(InputError, match="is complete and cannot go on live"):
        store.begin(a_call())
    with pytest.raises(InputError, match="no call 'gone'"):
        store.append("gone", [a_sentence("gone")])
    with pytest.raises(InputError, match="no call 'gone'"):
        store.finish("gone")


def test_a_live_sentence_is_stored_once(store: Store) -> None:
    store.begin(a_call())
    store.append(a_call().id, conversation()[:2])
    with pytest.raises(InputError, match="already has a sentence with an index among 1, 2"):
        store.append(a_call().id, conversation()[1:3])
    assert store.sentences(a_call().id) == conversation()[:2]
    assert store.calls().rows[0].sentences == 2


def test_adding_over_a_live_call_replaces_what_counts(store: Store) -> None:
    store.begin(a_call())
    store.append(a_call().id, conversation(polarities=(-1.0, -1.0, -1.0)))
    store.add_label(Label(a_call().id, 0, "sentiment", "neutral", "ann", START))
    assert store.add(a_call(), conversation())
    assert store.call(a_call().id) == a_call()
    assert store.sentences(a_call().id) == conversation()
    assert store.calls().rows[0].sentences == 4
    assert store.labels(a_call().id) == []  # it was on a sentence that no longer counts
    assert [change.kind for change in store.changes(0)] == ["began", *["sentence"] * 4, "stored"]


def test_labels_are_added_and_never_replaced(store: Store) -> None:
    store.add(a_call(), conversation())
    first = Label(a_call().id, 1, "sentiment", "neutral", "ann 😀", START)
    second = replace(first, value="positive", reviewer="bob", at=START + timedelta(days=1))
    third = Label(a_call().id, 0, "intent", "billing.other", "bob", START)
    for label in (first, second, third):
        store.add_label(label)
    assert store.labels(a_call().id) == [first, second, third]
    assert store.sentences(a_call().id) == conversation()  # predictions stand
    assert store.labels("nothing") == []


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (Label("gone", 0, "sentiment", "neutral", "ann", START), "no call 'gone'"),
        (Label(a_call().id, 99, "sentiment", "neutral", "ann", START), "no sentence 99"),
        (Label(a_call().id, 0, "sentiment", "furious", "ann", START), "'furious': give one of negative, neutral"),
        (Label(a_call().id, 0, "intent", "a\x00", "ann", START), "NUL"),
        (Label(a_call().id, 0, "intent", "a", "ann", datetime(2026, 1, 1)), "no time zone"),
    ],
)
def test_a_label_on_nothing_is_refused(store: Store, bad: Label, complaint: str) -> None:
    store.add(a_call(), conversation())
    with pytest.raises(InputError, match=complaint):
        store.add_label(bad)
    assert store.labels(a_call().id) == []


def test_deleting_takes_everything_of_one_call(store: Store) -> None:
    store.add(a_call("one"), conversation("one"))
    store.add(a_call("two"), conversation("two"))
    store.add_label(Label("one", 0, "sentiment", "neutral", "ann", START))
    assert store.delete("one")
    assert not store.delete("one")
    assert not store.has("one")
    assert store.labels("one") == []
    assert store.sentences("two") == conversation("two")
    assert [row.call.id for row in store.calls().rows] == ["two"]
    assert store.add(a_call("one"), conversation("one"))  # and it may come again
    assert store.sentences("one") == conversation("one")


def test_the_people_are_listed_once_each_in_order(store: Store) -> None:
    for number, agent in enumerate(("Zoë", "adam", "Bea", "Bea", None)):
        store.add(a_call(str(number), agent=agent), [])
    assert store.people("agent") == ["Bea", "Zoë", "adam"]
    assert store.people("customer") == ["Carl Customer"]
    assert get_args(Role) == ("agent", "customer")


ZONES = (UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=11, minutes=7)))
# What a database can hold: any text but NUL and halves of surrogate pairs.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
numbers = st.floats(allow_nan=False, allow_infinity=False)
probabilities = st.floats(0, 1)
times = st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1), timezones=st.sampled_from(ZONES))
speakers = st.sampled_from(SPEAKER_ROLES)
sentiments = st.builds(
    Sentiment,
    label=st.sampled_from(SENTIMENT_LABELS),
    scores=st.fixed_dictionaries(dict.fromkeys(SENTIMENT_LABELS, probabilities)),
    model=texts,
)
intents = st.builds(
    Intent,
    name=texts,
    score=probabilities,
    model=texts,
    slots=st.lists(
        st.builds(Slot, texts, texts, texts, start=st.integers(0, 999), end=st.integers(0, 999), score=probabilities),
        max_size=2,
    ).map(tuple),
)
words = st.builds(Word, texts, numbers, numbers, st.none() | probabilities)
calls = st.builds(
    Call,
    id=texts,
    source=texts,
    started_at=times,
    duration_s=numbers,
    speakers=st.lists(speakers, max_size=3).map(tuple),
    agent=st.none() | texts,
    customer=st.none() | texts,
    attributes=st.dictionaries(texts, texts, max_size=2),
)
spoken = st.lists(
    st.builds(
        Sentence,
        call_id=st.just(""),
        index=st.integers(0, 2**31 - 1),
        channel=st.integers(1, 6),
        speaker=speakers,
        text=texts,
        start_s=numbers,
        end_s=numbers,
        words=st.lists(words, max_size=3).map(tuple),
        sentiment=st.none() | sentiments,
        intent=st.none() | intents,
        recogniser=texts,
    ),
    max_size=4,
    unique_by=lambda sentence: sentence.index,
)


fresh = count()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(call=calls, sentences=spoken)
def test_any_call_comes_back_equal(shared_store: Store, call: Call, sentences: list[Sentence]) -> None:
    call = replace(call, id=f"{next(fresh)} {call.id}")
    own = [replace(sentence, call_id=call.id) for sentence in sentences]
    assert shared_store.add(call, own)
    assert shared_store.call(call.id) == call
    assert shared_store.sentences(call.id) == sorted(own, key=lambda sentence: sentence.index)


def test_several_live_calls_grow_in_one_transaction_or_none_does(store: Store) -> None:
    calls = [replace(a_call(name), status="live", duration_s=0.0) for name in ("one", "two")]
    for call in calls:
        store.begin(call)
    before = store.last_change()
    store.append_all({call.id: conversation(call.id) for call in calls})
    for call in calls:
        assert store.sentences(call.id) == conversation(call.id)
        assert store.call(call.id).duration_s == max(one.end_s for one in conversation(call.id))
    assert store.last_change() == before + 2 * len(conversation())
    numbers = [change.number for change in store.changes(before)]
    assert numbers == list(range(before + 1, before + 1 + 2 * len(conversation())))
    with pytest.raises(InputError, match="one of 2 calls already has"):
        store.append_all({"one": [a_sentence("one", 90)], "two": [a_sentence("two", 0)]})
    with pytest.raises(InputError, match="no call 'three'"):
        store.append_all({"one": [a_sentence("one", 90)], "three": [a_sentence("three")]})
    assert store.sentences("one") == conversation("one")
    store.append_all({"one": []})
