"""A process that fills a store and may be killed at any moment: ``python -m tests.store.adding URL``.

It says ``ready`` when the store is open and adds CALLS recordings and one live call, leaving alone what is there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from pipeline.calls import Sentence
from pipeline.store import Store, open_store
from tests.store.samples import a_call, conversation

CALLS = 60
SENTENCES = 40
BATCH = 5
LIVE = "live"


def spoken(call_id: str) -> list[Sentence]:
    """What is said in the call of that id."""
    return conversation(call_id, tuple((i % 19 - 9) / 9 for i in range(SENTENCES)))


def ids() -> Iterator[str]:
    """The ids of the recordings."""
    return (f"call-{number:03}" for number in range(CALLS))


def fill(store: Store) -> None:
    """Add what is missing, recordings in two threads beside the live call."""
    with ThreadPoolExecutor(3) as pool:
        going_on = pool.submit(_live, store)
        list(pool.map(lambda call_id: store.has(call_id) or store.add(a_call(call_id), spoken(call_id)), ids()))
        going_on.result()


def _live(store: Store) -> None:
    if store.has(LIVE):
        return
    sentences = spoken(LIVE)
    for start in range(store.begin(a_call(LIVE)), SENTENCES, BATCH):
        store.append(LIVE, sentences[start : start + BATCH])
    store.finish(LIVE, a_call().duration_s)


if __name__ == "__main__":
    with open_store(sys.argv[1]) as opened:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        fill(opened)
