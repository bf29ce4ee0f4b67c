"""A sentence on its way to sound: synthesised ahead in a thread, taken piece by piece by whoever plays it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from pipeline.errors import BackendError, OvertoneError
from pipeline.tts import RATE_HZ, Speaker

PATIENCE_S = 2.0  # for a voice that is away; the words are on the screen meanwhile
PIECE_BYTES = RATE_HZ // 10 * 2  # 100 ms

log = logging.getLogger(__name__)


class Voicing:
    """The sound of one sentence; it is made from now on, whether or not anybody takes it."""

    def __init__(self, speaker: Speaker, text: str, spoken: str, voice: str) -> None:
        """``spoken`` is the text as the voice gets it."""
        self.text = text
        self.began_at = time.monotonic()
        self.first_at: float | None = None  # monotonic time of the first sound
        self.made = False  # whether all of it is there
        self._speaker, self._spoken, self._voice = speaker, spoken, voice
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[bytes | OvertoneError | None] = asyncio.Queue()
        self._dropped = False
        threading.Thread(target=self._run, name="voicing", daemon=True).start()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The sound as it is made, 100 ms at a time; may be read once. Raises BackendError."""
        rest = b""
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, OvertoneError):
                raise piece
            rest += piece
            while len(rest) >= PIECE_BYTES:
                yield rest[:PIECE_BYTES]
                rest = rest[PIECE_BYTES:]
        if rest:
            yield rest

    def drop(self) -> None:
        """Nobody wants to hear it any more: synthesis ends with the piece that it is at."""
        self._dropped = True

    def _run(self) -> None:
        try:
            stream = self._speaker.say_online(self._spoken, self._voice, patience_s=PATIENCE_S)
            for piece in stream:
                if self._dropped:
                    break
                if piece:
                    self.first_at = self.first_at or time.monotonic()
                    self._put(piece)
            self.made = True
            self._put(None)
        except OvertoneError as error:
            self._put(error)
        except Exception as error:
            log.exception("a sentence could not be spoken")
            self._put(BackendError(str(error)))

    def _put(self, piece: bytes | OvertoneError | None) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)
