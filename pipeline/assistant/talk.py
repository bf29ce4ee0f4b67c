"""One conversation: an event of the person in, a turn out, archived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.asr import Expected
from pipeline.assistant import exchange
from pipeline.assistant.exchange import Exchange
from pipeline.assistant.listening import Again, Heard, Listener, moved
from pipeline.assistant.performing import Performer
from pipeline.assistant.recording import Recorder
from pipeline.assistant.speech import said_once
from pipeline.calls import Conversation, Intent, Turn, TurnEvent
from pipeline.dialog import DialogState, Event, Flows, NoInput, Reset, TimedOut, Undo, Waits, asked, begin, ended, waits
from pipeline.dialog.engine import RESET, UNDO

_COMMANDS: Mapping[str, tuple[TurnEvent, Event]] = {
    "": ("silence", NoInput()),
    UNDO: ("undo", Undo()),
    RESET: ("reset", Reset()),
}


@dataclass(frozen=True)
class Draft:
    """What would be answered to ``text`` if that is what the person turns out to have said.

    ``replies`` are what would be said so far: an action with effects (``waits_for_action``) is not performed in a
    draft, and what comes after it is not known yet.
    """

    conversation_id: str
    text: str
    replies: tuple[str, ...]
    waits_for_action: bool
    heard: Heard
    exchange: Exchange
    before: DialogState


class Talk:
    """A conversation that is going on. One thread uses it at a time; begun by ``Assistant.begin``."""

    def __init__(
        self,
        conversation: Conversation,
        flows: Flows,
        listener: Listener,
        performer: Performer,
        recorder: Recorder,
        clock: Callable[[], datetime],
    ) -> None:
        """``recorder`` archives the conversation's beginning and the opening at once."""
        self._conversation, self._flows = conversation, flows
        self._listener, self._performer, self._recorder, self._clock = listener, performer, recorder, clock
        self._turns = 0
        self._closed = False
        self._later: tuple[Event, ...] = ()  # asked for besides, before we asked back
        first = exchange.opened(begin(flows, int(conversation.id[:8], 16)))
        self._rest = first.state.at  # where a conversation waits when nothing is asked back
        self.opening = self._take("opened", first, conversation.started_at)

    @property
    def id(self) -> str:
        """The conversation's id, as the archive knows it."""
        return self._conversation.id

    @property
    def state(self) -> str:
        """Where the conversation stands in the flows, as ``Turn.state`` has it."""
        return self._state.at

    @property
    def waits(self) -> Waits:
        """After how many seconds without a word to call ``silence``, and ``timed_out``; None: never."""
        return waits(self._flows, self._state)

    @property
    def expects(self) -> tuple[Expected, ...]:
        """What a recogniser should prefer to hear now."""
        return self._listener.expects(asked(self._flows, self._state))

    @property
    def ended(self) -> bool:
        """Whether the assistant has said goodbye; words after it begin anew."""
        return ended(self._state)

    def say(
        self,
        text: str,
        *,
        recogniser: str = "",
        spoken_at: datetime | None = None,
        timings_ms: Mapping[str, float] | None = None,
    ) -> Turn:
        """The turn that the person's words lead to: understood, acted on, answered and archived.

        ``text`` may be anything at all: it is cleaned, and what is left of more than 2,000 characters is turned down
        politely; no text is silence, ``!undo`` and ``!reset`` are commands. ``recogniser`` is the speech model's
        "name@version" (empty: typed), ``spoken_at`` when the person had finished (None: now), ``timings_ms`` what the
        caller measured before, kept beside ``understand_ms``, ``dialog_ms`` and ``fulfil_ms``. Nothing that fails on
        the way is raised: the flow says so, and ``Turn.error`` names it.
        """
        at = spoken_at or self._clock()
        heard = self._listener.cleaned(text)
        if command := _COMMANDS.get(heard.text.lower()):
            event, sent = command
            return self._take(event, self._react(sent), at, heard.text, recogniser=recogniser, timings_ms=timings_ms)
        heard = self._listen(heard, spoken=bool(recogniser))
        done = self._react(heard.said, (*heard.later, *self._later))
        return self._take_heard(heard, done, at, recogniser, timings_ms)

    def silence(self) -> Turn | None:
        """The turn after ``waits.no_input_s`` without a word; None where nobody minds, as after the goodbye."""
        return self._unasked("silence", NoInput())

    def timed_out(self) -> Turn | None:
        """The turn after ``waits.time_out_s`` in this state; None where nobody minds."""
        return self._unasked("time-out", TimedOut())

    def consider(self, text: str, again: Again | None = None) -> Draft:
        """What ``say(text)`` would answer, worked out ahead: nothing of the conversation or the archive changes.

        Understanding, dialog and actions that only read are done; a hand-over is not. For ``commit``, or to be dropped.
        ``again`` hears the sound once more with a better recogniser; it is asked where the text may be misheard, and
        the first of its texts that surely means something is answered instead.
        """
        heard = self._listener.cleaned(text)
        if heard.text.lower() not in _COMMANDS:
            heard = self._listen(heard, spoken=True, again=again)
            done = self._react(heard.said, (*heard.later, *self._later), reading_only=True)
        else:  # silence and commands cost nothing: they are left to say()
            done = exchange.nothing(self._state)
        replies = said_once([reply.text for reply in done.replies])
        return Draft(self.id, text, replies, bool(done.pending), heard, done, self._state)

    def commit(
        self,
        draft: Draft,
        *,
        text: str | None = None,
        recogniser: str = "",
        spoken_at: datetime | None = None,
        timings_ms: Mapping[str, float] | None = None,
    ) -> Turn:
        """The turn of a draft that came true; an action that it left out is performed now.

        ``text`` is what was heard in the end, where it may differ by punctuation and capitals. Raises ValueError, and
        nothing has happened, for a draft of another conversation, of other words, or from before another turn: then
        ``say`` the text.
        """
        if draft.conversation_id != self.id or draft.before is not self._state:
            raise ValueError("the draft is not of this moment of this conversation")
        if draft.exchange.event is None:
            raise ValueError("the draft holds no words; say the text")
        heard = draft.heard if text is None else moved(draft.heard, self._listener.cleaned(text).text)
        at = spoken_at or self._clock()
        done = exchange.carried_on(self._flows, draft.exchange, self._performer, rest=self._rest)
        return self._take_heard(heard, done, at, recogniser, timings_ms)

    def timed(self, number: int, timings_ms: Mapping[str, float]) -> None:
        """Archive milliseconds by stage that were measured after turn ``number``, such as those of saying it."""
        self._recorder.add_timings(number, timings_ms)

    def close(self) -> None:
        """Note in the archive that the conversation is over; again does nothing."""
        if not self._closed:
            self._closed = True
            self._recorder.end(self._clock())

    def _listen(self, heard: Heard, *, spoken: bool, again: Again | None = None) -> Heard:
        wanted = asked(self._flows, self._state)
        return self._listener.listen(heard, self._state, wanted, spoken=spoken, again=again)

    def _react(self, event: Event, later: tuple[Event, ...] = (), *, reading_only: bool = False) -> Exchange:
        begun = exchange.begun(self._flows, self._state, event, later)
        return exchange.carried_on(self._flows, begun, self._performer, rest=self._rest, reading_only=reading_only)

    def _unasked(self, event: TurnEvent, sent: Event) -> Turn | None:
        done = self._react(sent)
        if not done.replies and not done.moves:
            return None
        return self._take(event, done, self._clock())

    def _take_heard(
        self, heard: Heard, done: Exchange, at: datetime, recogniser: str, timings_ms: Mapping[str, float] | None
    ) -> Turn:
        timings = {**(timings_ms or {}), "understand_ms": heard.understand_ms}
        self._later = done.later if heard.later else ()  # it outlives one question asked back, not two
        return self._take(
            "said", done, at, heard.text, heard.intent, recogniser=recogniser, timings_ms=timings, error=heard.error
        )

    def _take(
        self,
        event: TurnEvent,
        done: Exchange,
        at: datetime,
        text: str = "",
        intent: Intent | None = None,
        *,
        recogniser: str = "",
        timings_ms: Mapping[str, float] | None = None,
        error: str = "",
    ) -> Turn:
        """The archived turn, after the conversation has gone on to the exchange's state."""
        self._state = done.state
        turn = Turn(
            conversation_id=self.id,
            number=self._turns,
            at=at,
            event=event,
            user_text=text,
            intent=intent,
            path=tuple((move.source, move.label, move.target) for move in done.moves),
            state=done.state.at,
            actions=done.performed,
            replies=said_once([reply.text for reply in done.replies]),
            timings_ms={**(timings_ms or {}), **done.timings_ms},
            recogniser=recogniser,
            error="; ".join(part for part in (error, done.error) if part),
        )
        self._turns += 1
        self._recorder.add(turn)
        return turn
