"""Turns come back with every field, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.calls import Intent, Performed, Slot, Turn, TurnEvent
from pipeline.errors import InputError
from pipeline.store import Store
from tests.store.samples import START, a_talk, a_turn
from tests.store.test_store import intents, numbers, texts, times


def test_a_turn_comes_back_as_it_went_in(store: Store) -> None:
    bare = Turn(a_talk().id, 0, START, "opened", "", None, (), "start", (), ())
    store.begin_conversation(a_talk())
    store.add_turn(a_turn())
    store.add_turn(bare)
    assert store.turns(a_talk().id) == [bare, a_turn()]
    assert isinstance(store.turns(a_talk().id)[1].actions[0].request["store.type"], tuple)


def test_timings_that_are_known_later_are_added(store: Store) -> None:
    store.begin_conversation(a_talk())
    store.add_turn(a_turn())
    store.add_timings(a_talk().id, a_turn().number, {"speak_ms": 113.5, "total_ms": 474.0})
    (turn,) = store.turns(a_talk().id)
    assert turn == replace(a_turn(), timings_ms={**a_turn().timings_ms, "speak_ms": 113.5, "total_ms": 474.0})
    with pytest.raises(InputError, match="there is no turn 99"):
        store.add_timings(a_talk().id, 99, {"speak_ms": 1.0})
    with pytest.raises(InputError, match="timing 'speak_ms'"):
        store.add_timings(a_talk().id, a_turn().number, {"speak_ms": float("nan")})
    assert store.turns(a_talk().id) == [turn]


performed = st.builds(
    Performed,
    name=texts,
    request=st.dictionaries(texts, texts | st.lists(texts, max_size=2).map(tuple), max_size=2),
    status=texts,
    answer=texts,
    source=texts,
    as_of=st.none() | times,
)
any_turns = st.builds(
    Turn,
    conversation_id=st.just(""),
    number=st.integers(0, 2**31 - 1),
    at=times,
    event=st.sampled_from(get_args(TurnEvent)),
    user_text=texts,
    intent=st.none() | intents,
    path=st.lists(st.tuples(texts, texts, texts), max_size=2).map(tuple),
    state=texts,
    actions=st.lists(performed, max_size=2).map(tuple),
    replies=st.lists(texts, max_size=2).map(tuple),
    timings_ms=st.dictionaries(texts, numbers, max_size=2),
    recogniser=texts,
    error=texts,
)
fresh = count()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_turn=any_turns)
def test_any_turn_comes_back_equal(shared_store: Store, given_turn: Turn) -> None:
    turn = replace(given_turn, conversation_id=f"t{next(fresh)}")
    shared_store.begin_conversation(a_talk(turn.conversation_id))
    shared_store.add_turn(turn)
    assert shared_store.turns(turn.conversation_id) == [turn]


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (a_turn("gone"), "no conversation 'gone'"),
        (a_turn(number=1), "already has a turn 1"),
        (a_turn(number=-1), "turns count from 0"),
        (a_turn(number=2, text="a\x00"), "text of turn 2 .* NUL"),
        (a_turn(number=2, replies=("ok", "\udc80")), "a reply of turn 2 .* not text"),
        (a_turn(number=2, score=float("nan")), "score of turn 2 .* nan"),
        (replace(a_turn(number=2), at=datetime(2026, 1, 1)), "time of turn 2 .* no time zone"),
        (replace(a_turn(number=2), event="sang"), "event of turn 2 .* 'sang': give one of opened, said"),  # type: ignore[arg-type]
        (replace(a_turn(number=2), path=(("a", "\x00", "b"),)), "path of turn 2 .* NUL"),
        (replace(a_turn(number=2), timings_ms={"speak": float("inf")}), "timing 'speak' of turn 2 .* inf"),
        (
            replace(a_turn(number=2), actions=(Performed("w", {"k": ("a", "\x00")}, "ok", "", "", None),)),
            "request of action 'w' of turn 2 .* NUL",
        ),
        (
            replace(a_turn(number=2), actions=(Performed("w", {}, "ok", "", "", datetime(2026, 1, 1)),)),
            "time of action 'w' of turn 2 .* no time zone",
        ),
        (
            replace(a_turn(number=2), intent=Intent("i", 1, (Slot("a", "\x00", "c", 0, 1, 1),), "m@1")),
            "a slot of turn 2 .* NUL",
        ),
    ],
)
def test_a_turn_that_cannot_be_stored_changes_nothing(store: Store, bad: Turn, complaint: str) -> None:
    store.begin_conversation(a_talk())
    store.add_turn(a_turn(number=1))
    before = store.conversations()
    with pytest.raises(InputError, match=complaint) as caught:
        store.add_turn(bad)
    assert "\n" not in str(caught.value)
    assert store.turns(a_talk().id) == [a_turn(number=1)]
    assert store.conversations() == before


def test_turns_of_a_time_come_conversation_by_conversation(store: Store) -> None:
    store.begin_conversation(a_talk("late", minutes=1))
    store.begin_conversation(a_talk("early", minutes=0))
    for number in range(4):
        store.add_turn(a_turn("late", number))
        store.add_turn(a_turn("early", number))
    found = store.turns_between(START + timedelta(minutes=1), START + timedelta(minutes=3))
    assert [(turn.conversation_id, turn.number) for turn in found] == [
        ("early", 1),
        ("early", 2),
        ("late", 1),
        ("late", 2),
    ]
    assert store.turns_between(datetime(2020, 1, 1, tzinfo=UTC), START) == []
    with pytest.raises(InputError, match="no time zone"):
        store.turns_between(datetime(2020, 1, 1), START)
