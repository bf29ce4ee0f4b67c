"""Labels of what many calls say at once: few requests, and none at another's expense."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import grpc
import pytest

from pipeline.calls import Sentence
from pipeline.live.labelling import Labeller
from tests.live.phones import eventually
from tests.pipeline.scripted_riva import Refusal, ScriptedRiva, classified, serving
from tests.store.samples import a_sentence


@pytest.fixture
def scripted() -> Iterator[ScriptedRiva]:
    with serving() as server:
        yield server


class Held:
    """A classifier that holds its first two requests, and refuses one text for good."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.go = threading.Event()

    def __call__(self, request: Any) -> Any:
        self.asked.append(list(request.text))
        if len(self.asked) <= 2:
            assert self.go.wait(30)
        if "bad" in request.text:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "no text for this model")
        return classified(request)


def said(text: str) -> list[Sentence]:
    return [replace(a_sentence(), text=text, speaker="agent", sentiment=None, intent=None)]


def test_what_comes_while_others_are_judged_is_judged_together(scripted: ScriptedRiva) -> None:
    held = scripted.on_classify = Held()
    with closing(Labeller(scripted.classifier(), None)) as labeller, ThreadPoolExecutor(20) as calls:
        first = [calls.submit(labeller.label, said("first 0"))]
        eventually(lambda: len(held.asked) == 1)
        first.append(calls.submit(labeller.label, said("first 1")))
        eventually(lambda: len(held.asked) == 2)
        rest = [calls.submit(labeller.label, said(f"rest {number}")) for number in range(10)]
        eventually(lambda: len(labeller._together._waiting) == 10)
        held.go.set()
        labelled = [one.result(30)[0] for one in (*first, *rest)]
    assert [one.text for one in labelled] == ["first 0", "first 1", *(f"rest {number}" for number in range(10))]
    assert all(one.sentiment is not None for one in labelled)
    assert len(held.asked) <= 4, "ten sentences in one request, or in two where the first two came back apart"
    assert sorted(text for texts in held.asked[2:] for text in texts) == [f"rest {number}" for number in range(10)]


def test_a_text_that_is_refused_costs_the_others_nothing(scripted: ScriptedRiva) -> None:
    held = scripted.on_classify = Held()
    with closing(Labeller(scripted.classifier(), None)) as labeller, ThreadPoolExecutor(20) as calls:
        first = [calls.submit(labeller.label, said("first 0"))]
        eventually(lambda: len(held.asked) == 1)
        first.append(calls.submit(labeller.label, said("first 1")))
        eventually(lambda: len(held.asked) == 2)
        rest = {text: calls.submit(labeller.label, said(text)) for text in ("one", "bad", "two")}
        eventually(lambda: len(labeller._together._waiting) == 3)
        held.go.set()
        labelled = {text: asked.result(30)[0].sentiment for text, asked in rest.items()}
        assert all(one.result(30)[0].sentiment for one in first)
    assert labelled["one"] is not None
    assert labelled["two"] is not None
    assert labelled["bad"] is None
