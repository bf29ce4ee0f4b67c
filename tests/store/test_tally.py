"""Running sums grow sentence by sentence to what they are when made at once."""

from __future__ import annotations

import json
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calls import Sentence
from pipeline.store.tally import POINTS, Curve, Tally, extended, packed, unpacked
from tests.store.samples import a_sentence, conversation

polarities = st.lists(st.none() | st.floats(-1, 1), max_size=200).map(tuple)


def grown(sentences: list[Sentence], step: int) -> Tally:
    tally = Tally()
    for start in range(0, len(sentences), step):
        tally = extended(tally, sentences[start : start + step])
    return tally


@given(polarities, st.integers(1, 50))
def test_batches_make_no_difference(values: tuple[float | None, ...], step: int) -> None:
    sentences = conversation(polarities=values)
    assert grown(sentences, step) == extended(Tally(), sentences)


@given(polarities)
def test_counts_and_mean_are_those_of_the_sentences(values: tuple[float | None, ...]) -> None:
    sentences = conversation(polarities=values)
    tally = extended(Tally(), sentences)
    scored = [s.sentiment for s in sentences if s.sentiment]
    customer = [s.sentiment.polarity for s in sentences if s.sentiment and s.speaker == "customer"]
    assert tally.sentences == len(values)
    assert [tally.negative, tally.neutral, tally.positive] == [
        sum(s.label == label for s in scored) for label in ("negative", "neutral", "positive")
    ]
    expected = customer or [s.polarity for s in scored]
    assert tally.curve.mean == (pytest.approx(fmean(expected), abs=1e-9) if expected else None)
    assert len(tally.curve.means) <= POINTS


@given(polarities)
def test_a_curve_survives_its_column(values: tuple[float | None, ...]) -> None:
    tally = extended(Tally(), conversation(polarities=values))
    stored = json.loads(json.dumps(packed(tally)))
    again = unpacked(tally.sentences, tally.negative, tally.neutral, tally.positive, stored)
    assert again.curve.width == tally.curve.width
    assert again.curve.means == pytest.approx(tally.curve.means, abs=1e-6)


def test_a_curve_keeps_its_shape_when_points_merge() -> None:
    falling = [a_sentence(index=i, speaker="customer", polarity=1 - i / 50) for i in range(100)]
    curve = extended(Tally(), falling).curve
    assert curve.width == 4
    assert len(curve.means) == 25
    assert list(curve.means) == sorted(curve.means, reverse=True)
    assert curve.means[0] == pytest.approx(0.97)
    assert curve.means[-1] == pytest.approx(-0.95)


def test_the_mood_is_the_customers_unless_nobody_is_the_customer() -> None:
    both = extended(Tally(), [a_sentence(index=0, polarity=1.0), a_sentence(index=1, polarity=-1.0)])
    assert both.curve.mean == -1
    strangers = [a_sentence(index=i, speaker="unknown", polarity=p) for i, p in enumerate((1.0, 0.0))]
    assert extended(Tally(), strangers).curve.mean == 0.5
    assert extended(Tally(), [a_sentence(polarity=None)]).curve == Curve()
