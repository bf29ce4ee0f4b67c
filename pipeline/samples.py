"""The sample calls that ship with Overtone: what `overtone up --samples` ingests the first time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.settings import DATA

FOLDER = DATA / "samples"


@dataclass(frozen=True)
class Sample:
    """One sample call: its recording and who speaks in it (agent on the first channel, customer on the second)."""

    name: str
    audio: Path
    agent: str
    customer: str


def load(folder: Path = FOLDER) -> list[Sample]:
    """The sample calls of ``folder``, in the order of their names.

    Raises ConfigError when there are none: then the checkout is incomplete.
    """
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    if not rows:
        raise ConfigError(f"no sample calls in {folder}; the checkout is incomplete, clone it again")
    return [Sample(row["name"], folder / row["audio"], row["agent"], row["customer"]) for row in rows]
