"""Archives one conversation as it goes, with what is personal masked; a database that is away stops nobody talking."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from pipeline import privacy
from pipeline.calls import Conversation, Intent, Performed, Slot, Turn
from pipeline.errors import BackendError, InputError
from pipeline.store import Store

log = logging.getLogger(__name__)


class Recorder:
    """Writes one conversation to the archive; what could not be written is kept and written with the next."""

    def __init__(self, archive: Store | None, conversation: Conversation, redact: tuple[str, ...]) -> None:
        """The conversation's beginning is written at once."""
        self._archive, self._id, self._kinds = archive, conversation.id, redact
        self._waiting: list[Callable[[Store], None]] = []
        kept = masked_conversation(conversation, redact)
        self._write(lambda store: store.begin_conversation(kept))

    def add(self, turn: Turn) -> None:
        """Archive the turn."""
        kept = masked_turn(turn, self._kinds)
        self._write(lambda store: store.add_turn(kept))

    def add_timings(self, number: int, timings_ms: Mapping[str, float]) -> None:
        """Archive what was measured of a turn after it had been archived."""
        kept = dict(timings_ms)
        self._write(lambda store: store.add_timings(self._id, number, kept))

    def end(self, at: datetime) -> None:
        """Archive the conversation's end."""
        self._write(lambda store: store.end_conversation(self._id, at))

    def _write(self, deed: Callable[[Store], None]) -> None:
        if self._archive is None:
            return
        self._waiting.append(deed)
        while self._waiting:
            try:
                self._waiting[0](self._archive)
            except BackendError as error:
                log.error("conversation %s: %d writes wait for the archive: %s", self._id, len(self._waiting), error)
                return
            except InputError as error:  # it will never be taken
                log.error("conversation %s: the archive refuses a write: %s", self._id, error)
            del self._waiting[0]


def masked_conversation(conversation: Conversation, kinds: tuple[str, ...]) -> Conversation:
    """The conversation with what is personal masked in who it is with; ids of other systems stay."""
    contact = tuple(kind for kind in kinds if kind != "number")
    attributes = {key: privacy.redact(value, contact) for key, value in conversation.attributes.items()}
    return replace(conversation, person=privacy.redact(conversation.person, kinds), attributes=attributes)


def masked_turn(turn: Turn, kinds: tuple[str, ...]) -> Turn:
    """The turn with what is personal masked in every text; slots keep to their words."""
    if not kinds:
        return turn
    spans = privacy.personal(turn.user_text, kinds)
    return replace(
        turn,
        user_text=privacy.redact(turn.user_text, kinds),
        intent=turn.intent and _masked_intent(turn.intent, turn.user_text, spans, kinds),
        actions=tuple(_masked_action(action, kinds) for action in turn.actions),
        replies=tuple(privacy.redact(reply, kinds) for reply in turn.replies),
        error=privacy.redact(turn.error, kinds),
    )


def _masked_intent(intent: Intent, text: str, spans: list[privacy.Span], kinds: tuple[str, ...]) -> Intent:
    after = privacy.redact(text, kinds)

    def masked(slot: Slot) -> Slot:
        start, end = privacy.moved(slot.start, slot.end, spans)
        touched = any(span.start < slot.end and span.end > slot.start for span in spans)
        said = after[start:end]
        return replace(slot, start=start, end=end, text=said, value=said if touched else slot.value)

    return replace(intent, slots=tuple(masked(slot) for slot in intent.slots))


def _masked_action(action: Performed, kinds: tuple[str, ...]) -> Performed:
    request = {
        key: privacy.redact(value, kinds)
        if isinstance(value, str)
        else tuple(privacy.redact(part, kinds) for part in value)
        for key, value in action.request.items()
    }
    return replace(action, request=request, answer=privacy.redact(action.answer, kinds))
