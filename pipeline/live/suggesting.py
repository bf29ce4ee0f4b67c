"""What the assistant would say to the customer of a live call, offered to the agent: nobody is spoken to.

The same understanding, flows and services as of the assistant's own conversations follow the customer's sentences, a
conversation a call that no archive knows. Only what answers a request is offered, and what has to be asked back for
one: greetings, hand-overs, apologies and what the assistant knows nothing about are dropped, and the conversation goes
on as if they had not been said.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.assistant import ACTIONS, Assistant, Draft, Talk
from pipeline.backends import Backends
from pipeline.calls import Call, Sentence
from pipeline.dialog import ended, load
from pipeline.errors import OvertoneError

SURE = 0.5  # score at which a sentence counts as a request
KEPT = 5  # suggestions of a call, for pages that are opened later
_WAITING = 8  # sentences of a call; older ones are no longer the customer's last request
_THREADS = 4
_MISSED = frozenset({"nothing_found", "unavailable", "timed_out"})  # statuses of an action that tell an agent nothing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Suggestion:
    """What the agent could say to a sentence of the customer."""

    call_id: str
    index: int  # of the customer's sentence
    asked: str  # what the customer said
    text: str  # the answer, or the question to ask the customer
    is_question: bool
    source: str  # who answered; "" for a question
    as_of: datetime | None  # aware, UTC: when the answer was true
    at: datetime  # aware, UTC: when it was offered


@dataclass
class _Silent:
    """The conversation beside one call."""

    talk: Talk | None = None
    waiting: deque[Sentence] = field(default_factory=lambda: deque(maxlen=_WAITING))
    working: bool = False
    offered: deque[Suggestion] = field(default_factory=lambda: deque(maxlen=KEPT))


def silent(backends: Backends) -> Assistant:
    """The assistant of the settings without an archive. Raises BackendError, FlowError."""
    flows = load(backends.settings.flows, actions=ACTIONS)
    return Assistant(flows, backends.understander, backends.fulfilment, hand_over=backends.settings.hand_over)


class Suggester:
    """Suggestions for all live calls of a gateway. Thread-safe; close it when done."""

    def __init__(self, opened: Callable[[], Assistant]) -> None:
        """``opened`` makes an assistant without an archive; it is called once, with the first sentence or before."""
        self._open = opened
        self._assistant: Assistant | None = None
        self._opening = threading.Lock()
        self._closed = False
        self._calls: dict[str, _Silent] = {}
        self._watchers: list[Callable[[Suggestion], None]] = []
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="suggest")

    def prepare(self) -> None:
        """Make the assistant now: reading its flows takes half a second, in which live calls would wait for Python.

        Raises what making it raises; it is then tried again with the next sentence.
        """
        self._opened()

    def heard(self, call: Call, sentence: Sentence) -> None:
        """Consider a final sentence of a call; does not block. What is not the customer's is passed over."""
        if sentence.speaker != "customer" or sentence.intent is None:
            return
        with self._lock:
            own = self._calls.setdefault(call.id, _Silent())
            own.waiting.append(sentence)
            if own.working:
                return
            own.working = True
        try:
            self._pool.submit(self._work, own)
        except RuntimeError:  # the gateway is closing
            return

    def ended(self, call_id: str) -> None:
        """Forget a call that is over."""
        with self._lock:
            self._calls.pop(call_id, None)

    def watch(self, watcher: Callable[[Suggestion], None]) -> Callable[[], None]:
        """Tell ``watcher`` what stands, the oldest first, and all that comes; what is returned ends that.

        It is called from our threads and must not block.
        """
        with self._lock:
            self._watchers.append(watcher)
            standing = [suggestion for own in self._calls.values() for suggestion in own.offered]
        for suggestion in sorted(standing, key=lambda one: one.at):
            watcher(suggestion)

        def stop() -> None:
            with self._lock:
                self._watchers.remove(watcher)

        return stop

    def close(self) -> None:
        """Consider nothing any more."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)  # a service that does not answer must not hold us up
        if self._assistant is not None:
            self._assistant.close()

    def _work(self, own: _Silent) -> None:
        """Everything that waits, in its order; one thread a call at a time."""
        while True:
            with self._lock:
                if not own.waiting:
                    own.working = False
                    return
                sentence = own.waiting.popleft()
            try:
                suggestion = self._consider(own, sentence)
            except OvertoneError as error:
                log.warning("no suggestion for call %s: %s", sentence.call_id, error)
                continue
            except Exception:
                if self._closed:
                    return
                log.exception("no suggestion for call %s", sentence.call_id)
                continue
            if suggestion is None:
                continue
            with self._lock:
                own.offered.append(suggestion)
                watchers = tuple(self._watchers)
            for watcher in watchers:
                watcher(suggestion)

    def _consider(self, own: _Silent, sentence: Sentence) -> Suggestion | None:
        assistant = self._opened()
        if own.talk is None:
            own.talk = assistant.begin("phone")
        talk = own.talk
        asked_back = talk.state != talk.opening.state
        intent = sentence.intent
        if not asked_back and (intent is None or intent.name not in assistant.requests or intent.score < SURE):
            return None
        draft = talk.consider(sentence.text)
        suggestion = suggested(draft, sentence, rests_at=talk.opening.state, was_at=talk.state)
        if suggestion is not None:
            talk.commit(draft)
        return suggestion

    def _opened(self) -> Assistant:
        with self._opening:
            if self._assistant is None:
                self._assistant = self._open()
            return self._assistant


def suggested(draft: Draft, sentence: Sentence, *, rests_at: str, was_at: str) -> Suggestion | None:
    """What a draft offers the agent; None where it answers nothing and asks nothing new, or would act on something.

    ``rests_at`` is the flows' state in which nothing is asked back, ``was_at`` the one before the sentence.
    """
    done = draft.exchange
    if draft.waits_for_action or any(one.status in _MISSED for one in done.performed) or not draft.replies:
        return None
    answers = [one for one in done.performed if one.answer and one.source]
    asks = done.state.at != rests_at and not ended(done.state) and (done.state.at != was_at or bool(done.performed))
    if not answers and not asks:
        return None
    words = [one.answer for one in answers] or list(draft.replies)
    moments = [one.as_of for one in answers if one.as_of is not None]
    return Suggestion(
        call_id=sentence.call_id,
        index=sentence.index,
        asked=sentence.text,
        text=" ".join(dict.fromkeys(words)),
        is_question=not answers,
        source=", ".join(dict.fromkeys(one.source for one in answers)),
        as_of=min(moments, default=None),
        at=datetime.now(UTC),
    )


def message(suggestion: Suggestion) -> dict[str, Any]:
    """The suggestion as the gateway's sockets send it; times in UTC ms."""
    return {
        "kind": "suggestion",
        "call": suggestion.call_id,
        "index": suggestion.index,
        "asked": suggestion.asked,
        "text": suggestion.text,
        "is_question": suggestion.is_question,
        "source": suggestion.source,
        "as_of_ms": suggestion.as_of and round(suggestion.as_of.timestamp() * 1000),
        "at_ms": round(suggestion.at.timestamp() * 1000),
    }
