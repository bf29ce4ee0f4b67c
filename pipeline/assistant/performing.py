"""Performs the actions of the flows, each in a thread of its own, and no longer than the flow waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from fulfillment.actions import ACTIONS as ANSWERED
from fulfillment.actions import Result, perform
from fulfillment.services import Services
from pipeline.calls import Performed
from pipeline.dialog import Action
from pipeline.dialog.text import spoken

HAND_OVER = "hand_over"
ACTIONS = (*ANSWERED, HAND_OVER)  # all that flows may ask for
EFFECTS = frozenset({HAND_OVER})  # actions that change something outside: never performed on a guess
LONGEST_S = 30.0  # of an action whose state names no time-out
_THREADS = 32  # actions under way at once, of all conversations
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What came of an action: its result for the flow (None: none in time), what is archived, and what went wrong."""

    result: Result | None
    performed: Performed
    error: str = ""


class Performer:
    """The services behind the actions; threads may share it. ``services`` is closed by whoever opened it."""

    def __init__(self, services: Services, hand_over: str, clock: Callable[[], datetime]) -> None:
        """``hand_over`` says where a person can be reached; empty: nowhere."""
        self._services, self._hand_over, self._clock = services, hand_over.strip(), clock
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="action")

    def perform(self, action: Action, time_out_s: float | None) -> Answer:
        """The answer of an action, within ``time_out_s``; what fails is an answer too."""
        try:
            work = self._pool.submit(self._do, action)
            result = work.result(LONGEST_S if time_out_s is None else time_out_s)
        except TimeoutError:
            work.cancel()
            return Answer(
                None, _performed(action, {f"{action.name}_status": "timed_out"}), f"{action.name}: no answer in time"
            )
        except Exception as error:  # a fault in one answer must not end the conversation
            log.error("the action %s failed", action.name, exc_info=error)
            result = {f"{action.name}_status": "unavailable"}
            return Answer(result, _performed(action, result), f"{action.name}: {type(error).__name__}")
        failed = _status(action, result) == "unavailable"
        return Answer(result, _performed(action, result), f"{action.name}: unavailable" if failed else "")

    def close(self) -> None:
        """Start no action any more, and wait for none."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _do(self, action: Action) -> Result:
        if action.name == HAND_OVER:
            return self._to_a_person()
        return perform(self._services, action.name, action.request)

    def _to_a_person(self) -> Result:
        """What we can honestly do for who wants a person: the wish is archived, and we say where to find one."""
        if not self._hand_over:
            answer = "I've noted that you would like to speak to a person. I can't connect you from here."
            return {"hand_over_status": "unavailable", "answer": answer}
        where = self._hand_over.rstrip(".")
        return {
            "hand_over_status": "ok",
            "answer": f"I've noted that you would like to speak to a person. You can reach one here: {where}.",
            "source": "OVERTONE_HAND_OVER",
            "as_of": self._clock().astimezone(UTC).isoformat(),
        }


def _performed(action: Action, result: Result) -> Performed:
    as_of = spoken(result.get("as_of", ""))
    return Performed(
        action.name,
        dict(action.request),
        _status(action, result),
        spoken(result.get("answer", "")),
        spoken(result.get("source", "")),
        datetime.fromisoformat(as_of).astimezone(UTC) if as_of else None,
    )


def _status(action: Action, result: Result) -> str:
    return spoken(result.get(f"{action.name}_status", ""))
