"""Clocks of live sentences fill stage by stage, whoever reports first, and never move back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipeline.calls import SentenceClock
from pipeline.errors import InputError
from pipeline.store import Store, open_store
from pipeline.store.clocks import STAGES
from tests.store.samples import START, a_call, conversation

CALL = a_call().id


@pytest.fixture
def live(store: Store) -> Store:
    """A store with a live call of four sentences."""
    store.begin(a_call())
    store.append(CALL, conversation())
    return store


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_stages_fill_as_they_are_reported(live: Store) -> None:
    assert live.clocks() == []
    live.record_clocks([SentenceClock(CALL, 0, spoken_at=at(0), heard_at=at(0.3)), SentenceClock(CALL, 1, at(5))])
    live.record_clocks([SentenceClock(CALL, 0, sent_at=at(0.6)), SentenceClock(CALL, 0, stored_at=at(0.5))])
    live.record_clocks([SentenceClock(CALL, 0, painted_at=at(0.7), labelled_at=at(0.4))])
    whole = SentenceClock(CALL, 0, at(0), at(0.3), at(0.4), at(0.5), at(0.6), at(0.7))
    assert live.clocks() == [whole, SentenceClock(CALL, 1, at(5))]
    assert len(STAGES) == 6


def test_a_stage_that_is_known_stays(live: Store) -> None:
    live.record_clocks([SentenceClock(CALL, 0, sent_at=at(1)), SentenceClock(CALL, 0, sent_at=at(2))])
    live.record_clocks([SentenceClock(CALL, 0, sent_at=at(0.5), painted_at=at(3))])
    assert live.clocks() == [SentenceClock(CALL, 0, sent_at=at(1), painted_at=at(3))]


def test_unknown_sentences_are_left_out(live: Store) -> None:
    live.record_clocks([SentenceClock("gone", 0, at(0)), SentenceClock(CALL, 2, at(1))])
    live.record_clocks(SentenceClock(CALL, index, at(1)) for index in (-1, 99, 2**40))
    live.record_clocks([SentenceClock(CALL, 3)])  # which says nothing
    live.record_clocks([])
    assert live.clocks() == [SentenceClock(CALL, 2, at(1))]


def test_a_clock_without_a_zone_is_refused_with_its_batch(live: Store) -> None:
    with pytest.raises(InputError, match=r"time heard_at of sentence 1 .* no time zone"):
        live.record_clocks([SentenceClock(CALL, 0, at(0)), SentenceClock(CALL, 1, heard_at=datetime(2026, 1, 1))])
    assert live.clocks() == []


def test_clocks_are_found_by_time_and_call(live: Store) -> None:
    live.begin(a_call("other"))
    live.append("other", conversation("other"))
    live.record_clocks([SentenceClock(CALL, 0, heard_at=at(9)), SentenceClock("other", 0, spoken_at=at(3))])
    live.record_clocks([SentenceClock(CALL, 0, spoken_at=at(8)), SentenceClock("other", 1, painted_at=at(30))])
    assert [(clock.call_id, clock.index) for clock in live.clocks()] == [("other", 0), (CALL, 0), ("other", 1)]
    assert [clock.index for clock in live.clocks(call_id="other")] == [0, 1]
    assert [clock.call_id for clock in live.clocks(since=at(8), until=at(9))] == [CALL]  # by its first stage
    assert live.clocks(until=at(3)) == []
    assert live.clocks(call_id="nothing") == []
    with pytest.raises(InputError, match="no time zone"):
        live.clocks(since=datetime(2026, 1, 1))


def test_clocks_outlive_the_second_pass_and_go_with_the_call(live: Store) -> None:
    live.record_clocks([SentenceClock(CALL, 3, spoken_at=at(0))])
    live.add(a_call(), conversation(polarities=(0.1, 0.2)))
    live.record_clocks([SentenceClock(CALL, 3, painted_at=at(1))])  # a page that reports late
    assert live.clocks(call_id=CALL) == [SentenceClock(CALL, 3, spoken_at=at(0), painted_at=at(1))]
    live.delete(CALL)
    assert live.clocks() == []


def test_clocks_are_no_change(live: Store) -> None:
    newest = live.last_change()
    live.record_clocks([SentenceClock(CALL, 0, at(0))])
    assert live.last_change() == newest


def test_processes_that_report_the_same_sentences_at_once_lose_nothing(live: Store, url: str) -> None:
    live.append(CALL, [replace(said, index=said.index + 4) for said in conversation(polarities=(None,) * 56)])

    def report(stage: str) -> None:
        with open_store(url) as store:
            order = range(60) if stage < "q" else reversed(range(60))
            clocks = [
                SentenceClock(CALL, index, *[at(index) if name == stage else None for name in STAGES])
                for index in order
            ]
            for start in range(0, 60, 6):
                store.record_clocks(clocks[start : start + 6])

    with ThreadPoolExecutor(len(STAGES)) as pool:
        list(pool.map(report, STAGES))
    assert live.clocks() == [SentenceClock(CALL, index, *[at(index)] * 6) for index in range(60)]


def test_a_batch_larger_than_one_read(live: Store) -> None:
    given = (SentenceClock(f"gone {number}", 0, at(0)) for number in range(1200))
    live.record_clocks([*given, SentenceClock(CALL, 0, at(0))])
    assert live.clocks() == [SentenceClock(CALL, 0, at(0))]
