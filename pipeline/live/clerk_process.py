"""``python -m pipeline.live.clerk_process FD``: the process of a `clerk`, whose pipe is the file descriptor FD."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from multiprocessing.connection import Connection

from pipeline import alerts
from pipeline.calls import Sentence
from pipeline.errors import OvertoneError
from pipeline.live.writer import Append, Work, Writer
from pipeline.settings import Settings
from pipeline.store import open_store

_Answer = Callable[[int, datetime | None], None]


def main() -> int:
    """Exit code 0 when the pipe was closed and what had come is stored; 1 when the store cannot be opened."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = Settings.from_env(os.environ)
    with Connection(int(sys.argv[1])) as pipe:
        try:
            with (
                open_store(settings.store_url) as store,
                contextlib.closing(alerts.start(store, settings)),
                contextlib.closing(Writer(store)) as writer,
            ):
                _serve(pipe, writer)
        except OvertoneError as error:
            logging.getLogger(__name__).error("live calls cannot be stored: %s", error)
            return 1
    return 0


def _serve(pipe: Connection, writer: Writer) -> None:
    """Take work until no more comes, or the gateway is gone."""
    answering = threading.Lock()

    def answer(number: int, at: datetime | None) -> None:
        with answering, contextlib.suppress(OSError):  # the gateway is gone: the next one finds its journals
            pipe.send((number, at))

    with contextlib.suppress(EOFError, OSError):
        while (message := pipe.recv()) is not None:
            number, work = message
            writer.put(_Piece(number, answer).of(work))


class _Piece:
    """A piece of work under the number that the gateway knows it by, answered once."""

    def __init__(self, number: int, answer: _Answer) -> None:
        self._number, self._answer, self._answered = number, answer, False

    def of(self, work: Work) -> Work:
        """``work`` that tells this what becomes of it."""
        if isinstance(work, Append):
            return replace(work, done=self._stored, over=self._over)
        return replace(work, over=self._over)

    def _stored(self, sentences: Sequence[Sentence], at: datetime) -> None:
        self._answered = True
        self._answer(self._number, at)

    def _over(self) -> None:
        if not self._answered:
            self._answer(self._number, None)


if __name__ == "__main__":
    sys.exit(main())
