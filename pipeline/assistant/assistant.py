"""What all conversations share: the flows, the understanding, the services behind the actions, and the archive."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

from fulfillment.services import Services
from fulfillment.times import utc_now
from pipeline.assistant.listening import Listener
from pipeline.assistant.performing import Performer
from pipeline.assistant.recording import Recorder
from pipeline.assistant.talk import Talk
from pipeline.calls import Conversation, ConversationChannel
from pipeline.dialog import Flows
from pipeline.nlp import Understander
from pipeline.store import Store


class Assistant:
    """Begins conversations; threads may share it, and each conversation belongs to one of them. Close it when done.

    ``understander`` and ``services`` are closed by whoever opened them. Without an ``archive`` nothing is stored.
    ``redact`` are kinds of ``settings.PERSONAL`` that are masked in what is stored, and ``hand_over`` says where a
    person can be reached (empty: nowhere).
    """

    def __init__(
        self,
        flows: Flows,
        understander: Understander,
        services: Services,
        archive: Store | None = None,
        *,
        redact: tuple[str, ...] = (),
        hand_over: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """``flows`` are loaded with ``actions=ACTIONS``, which refuses what nobody here can perform."""
        self._flows, self._archive, self._redact, self._clock = flows, archive, redact, clock
        asking = [name for name, route in flows.intents.items() if route.flow in flows.task_slots]
        self.requests = frozenset(asking)  # intents that ask for something which an action answers
        self._listener = Listener(understander, services.cities, clock, asking, services.things)
        self._performer = Performer(services, hand_over, clock)

    def begin(
        self, channel: ConversationChannel, person: str = "", attributes: Mapping[str, str] | None = None
    ) -> Talk:
        """A new conversation, which has said its ``opening`` already."""
        conversation = Conversation(uuid.uuid4().hex, self._clock(), channel, person, None, dict(attributes or {}))
        recorder = Recorder(self._archive, conversation, self._redact)
        return Talk(conversation, self._flows, self._listener, self._performer, recorder, self._clock)

    def close(self) -> None:
        """Start no action any more; one that is under way is left to its own time-out."""
        self._performer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
