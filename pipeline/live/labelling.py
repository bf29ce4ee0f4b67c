"""Labels for the sentences of live calls: sentiment for all, intents for the customer's, and never a long wait.

A service that does not answer costs a sentence its label, not its place: it is stored without, and the second pass
asks again. Who failed is left alone for a while, so that the next sentences are not held up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import replace
from typing import TypeVar

from pipeline.calls import Sentence
from pipeline.errors import BackendError
from pipeline.nlp import Classifier, Understander

_SENTIMENT_S = 10.0
_INTENT_S = 1.0
_REST_S = 10.0  # after a failure
_THREADS = 16

T = TypeVar("T")
log = logging.getLogger(__name__)


class Labeller:
    """Labels sentences; all calls share one. Thread-safe."""

    def __init__(self, classifier: Classifier, understander: Understander | None) -> None:
        """Without ``understander`` no sentence gets an intent."""
        self._classifier, self._understander = classifier, understander
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="label")
        self._sentiments, self._intents = _Service("sentiment"), _Service("intents")

    def label(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The sentences with what labels there are to be had now."""
        texts = [sentence.text for sentence in sentences]
        moods = self._sentiments.ask(self._pool, lambda: self._classifier.sentiment(texts))
        understander = self._understander
        intents = [
            self._intents.ask(self._pool, lambda text=sentence.text: understander.understand(text))  # type: ignore[misc]
            if understander is not None and sentence.speaker == "customer"
            else None
            for sentence in sentences
        ]
        labelled = list(sentences)
        if (found := self._sentiments.answer(moods, _SENTIMENT_S)) is not None:
            labelled = [replace(one, sentiment=mood) for one, mood in zip(labelled, found, strict=True)]
        deadline = time.monotonic() + _INTENT_S
        for number, asked in enumerate(intents):
            intent = self._intents.answer(asked, max(0.0, deadline - time.monotonic()))
            labelled[number] = replace(labelled[number], intent=intent)
        return labelled

    def understood(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The sentences, the customer's with their intents, where those are to be had."""
        understander = self._understander
        if understander is None:
            return list(sentences)
        found = []
        for sentence in sentences:
            if sentence.speaker == "customer":
                asked = self._intents.ask(self._pool, lambda text=sentence.text: understander.understand(text))  # type: ignore[misc]
                sentence = replace(sentence, intent=self._intents.answer(asked, _INTENT_S))
            found.append(sentence)
        return found

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Service:
    """One service's answers, and its rest after a failure."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rests_until = 0.0
        self._lock = threading.Lock()

    def ask(self, pool: ThreadPoolExecutor, question: Callable[[], T]) -> Future[T] | None:
        if time.monotonic() < self._rests_until:
            return None
        try:
            return pool.submit(question)
        except RuntimeError:  # the gateway is closing
            return None

    def answer(self, asked: Future[T] | None, timeout_s: float) -> T | None:
        if asked is None:
            return None
        try:
            return asked.result(timeout_s)
        except (BackendError, TooSlow) as error:
            asked.cancel()
            self._rest(str(error) or f"no answer within {timeout_s:.0f} s")
            return None

    def _rest(self, reason: str) -> None:
        with self._lock:
            if time.monotonic() >= self._rests_until:
                log.warning("live sentences go without %s for %.0f s: %s", self._name, _REST_S, reason)
            self._rests_until = time.monotonic() + _REST_S
