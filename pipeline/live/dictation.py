"""One utterance on its way through the recogniser, in a stream and a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.asr import Endpointing, Expected, Final, Partial, Recogniser
from pipeline.errors import OvertoneError
from pipeline.live.turn_taking import DECODE_MS, LONGEST_MS

PATIENCE_S = 4.0  # for a recogniser that is away; a person in a conversation has no more

# The gateway decides when an utterance is over and then ends the stream; the server must not be quicker.
_ENDPOINTING = Endpointing(stop_history_ms=LONGEST_MS + 300, stop_history_eou_ms=DECODE_MS)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Transcribed:
    """The recogniser is done with an utterance: all of its text, or the error that ended it."""

    text: str
    model: str
    error: OvertoneError | None = None


class Dictation:
    """Sound goes in, partials and one ``Transcribed`` come out in the event loop that made it."""

    def __init__(
        self,
        recogniser: Recogniser,
        hear: Callable[[Dictation, Partial | Transcribed], None],
        expected: Sequence[Expected] = (),
    ) -> None:
        """Opens the stream; ``hear`` is called in the running loop, with this dictation and what it gave."""
        self._recogniser, self._hear, self._expected = recogniser, hear, expected
        self._loop = asyncio.get_running_loop()
        self._sound: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._ended = False
        self._dropped = False
        self.sent_s = 0.0
        threading.Thread(target=self._run, name="dictation", daemon=True).start()

    def add(self, pcm: bytes) -> None:
        """More sound: 16-bit mono at 16 kHz."""
        if pcm and not self._ended:
            self._sound.put(pcm)
            self.sent_s += len(pcm) / 32_000

    def end(self) -> None:
        """No more sound comes: the recogniser finishes."""
        if not self._ended:
            self._ended = True
            self._sound.put(b"")

    def drop(self) -> None:
        """Nobody wants to know any more."""
        self._dropped = True
        self.end()

    def _run(self) -> None:
        texts: list[str] = []
        model = ""
        error: OvertoneError | None = None
        stream = self._recogniser.stream(
            self._chunks(), endpointing=_ENDPOINTING, expected=self._expected, patience_s=PATIENCE_S
        )
        try:
            for event in stream:
                if self._dropped:
                    return
                if isinstance(event, Final):
                    texts.append(event.transcript)
                    model = event.model
                    event = Partial(" ".join(texts), 0.0)
                else:
                    event = Partial(" ".join((*texts, event.transcript)).strip(), event.stability, event.end_s)
                self._tell(event)
        except OvertoneError as failure:
            log.warning("an utterance was lost: %s", failure)
            error = failure
        except Exception as failure:
            log.exception("an utterance was lost")
            error = OvertoneError(str(failure))
        self._tell(Transcribed(" ".join(texts), model, error))

    def _chunks(self) -> Iterator[bytes]:
        while chunk := self._sound.get():
            yield chunk

    def _tell(self, event: Partial | Transcribed) -> None:
        try:
            self._loop.call_soon_threadsafe(self._hear, self, event)
        except RuntimeError:  # the loop has ended, and with it everybody who would listen
            self._dropped = True
