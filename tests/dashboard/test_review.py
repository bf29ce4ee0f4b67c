"""What the Review page's requests ask and store, without a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dashboard.review import act, query_of, work
from dashboard.tickets import Tickets, call_scope
from pipeline.errors import InputError
from pipeline.store import Store, open_store
from tests.dashboard import seed

NOW = datetime(2026, 5, 1, tzinfo=UTC)
TICKETS = Tickets("key")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reviewed")


@pytest.fixture(scope="module")
def store(home: Path) -> Any:
    with open_store(f"sqlite:///{home}/overtone.db") as opened:
        seed.fill(opened, home / "audio", calls=4, now=NOW, with_audio=1)
        yield opened


def test_sentences_come_with_context_tickets_and_opinions(store: Store, home: Path) -> None:
    items = work(store, TICKETS, home / "audio", {"reviewer": " Ann  Lee "})
    assert len(items) == 12
    first = items[0]
    assert TICKETS.admits(first["ticket"], call_scope(first["call"]["id"]))
    assert [opinion["model"] for opinion in first["opinions"]] == [seed.MODEL]
    assert {item["sound"] for item in items} == {True, False}
    passed = [[item["call"]["id"], item["sentence"]["index"]] for item in items[:5]]
    again = work(store, TICKETS, home / "audio", {"reviewer": "Ann Lee", "passed": passed})
    assert [item["sentence"]["text"] for item in again[:7]] == [item["sentence"]["text"] for item in items[5:]]


def test_acts_are_stored_and_taken_back(store: Store) -> None:
    call, index = store.calls().rows[0].call.id, 1
    done = {"reviewer": "Ann", "call_id": call, "index": index}
    act(store, {**done, "kind": "label", "value": "positive"}, NOW)
    act(store, {**done, "kind": "ask"}, NOW)
    assert [(label.value, label.reviewer) for label in store.labels(call)] == [("positive", "Ann")]
    asked = store.review_queue(query_of({"reviewer": "Bob"}), 1)[0]
    assert (asked.sentence.index, asked.asked_by) == (index, "Ann")
    act(store, {**done, "kind": "unask"}, NOW)
    act(store, {**done, "kind": "unlabel"}, NOW)
    assert store.labels(call) == []
    assert store.review_queue(query_of({"reviewer": "Bob"}), 1)[0].asked_by is None


def test_a_query_is_read_from_a_request() -> None:
    asked = {
        "reviewer": "Ann", "order": "disagreed", "agent": "Bo", "speaker": "agent",
        "since": "2026-01-02T00:00:00+00:00", "until": None,
    }  # fmt: skip
    query = query_of(asked)
    assert (query.order, query.agent, query.speaker, query.until) == ("disagreed", "Bo", "agent", None)
    assert query.since == datetime(2026, 1, 2, tzinfo=UTC)
    assert query_of({"reviewer": "Ann", "order": "x", "speaker": "y"}) == query_of({"reviewer": "Ann"})


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ({"reviewer": " "}, "write your name first"),
        ({"reviewer": "x" * 81}, "at most 80 characters"),
        ({"reviewer": "Ann", "call_id": "a"}, "names no sentence"),
        ({"reviewer": "Ann", "call_id": "a", "index": 1, "kind": "burn"}, "does not 'burn'"),
        ({"reviewer": "Ann", "call_id": "a", "index": 1, "kind": "label", "value": "x"}, "'x' is no sentiment"),
        ({"reviewer": "Ann", "call_id": "a", "index": 1, "kind": "ask"}, "no sentence 1"),
    ],
)
def test_what_cannot_be_stored_is_refused(store: Store, bad: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        act(store, bad, NOW)


@pytest.mark.parametrize("bad", [{"since": "yesterday"}, {"since": 5}, {"passed": [1]}, {"passed": 7}])
def test_a_queue_that_cannot_be_read_is_refused(store: Store, home: Path, bad: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        work(store, TICKETS, home, {"reviewer": "Ann", **bad})
