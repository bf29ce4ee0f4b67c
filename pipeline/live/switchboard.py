"""All live calls of one gateway: who may begin, who goes on, what is asked of the recogniser, and what is left to do.

Overload is met in this order: what is being said is no longer guessed at, then utterances get longer, so that there
are fewer of them to recognise. Sentences are never given up: they come late.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.backends import Backends
from pipeline.calls import Call, Sentence
from pipeline.errors import BackendError, InputError
from pipeline.live import journal as journals
from pipeline.live.calls import Listener, LiveCall, Start, Tools, Wishes
from pipeline.live.hearing import Hearing
from pipeline.live.journal import Described, Journal
from pipeline.live.labelling import Labeller
from pipeline.live.pcm import RATE_HZ
from pipeline.live.recording import Recording, repaired
from pipeline.live.scribe import Scribe
from pipeline.live.second_pass import SecondPass
from pipeline.live.suggesting import Suggester
from pipeline.live.writer import Append, Begin, Finish, StoreWriter, Writer
from pipeline.settings import Settings

_TICK_S = 0.5
_RECENT_S = 15.0  # a call's lag counts for so long after its last sentence
_BUSY_S, _OVERLOADED_S, _CALM_S = 2.0, 4.0, 1.0  # of lag
_STEADY_S = 10.0  # of calm before more is asked for again
_LONG_SILENCE_MS = 1000  # that ends an utterance when there is too much to do
_MOST_WATCHED = 50  # calls at once; beyond, nobody can follow so much unfinished text, and it costs the recogniser
_ABANDONED = timedelta(hours=24)  # a call that somebody else's gateway left in the store

log = logging.getLogger(__name__)


class Busy(InputError):  # noqa: N818  as in errors.py: the name says what is the case
    """No more calls are taken at the moment."""


class Switchboard:
    """The calls that go on, by the phone systems' ids. Thread-safe; close it to end them all."""

    def __init__(
        self,
        settings: Settings,
        backends: Backends,
        *,
        recover: bool = True,
        second_pass: bool | None = None,
        suggester: Suggester | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        writer: StoreWriter | None = None,
    ) -> None:
        """``recover``: finish what a killed gateway left. ``second_pass`` None: as the settings say.

        ``suggester`` hears what is said on all calls; it is closed by whoever opened it. ``loop`` is as `Hearing` has
        it. ``writer`` is closed with this; None: one in a thread of this process.
        """
        self._settings = settings
        self._suggester = suggester
        self._second_pass_wanted = settings.live_second_pass if second_pass is None else second_pass
        self._calls: dict[str, LiveCall] = {}
        self._lock = threading.RLock()  # held for moments: the event loop takes it too
        self._opening = threading.Lock()  # held while a call's files are made
        self._watchers: list[Callable[[dict[str, Any]], None]] = []
        self._load = 0  # 0 as it should be, 1 no partials, 2 longer utterances
        self._calm_since = 0.0
        self._lag_s = 0.0
        self._late = self._dropped = 0  # of calls that have ended
        self._closing = threading.Event()
        understander = backends.understander if settings.live_intents else None
        self._labeller = Labeller(backends.classifier, understander)
        self._store = backends.store
        self._writer = writer or Writer(backends.store)
        self._scribe = Scribe()
        self._hearing = Hearing(backends.recogniser, loop)
        self._tools = Tools(
            self._hearing,
            self._labeller,
            self._writer,
            self._wishes,
            lambda: len(self._calls) > _MOST_WATCHED,
            settings.live_buffer_s,
            settings.live_pace,
        )
        self._later = SecondPass(
            backends.store,
            backends.services,
            self._labeller,
            settings.audio_folder,
            keep_audio=settings.keep_audio,
            live_calls=lambda: len(self._calls),
        )
        if recover:
            self._recover()
        self._clock = threading.Thread(target=self._tick, name="switchboard", daemon=True)
        self._clock.start()

    def open(self, start: Start, listener: Listener, *, source: str = "") -> LiveCall:
        """The call that ``start`` begins or resumes, with ``listener`` told of its sentences.

        Raises InputError where another call that is going on has that id, Busy where there are too many calls,
        BackendError where the home cannot be written.
        """
        start = cleaned(start)
        with self._opening:
            with self._lock:
                if self._closing.is_set():
                    raise Busy("the gateway is shutting down: call again in a moment")
                if known := self._known(start):
                    return self._resume(known, start, listener)
                if len(self._calls) >= self._settings.live_calls:
                    raise Busy(f"all {self._settings.live_calls} calls are taken (OVERTONE_LIVE_CALLS)")
            live = self._begin(start, source)
            live.listeners.append(_Watched(self, live))
            live.listeners.append(listener)
            with self._lock:
                self._calls[live.id] = live
            return live

    def leave(self, call: LiveCall, listener: Listener) -> None:
        """The connection of ``listener`` is gone: the call waits to be resumed, or ends where it cannot be."""
        with self._lock:
            if listener not in call.listeners:
                return  # another connection has taken its place
            call.listeners.remove(listener)
        if call.start.phone_id and self._settings.live_resume_s > 0:
            call.lose()
        else:
            call.end("the connection was lost")

    def watch(self, watcher: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Tell ``watcher`` what is being said on all calls; what is returned ends that.

        It gets {call_id, channel, text} from the calls' threads, with an empty text once that is final, and must not
        block.
        """
        with self._lock:
            self._watchers.append(watcher)

        def stop() -> None:
            with self._lock:
                self._watchers.remove(watcher)

        return stop

    def health(self) -> dict[str, Any]:
        """Figures for GET /health: calls, the worst lag of late, what was given up and what waits."""
        with self._lock:
            calls = list(self._calls.values())
        return {
            "calls": sum(not call.ended for call in calls),
            "waiting_to_resume": sum(call.lost_at is not None and not call.ended for call in calls),
            "lag_s": round(self._lag_s, 2),
            "overload": ("none", "no partials", "longer segments")[self._load],
            "dropped_partials": self._dropped + sum(call.partials_dropped for call in calls),
            "late_sentences": self._late + sum(call.late for call in calls),
            "unstored": self._writer.waiting,
            "store_delay_s": round(self._writer.delay_s, 1),
            "second_passes": self._later.waiting,
        }

    def close(self) -> None:
        """End all calls, store what was said, and leave the second passes to the next gateway."""
        with self._opening, self._lock:
            self._closing.set()
            calls = list(self._calls.values())
        for call in calls:
            call.end("the gateway was stopped")
        deadline = time.monotonic() + 8.0
        for call in calls:
            call.wait(max(0.0, deadline - time.monotonic()))
        self._hearing.close()
        self._scribe.close()
        self._writer.close()
        self._later.close()
        self._labeller.close()
        self._clock.join(2.0)

    def drain(self, timeout_s: float) -> bool:
        """Whether all calls have ended and all second passes are done within the time."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not self._calls and not self._later.waiting and not self._writer.waiting:
                return True
            time.sleep(0.05)
        return False

    def _begin(self, start: Start, source: str) -> LiveCall:
        """A new call with its journal and its recording, that nobody knows yet."""
        started_at = datetime.now(UTC)
        seed = f"{start.protocol} {start.phone_id} {started_at.isoformat()} {source}"
        call = Call(
            id=hashlib.sha256(seed.encode()).hexdigest()[:16],
            source=start.source or start.protocol,
            started_at=started_at,
            duration_s=0.0,
            speakers=start.speakers,
            agent=start.agent,
            customer=start.customer,
            status="live",
            attributes={
                **start.attributes,
                **({"phone_call_id": start.phone_id} if start.phone_id else {}),
                **({"protocol": start.protocol} if start.protocol != "replay" else {}),
            },
        )
        described = Described(call, start.protocol, start.phone_id, second_pass=self._second_pass_wanted)
        journal = journals.begin(self._settings.home / "live" / call.id, described)
        try:
            recording = Recording(self._settings.audio_folder / call.id, len(call.speakers), self._scribe.due)
        except BackendError:
            journal.close(remove=True)
            raise
        return LiveCall(call, start, journal=journal, recording=recording, tools=self._tools, on_end=self._call_ended)

    def _known(self, start: Start) -> LiveCall | None:
        if not start.phone_id:
            return None
        same = (start.protocol, start.phone_id)
        return next(
            (
                call
                for call in self._calls.values()
                if (call.start.protocol, call.start.phone_id) == same and not call.ended
            ),
            None,
        )

    def _resume(self, call: LiveCall, start: Start, listener: Listener) -> LiveCall:
        if call.in_use:
            raise InputError(
                f"call {start.phone_id!r} is going on over another connection: end that one first, or give this call "
                "an id of its own"
            )
        if len(start.speakers) != len(call.call.speakers):
            raise InputError(
                f"call {start.phone_id!r} goes on with {len(start.speakers)} channels, and had "
                f"{len(call.call.speakers)}: give another id to another call"
            )
        gone, call.listeners[1:] = call.listeners[1:], [listener]
        for other in gone:
            other.ended("another connection has taken over this call")
        call.resume(start)
        return call

    def _call_ended(self, call: LiveCall) -> None:
        with self._lock:
            self._calls.pop(call.id, None)
            self._late += call.late
            self._dropped += call.partials_dropped
        self._later.put(call.journal)

    def _wishes(self, wanted: bool) -> Wishes:
        watched = bool(self._watchers) and len(self._calls) <= _MOST_WATCHED
        partials = (wanted or watched) and self._load == 0
        silence_ms = self._settings.live_silence_ms
        return Wishes(partials, max(silence_ms, _LONG_SILENCE_MS) if self._load == 2 else silence_ms)

    def _tick(self) -> None:
        while not self._closing.wait(_TICK_S):
            with self._lock:
                calls = list(self._calls.values())
            now = time.monotonic()
            for call in calls:
                if call.lost_at is not None and now - call.lost_at > self._settings.live_resume_s:
                    call.end("the connection was lost")
                elif max(call.duration_s, call.age_s) > 3600 * self._settings.live_longest_h:
                    call.end(f"it lasted {self._settings.live_longest_h:g} hours (OVERTONE_LIVE_LONGEST_H)")
            self._weigh(calls, now)
            for call in calls:
                call.consider()

    def _weigh(self, calls: list[LiveCall], now: float) -> None:
        """How far behind we are, and what is given up for it."""
        lags = [call.lag_s for call in calls if now - call.lag_at < _RECENT_S]
        self._lag_s = max([0.0, *lags, *(call.backlog_s for call in calls)])
        if self._lag_s > _CALM_S:
            self._calm_since = now
        level = 2 if self._lag_s > _OVERLOADED_S else 1 if self._lag_s > _BUSY_S else 0
        if level > self._load:
            log.warning("sentences come %.1f s late: %s", self._lag_s, ("", "no partials", "longer segments")[level])
            self._load = level
        elif self._load and now - self._calm_since > _STEADY_S:
            self._load, self._calm_since = self._load - 1, now

    def _recover(self) -> None:
        """Take up the calls that a killed gateway left, and the second passes that are still to be done."""
        ours = set()
        for journal in journals.left_behind(self._settings.home / "live"):
            ours.add(journal.described.call.id)
            if journal.described.state == "ended":
                self._complete(journal)
            else:
                self._revive(journal)
        try:
            for call in self._store.stale_calls(datetime.now(UTC) - timedelta(seconds=self._settings.live_resume_s)):
                old = call.started_at < datetime.now(UTC) - _ABANDONED
                folder = self._settings.home / "live" / call.id
                here = (self._settings.audio_folder / call.id).is_dir() and not folder.exists()
                if call.id not in ours and (here or old):
                    log.info("call %s was left live: it is finished now", call.id)
                    self._writer.put(Finish(call.id, call.duration_s, {"ended": "its gateway was gone"}))
        except BackendError as error:
            log.warning("calls that were left live stay so: %s", error)

    def _revive(self, journal: Journal) -> None:
        """Let the call go on as one whose connection is lost, or complete it where that is too long ago."""
        described = journal.described
        if not described.phone_id or time.time() - journal.touched_at > self._settings.live_resume_s + 60:
            self._complete(journal)
            return
        call = described.call
        recording = Recording(self._settings.audio_folder / call.id, len(call.speakers), self._scribe.due)
        start = Start(described.protocol, described.phone_id, call.speakers, "s16", RATE_HZ)
        live = LiveCall(
            call,
            start,
            journal=journal,
            recording=recording,
            tools=self._tools,
            on_end=self._call_ended,
            known=journal.sentences(),
            gaps=described.gaps,
        )
        live.listeners.append(_Watched(self, live))
        live.lose()
        self._calls[call.id] = live
        log.info("call %s was cut off by the end of a gateway: it waits to be resumed", call.id)

    def _complete(self, journal: Journal) -> None:
        described = journal.described
        call = described.call
        channels = repaired(self._settings.audio_folder / call.id)
        known = journal.sentences()
        # A kill costs the recording its last half second, and what was said in it may be known.
        ends = [*(channel.duration_s for channel in channels), *(sentence.end_s for sentence in known)]
        duration_s = max([call.duration_s, *ends])
        told = dict(call.attributes)
        if described.state == "live":
            told["ended"] = "its gateway was killed"
        journal.describe(replace(described, state="ended", call=replace(call, duration_s=duration_s, attributes=told)))
        if described.state == "live" or not self._is_complete(call.id):
            self._writer.put(Begin(call))
            if known:
                self._writer.put(Append(call.id, tuple(known)))
        self._writer.put(Finish(call.id, duration_s, told, lambda: self._later.put(journal)))

    def _is_complete(self, call_id: str) -> bool:
        try:
            return self._store.has(call_id)
        except BackendError:
            return False

    def tell_watchers(self, call: LiveCall, channel: int, text: str) -> None:
        """Pass on what is being said."""
        for watcher in tuple(self._watchers):
            watcher({"call_id": call.id, "channel": channel, "text": text})

    def understood(self, call: LiveCall, sentence: Sentence) -> None:
        """Pass on what was said: what is being said there is over, and the assistant may know an answer."""
        self.tell_watchers(call, sentence.channel, "")
        if self._suggester is not None:
            self._suggester.heard(call.call, sentence)

    def over(self, call: LiveCall) -> None:
        """Forget what was suggested on a call."""
        if self._suggester is not None:
            self._suggester.ended(call.id)


class _Watched:
    """The watchers and the suggester as a listener of one call."""

    def __init__(self, switchboard: Switchboard, call: LiveCall) -> None:
        self._switchboard, self._call = switchboard, call

    def sentence(self, sentence: Sentence) -> None:
        self._switchboard.understood(self._call, sentence)

    def partial(self, channel: int, text: str) -> None:
        self._switchboard.tell_watchers(self._call, channel, text)

    def ended(self, reason: str) -> None:
        self._switchboard.over(self._call)


def cleaned(start: Start) -> Start:
    """``start`` with texts that any database can hold: printable, and none of them a book."""
    return replace(
        start,
        phone_id=_text(start.phone_id, 200),
        source=_text(start.source, 200),
        agent=_text(start.agent or "", 200) or None,
        customer=_text(start.customer or "", 200) or None,
        attributes={
            _text(name, 100): text
            for name, value in list(start.attributes.items())[:50]
            if (text := _text(value, 500)) and _text(name, 100)
        },
    )


def _text(value: object, most: int) -> str:
    raw = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return "".join(c if c.isprintable() else " " for c in raw[:most]).strip()
