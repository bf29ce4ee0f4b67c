"""A wall clock that can be set, as by a person or a time server, for every process with this folder in PYTHONPATH.

Python imports a module of this name before anything else. The file that CLOCK_FILE names holds the seconds by which the
clock is set forward, below 0 back. The monotonic clock goes on, as it does on a real machine.
"""

from __future__ import annotations

import datetime
import os
import time
from pathlib import Path
from typing import Any

_REAL_TIME, _REAL = time.time, datetime.datetime
_file = Path(os.environ["CLOCK_FILE"])


def _now() -> float:
    return _REAL_TIME() + float(_file.read_text() or 0)


class _Any(type):
    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, _REAL)


class _Set(datetime.datetime, metaclass=_Any):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(_now(), tz)


# What it is called decides how it is pickled on its way to another process.
_Set.__module__, _Set.__name__, _Set.__qualname__ = "datetime", "datetime", "datetime"
time.time = _now
datetime.datetime = _Set  # type: ignore[misc]
