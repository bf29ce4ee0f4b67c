"""What a person sees while a command works: the progress bar, one-line texts, and the way to stop."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

from tqdm import tqdm


class ProgressBar:
    """A bar with rate and time left on a terminal's standard error; where that is no terminal, only the lines."""

    def __init__(self, *, quiet: bool) -> None:
        """``quiet``: no bar, and every line goes to standard error, since standard output belongs to a machine."""
        self._lock = threading.Lock()
        self._quiet = quiet
        self._bar = tqdm(
            total=100.0,
            disable=True if quiet else None,  # None: only on a terminal
            bar_format="{percentage:3.0f}%|{bar}| {elapsed} so far, {remaining} left{postfix}",
        )

    def move(self, share: float, files_done: int, files: int) -> None:
        """Show that ``share`` (0..1) of the work is done."""
        with self._lock:
            elapsed_s = self._bar.format_dict["elapsed"] or 0.0
            rate = f", {60 * files_done / elapsed_s:.1f} files/min" if files_done and elapsed_s else ""
            self._bar.set_postfix_str(f"{files_done}/{files} files{rate}", refresh=False)
            self._bar.update(max(0.0, 100 * share - self._bar.n))

    def say(self, line: str, *, error: bool = False) -> None:
        """Write a line above the bar: to standard error where ``error`` or quiet, else to standard output."""
        with self._lock:
            tqdm.write(one_line(line), file=sys.stderr if error or self._quiet else sys.stdout)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


@contextlib.contextmanager
def until_signal() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; the handlers of before come back at the end."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def one_line(text: str) -> str:
    """``text`` without line breaks and control characters, which could move a terminal's cursor or hide a message."""
    return "".join(c if c.isprintable() else " " if c in "\n\r\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def clock(seconds: float) -> str:
    """A length of time as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
