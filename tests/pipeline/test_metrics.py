from __future__ import annotations

import pytest

from pipeline.calls import Sentence, Sentiment, SpeakerRole
from pipeline.metrics import moods_by_quarter, running_mood, running_moods


def said(polarity: float | None, at_s: float = 0.0, speaker: SpeakerRole = "customer") -> Sentence:
    mood = None
    if polarity is not None:
        scores = {"negative": max(-polarity, 0.0), "neutral": 1 - abs(polarity), "positive": max(polarity, 0.0)}
        mood = Sentiment("neutral", scores, "m@1")  # type: ignore[arg-type]
    return Sentence("c", 0, 1, speaker, "Words.", at_s, at_s + 2, sentiment=mood)


def test_the_running_mood_follows_the_customer_and_forgets() -> None:
    mood = None
    for sentence in (said(None), said(0.9, speaker="agent"), said(-1.0), said(1.0), said(0.5, speaker="agent")):
        mood = running_mood(mood, sentence)
    assert mood == pytest.approx(-0.4)
    assert running_mood(mood, said(1.0, speaker="unknown")) == pytest.approx(0.02)
    assert running_moods([said(-1.0, 1), said(0.2, 3, "agent"), said(1.0, 5)]) == [
        (3, -1.0),
        (7, pytest.approx(-0.4)),
    ]


def test_quarters_are_those_of_the_sentences_middles() -> None:
    sentences = [said(-1.0, 0), said(0.0, 20), said(0.5, 26), said(1.0, 97), said(-1.0, 60, "agent"), said(None, 70)]
    assert moods_by_quarter(sentences, 100.0) == (-0.5, 0.5, None, 1.0)
    assert moods_by_quarter(sentences, 0.0) == (None, None, None, None)
