"""One utterance of a person while it goes on: its sound at the recogniser, its pauses, and a guess at the answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from pipeline.asr import Expected, Partial
from pipeline.assistant import Draft
from pipeline.live.dictation import Dictation
from pipeline.live.ear import Frame
from pipeline.live.turn_taking import USUAL_MS, wait_ms
from pipeline.live.voicing import Voicing

_SAME_PAUSE_S = 0.4  # between where we and the server heard the speech end: it keeps 0.2 s of the pause


@dataclass
class Guess:
    """The answer worked out ahead, in case ``text`` is all that the person wanted to say."""

    text: str
    draft: Draft | None = None
    voicing: Voicing | None = None  # of the answer's first sentence
    task: asyncio.Task[None] | None = None
    dropped: bool = False

    @property
    def answered(self) -> bool:
        """Whether something was found out for the person, with nothing left to ask."""
        draft = self.draft
        return draft is not None and bool(draft.exchange.performed) and not draft.exchange.error

    def drop(self) -> None:
        """The person went on: nothing of it is said."""
        self.dropped = True
        if self.voicing is not None:
            self.voicing.drop()


@dataclass
class Utterance:
    """What one person says without a long pause. Times ``_at`` are monotonic seconds."""

    dictation: Dictation
    expected: tuple[Expected, ...] = ()  # phrases, when it began
    before: str = ""  # what was said just before, and taken to be finished too early
    sound: bytearray = field(default_factory=bytearray)  # 16-bit mono at 16 kHz, as the dictation gets it
    began_at: float = field(default_factory=time.monotonic)
    ended_at: float = field(default_factory=time.monotonic)  # when the last voiced frame came
    ended_s: float = 0.0  # where that is in the dictation's sound
    paused_at: float | None = None  # since when it has been quiet enough for a first decode
    text: str | None = None  # of all that was said up to this pause; None: not known yet
    text_at: float = 0.0
    guess: Guess | None = None
    finishing: bool = False  # the sound has ended, and the recogniser is asked for its last word

    def add(self, frame: Frame, pcm: bytes) -> None:
        """More sound: ``pcm`` is ``frame`` and, for the first one, what came before it."""
        self.dictation.add(pcm)
        self.sound += pcm
        if not frame.quiet_s:
            self.ended_at, self.ended_s = time.monotonic(), self.dictation.sent_s
        if frame.paused:
            self.paused_at = time.monotonic()

    def resume(self) -> None:
        """The person goes on after a pause: what was decoded and guessed in it is out of date."""
        self.paused_at, self.text = None, None
        self.drop_guess()

    def drop_guess(self) -> None:
        """Nothing of the guess is wanted any more."""
        if self.guess is not None:
            self.guess.drop()
            self.guess = None

    def decoded(self, partial: Partial) -> bool:
        """Whether ``partial`` is the first decode of this very pause; its text is then ``text``."""
        if self.paused_at is None or partial.stability < 1 or not partial.transcript:
            return False
        if partial.end_s is not None and abs(partial.end_s - self.ended_s) > _SAME_PAUSE_S:
            return False
        self.text, self.text_at = self.whole(partial.transcript), time.monotonic()
        return True

    def whole(self, transcript: str) -> str:
        """``transcript`` with what was said before it."""
        return f"{self.before} {transcript}".strip()

    def over(self, quiet_s: float) -> bool:
        """Whether the silence so far is long enough for what was said."""
        if self.text is None:
            return 1000 * quiet_s >= USUAL_MS
        return 1000 * quiet_s >= wait_ms(self.text, answered=self.guess is not None and self.guess.answered)

    def drop(self) -> None:
        """Nobody wants to know what was said."""
        self.dictation.drop()
        self.drop_guess()
