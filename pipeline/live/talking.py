"""A spoken conversation with the assistant: sound and words in, events out.

While the person speaks, the sound goes to the recogniser. At the first 200 ms of silence it gives its opinion, and the
answer to that is worked out and its first sentence synthesised, on a guess. When the silence has lasted long enough
for what was said (turn_taking.py), the guess is taken; when the person goes on, it is dropped. Speech during an answer
stops it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any, Literal

from pipeline.asr import Partial
from pipeline.assistant import Draft, Talk
from pipeline.calls import Turn
from pipeline.errors import BackendError, OvertoneError
from pipeline.live import events
from pipeline.live.dictation import Dictation, Transcribed
from pipeline.live.ear import ONSET_S, Ear, Frame
from pipeline.live.events import Latency
from pipeline.live.means import Means, Run
from pipeline.live.phrasing import pieces_of
from pipeline.live.playing import Outbox
from pipeline.live.speaking import Given, Mouth, latency
from pipeline.live.utterance import Guess, Utterance
from pipeline.voice import FRAME_S

Mode = Literal["open", "push"]

LONGEST_S = 60.0  # of one utterance; then it is taken as it is
MOST_WAITING = 4  # typed texts that wait for their turn
_TICK_S = 0.1
_LOST_S = 1.0  # without any sound from an open microphone: it was switched off
_ECHO = 0.25  # of the level of what we play: what comes back on a line without echo cancellation is at least 12 dB less
_SURE_FRAMES = round(ONSET_S / FRAME_S)

_NO_RECOGNITION = "Speech recognition does not work right now. You can type what you want to say."
_FAULT = "Something went wrong here. Please try that again."

log = logging.getLogger(__name__)


class SpokenConversation:
    """One conversation; all methods belong to the event loop that made it. Use it as an async context manager."""

    def __init__(
        self,
        talk: Talk,
        means: Means,
        *,
        run: Run = asyncio.to_thread,
        mode: Mode = "open",
        aloud: bool = True,
        phone: bool = False,
    ) -> None:
        """``aloud`` False: answers in writing only; ``phone``: our own voice may come back as an echo."""
        self._talk, self._means, self._run = talk, means, run
        self._mode, self._aloud, self._phone = mode, aloud, phone
        self._ear = Ear(means.vad)
        self._outbox = Outbox()
        self._mouth = Mouth(self._outbox, means.speaker, means.voice, self._timed)
        self._utterance: Utterance | None = None
        self._leaving: list[Utterance] = []  # whose last word is awaited
        self._turns = asyncio.Lock()  # a Talk does one thing at a time
        self._answering = 0
        self._generation = 0  # of answers; one that is no longer the latest is not spoken
        self._tasks: set[asyncio.Task[None]] = set()
        self._waits = talk.waits
        self._model = ""  # of the recogniser, once it is known
        self._loud_frames = 0
        self._sound_at = 0.0  # when sound last came in
        self._idle_since = self._state_since = time.monotonic()
        self._closed = False

    @property
    def id(self) -> str:
        """The conversation's id in the archive."""
        return self._talk.id

    def events(self) -> AsyncIterator[events.Event]:
        """What happens, up to and with ``Ended``; may be read once."""
        return self._outbox.events()

    async def __aenter__(self) -> SpokenConversation:
        self._answered(self._talk.opening, None, None, self._generation)
        self._start(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the conversation wherever it is; again does nothing."""
        if self._closed:
            return
        self._closed = True
        for utterance in (*self._leaving, *filter(None, [self._utterance])):
            utterance.drop()
        self._utterance = None
        self._mouth.stop()
        async with self._turns:  # what a turn does in a thread cannot be broken off; the other tasks end by themselves
            await self._run(self._talk.close)
        self._outbox.put(events.Ended())

    # --- what comes in ---

    def hear(self, pcm: bytes) -> None:
        """Sound of the person: 16-bit little-endian mono at 16 kHz, in pieces of any length, at the pace of time."""
        self._sound_at = time.monotonic()
        for frame in self._ear.hear(pcm):
            if not self._closed:
                self._hear(frame)

    def push(self, *, on: bool) -> None:
        """The person presses or lets go of the button to talk."""
        if on:
            self.interrupt()
            self._discard()
            self._open(self._ear.preroll)
        elif self._utterance is not None:
            self._finish(self._utterance)

    def type(self, text: str) -> None:
        """The person typed something, or pressed keys of a telephone."""
        if self._answering >= MOST_WAITING:
            self._outbox.put(events.Failed("One thing at a time, please: your last messages are still being answered."))
            return
        self.interrupt()
        self._discard()
        now = time.monotonic()
        self._start(self._answer(Given(text, now, now), None))

    def interrupt(self) -> None:
        """Stops the answer that is being given, if any."""
        self._generation += 1
        self._mouth.stop()
        self._idle_since = time.monotonic()

    def played(self) -> None:
        """The other end says that it has played all it was sent."""
        self._mouth.played()

    def set_mode(self, mode: Mode) -> None:
        """Whether the microphone is always open or the person presses a button to talk."""
        self._mode = mode

    def set_aloud(self, *, aloud: bool) -> None:
        """Whether answers are spoken; an answer that is being given is not changed."""
        self._aloud = aloud

    # --- listening ---

    def _hear(self, frame: Frame) -> None:
        utterance = self._utterance
        if self._mode == "push":
            if utterance is not None:
                utterance.add(frame, frame.pcm)
            return
        self._loud_frames = self._loud_frames + 1 if self._is_theirs(frame) else 0
        if utterance is None:
            if self._ear.speaking and self._loud_frames >= _SURE_FRAMES:
                self.interrupt()
                self._open(self._ear.preroll[: -len(frame.pcm)])
                assert self._utterance is not None
                self._utterance.add(frame, frame.pcm)
            return
        if frame.began and utterance.paused_at is not None:
            utterance.resume()
            self._outbox.put(events.Speech(True))
        utterance.add(frame, frame.pcm)
        if frame.paused:
            self._outbox.put(events.Speech(False))
        if utterance.paused_at is not None:
            self._decide(utterance, frame.quiet_s)
        elif utterance.dictation.sent_s > LONGEST_S:
            self._finish(utterance)

    def _is_theirs(self, frame: Frame) -> bool:
        """Whether a voiced frame is the person's, and not our own voice coming back over a telephone line."""
        if frame.quiet_s:
            return False
        return not self._phone or frame.level >= _ECHO * self._mouth.loudest()

    def _open(self, before: bytes) -> None:
        expected = self._talk.expects
        self._utterance = Utterance(Dictation(self._means.recogniser, self._dictated, expected), expected)
        self._utterance.dictation.add(before)
        self._utterance.sound += before
        self._outbox.put(events.Speech(True))
        if not self._model:
            self._start(self._name_model())

    def _dictated(self, dictation: Dictation, event: Partial | Transcribed) -> None:
        if self._closed:
            return
        if isinstance(event, Transcribed):
            self._transcribed(dictation, event)
            return
        utterance = self._utterance
        if utterance is None or utterance.dictation is not dictation:
            return
        self._outbox.put(events.Hearing(utterance.whole(event.transcript)))
        if self._mode == "open" and utterance.decoded(event):
            self._guess(utterance)
            self._decide(utterance, time.monotonic() - utterance.ended_at)

    def _decide(self, utterance: Utterance, quiet_s: float) -> None:
        """Takes the utterance as finished if the silence is long enough for it."""
        if utterance.finishing or not utterance.over(quiet_s):
            return
        if utterance.text is None:
            self._finish(utterance)
            return
        utterance.dictation.drop()
        self._utterance = None
        self._take(utterance, utterance.text)

    def _finish(self, utterance: Utterance) -> None:
        """No more sound: the recogniser's last word decides."""
        utterance.finishing = True
        utterance.paused_at = utterance.paused_at or time.monotonic()
        utterance.dictation.end()
        self._leaving.append(utterance)
        self._utterance = None
        if self._mode == "push":
            self._outbox.put(events.Speech(False))

    def _transcribed(self, dictation: Dictation, event: Transcribed) -> None:
        self._model = event.model or self._model
        leaving = [one for one in self._leaving if one.dictation is dictation]
        utterance = self._utterance
        if leaving:
            self._leaving.remove(leaving[0])
            found = leaving[0]
        elif utterance is not None and utterance.dictation is dictation:  # the server ended it
            found, self._utterance = utterance, None
        else:
            return
        if event.error is not None:
            found.drop_guess()
            self._outbox.put(events.Failed(_NO_RECOGNITION))
            return
        text = found.whole(event.text.strip())
        found.text_at = time.monotonic()
        if self._utterance is not None:  # they went on before their last word was known: it was not the last
            found.drop_guess()
            self._utterance.before = text
        elif text:
            self._take(found, text)
        else:
            found.drop_guess()
            if self._mode == "push":
                self._outbox.put(events.Understood(""))

    def _take(self, utterance: Utterance, text: str) -> None:
        now = time.monotonic()
        paused_at = utterance.paused_at or now
        recognise_ms = 1000 * max(0.0, utterance.text_at - paused_at)
        self._outbox.put(events.Understood(text))
        guess, utterance.guess = utterance.guess, None
        if guess is not None and guess.text != text:
            guess.drop()
            guess = None
        if guess is None:  # as with the button to talk, or where the last word came without a pause
            guess = Guess(text)
            guess.task = self._start(self._consider(guess, utterance))
        self._start(self._answer(Given(text, utterance.ended_at, now, recognise_ms), guess))

    def _discard(self) -> None:
        """Forgets what is being said."""
        if self._utterance is not None:
            self._utterance.drop()
            self._utterance = None

    async def _name_model(self) -> None:
        with suppress(BackendError):
            self._model = await self._run(lambda: self._means.recogniser.live_identity)

    # --- answering ---

    def _guess(self, utterance: Utterance) -> None:
        assert utterance.text is not None
        if utterance.guess is not None and utterance.guess.text == utterance.text:
            return
        utterance.drop_guess()
        guess = utterance.guess = Guess(utterance.text)
        guess.task = self._start(self._consider(guess, utterance))

    async def _consider(self, guess: Guess, utterance: Utterance) -> None:
        async with self._turns:
            if guess.dropped or self._closed:
                return
            try:
                again = self._again(utterance)
                guess.draft = await self._run(self._talk.consider, guess.text, again)
            except OvertoneError as error:
                log.warning("no guess at an answer: %s", error)
                return
        pieces = pieces_of(guess.draft.replies)
        if pieces and self._aloud and not guess.dropped:
            guess.voicing = self._mouth.prepare(pieces[0])
        if utterance is self._utterance and utterance.paused_at is not None:
            self._decide(utterance, time.monotonic() - utterance.ended_at)

    def _again(self, utterance: Utterance) -> Callable[[], Sequence[str]] | None:
        """What hears the utterance again; None where that would be of its second half alone, or is too much to ask."""
        if utterance.before:
            return None
        return self._means.rereader.of(bytes(utterance.sound), utterance.expected)

    async def _answer(self, given: Given, guess: Guess | None) -> None:
        generation = self._generation
        self._answering += 1
        try:
            if guess is not None and guess.task is not None:
                await guess.task
            async with self._turns:
                if self._closed:
                    return
                turn = await self._run(self._said, given, guess)
            self._answered(turn, given, guess, generation)
        except Exception as error:
            log.exception("a turn failed")
            self._outbox.put(events.Failed(str(error) if isinstance(error, OvertoneError) else _FAULT))
        finally:
            self._answering -= 1

    def _said(self, given: Given, guess: Guess | None) -> Turn:
        """In a thread: the turn, from the guess where it still fits."""
        timings: dict[str, float] = {}
        if given.recognise_ms is not None:
            timings = {"wait_ms": 1000 * (given.decided_at - given.ended_at), "recognise_ms": given.recognise_ms}
        recogniser = "" if given.recognise_ms is None else self._model
        draft: Draft | None = guess.draft if guess is not None else None
        if draft is not None:
            if draft.heard.again:
                recogniser = self._means.rereader.model
            with suppress(ValueError):  # another turn came between
                return self._talk.commit(draft, recogniser=recogniser, timings_ms=timings)
        return self._talk.say(given.text, recogniser=recogniser and self._model, timings_ms=timings)

    def _answered(self, turn: Turn, given: Given | None, guess: Guess | None, generation: int) -> None:
        """Tells of a turn and says its answer, unless the person has spoken meanwhile."""
        self._waits = self._talk.waits
        self._idle_since = self._state_since = time.monotonic()
        self._outbox.put(events.Answered(turn))
        voicing = guess.voicing if guess is not None else None
        if generation != self._generation or self._closed:
            if voicing is not None:
                voicing.drop()
            return
        pieces = pieces_of(turn.replies)
        if not self._aloud or not pieces:
            if given is not None:
                self._timed(latency(turn, given, None))
            if self._talk.ended:
                self._start(self.close())
            return
        if voicing is None or voicing.text != pieces[0]:
            if voicing is not None:
                voicing.drop()
            voicing = self._mouth.prepare(pieces[0])
        saying = self._mouth.say(turn, pieces, voicing, given)
        if self._talk.ended:
            self._start(self._close_after(saying))

    def _timed(self, latency: Latency) -> None:
        """Tells where a turn's time went, and archives it."""
        self._outbox.put(latency)
        self._start(self._keep(latency))

    async def _keep(self, latency: Latency) -> None:
        async with self._turns:
            await self._run(self._talk.timed, latency.turn, latency.stages)

    async def _close_after(self, saying: asyncio.Task[None]) -> None:
        """Ends the conversation when its last words have been heard; somebody who breaks them off goes on with it."""
        generation = self._generation
        await asyncio.wait({saying})
        await asyncio.sleep(self._mouth.heard_for_s)
        if generation == self._generation:
            await self.close()

    # --- time ---

    async def _tick(self) -> None:
        """Watches over silences: of a microphone that was switched off, of a person, of the whole state."""
        while not self._closed:
            await asyncio.sleep(_TICK_S)
            now = time.monotonic()
            utterance = self._utterance
            if utterance is not None:
                if self._mode == "open" and now - self._sound_at > _LOST_S:
                    self._finish(utterance)
                continue
            busy = self._answering or self._leaving or self._mouth.busy
            if busy or self._mouth.heard_for_s > 0:
                self._idle_since = now
                continue
            listening = self._mode == "open" and now - self._sound_at < _LOST_S
            silent_s, time_out_s = self._waits.no_input_s, self._waits.time_out_s
            if time_out_s is not None and now - max(self._state_since, self._idle_since) >= time_out_s:
                await self._prompt(self._talk.timed_out)
            elif listening and silent_s is not None and now - self._idle_since >= silent_s:
                await self._prompt(self._talk.silence)

    async def _prompt(self, ask: Callable[[], Turn | None]) -> None:
        generation = self._generation
        try:
            async with self._turns:
                turn = None if self._closed else await self._run(ask)
        except OvertoneError as error:
            log.warning("a silence could not be answered: %s", error)
            turn = None
        self._idle_since = self._state_since = time.monotonic()
        if turn is not None:
            self._answered(turn, None, None, generation)

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
