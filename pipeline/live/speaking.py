"""The assistant's mouth in one conversation: answers said sentence by sentence, and stopped when the person speaks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.calls import Turn
from pipeline.errors import BackendError
from pipeline.live import events
from pipeline.live.phrasing import as_spoken
from pipeline.live.playing import Outbox, Playback
from pipeline.live.voicing import Voicing
from pipeline.tts import Speaker

_NO_VOICE = "The voice does not work right now. The answer is here in writing."
_OWN_STAGES = ("understand_ms", "dialog_ms", "fulfil_ms")  # which the turn itself has measured

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Given:
    """What a turn answers, and when it came: monotonic seconds."""

    text: str
    ended_at: float  # the person's last sound, or their Return key
    decided_at: float  # that was found to be all
    recognise_ms: float | None = None  # None: typed


class Mouth:
    """Says one answer at a time; belongs to the event loop that made it."""

    def __init__(self, outbox: Outbox, speaker: Speaker, voice: str, timed: Callable[[events.Latency], None]) -> None:
        """``voice`` is a Riva name; empty: the server's choice. ``timed`` is told of each first sound."""
        self._outbox, self._speaker, self._voice, self._timed = outbox, speaker, voice, timed
        self._playback = Playback()
        self._saying: asyncio.Task[None] | None = None
        self._turn: int | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is still being made or sent."""
        return self._saying is not None and not self._saying.done()

    @property
    def heard_for_s(self) -> float:
        """Seconds for which what was sent will still be heard."""
        return self._playback.ahead_s

    def loudest(self) -> float:
        """The level (root mean square, 0..1) of the loudest sound of ours whose echo may be heard now."""
        return self._playback.loudest()

    def prepare(self, text: str) -> Voicing:
        """``text`` on its way to sound."""
        return Voicing(self._speaker, text, as_spoken(text), self._voice)

    def say(self, turn: Turn, pieces: Sequence[str], first: Voicing, given: Given | None) -> asyncio.Task[None]:
        """The task that says the pieces, the first of which is under way; it ends when all is sent."""
        self._turn = turn.number
        self._saying = asyncio.create_task(self._say(turn, pieces, first, given))
        return self._saying

    def stop(self) -> None:
        """Breaks the answer off, and tells the other end to drop what it has not played yet."""
        sounding = self.busy or self.heard_for_s > 0
        if self._saying is not None:
            self._saying.cancel()
            self._saying = None
        if sounding and self._turn is not None:
            self._outbox.drop_sound()
            self._outbox.put(events.Stopped(self._turn))
        self._playback.clear()

    def played(self) -> None:
        """The other end says that it has played all it was sent."""
        if not self.busy:
            self._playback.clear()

    async def _say(self, turn: Turn, pieces: Sequence[str], first: Voicing, given: Given | None) -> None:
        now: Voicing | None = first
        upcoming: Voicing | None = None
        try:
            for number, text in enumerate(pieces):
                now = now or self.prepare(text)
                self._outbox.put(events.Saying(turn.number, number, text))
                async for pcm in now.pieces():
                    await self._playback.room()
                    if given is not None:
                        self._timed(latency(turn, given, now))
                        given = None
                    self._playback.add(pcm)
                    self._outbox.put(events.Sound(turn.number, pcm))
                    if now.made and upcoming is None and number + 1 < len(pieces):
                        upcoming = self.prepare(pieces[number + 1])
                now, upcoming = upcoming, None
        except BackendError as error:
            log.warning("the answer could not be spoken: %s", error)
            self._outbox.put(events.Failed(_NO_VOICE))
        finally:
            for voicing in filter(None, (now, upcoming)):
                voicing.drop()
        self._outbox.put(events.Said(turn.number))


def latency(turn: Turn, given: Given, voicing: Voicing | None) -> events.Latency:
    """The stages of a turn whose first sound goes out now; ``voicing`` None: it is answered in writing."""
    stages = {name: turn.timings_ms[name] for name in _OWN_STAGES if name in turn.timings_ms}
    if given.recognise_ms is not None:
        stages["recognise_ms"] = given.recognise_ms
    if voicing is not None and voicing.first_at is not None:
        stages["speak_ms"] = 1000 * (voicing.first_at - voicing.began_at)
    stages["compute_ms"] = sum(stages.values())
    stages["wait_ms"] = 1000 * (given.decided_at - given.ended_at)
    stages["total_ms"] = 1000 * (time.monotonic() - given.ended_at)
    return events.Latency(turn.number, {name: round(ms, 1) for name, ms in stages.items()})
