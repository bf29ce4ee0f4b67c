"""Reading what an intent and slot model says: tags as spans, and how little a sentence is like any intent (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_BEGINS = 0.9  # share of a label's probability that says "a new span" (of 0.5 to 0.97, all from 0.8 on did alike)

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


def decoded(chances: npt.NDArray[Any], tags: Sequence[str]) -> list[str]:
    """The BIO tag of each word, from probabilities [words, tags].

    A word's label is the one whose B and I are likeliest together; next to a word of the same label it begins a span
    of its own only where that is all but sure: two values of one label rarely stand side by side, torn ones often did.
    """
    labels = list(dict.fromkeys(tag[2:] for tag in tags if tag != "O"))
    begins = chances[:, [tags.index(f"B-{label}") for label in labels]]
    likely = begins + chances[:, [tags.index(f"I-{label}") for label in labels]]
    outside = chances[:, tags.index("O")]
    made: list[str] = []
    before = -1
    for word, best in enumerate(likely.argmax(1)):
        if outside[word] >= likely[word, best]:
            made.append("O")
            before = -1
            continue
        begun = best != before or begins[word, best] > _BEGINS * likely[word, best]
        made.append(f"{'B' if begun else 'I'}-{labels[best]}")
        before = best
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
