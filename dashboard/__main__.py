"""``python -m dashboard``: the dashboard for the settings in the environment; prints ``ready <address>``."""

from __future__ import annotations

import os
import signal
import sys
import threading

from dashboard.launch import run
from pipeline.errors import OvertoneError
from pipeline.settings import Settings


def _end_with_parent(ended: threading.Event) -> None:
    """Sets ``ended`` when our standard input closes: whoever started us holds its other end."""
    sys.stdin.buffer.read()
    ended.set()


if __name__ == "__main__":
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    if "--exit-with-parent" in sys.argv[1:]:
        threading.Thread(target=_end_with_parent, args=(ended,), daemon=True).start()
    try:
        settings = Settings.from_env(os.environ)
        code = run(settings, os.environ, ready=lambda uri: print(f"ready {uri}", flush=True), ended=ended)
    except OvertoneError as error:
        sys.exit(str(error))
    # The thread that waits for the end of standard input would keep the interpreter from leaving.
    os._exit(code)
