"""Another model's scores stand beside the stored ones; running it again, or after a stop, changes nothing more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import riva.client

from pipeline import relabel
from pipeline.nlp import Classifier
from pipeline.registry import Registry
from pipeline.settings import Settings
from pipeline.store import Store, open_store
from tests.pipeline.scripted_riva import ScriptedRiva
from tests.server.tiny_models import tiny
from tests.store.samples import START, a_call, a_sentence


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Three calls of two sentences."""
    with open_store(f"sqlite:///{tmp_path / 'o.db'}") as opened:
        for number in range(3):
            id = f"c0ffee{number:010x}"
            opened.add(a_call(id, minutes=number), [a_sentence(id, i, text="I am happy.") for i in range(2)])
        yield opened


def classifier(scripted: ScriptedRiva, model: str) -> Classifier:
    """A client of the scripted server that asks for a model."""
    return Classifier(riva.client.Auth(uri=scripted.uri), address=scripted.uri, model=model)


def test_scores_stand_beside_the_old_ones_once(store: Store, scripted: ScriptedRiva) -> None:
    second = classifier(scripted, "sentiment@2")
    seen: list[int] = []
    assert relabel.rescore(store, second, on_progress=seen.append) == 6
    assert seen == [6]
    assert relabel.rescore(store, second) == 0
    current, beside = store.predictions(f"c0ffee{0:010x}", 0)
    assert (current.model, current.label) == ("sentiment@2026.11.1", "negative")
    assert (beside.model, beside.label) == ("sentiment@2", "positive")
    assert store.promote_predictions("sentiment@2") == 6
    assert store.predictions(f"c0ffee{0:010x}", 0)[0].model == "sentiment@2"


def test_since_bounds_the_calls_and_a_stopped_run_goes_on(store: Store, scripted: ScriptedRiva) -> None:
    second = classifier(scripted, "sentiment@2")
    stop = threading.Event()
    stop.set()
    assert relabel.rescore(store, second, stop=stop) == 0
    assert relabel.rescore(store, second, since=START + timedelta(minutes=1.5)) == 2
    assert relabel.rescore(store, second) == 4


def test_a_shadow_scores_what_comes_in(store: Store, scripted: ScriptedRiva, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models", Settings().models)
    version = registry.register(tiny(tmp_path / "t", version="2"))
    stop, names = threading.Event(), []

    def classifier_of(name: str) -> Classifier:
        names.append(name)
        return classifier(scripted, name)

    worker = threading.Thread(
        target=relabel.follow, args=(store, registry, classifier_of), kwargs={"stop": stop, "look_s": 0.05}
    )
    worker.start()
    try:
        registry.shadow("sentiment", version.version)
        id = "c0ffee00000000ff"
        while not names:
            time.sleep(0.01)
        new = a_call(id, minutes=60 * 24 * 365 * 50)
        store.add(new, [a_sentence(id, 0, text="I am happy.")])
        deadline = time.monotonic() + 30
        while len(store.predictions(id, 0)) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        stop.set()
        worker.join()
    assert [score.model for score in store.predictions(id, 0)] == ["sentiment@2026.11.1", version.identity]
    assert names == [version.identity]
    # The past is left to `overtone relabel`.
    assert len(store.predictions(f"c0ffee{0:010x}", 0)) == 1
