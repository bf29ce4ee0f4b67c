"""People's labels of turns are added beside each other, on turns that are there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipeline.calls import Slot, TurnLabel
from pipeline.errors import InputError
from pipeline.store import Store
from tests.store.samples import START, a_talk, a_turn

LABEL = TurnLabel(a_talk().id, 1, "weather.rain", (Slot("location", "oslo", "Oslo", 16, 20, 1.0),), "ann 😀", START)


@pytest.fixture
def talked(store: Store) -> Store:
    """A store with a conversation of two turns."""
    store.begin_conversation(a_talk())
    store.add_turn(a_turn(number=1))
    store.add_turn(a_turn(number=2, text=""))
    return store


def test_labels_are_added_and_never_replaced(talked: Store) -> None:
    given = [LABEL, replace(LABEL, intent="smalltalk", slots=(), reviewer="bob"), replace(LABEL, number=2, slots=())]
    for label in given:
        talked.add_turn_label(label)
    talked.add_turn_label(given[0])  # the same again is one more
    assert talked.turn_labels(a_talk().id) == [*given, given[0]]
    assert talked.turns(a_talk().id)[0] == a_turn(number=1)  # what was understood stands
    assert talked.turn_labels("nothing") == []


def test_labels_of_a_time_go_by_the_time_of_the_turn(talked: Store) -> None:
    talked.begin_conversation(a_talk("before", minutes=-1))
    talked.add_turn(a_turn("before", 1))
    later = replace(LABEL, number=2, slots=(), at=START + timedelta(days=9))
    first = replace(LABEL, conversation_id="before")
    for label in (later, LABEL, first, replace(LABEL, intent="again")):
        talked.add_turn_label(label)
    in_order = [first, LABEL, replace(LABEL, intent="again"), later]
    assert talked.turn_labels_between(START, START + timedelta(hours=1)) == in_order
    assert talked.turn_labels_between(START, START + timedelta(minutes=2)) == in_order[:3]
    assert talked.turn_labels_between(START + timedelta(days=8), START + timedelta(days=10)) == []


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (replace(LABEL, conversation_id="gone"), "conversation 'gone' has no turn 1"),
        (replace(LABEL, number=9), "has no turn 9: nothing to label"),
        (replace(LABEL, intent=""), "names no intent"),
        (replace(LABEL, reviewer="\x00"), "reviewer of the label .* NUL"),
        (replace(LABEL, at=datetime(2026, 1, 1)), "no time zone"),
        (replace(LABEL, slots=(Slot("x", "", "", 16, 22, 1.0),)), "puts slot 'x' at 16 to 22 of a text of 21 char"),
        (replace(LABEL, slots=(Slot("x", "", "", -1, 2, 1.0),)), "puts slot 'x' at -1"),
        (replace(LABEL, slots=(Slot("x", "", "", 4, 4, 1.0),)), "puts slot 'x' at 4 to 4"),
        (replace(LABEL, slots=(Slot("x", "", "", 0, 1, float("nan")),)), "a slot of the label .* nan"),
    ],
)
def test_a_label_on_nothing_is_refused(talked: Store, bad: TurnLabel, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        talked.add_turn_label(bad)
    assert "\n" not in str(caught.value)
    assert talked.turn_labels(a_talk().id) == []
