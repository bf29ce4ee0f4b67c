"""One live call: audio of its channels in, sentences with labels and clocks out, stored the moment they are known.

A call outlives its connections: a lost one leaves it waiting for a new one, and a killed gateway leaves a journal and
a recording from which the next one goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from pipeline import analyse
from pipeline.asr import Endpointing, Final, Partial
from pipeline.calls import Call, Sentence, SentenceClock, SpeakerRole
from pipeline.errors import BackendError
from pipeline.latency import LATE_S
from pipeline.live.bothclocks import BothClocks
from pipeline.live.gaps import is_marked, mark
from pipeline.live.hearing import Hearing
from pipeline.live.intake import Counts, Gap
from pipeline.live.journal import Journal
from pipeline.live.labelling import Labeller
from pipeline.live.line import Line
from pipeline.live.pcm import Encoding
from pipeline.live.recording import Recording
from pipeline.live.strand import Strand
from pipeline.live.writer import Append, Begin, Finish, StoreWriter
from pipeline.streams import Streams

_PATIENCE_S = 120.0  # with a recogniser that is away; what it missed waits in the buffer
_AGAIN_S = 5.0  # after it has refused us
_GRACE_S = 20.0  # at the end of a call, for what is still being recognised
_LONGEST_UTTERANCE_S = 15.0  # as our server cuts them
_SILENCE_S = 1.0  # that ends an utterance when the connection is lost
_DEAD_S = 4.0  # without audio: a second connection for the same call is then the first one's successor

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """What a phone system says of a call when it begins, or goes on."""

    protocol: str  # plain | twilio | audiohook | replay
    phone_id: str  # its own id of the call; "" where it has none, and then no connection can resume it
    speakers: tuple[SpeakerRole, ...]
    encoding: Encoding
    rate_hz: int
    source: str = ""
    agent: str | None = None
    customer: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)  # queue, team, direction ...
    partials: bool = False  # whether its connection wants to read what is being said right now


@dataclass(frozen=True)
class Wishes:
    """How the recogniser is to be asked at the moment: less where the machine has too much to do."""

    partials: bool
    silence_ms: int  # that ends an utterance


@dataclass(frozen=True)
class Tools:
    """What all live calls share."""

    hearing: Hearing
    labeller: Labeller
    writer: StoreWriter
    wishes: Callable[[bool], Wishes]  # given whether the call wants partials
    crowd: Callable[[], bool]  # whether there are so many calls that messages must be saved
    buffer_s: float
    pace: float


class Listener(Protocol):
    """Who hears of a call's sentences: a connection, or a command that plays a recording."""

    def sentence(self, sentence: Sentence) -> None:
        """A sentence was stored. Called from a thread of the call; must not block."""

    def partial(self, channel: int, text: str) -> None:
        """What is being said on a channel (from 1). Called from a thread of the call; must not block."""

    def ended(self, reason: str) -> None:
        """The call is over and stored; the reason is in words where it ended by itself. Must not block."""


class LiveCall:
    """A call from its first frame to its last sentence. ``feed`` and its like may be called from any one thread."""

    def __init__(
        self,
        call: Call,
        start: Start,
        *,
        journal: Journal,
        recording: Recording,
        tools: Tools,
        on_end: Callable[[LiveCall], None],
        known: Sequence[Sentence] = (),
        gaps: Sequence[Gap] = (),
    ) -> None:
        """``known`` and ``gaps`` are of a call that goes on after its gateway was killed."""
        self.call, self.start = call, start
        self.journal, self.recording = journal, recording
        self.listeners: list[Listener] = []
        self.late = 0
        self.partials_dropped = 0
        self.lag_s = 0.0  # of the last sentence: from the end of its speech until it was understood
        self.lag_at = 0.0
        self.lost_at: float | None = None
        self._tools, self._on_end = tools, on_end
        self._began = time.monotonic()
        self._channels = [
            Line(
                number,
                start.encoding,
                start.rate_hz,
                begins_s=recording.duration_s(number),
                buffer_s=tools.buffer_s,
                pace=tools.pace,
            )
            for number in range(1, len(call.speakers) + 1)
        ]
        self._index = max((sentence.index for sentence in known), default=-1) + 1
        self._gaps = list(gaps)
        self._marked = len(self._gaps)
        self._ended_at: float | None = None
        self._end_reason = ""
        self._asked = self._wishes()
        self._lock = threading.Lock()
        tools.writer.put(Begin(call))
        if known:
            tools.writer.put(Append(call.id, tuple(known)))
        self._work = Strand(tools.hearing.workers, self._failed)
        self._over_now = threading.Event()
        self._heard_out = 0  # channels of which nothing more will be heard
        self._listening = [tools.hearing.follow(partial(self._listen, line)) for line in self._channels]

    @property
    def id(self) -> str:
        """Overtone's id of the call."""
        return self.call.id

    @property
    def duration_s(self) -> float:
        """Length of the longest channel so far."""
        return max(channel.intake.position_s for channel in self._channels)

    @property
    def age_s(self) -> float:
        """Seconds since it began here, whether any audio came or not."""
        return time.monotonic() - self._began

    @property
    def silent_s(self) -> float:
        """Seconds since any audio came."""
        return time.monotonic() - max(channel.fed_at for channel in self._channels)

    @property
    def backlog_s(self) -> float:
        """Seconds of audio that wait for the recogniser, on the channel where most do."""
        return max(channel.buffer.backlog_s for channel in self._channels)

    @property
    def crowded(self) -> bool:
        """Whether a source that need not keep to time must wait for the recogniser; one that must cannot."""
        return self._tools.pace != 1.0 and self.backlog_s > self._tools.buffer_s / 2

    @property
    def ended(self) -> bool:
        """Whether no more audio is taken."""
        return self._ended_at is not None

    @property
    def in_use(self) -> bool:
        """Whether a connection is up and sending: another one for this call is then a mistake."""
        return self.lost_at is None and self.silent_s < _DEAD_S

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """All audio that is missing, in the order of the call."""
        return tuple(sorted(self._gaps, key=lambda gap: (gap.start_s, gap.channel)))

    @property
    def counts(self) -> tuple[Counts, ...]:
        """What was wrong with the frames, by channel."""
        return tuple(channel.intake.counts for channel in self._channels)

    def feed(self, channel: int, payload: bytes, *, number: int | None = None, at_s: float | None = None) -> float:
        """Take a frame of a channel (from 1); the seconds that the source must wait before it sends more.

        ``number`` and ``at_s`` are as `Intake.take` has them. After the end it takes nothing.
        """
        line = self._channels[channel - 1]
        with line.lock:
            if self.ended:
                return 0.0
            before_s = line.intake.position_s
            line.fed_at = time.monotonic()
            self._pass_on(line, line.intake.take(payload, number=number, at_s=at_s))
            return line.pace.wait_s(line.intake.position_s - before_s)

    def malformed(self) -> None:
        """Count something that cannot be read."""
        self._channels[0].intake.malformed()

    def skip(self, length_s: float, reason: str) -> None:
        """Silence of that length on all channels, remembered as a gap: the phone system left something out."""
        for line in self._channels:
            with line.lock:
                if not self.ended:
                    self._pass_on(line, line.intake.silence(length_s, reason))

    def lose(self) -> None:
        """The connection is gone: what was being said ends here, and the call waits to be resumed."""
        with self._lock:
            if self.lost_at is not None or self.ended:
                return
            self.lost_at = time.monotonic()
        for line in self._channels:
            with line.lock:
                self._pass_on(line, line.intake.finish())
                line.lost_s = line.intake.position_s
                self._pass_on(line, line.intake.silence(_SILENCE_S))

    def resume(self, start: Start) -> None:
        """A new connection goes on with this call; the time between is a gap."""
        self.lose()
        with self._lock:
            away_s = time.monotonic() - (self.lost_at or time.monotonic())
            self.lost_at = None
            self.start = start
        for line in self._channels:
            with line.lock:
                filled_s = line.intake.position_s - line.lost_s
                self._pass_on(line, line.intake.silence(away_s - filled_s))
                self._gaps.append(Gap(line.number, line.lost_s, max(away_s, filled_s), "the connection was lost"))
                line.begin_anew(start.encoding, start.rate_hz)

    def end(self, reason: str = "") -> None:
        """No more audio comes; the last sentences are still stored. With a reason the listeners are told."""
        with self._lock:
            if self.ended:
                return
            self._ended_at, self._end_reason = time.monotonic(), reason
        for line in self._channels:
            with line.lock:
                self._pass_on(line, line.intake.finish())
                line.buffer.end()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether the last sentence was handed to the store within the time."""
        return self._over_now.wait(timeout_s)

    def consider(self) -> None:
        """What is due from time to time: new wishes for the recogniser, gaps that are over, a recogniser that hangs."""
        if self._wishes() != self._asked:
            self._asked = self._wishes()
            for line in self._channels:
                line.buffer.pause()
        self._find_gaps(all_of_them=False)
        if len(self._gaps) > self._marked:
            self._work.do(self._mark_gaps)
        if self._ended_at is not None and time.monotonic() - self._ended_at > _GRACE_S:
            for listening in self._listening:
                if not listening.done():
                    listening.cancel()
                    log.warning(
                        "call %s: the recogniser did not finish in time; the second pass hears the rest", self.id
                    )

    def _pass_on(self, line: Line, pcm: bytes) -> None:
        if not pcm:
            return
        self.recording.write(line.number, pcm)
        line.buffer.patient = not self.start.partials and self._tools.crowd()
        line.buffer.put(pcm)

    async def _listen(self, line: Line, streams: Streams) -> None:
        """Follow what the recogniser hears on a channel, from stream to stream."""
        try:
            while await line.buffer.sound() and await self._follow(line, streams):
                pass
        except Exception:  # noqa: BLE001 - logged there
            self._failed()
        finally:
            self._work.do(self._channel_over)

    async def _follow(self, line: Line, streams: Streams) -> bool:
        """Whether there may be more to hear when one stream has ended."""
        line.buffer.go_on()
        wishes, origin_s = self._wishes(), line.buffer.position_s
        heard_s = origin_s
        endpointing = Endpointing(stop_history_ms=wishes.silence_ms, stop_history_eou_ms=wishes.silence_ms // 2)
        events = streams.listen(
            line.buffer.next, interim=wishes.partials, endpointing=endpointing, patience_s=_PATIENCE_S
        )
        try:
            async with contextlib.aclosing(events):
                async for event in events:
                    if isinstance(event, Partial):
                        self._partial(line.number, event.transcript)
                    else:
                        final = _moved(event, origin_s)
                        heard_s = final.end_s
                        self._work.do(partial(self._heard, line.number, final, time.monotonic()))
        except BackendError as error:
            log.warning("call %s: %s", self.id, error)
            if self.ended:
                return False
            # What it was sent and said nothing of; had it been silence for longer, it would have had nothing to say.
            lost_s = min(line.buffer.position_s - heard_s, _LONGEST_UTTERANCE_S)
            begins_s = line.buffer.position_s - lost_s
            self._gaps.append(Gap(line.number, begins_s, lost_s, "the recogniser was away for too long"))
            await asyncio.sleep(_AGAIN_S)
        return True

    def _failed(self) -> None:
        log.exception("call %s: it ends by a fault of ours", self.id)
        self.end("the gateway failed")

    def _channel_over(self) -> None:
        self._heard_out += 1
        if self._heard_out < len(self._channels):
            return
        try:
            self._find_gaps(all_of_them=True)
            self._mark_gaps()
            self.end(self._end_reason)
            self._finish()
        finally:
            self._over_now.set()

    def _partial(self, channel: int, text: str) -> None:
        if not self._wishes().partials:
            self.partials_dropped += 1
            return
        for listener in tuple(self.listeners):
            listener.partial(channel, text)

    def _heard(self, channel: int, final: Final, heard_at: float) -> None:
        said = analyse.spoken(final, channel)
        if not said:
            return
        plain = [
            Sentence(
                call_id=self.id,
                index=self._index + number,
                channel=channel,
                speaker=self.call.speakers[channel - 1],
                text=one.text,
                start_s=one.start_s,
                end_s=one.end_s,
                words=one.words,
                recogniser=final.model,
            )
            for number, one in enumerate(said)
        ]
        self._index += len(plain)
        labelled = self._tools.labeller.label(plain)
        labelled_at = time.monotonic()
        clocks_then = BothClocks.now()  # one look for all moments of a sentence: the wall clock may jump between them
        # The speaker fell silent at the end of the utterance, also for the sentences inside it.
        spoken_at = self._channels[channel - 1].buffer.arrived(final.end_s) or heard_at
        self.lag_s, self.lag_at = heard_at - spoken_at, heard_at
        self.late += len(labelled) if self.lag_s > LATE_S else 0
        clocks = [
            SentenceClock(
                self.id,
                sentence.index,
                spoken_at=clocks_then.wall(spoken_at),
                heard_at=clocks_then.wall(heard_at),
                labelled_at=clocks_then.wall(labelled_at),
            )
            for sentence in labelled
        ]
        self._store(labelled, clocks, clocks_then)

    def _store(
        self,
        sentences: Sequence[Sentence],
        clocks: Sequence[SentenceClock] = (),
        clocks_then: BothClocks | None = None,
    ) -> None:
        # A sentence must not survive a kill that its audio does not.
        self.recording.write_out(max(sentence.end_s for sentence in sentences))
        for sentence in sentences:
            self.journal.add(sentence)
        self._tools.writer.put(Append(self.id, tuple(sentences), tuple(clocks), self._stored, clocks_then))

    def _stored(self, sentences: Sequence[Sentence], at: datetime) -> None:
        for sentence in sentences:
            for listener in tuple(self.listeners):
                listener.sentence(sentence)

    def _find_gaps(self, *, all_of_them: bool) -> None:
        for line in self._channels:
            with line.lock:
                self._gaps += line.new_gaps(all_of_them=all_of_them)

    def _mark_gaps(self) -> None:
        """Put the gaps that are over into the transcript."""
        new, self._marked = self._gaps[self._marked :], len(self._gaps)
        marks = [mark(gap, self.call, self._index) for gap in new if is_marked(gap)]
        for sentence in marks:
            self._store([replace(sentence, index=self._index)])
            self._index += 1

    def _finish(self) -> None:
        try:
            self.recording.close()
        except OSError as error:
            log.error("call %s: the end of its audio cannot be written: %s", self.id, error.strerror or error)
        counts = self.counts
        told: dict[str, Any] = {
            "late": self.late or "",
            "missing_s": f"{sum(gap.length_s for gap in self._gaps):.1f}" if self._gaps else "",
            "gaps": "; ".join(f"{gap.channel}: {gap.start_s:.1f}-{gap.end_s:.1f} {gap.reason}" for gap in self.gaps),
            "frames_lost": sum(one.missing for one in counts) or "",
            "frames_malformed": sum(one.malformed for one in counts) or "",
            "frames_duplicate": sum(one.duplicates for one in counts) or "",
            "ended": self._end_reason,
        }
        told = {name: str(value)[:500] for name, value in told.items() if value}
        self.call = replace(self.call, attributes={**self.call.attributes, **told}, duration_s=self.duration_s)
        described = replace(self.journal.described, call=self.call, state="ended", gaps=self.gaps[:1000])
        try:
            self.journal.describe(described)
        except OSError as error:
            log.error("call %s: its journal cannot be written: %s", self.id, error.strerror or error)
        self._tools.writer.put(Finish(self.id, self.duration_s, told, self._over))

    def _over(self) -> None:
        """All that was said is stored."""
        self._on_end(self)
        for listener in tuple(self.listeners):
            listener.ended(self._end_reason)

    def _wishes(self) -> Wishes:
        return self._tools.wishes(self.start.partials)


def _moved(final: Final, by_s: float) -> Final:
    """The utterance with its times moved: a later stream of a channel counts from its own start."""
    if not by_s:
        return final
    words = tuple(replace(word, start_s=word.start_s + by_s, end_s=word.end_s + by_s) for word in final.words)
    return replace(final, words=words, start_s=final.start_s + by_s, end_s=final.end_s + by_s)
