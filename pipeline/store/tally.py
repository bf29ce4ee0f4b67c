"""The running sums that a call's row carries, so that lists and trends never read sentences (pure).

A curve is the polarity over the course of a call in at most 30 points. Each point sums ``width`` sentences; when a 31st
point is needed, neighbours are merged in pairs and the width doubles. So a live call's curve grows in constant time and
equals the curve of the same call stored at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.calls import Sentence, Sentiment

POINTS = 30


@dataclass(frozen=True)
class Curve:
    """Polarity over a call: ``points`` are (sum, number of sentences) of ``width`` sentences each, the first first."""

    width: int = 1
    points: tuple[tuple[float, int], ...] = ()

    @property
    def mean(self) -> float | None:
        """Mean polarity (-1..1) of the sentences; None without any."""
        count = sum(n for _, n in self.points)
        return sum(total for total, _ in self.points) / count if count else None

    @property
    def means(self) -> tuple[float, ...]:
        """Mean polarity (-1..1) of each point."""
        return tuple(total / n for total, n in self.points)


@dataclass(frozen=True)
class Tally:
    """What a call's row knows about its sentences."""

    sentences: int = 0
    negative: int = 0
    neutral: int = 0
    positive: int = 0
    everybody: Curve = Curve()
    customer: Curve = Curve()

    @property
    def curve(self) -> Curve:
        """The curve that makes the mood: the customer's, or everybody's where no customer's sentence was scored."""
        return self.customer if self.customer.points else self.everybody


def extended(tally: Tally, sentences: Iterable[Sentence]) -> Tally:
    """``tally`` with ``sentences`` counted in, in the order given."""
    given = list(sentences)
    scored = [(sentence.speaker, sentence.sentiment) for sentence in given if sentence.sentiment is not None]
    return _counted(tally, tally.sentences + len(given), scored)


def recounted(sentences: int, scored: Iterable[tuple[str, Sentiment]]) -> Tally:
    """The tally of a call of that many sentences; ``scored`` are (speaker, sentiment), in the order of storing."""
    return _counted(Tally(), sentences, scored)


def packed(tally: Tally) -> dict[str, Any]:
    """The curves of ``tally`` as plain lists for a JSON column, sums to six decimals."""
    return {
        name: [curve.width, [[round(total, 6), n] for total, n in curve.points]]
        for name, curve in (("everybody", tally.everybody), ("customer", tally.customer))
    }


def unpacked(sentences: int, negative: int, neutral: int, positive: int, curves: dict[str, Any]) -> Tally:
    """The tally whose counts and ``packed`` curves these are."""
    return Tally(
        sentences=sentences,
        negative=negative,
        neutral=neutral,
        positive=positive,
        everybody=_curve(curves["everybody"]),
        customer=_curve(curves["customer"]),
    )


def _counted(tally: Tally, count: int, scored: Iterable[tuple[str, Sentiment]]) -> Tally:
    labels = {"negative": tally.negative, "neutral": tally.neutral, "positive": tally.positive}
    everybody: list[float] = []
    customer: list[float] = []
    for speaker, sentiment in scored:
        labels[sentiment.label] += 1
        everybody.append(sentiment.polarity)
        if speaker == "customer":
            customer.append(sentiment.polarity)
    return Tally(
        sentences=count,
        **labels,
        everybody=_drawn(tally.everybody, everybody),
        customer=_drawn(tally.customer, customer),
    )


def _curve(packed_curve: Sequence[Any]) -> Curve:
    width, points = packed_curve
    return Curve(width, tuple((total, n) for total, n in points))


def _drawn(curve: Curve, polarities: Sequence[float]) -> Curve:
    width, points = curve.width, list(curve.points)
    for polarity in polarities:
        if points and points[-1][1] < width:
            total, n = points[-1]
            points[-1] = (total + polarity, n + 1)
            continue
        if len(points) == POINTS:
            pairs = zip(points[::2], points[1::2], strict=True)
            points = [(a + b, n + m) for (a, n), (b, m) in pairs]
            width *= 2
        points.append((polarity, 1))
    return Curve(width, tuple(points))
