"""One live stream: chunks of audio in, interim and final results out, a final as soon as its speech is over.

Reading and recognising run side by side. A final always comes before a guess; guesses are made only while the
recogniser has nothing else to do, and those of all streams together take a quarter of its time at most. When the
speaker pauses, the segment is recognised at once: if the pause turns out to be the end, the final is already there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from pipeline.server.endpointing import Listener, Segment
from pipeline.server.heard import Heard
from pipeline.server.listening import RATE_HZ, AudioReader
from pipeline.server.online import Moonshine, estimated_words
from pipeline.server.wav import Samples
from pipeline.server.work import Slot

_BEHIND = 3  # segments that may wait; then the client's next audio waits in its own connection
_BLOCK = 5 * RATE_HZ  # samples that are listened to at once
_PACE_S = 0.6  # least time between two guesses of a stream
_REST = 3.0  # ... and of all, in terms of what the last one took
_LONGEST_GUESS_S = 2.0
_SHORTEST_S = 0.5  # speech that is worth a guess


@dataclass(frozen=True)
class Result:
    """What the stream has heard; ``stability`` (0..1) says how far a guess is to be trusted, 1 in a pause."""

    heard: Heard
    final: bool
    stability: float = 0.0


class Guesses:
    """How much of a recogniser's time the guesses of all its streams take: a quarter, since finals wait for them."""

    def __init__(self) -> None:
        self._next_at = 0.0

    @property
    def due(self) -> bool:
        """Whether there is time for one."""
        return time.monotonic() >= self._next_at

    def begun(self) -> None:
        """Nobody else guesses until this one is `done`, which may never come where its client has gone."""
        self._next_at = time.monotonic() + _LONGEST_GUESS_S

    def done(self, took_s: float) -> None:
        """One took so long."""
        self._next_at = time.monotonic() + _REST * took_s


class Stream:
    """The state of one stream; `results` may be read once."""

    def __init__(
        self,
        engine: Moonshine,
        reader: AudioReader,
        listener: Listener,
        *,
        decoding: Slot,
        hearing: Slot,
        guesses: Guesses,
        interim: bool,
    ) -> None:
        """``decoding`` is the stream's place at the recogniser, ``hearing`` its place where audio is made ready.

        ``guesses`` are those of all streams of the recogniser.
        """
        self._engine, self._reader, self._listener = engine, reader, listener
        self._decoding, self._hearing = decoding, hearing
        self._guesses, self._interim = guesses, interim
        self._segments: deque[Segment] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._pause: tuple[float, float, str] | None = None  # start, end and text of the speech before the last pause
        self._guess = ""
        self._guessed_at = 0.0

    async def results(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[Result]:
        """Results until the chunks end. Raises Refusal for audio that cannot be read, after what came before it."""
        reading = asyncio.ensure_future(self._read(chunks))
        try:
            while True:
                self._changed.clear()
                if self._segments:
                    result = await self._final(self._segments.popleft())
                    self._room.set()
                elif reading.done():
                    reading.result()
                    return
                else:
                    result = await self._try_guess()
                    if result is None:
                        await self._changed.wait()
                if result is not None:
                    yield result
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await reading
            self._reader.close()

    async def _read(self, chunks: AsyncIterator[bytes]) -> None:
        try:
            async for chunk in chunks:
                await self._hear(await self._hearing.run(self._reader.feed, chunk))
            await self._hear(await self._hearing.run(self._reader.finish))
            self._segments += await self._hearing.run(self._listener.finish)
        finally:
            self._changed.set()

    async def _hear(self, samples: Samples) -> None:
        for start in range(0, len(samples), _BLOCK):
            while len(self._segments) >= _BEHIND:
                self._room.clear()
                await self._room.wait()
            self._segments += await self._hearing.run(self._listener.feed, samples[start : start + _BLOCK])
            self._changed.set()

    async def _final(self, segment: Segment) -> Result | None:
        if self._pause is not None and self._pause[:2] == (segment.start_s, segment.end_s):
            text = self._pause[2]
        else:
            text = await self._decoding.run(self._engine.recognise, segment.samples)
        self._pause, self._guess = None, ""
        return self._result(text, segment, final=True) if text else None

    async def _try_guess(self) -> Result | None:
        """A guess at the speech going on; None when there is none, it is too soon, or the recogniser is busy."""
        if not self._decoding.idle:
            return None
        pause = self._listener.moment.paused
        if pause is not None:
            return await self._at_pause(pause)
        if not self._interim or not self._guesses.due or time.monotonic() - self._guessed_at < _PACE_S:
            return None
        speech = self._listener.moment.running
        if speech is None or speech.end_s - speech.start_s < _SHORTEST_S:
            return None
        self._guessed_at = time.monotonic()
        self._guesses.begun()
        text = await self._decoding.run(self._engine.recognise, speech.samples)
        self._guesses.done(time.monotonic() - self._guessed_at)
        stability = _agreement(self._guess, text)
        self._guess = text
        # Speech that ended meanwhile has its final coming; the guess at it would only flicker.
        if self._segments or not text:
            return None
        return self._result(text, speech, final=False, stability=stability)

    async def _at_pause(self, pause: Segment) -> Result | None:
        if self._pause is not None and self._pause[:2] == (pause.start_s, pause.end_s):
            return None
        text = await self._decoding.run(self._engine.recognise, pause.samples)
        self._pause, self._guess = (pause.start_s, pause.end_s, text), text
        if not self._interim or self._segments or not text:
            return None
        return self._result(text, pause, final=False, stability=1.0)

    def _result(self, text: str, segment: Segment, *, final: bool, stability: float = 0.0) -> Result:
        words = estimated_words(text, segment.start_s, segment.end_s) if final else ()
        return Result(Heard(text, segment.end_s, words=words), final, stability)


def _agreement(before: str, now: str) -> float:
    """0.1 .. 0.9: the share of the words that begin both guesses alike."""
    old, new = before.split(), now.split()
    same = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        same += 1
    return 0.1 + 0.8 * (same / len(new) if new else 0.0)
