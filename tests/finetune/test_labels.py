"""Reviewers' corrections become rows: the last label counts, the text is the one that was heard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from finetune import data, labels
from finetune.config import Source
from pipeline.calls import Label
from pipeline.store import Store, open_store
from tests.store.samples import START, a_call, a_sentence


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Twenty calls of three sentences, all negative by the model."""
    with open_store(f"sqlite:///{tmp_path / 'o.db'}") as opened:
        for number in range(20):
            id = f"c0ffee{number:010x}"
            opened.add(
                a_call(id, minutes=number), [a_sentence(id, i, text=f"It is {number}\tin {i}.") for i in range(3)]
            )
        yield opened


def test_the_last_label_counts_and_rows_can_be_trained_on(store: Store, tmp_path: Path) -> None:
    for minute, (call, value, reviewer) in enumerate(
        [(0, "positive", "ann"), (0, "neutral", "ben"), (1, "negative", "ann"), (0, "neutral", "ann")]
    ):
        store.add_label(Label(f"c0ffee{call:010x}", 1, "sentiment", value, reviewer, START + timedelta(minutes=minute)))
    first, second = labels.reviewed(store)
    assert (first.label, first.given, first.corrected) == ("neutral", (("ann", "neutral"), ("ben", "neutral")), True)
    assert (second.label, second.corrected) == ("negative", False)
    path = tmp_path / "rows" / "reviewed.tsv"
    labels.write([first, second], path)
    rows = data.load([Source("reviewed.tsv", "reviewed", "rows")], {"rows": path.parent}, seed=1, labels=data.LABELS)
    assert [(row.label, row.text, row.phenomenon) for row in rows] == [
        ("neutral", "It is 0 in 1.", "corrected"),
        ("negative", "It is 1 in 1.", "confirmed"),
    ]
    assert rows[0].id == f"{first.call.id}:1"
    assert rows[0].call == first.call.id


def test_whole_calls_are_held_out_the_same_ones_every_time(store: Store) -> None:
    for number in range(20):
        for index in range(3):
            store.add_label(Label(f"c0ffee{number:010x}", index, "sentiment", "neutral", "ann", START))
    rows = labels.reviewed(store)
    train, measure = labels.held_out(rows)
    assert len(rows) == 60 == len(train) + len(measure)
    assert {row.call.id for row in train}.isdisjoint({row.call.id for row in measure})
    assert 0 < len(measure) < len(train)
    assert labels.held_out(list(reversed(rows)))[1] == list(reversed(measure))


def test_agreement_is_krippendorffs_alpha(store: Store) -> None:
    # Two people, ten sentences, ten labels of each kind: observed and expected disagreement by hand.
    given = ["nn", "np", "pp", "pn", "nn", "pp", "np", "pp", "nn", "pn"]
    names = {"n": "negative", "p": "positive"}
    for number, pair in enumerate(given):
        for reviewer, letter in zip(("ann", "ben"), pair, strict=True):
            store.add_label(Label(f"c0ffee{number:010x}", 0, "sentiment", names[letter], reviewer, START))
    found = labels.agreement(labels.reviewed(store))
    assert (found.sentences, found.pairs) == (10, 10)
    assert found.agreed == pytest.approx(0.6)
    observed, expected = 0.4, 2 * 10 * 10 / (20 * 19)
    assert found.alpha == pytest.approx(1 - observed / expected)
    assert labels.agreement([]).alpha is None
