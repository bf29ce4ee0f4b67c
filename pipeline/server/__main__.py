"""``python -m pipeline.server``: the server with the settings of the environment; says ``ready <uri>`` on stdout."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from pipeline.errors import OvertoneError
from pipeline.settings import Settings


def main() -> int:
    """Exit code 0 after a clean stop; 1, with one line on stderr, when the server cannot start."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.server", description=__doc__)
    parser.add_argument("--exit-with-parent", action="store_true", help="end when standard input is closed")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("faster_whisper").setLevel(logging.WARNING)  # it tells of every recording
    try:
        settings = Settings.from_env(os.environ)
        # Here, so that a wrong setting is told without the seconds that the engines' imports take.
        from pipeline.server.main import serve

        serve(settings, ready=_say_ready, exit_with_parent=arguments.exit_with_parent)
    except OvertoneError as error:
        sys.stderr.write(f"overtone: {error}\n")
        return 1
    return 0


def _say_ready(uri: str) -> None:
    sys.stdout.write(f"ready {uri}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
