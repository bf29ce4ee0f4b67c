"""How well rules on meaning find paraphrases, and what else sets them off: the figures of docs/alerts.md."""

from __future__ import annotations

import csv
import functools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.alerts.meaning import bare, closeness
from pipeline.alerts.shape import DEFAULT_CLOSENESS
from pipeline.embedding import SentenceEncoder
from pipeline.settings import DATA

LABELLED = DATA / "alerts" / "meanings.tsv"
UNRELATED = ("calls_dev_asr", "calls_dialogues", "calls_customers")  # in data/training/sentiment
MOST_UNRELATED = 1500  # of each speaker
ALARMS = 0.002  # that may be false, of the sentences that a rule looks at
SHORT = 4  # words


@dataclass(frozen=True)
class Held:
    """One sentence held against the rule of one meaning."""

    meaning: str
    kind: str  # as in meanings.tsv; "unrelated" for the others
    text: str
    near: float  # to the nearest sentence of the rule


def scores(encoder: SentenceEncoder) -> list[Held]:
    """Every labelled sentence against its own meaning, and the unrelated ones against each."""
    labelled = rows(LABELLED)
    others: dict[str, list[str]] = {"customer": [], "agent": []}
    for name in UNRELATED:
        for row in rows(DATA / "training" / "sentiment" / f"{name}.tsv"):
            others[row["speaker"]].append(row["text"])
    embed = functools.cache(encoder.vector)  # the unrelated sentences are held against every meaning
    found = []
    for meaning in dict.fromkeys(row["meaning"] for row in labelled):
        own = [row for row in labelled if row["meaning"] == meaning]
        known = {row["text"]: embed(bare(row["text"])) for row in own if row["kind"] == "rule"}
        meant = {row["text"] for row in own if row["kind"] == "meant"}
        held = [(row["kind"], row["text"]) for row in own if row["kind"] not in ("rule", "meant")]
        unrelated = list(dict.fromkeys(others[own[0]["who"]]))[:MOST_UNRELATED]
        held += [("unrelated", text) for text in unrelated if text not in meant]
        found += [
            Held(meaning, kind, text, max(closeness(text, known, embed).values(), default=-1.0)) for kind, text in held
        ]
    return found


def halves(found: Sequence[Held]) -> tuple[list[Held], list[Held]]:
    """The sentences to choose a threshold by, and those to report on: every other one of each kind and meaning."""
    counts: dict[tuple[str, str], int] = {}
    parts: tuple[list[Held], list[Held]] = ([], [])
    for each in found:
        place = counts[each.meaning, each.kind] = counts.get((each.meaning, each.kind), -1) + 1
        parts[place % 2].append(each)
    return parts


def threshold(found: Iterable[Held]) -> float:
    """The lowest closeness at which no more than ALARMS of the unrelated sentences are alarms."""
    near = sorted((each.near for each in found if each.kind == "unrelated"), reverse=True)
    return near[int(len(near) * ALARMS)]


def shares(found: Sequence[Held], limit: float) -> dict[str, float]:
    """Of each kind the share that fires at ``limit``; ``short`` are the paraphrases of up to SHORT words."""
    kinds: Mapping[str, list[Held]] = {
        kind: [each for each in found if each.kind == kind] for kind in ("said", "denied", "asked", "unrelated")
    }
    kinds = {**kinds, "short": [each for each in kinds["said"] if len(each.text.split()) <= SHORT]}
    return {kind: float(np.mean([each.near >= limit for each in held])) for kind, held in kinds.items() if held}


def measure() -> dict[str, Any]:
    """The figures of docs/alerts.md: the threshold that one half gives, what the other half does at the default one."""
    encoder = SentenceEncoder(DATA / "models")
    found = scores(encoder)
    chosen, reported = halves(found)
    texts = [each.text for each in found[:300]]
    began = time.perf_counter()
    for text in texts:
        encoder.vector(text)
    pace_ms = 1000 * (time.perf_counter() - began) / len(texts)
    meanings = dict.fromkeys(each.meaning for each in found)
    return {
        "sentences": {
            kind: sum(each.kind == kind for each in reported) for kind in ("said", "denied", "asked", "unrelated")
        },
        "threshold_of_the_first_half": round(threshold(chosen), 3),
        "second_half": shares(reported, DEFAULT_CLOSENESS),
        "both_halves": shares(found, DEFAULT_CLOSENESS),  # denials, questions, short ones: too few for a half
        "second_half_at": {limit: shares(reported, limit) for limit in (0.4, 0.45, 0.5, 0.55, 0.6)},
        "by_meaning": {name: shares([e for e in found if e.meaning == name], DEFAULT_CLOSENESS) for name in meanings},
        "milliseconds_per_sentence": round(pace_ms, 2),
    }


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a tab-separated file of ours, by the names of its columns."""
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE))
