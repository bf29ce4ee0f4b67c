"""Reading what an intent and slot model says: tags as spans, and how little a sentence is like any intent (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_BEGINS = 0.9  # share of a label's probability that says "a new span" (of 0.5 to 0.97, all from 0.8 on did alike)
_AT_INSIDE = 0.1  # share of I's probability that counts where a span begins
TURN = 0.7  # what a span right after one of another label costs, in log probability, where a model says nothing else
_NEVER = 1e-9  # stands for no probability at all

Span = tuple[int, int, str]  # first word, word after the last, label


def spans(tags: Sequence[str]) -> list[Span]:
    """The labelled spans of a row of BIO tags, in their order.

    Read as CoNLL's conlleval does: a span begins at B-x, and at I-x that follows no tag of x.
    """
    found: list[Span] = []
    for place, tag in enumerate(tags):
        part, _, label = tag.partition("-")
        if part == "I" and found and found[-1][1:] == (place, label):
            found[-1] = (found[-1][0], place + 1, label)
        elif part in ("B", "I"):
            found.append((place, place + 1, label))
    return found


def decoded(
    chances: npt.NDArray[Any], tags: Sequence[str], allowed: Collection[str] | None = None, turn: float = TURN
) -> list[str]:
    """The BIO tag of each word, from probabilities [words, tags]; only labels of ``allowed`` where it is given.

    The tags are those of the likeliest row of labels (Viterbi): a span begins at B, hardly ever at I, and goes on at I
    of its label. Next to a word of the same label a word begins a span of its own only where that is all but sure: two
    values of one label rarely stand side by side, torn ones often did. ``turn`` is what it costs, in log probability,
    that a span follows one of another label without a word between them: rare in our requests, common about flights.
    """
    known = dict.fromkeys(tag[2:] for tag in tags if tag != "O")
    labels = [label for label in known if allowed is None or label in allowed]
    begins = chances[:, [tags.index(f"B-{label}") for label in labels]]
    inside = chances[:, [tags.index(f"I-{label}") for label in labels]]
    either = begins + inside
    outside = len(labels)  # the state of words in no span
    start = np.log(np.column_stack((begins + _AT_INSIDE * inside, chances[:, tags.index("O")])) + _NEVER)
    stay = np.log(np.column_stack((either, chances[:, tags.index("O")])) + _NEVER)
    turns = np.full((outside + 1, outside + 1), -turn)  # [from, to]
    turns[outside] = turns[:, outside] = 0.0
    same = np.eye(outside + 1, dtype=bool)
    score = start[0] if len(chances) else np.zeros(outside + 1)
    came: list[npt.NDArray[np.int64]] = []
    for word in range(1, len(chances)):
        ways = score[:, None] + np.where(same, stay[word], turns + start[word])
        came.append(ways.argmax(0))
        score = ways.max(0)
    states = [int(score.argmax())]
    for back in reversed(came):
        states.insert(0, int(back[states[0]]))
    made: list[str] = []
    before = outside
    for word, state in enumerate(states[: len(chances)]):
        if state == outside:
            made.append("O")
        else:
            begun = state != before or begins[word, state] > _BEGINS * either[word, state]
            made.append(f"{'B' if begun else 'I'}-{labels[state]}")
        before = state
    return made


def strangeness(logits: npt.NDArray[Any], unknown: int, weight: float) -> npt.NDArray[np.float64]:
    """Per row of intent logits how little the sentence is like any known intent: ``weight`` times the logit of
    ``unknown`` minus the log of the sum of the known intents' exponentials.

    With weight 0 that is the energy of the known intents (Liu et al. 2020, "Energy-based out-of-distribution
    detection"); with weight 1 it is the log odds of ``unknown``.
    """
    known = np.delete(logits, unknown, axis=1).astype(np.float64)
    top = known.max(1)
    made: npt.NDArray[np.float64] = weight * logits[:, unknown] - (np.log(np.exp(known - top[:, None]).sum(1)) + top)
    return made
