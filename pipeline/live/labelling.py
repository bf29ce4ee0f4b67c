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
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pipeline.calls import Sentence, Sentiment
from pipeline.errors import BackendError
from pipeline.nlp import Classifier, Understander

_SENTIMENT_S = 10.0
_INTENT_S = 1.0
_REST_S = 10.0  # after a failure
_THREADS = 16
_AT_ONCE = 2  # requests for sentiment; more wait for each other, inside gRPC and for Python's lock

T = TypeVar("T")
log = logging.getLogger(__name__)


class Labeller:
    """Labels sentences; all calls share one. Thread-safe."""

    def __init__(self, classifier: Classifier, understander: Understander | None) -> None:
        """Without ``understander`` no sentence gets an intent."""
        self._understander = understander
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="label")
        self._together = _Together(classifier, self._pool)
        self._sentiments, self._intents = _Service("sentiment"), _Service("intents")

    def label(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The sentences with what labels there are to be had now."""
        texts = [sentence.text for sentence in sentences]
        moods = self._sentiments.ask(lambda: self._together.ask(texts))
        understander = self._understander
        intents = [
            self._intents.ask(lambda text=sentence.text: self._pool.submit(understander.understand, text))  # type: ignore[misc]
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
                text = sentence.text
                asked = self._intents.ask(lambda text=text: self._pool.submit(understander.understand, text))  # type: ignore[misc]
                sentence = replace(sentence, intent=self._intents.answer(asked, _INTENT_S))
            found.append(sentence)
        return found

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Together:
    """The sentiment of what many calls say at once, in few requests: what comes meanwhile goes into the next one."""

    def __init__(self, classifier: Classifier, pool: ThreadPoolExecutor) -> None:
        self._classifier, self._pool = classifier, pool
        self._waiting: list[_Asked] = []
        self._asking = 0
        self._lock = threading.Lock()

    def ask(self, texts: Sequence[str]) -> Future[list[Sentiment]]:
        """How the texts feel, once that is known. Raises RuntimeError where the pool is closed."""
        asked = _Asked(texts)
        with self._lock:
            self._waiting.append(asked)
            if self._asking >= _AT_ONCE:
                return asked.answer
            self._asking += 1
        self._pool.submit(self._ask)
        return asked.answer

    def _ask(self) -> None:
        while True:
            with self._lock:
                batch, self._waiting = self._waiting, []
                if not batch:
                    self._asking -= 1
                    return
            self._answer([asked for asked in batch if asked.answer.set_running_or_notify_cancel()])

    def _answer(self, batch: Sequence[_Asked]) -> None:
        try:
            found = iter(self._classifier.sentiment([text for asked in batch for text in asked.texts]))
        except BackendError as error:
            if len(batch) > 1 and not error.retryable:  # for one of the texts: the others must not suffer
                for asked in batch:
                    self._answer([asked])
                return
            for asked in batch:
                asked.answer.set_exception(error)
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
            for asked in batch:
                asked.answer.set_exception(error)
        else:
            for asked in batch:
                asked.answer.set_result([next(found) for _ in asked.texts])


@dataclass(frozen=True)
class _Asked:
    texts: Sequence[str]
    answer: Future[list[Sentiment]] = field(default_factory=Future)


class _Service:
    """One service's answers, and its rest after a failure."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rests_until = 0.0
        self._lock = threading.Lock()

    def ask(self, question: Callable[[], Future[T]]) -> Future[T] | None:
        if time.monotonic() < self._rests_until:
            return None
        try:
            return question()
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
