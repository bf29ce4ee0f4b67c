"""`make bench`: measures what docs/speed.md promises and writes bench.json; nothing here passes or fails."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import embedded, samples
from pipeline.settings import Settings
from tests.bench import alert_speed, ingest, live_calls, live_wall, meanings, sentiment, server, voice

TARGET = Path("bench.json")


def main(wanted: list[str]) -> None:
    """Measure all parts, or those that are named, and write the results."""
    parts: dict[str, Callable[[Path], dict[str, Any]]] = {
        "sentiment": _sentiment,
        "server": server.measure,
        "conversion": ingest.conversion,
        "overhead": lambda folder: ingest.overhead(folder, [sample.audio for sample in samples.load()]),
        "memory": ingest.memory,
        "live_wall": lambda folder: live_wall.measure(),
        "live_calls": live_calls.measure,
        "alert_speed": alert_speed.measure,
        "meanings": lambda folder: meanings.measure(),
        "voice": voice.measure,
    }
    unknown = sorted(set(wanted) - set(parts))
    if unknown:
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(parts)}")
    found: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
    }
    for name, part in parts.items():
        if wanted and name not in wanted:
            continue
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            found[name] = part(Path(folder))
        print(f"{name} ({time.perf_counter() - began:.0f} s)", json.dumps(found[name], indent=1), flush=True)
    TARGET.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"written to {TARGET}")


def _sentiment(folder: Path) -> dict[str, float]:
    settings = Settings(home=folder / "home", serve_port=0)
    with embedded.start(settings, os.environ) as running:
        return sentiment.measure(running.uri, settings)


if __name__ == "__main__":
    main(sys.argv[1:])
