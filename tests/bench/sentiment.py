"""What the sentiment of a sentence costs on one core: one by one, in batches, and through the server."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence

import riva.client

from pipeline.nlp import Classifier
from pipeline.samples import load
from pipeline.server.classifier import TextClassifier
from pipeline.settings import Settings

_ROUNDS = 5


def measure(uri: str, settings: Settings) -> dict[str, float]:
    """Milliseconds a sentence: the engine alone on one core at batch 1 and 64, and a client of the server."""
    texts = _texts()
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})
    try:
        engine = TextClassifier("sentiment", settings.models)
        engine.probabilities(texts)
        single = _median_ms(lambda: [engine.probabilities([text]) for text in texts], len(texts))
        batch = _median_ms(lambda: engine.probabilities(texts), len(texts))
    finally:
        os.sched_setaffinity(0, everywhere)
    client = Classifier(riva.client.Auth(uri=uri), address=uri)
    client.sentiment(texts)
    served = _median_ms(lambda: client.sentiment(texts), len(texts))
    one = _median_ms(lambda: [client.sentiment([text]) for text in texts], len(texts))
    return {
        "engine_batch_1_ms": single,
        "engine_batch_64_ms_a_sentence": batch,
        "batch_speedup": single / batch,
        "client_batch_1_ms": one,
        "client_batch_64_ms_a_sentence": served,
    }


def _texts() -> Sequence[str]:
    found: list[str] = []
    for sample in load():
        row = json.loads(sample.audio.with_suffix(".json").read_text(encoding="utf-8"))
        found += [sentence["text"] for sentence in row["sentences"]]
    return found[:64]


def _median_ms(work: Callable[[], object], count: int) -> float:
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began) / count)
    return statistics.median(times)
