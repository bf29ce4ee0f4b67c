"""What agents say of suggestions: every mark stays, the last one on a suggestion counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from pipeline.calls import SuggestionMark
from pipeline.errors import InputError
from pipeline.store import Store
from pipeline.store.tables import suggestion_marks
from tests.store.samples import START, a_call, conversation

CALL = a_call().id
MARK = SuggestionMark(CALL, 1, "It will be dry 😀 in Boston.", True, "Ada", START)


@pytest.fixture
def called(store: Store) -> Store:
    """A store with two live calls."""
    for call in (a_call(), a_call("other")):
        store.begin(call)
    store.append(CALL, conversation())
    return store


def test_the_last_mark_counts_and_all_of_them_stay(called: Store) -> None:
    seen = called.last_change()
    called.mark_suggestion(MARK)
    other = replace(MARK, index=2, used=False, at=START + timedelta(hours=1))
    called.mark_suggestion(other)
    changed = replace(MARK, used=False, at=START + timedelta(hours=2))
    called.mark_suggestion(changed)
    assert called.suggestion_marks() == [other, changed]
    with called._database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(suggestion_marks)).scalar() == 3
    assert called.last_change() == seen  # no change: live pages read calls, not marks


def test_marks_by_call_agent_and_time(called: Store) -> None:
    elsewhere = SuggestionMark("other", 1, "No.", False, "Bo", START + timedelta(days=1))
    called.mark_suggestion(MARK)
    called.mark_suggestion(elsewhere)
    assert called.suggestion_marks(call_id=CALL) == called.suggestion_marks(agent="Ada") == [MARK]
    assert called.suggestion_marks(since=START + timedelta(hours=1)) == [elsewhere]
    assert called.suggestion_marks(until=START + timedelta(hours=1)) == [MARK]
    assert called.suggestion_marks(agent="nobody") == []


def test_marks_outlive_the_second_pass_and_go_with_the_call(called: Store) -> None:
    called.mark_suggestion(MARK)
    called.add(a_call(), conversation()[:1])
    assert called.suggestion_marks() == [MARK]
    called.delete(CALL)
    assert called.suggestion_marks() == []


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (replace(MARK, call_id="gone"), "no call 'gone'"),
        (replace(MARK, index=-1), "indices count from 0"),
        (replace(MARK, index=2**31), "indices count from 0"),
        (replace(MARK, agent=" "), "names nobody"),
        (replace(MARK, text="\x00"), "text of the mark .* NUL"),
        (replace(MARK, at=datetime(2026, 1, 1)), "no time zone"),
    ],
)
def test_a_mark_that_cannot_be_stored_is_refused(called: Store, bad: SuggestionMark, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        called.mark_suggestion(bad)
    assert called.suggestion_marks() == []
