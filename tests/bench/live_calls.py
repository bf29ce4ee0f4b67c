"""How long a sentence of a live call takes from the end of its speech to the pixels, by stage, and whether any is lost.

Two loads: six two-sided sample calls at once on the embedded engines, and two hundred two-sided calls on a recogniser
that answers after a fixed 50 ms (`standin`), in a process of its own, as a real Riva on another machine would be: once
with phones that send frames of 100 ms and once with frames of 200, as Genesys does, of which the end of an utterance
waits for half on average. The gateway and the dashboard are the real processes; the phones are websocket clients that
keep to time, and Chromium shows the Live page on the same cores.

``python -m tests.bench.live_calls many 200 browser 0.2`` runs one load alone; ``socket`` in place of the browser is a
client that gets what a browser gets: what is left out is the painting.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

import numpy as np
from websockets.asyncio.client import connect

from pipeline import audio, embedded, samples
from pipeline.calls import SentenceClock
from pipeline.settings import Settings
from tests.bench import standin
from tests.bench.wall import WARM_UP, Costs, Looking, watched
from tests.live.phones import Gateway, eventually, gateway, start, stereo
from tests.pipeline.sounds import silence

_FRAME_S = 0.1
_STAGES = ("spoken_at", "heard_at", "labelled_at", "stored_at", "sent_at", "painted_at")


def measure(folder: Path) -> dict[str, Any]:
    """Milliseconds by stage of both loads, and sentences lost."""
    return {
        "embedded": embedded_calls(folder / "embedded"),
        "stand_in": many_calls(folder / "many"),
        "stand_in_frames_of_200_ms": many_calls(folder / "long", frame_s=0.2),
    }


def embedded_calls(
    folder: Path, *, calls: int = 6, seconds: float = 60.0, looking: Looking = "browser"
) -> dict[str, Any]:
    """Sample calls, all at once, through the embedded speech server."""
    folder.mkdir(parents=True, exist_ok=True)
    recordings = []
    for number, sample in enumerate(samples.load()[:calls]):
        channels = audio.split(sample.audio, folder / "audio" / str(number))
        recordings.append(stereo(channels, 0.0, seconds))
    settings = Settings(home=folder / "server", serve_port=0)
    with embedded.start(settings, os.environ) as server:
        uris = {"asr_uri": server.uri, "nlp_uri": server.uri, "tts_uri": server.uri}
        with gateway(folder / "home", **uris) as running:
            eventually(lambda: running.health()["warm"])
            return {"calls": calls, **_load(running, recordings, {}, {"server": server.process.pid}, looking)}


def many_calls(
    folder: Path, *, calls: int = 200, utterances: int = 6, frame_s: float = _FRAME_S, looking: Looking = "browser"
) -> dict[str, Any]:
    """Calls whose two sides take turns, with so many utterances each, on a recogniser of 50 ms."""
    chance = random.Random(5)
    recordings, expected = [], {}
    for call in range(calls):
        sides: list[list[Any]] = [[silence(chance.uniform(0, 3))], [silence(0)]]
        sides[1][0] = silence(len(sides[0][0]) / audio.RATE_HZ)
        for number in range(utterances):
            length_s, pause_s = chance.uniform(1.0, 4.0), chance.uniform(0.5, 1.5)
            spoken = np.concatenate((standin.utterance(number, length_s), silence(pause_s)))
            sides[number % 2].append(spoken)
            sides[1 - number % 2].append(np.zeros_like(spoken))
        both = np.stack([np.concatenate(side) for side in sides], axis=1)
        recordings.append(both.astype("<i2").tobytes())
        expected[f"call-{call}"] = set(range(utterances))
    with standin.running(delay_ms=50) as (address, process):
        uris = {"asr_uri": address, "nlp_uri": address, "tts_uri": address}
        with gateway(folder / "home", **uris) as running:
            eventually(lambda: running.health()["warm"])
            return {"calls": calls, **_load(running, recordings, expected, {"standin": process.pid}, looking, frame_s)}


def _load(
    running: Gateway,
    recordings: Sequence[bytes],
    expected: dict[str, set[int]],
    pids: dict[str, int],
    looking: Looking,
    frame_s: float = _FRAME_S,
) -> dict[str, Any]:
    """What becomes of the recordings as calls, and the cores that it took.

    ``loop_ms``: a loop of fixed length before and after, since a virtual machine may be half as fast for minutes.
    """
    before_ms = loop_ms()
    with watched(running.settings, looking) as more:
        costs = Costs({"gateway": running.process.pid, **pids, **more})
        phones = time.process_time()
        began = time.monotonic()
        asyncio.run(phone_all(running, recordings, frame_s))
        cores = {**costs.cores(), "phones": round((time.process_time() - phones) / (time.monotonic() - began), 2)}
        time.sleep(2.5)  # the last clocks follow their sentences
        found = {**_figures(running, expected), "seen_by": looking, "cores": cores}
    return {**found, "loop_ms": [before_ms, loop_ms()]}


def loop_ms() -> float:
    """Milliseconds that this machine takes at the moment for a million additions in Python."""
    began = time.perf_counter()
    sum(number for number in range(1_000_000))
    return round(1000 * (time.perf_counter() - began), 1)


async def phone_all(running: Gateway, recordings: Sequence[bytes], frame_s: float = _FRAME_S) -> None:
    """Each recording (interleaved 16-bit samples) as a call, all at once, at the pace of time."""
    await asyncio.gather(*(_phone(running, number, pcm, frame_s) for number, pcm in enumerate(recordings)))


async def _phone(running: Gateway, number: int, pcm: bytes, frame_s: float) -> None:
    url = running.address.replace("http", "ws", 1) + "/calls"
    # Calls do not begin at one moment; and a client that reads slowly must not look like a slow gateway.
    await asyncio.sleep(number % 50 * 0.02)
    async with connect(url, max_size=None, open_timeout=60, compression=None) as phone:
        await phone.send(start(call_id=f"call-{number}"))
        await phone.recv()
        size = round(frame_s * audio.RATE_HZ) * 4
        began = time.monotonic()
        for count, first in enumerate(range(0, len(pcm), size), start=1):
            await asyncio.sleep(max(0.0, began + count * frame_s - time.monotonic()))
            await phone.send(pcm[first : first + size])
        await phone.send('{"type": "stop"}')
        async for message in phone:
            if json.loads(message)["type"] == "stopped":
                return


def _figures(running: Gateway, expected: dict[str, set[int]]) -> dict[str, Any]:
    with running.store() as store:
        rows = store.calls(limit=10_000).rows
        clocks = [clock for clock in store.clocks() if clock.call_id != WARM_UP]
        lost = duplicates = 0
        for row in rows:
            wanted = expected.get(row.call.attributes.get("phone_call_id", ""))
            if wanted is not None:
                heard = [int(one.text.split()[1].strip(".")) for one in store.sentences(row.call.id)]
                lost += len(wanted - set(heard))
                duplicates += len(heard) - len(set(heard))
        missing_calls = len(set(expected) - {row.call.attributes.get("phone_call_id") for row in rows})
    stages = {
        f"{later.removesuffix('_at')}_ms": summary(_between(clocks, earlier, later))
        for earlier, later in itertools.pairwise(_STAGES)
    }
    return {
        "sentences": len(clocks),
        "lost": lost + 6 * missing_calls,
        "stored_twice": duplicates,
        **stages,
        **{
            f"spoken_to_{stage.removesuffix('_at')}_ms": summary(_between(clocks, "spoken_at", stage))
            for stage in ("stored_at", "sent_at", "painted_at")
        },
        "unpainted": sum(clock.painted_at is None for clock in clocks),
        "health": running.health(),
    }


def _between(clocks: Sequence[SentenceClock], earlier: str, later: str) -> list[float]:
    times: list[tuple[datetime | None, datetime | None]] = [(getattr(c, earlier), getattr(c, later)) for c in clocks]
    return [(b - a).total_seconds() * 1000 for a, b in times if a is not None and b is not None]


def summary(values_ms: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile and the largest; nothing of fewer than two values."""
    if len(values_ms) < 2:
        return {}
    cuts = quantiles(values_ms, n=100, method="inclusive")
    found = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(values_ms)}
    return {name: round(value, 1) for name, value in found.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        number = int(sys.argv[2]) if sys.argv[2:] else 0
        eyes: Looking = "socket" if sys.argv[3:] == ["socket"] else "browser"
        if sys.argv[1:2] == ["many"]:
            frame_s = float(sys.argv[4]) if sys.argv[4:] else _FRAME_S
            found = many_calls(Path(folder), calls=number or 200, frame_s=frame_s, looking=eyes)
        elif sys.argv[1:2] == ["embedded"]:
            found = embedded_calls(Path(folder), calls=number or 6, seconds=40.0, looking=eyes)
        else:
            found = measure(Path(folder))
    print(json.dumps(found, indent=1))
