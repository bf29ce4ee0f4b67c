"""A second opinion on an utterance that means nothing as it was heard: the recogniser of recordings hears it again.

It makes fewer mistakes than the one of streams and takes 0.4 s on two cores, so it is asked only then, by one
conversation at a time, and not where many go on: with eight at once it kept those who were understood waiting 0.3 s.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from pipeline.asr import RATE_HZ, Expected, Recogniser
from pipeline.errors import OvertoneError

LONGEST_S = 15.0  # of sound that is worth it
ALTERNATIVES = 3  # texts, of which the first that means something counts
PATIENCE_S = 3.0  # for an opinion, on a busy machine; then the person is asked to say it again

log = logging.getLogger(__name__)


class Rereader:
    """The better recogniser, for all conversations; one at a time."""

    def __init__(
        self, recogniser: Recogniser, patience_s: float = PATIENCE_S, crowded: Callable[[], bool] = lambda: False
    ) -> None:
        """``crowded`` says whether the machine has no time for second opinions."""
        self._recogniser, self._patience_s, self._crowded = recogniser, patience_s, crowded
        self._busy = threading.Lock()
        self.model = ""  # "name@version" of the recogniser, once it was asked

    def of(self, pcm: bytes, expected: Sequence[Expected] = ()) -> Callable[[], Sequence[str]] | None:
        """What hears ``pcm`` (16-bit mono at 16 kHz) again, expecting some phrases: texts, likeliest first.

        They are none where it is away or busy for too long.

        None for no sound at all, for more than LONGEST_S, and in a crowd.
        """
        if not pcm or len(pcm) > 2 * RATE_HZ * LONGEST_S or self._crowded():
            return None
        return lambda: self._read(pcm, expected)

    def _read(self, pcm: bytes, expected: Sequence[Expected]) -> Sequence[str]:
        until = time.monotonic() + self._patience_s
        if not self._busy.acquire(timeout=self._patience_s):
            return ()
        heard: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()

        def work() -> None:
            try:
                found = self._recogniser.recognise(pcm, expected=expected, alternatives=ALTERNATIVES)
                self.model = found.model
                heard.put((found.transcript, *found.others))
            except (OvertoneError, ValueError) as error:  # gRPC's word for a channel that was closed meanwhile
                log.info("no second opinion: %s", error)
                heard.put(())
            finally:
                self._busy.release()

        threading.Thread(target=work, name="second opinion", daemon=True).start()
        try:
            return heard.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return ()
