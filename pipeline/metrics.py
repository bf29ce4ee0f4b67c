"""Measures of a call that is going on or over, as pure functions of its sentences."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.calls import Sentence

MOOD_WEIGHT = 0.3  # of the newest sentence in the running mood: about the last six sentences count

Quarters = tuple[float | None, float | None, float | None, float | None]


def running_mood(mood: float | None, sentence: Sentence) -> float | None:
    """The running mood (-1..1) after one more sentence: an exponential moving average of what the customer says.

    The agent's practised friendliness is left out, and everybody counts where the speaker is not known. None before
    the first sentence that counts.
    """
    if sentence.sentiment is None or sentence.speaker == "agent":
        return mood
    polarity = sentence.sentiment.polarity
    return polarity if mood is None else mood + MOOD_WEIGHT * (polarity - mood)


def running_moods(sentences: Iterable[Sentence]) -> list[tuple[float, float]]:
    """End of the sentence in seconds and the running mood after it, for each sentence that moves it: a sparkline."""
    mood: float | None = None
    moods = []
    for sentence in sentences:
        after = running_mood(mood, sentence)
        if after is not None and sentence.sentiment is not None and sentence.speaker != "agent":
            moods.append((sentence.end_s, after))
        mood = after
    return moods


def moods_by_quarter(sentences: Iterable[Sentence], duration_s: float) -> Quarters:
    """Mean polarity (-1..1) of the customer in each quarter of the call, None where no sentence of it was scored.

    A sentence belongs to the quarter of its middle; of a call that is going on, ``duration_s`` is its length so far.
    """
    quarters: list[list[float]] = [[], [], [], []]
    for sentence in sentences:
        if sentence.sentiment is None or sentence.speaker == "agent" or duration_s <= 0:
            continue
        share = (sentence.start_s + sentence.end_s) / 2 / duration_s
        quarters[min(max(int(4 * share), 0), 3)].append(sentence.sentiment.polarity)
    first, second, third, fourth = (sum(found) / len(found) if found else None for found in quarters)
    return first, second, third, fourth
