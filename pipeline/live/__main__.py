"""``python -m pipeline.live``: the gateway with the settings of the environment; says ``ready <address>`` on stdout."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from pipeline.errors import OvertoneError
from pipeline.settings import Settings


def main() -> int:
    """Exit code 0 after a clean stop; 1, with one line on stderr, when the gateway cannot start."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.live", description=__doc__)
    parser.add_argument("--exit-with-parent", action="store_true", help="end when standard input is closed")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = Settings.from_env(os.environ)
        from pipeline.live.main import serve

        serve(settings, os.environ, ready=_say_ready, exit_with_parent=arguments.exit_with_parent)
    except OvertoneError as error:
        sys.stderr.write(f"overtone: {error}\n")
        return 1
    return 0


def _say_ready(address: str) -> None:
    sys.stdout.write(f"ready {address}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
