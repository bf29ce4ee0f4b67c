"""Alerts and notes on calls: stored once, judged as often as people like, told in the feed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipeline.calls import Alert, Note
from pipeline.errors import InputError
from pipeline.store import Store
from tests.store.samples import START, a_call, an_alert, conversation

CALL = a_call().id
NOTE = Note(CALL, 12.5, "Well saved 😀\nReally.", True, "ann", START)


@pytest.fixture
def called(store: Store) -> Store:
    """A store with a live call of four sentences."""
    store.begin(a_call())
    store.append(CALL, conversation())
    return store


def test_an_alert_comes_back_with_the_last_verdict(called: Store) -> None:
    called.add_alert(an_alert())
    assert called.alerts() == [an_alert()]
    called.judge_alert("a1", "wrong", "ann", START)
    called.judge_alert("a1", "right", "bob", START - timedelta(days=1))  # the last that was given, not the latest clock
    assert called.alerts() == [replace(an_alert(), verdict="right", reviewer="bob")]


def test_an_alert_may_bring_its_verdict(called: Store) -> None:
    judged = replace(an_alert(), index=None, verdict="wrong", reviewer="ann")
    called.add_alert(judged)
    assert called.alerts() == [judged]


def test_alerts_are_listed_newest_first(called: Store) -> None:
    called.begin(a_call("other"))
    given = [
        an_alert("a1", minutes=1),
        an_alert("a2", minutes=3, rule="silence"),
        an_alert("a3", "other", minutes=2),
        an_alert("a4", minutes=3),
    ]
    for alert in given:
        called.add_alert(alert)
    assert [alert.id for alert in called.alerts()] == ["a4", "a2", "a3", "a1"]
    assert [alert.id for alert in called.alerts(limit=2)] == ["a4", "a2"]
    assert [alert.id for alert in called.alerts(call_id=CALL)] == ["a4", "a2", "a1"]
    assert [alert.id for alert in called.alerts(rule="silence")] == ["a2"]
    in_time = called.alerts(since=START + timedelta(minutes=2), until=START + timedelta(minutes=3))
    assert [alert.id for alert in in_time] == ["a3"]
    assert called.alerts(call_id="gone") == []
    with pytest.raises(InputError, match="not -1"):
        called.alerts(limit=-1)


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (an_alert(call_id="gone"), "no call 'gone'"),
        (an_alert(""), "without an id"),
        (an_alert("known"), "there is an alert 'known' already"),
        (replace(an_alert(), severity="loud"), "severity of alert 'a1' is 'loud': give one of info, warning"),  # type: ignore[arg-type]
        (replace(an_alert(), message="\x00"), "message of alert 'a1' .* NUL"),
        (replace(an_alert(), index=-1), "indices count from 0"),
        (replace(an_alert(), at=datetime(2026, 1, 1)), "time of alert 'a1' has no time zone"),
        (replace(an_alert(), verdict="maybe"), "verdict on alert 'a1' is 'maybe': give one of right, wrong"),  # type: ignore[arg-type]
    ],
)
def test_an_alert_that_cannot_be_stored_is_refused(called: Store, bad: Alert, complaint: str) -> None:
    called.add_alert(an_alert("known"))
    newest = called.last_change()
    with pytest.raises(InputError, match=complaint):
        called.add_alert(bad)
    assert called.alerts() == [an_alert("known")]
    assert called.last_change() == newest


def test_a_verdict_on_nothing_is_refused(called: Store) -> None:
    called.add_alert(an_alert())
    with pytest.raises(InputError, match="no alert 'gone' in the store: nothing to judge"):
        called.judge_alert("gone", "right", "ann", START)
    with pytest.raises(InputError, match="give one of right, wrong"):
        called.judge_alert("a1", "maybe", "ann", START)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no time zone"):
        called.judge_alert("a1", "right", "ann", datetime(2026, 1, 1))
    assert called.alerts() == [an_alert()]


def test_notes_are_added_and_never_replaced(called: Store) -> None:
    flag = Note(CALL, 0.0, "", True, "bob", START - timedelta(days=1))
    called.add_note(NOTE)
    called.add_note(flag)
    assert called.notes(CALL) == [NOTE, flag]
    assert called.notes("gone") == []


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (replace(NOTE, call_id="gone"), "no call 'gone'"),
        (replace(NOTE, text="\x00"), "text of a note .* NUL"),
        (replace(NOTE, at_s=float("nan")), "place of a note .* nan"),
        (replace(NOTE, at_s=-1.0), "starts at 0 s"),
        (replace(NOTE, at=datetime(2026, 1, 1)), "time of a note .* no time zone"),
    ],
)
def test_a_note_that_cannot_be_stored_is_refused(called: Store, bad: Note, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        called.add_note(bad)
    assert called.notes(CALL) == []


def test_the_feed_tells_of_alerts_and_notes_in_their_order(called: Store) -> None:
    seen = called.last_change()
    called.add_alert(an_alert())
    called.add_note(NOTE)
    called.judge_alert("a1", "right", "ann", START)
    called.finish(CALL)
    assert called.watch(60, after=seen)
    found = called.changes(seen)
    kinds = ["alert", "note", "verdict", "finished"]
    assert [(change.number - seen, change.kind) for change in found] == list(enumerate(kinds, start=1))
    assert found[0].alert == replace(an_alert(), verdict="right", reviewer="ann")
    assert found[1].note == NOTE
    assert found[2].alert == found[0].alert
    assert {change.call.id for change in found} == {CALL}
    assert [called.changes(seen + step, limit=1)[0].kind for step in range(4)] == kinds


def test_each_verdict_is_a_change_and_brings_the_one_that_counts(called: Store) -> None:
    called.add_alert(replace(an_alert(), verdict="wrong", reviewer="ann"))
    called.add_alert(an_alert("a2"))
    seen = called.last_change()
    called.judge_alert("a1", "right", "bob", START)
    called.judge_alert("a1", "wrong", "ann", START)
    found = called.changes(seen)
    assert [(change.number - seen, change.kind) for change in found] == [(1, "verdict"), (2, "verdict")]
    # As it stands when it is read: whoever reads late is told the last verdict at once.
    assert [change.alert for change in found] == [replace(an_alert(), verdict="wrong", reviewer="ann")] * 2
    assert called.changes(seen, limit=1) == found[:1]
    with pytest.raises(InputError, match="nothing to judge"):
        called.judge_alert("gone", "right", "ann", START)
    assert called.last_change() == seen + 2


def test_alerts_and_notes_outlive_the_second_pass_and_go_with_the_call(called: Store) -> None:
    called.add_alert(an_alert())
    called.judge_alert("a1", "right", "ann", START)
    called.add_note(NOTE)
    called.add(a_call(), conversation())
    assert len(called.alerts()) == len(called.notes(CALL)) == 1
    assert called.delete(CALL)
    assert called.alerts() == []
    assert called.notes(CALL) == []
    assert [change.kind for change in called.changes(0)] == ["deleted"]
