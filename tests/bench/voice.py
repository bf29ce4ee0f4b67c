"""How long the assistant takes to answer a spoken question, by stage, and whether conversations cross.

A gateway and a speech server as processes of their own; people are our own voice, played into sockets at the pace of
time. ``compute_ms`` is the models' time from the end of speech to the first sound (recognition, understanding, dialog,
fulfilment, the first sentence's synthesis); ``total_ms`` is what a person waits, with the endpointing silence in it.
Then how quickly an answer stops when somebody speaks into it (barge_in.py).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from typing import Any

from pipeline import embedded
from pipeline.backends import Backends
from pipeline.live import twilio
from pipeline.settings import Settings
from tests.bench import barge_in
from tests.live import running
from tests.live.client import RATE_HZ, Client, spoken, talking

QUESTIONS = (
    "Will it rain in Denver?",
    "What's the weather in Boston?",
    "How much is the red wool sweater?",
    "Where can I get the best pasta in Denver?",
    "What is the temperature in Los Angeles?",
    "Do you have running shoes in stock?",
    "Will it snow in Chicago on Friday?",
    "How cloudy is it in Seattle?",
    "What can you do?",
    "Is it sunny in Miami right now?",
)
BARGE_IN = "Will it rain in Boston?"
CITIES = ("Denver", "Boston", "Chicago", "Seattle", "Miami", "Austin", "Phoenix", "Atlanta")
_STAGES = ("wait_ms", "recognise_ms", "understand_ms", "dialog_ms", "fulfil_ms", "speak_ms", "compute_ms", "total_ms")


def measure(folder: Path, *, turns: int = 20, crowd: int = 8, barges: int = 20) -> dict[str, Any]:
    """Milliseconds by stage (p50, p95) over ``turns`` spoken turns, and what ``crowd`` conversations at once got."""
    settings = Settings(home=folder / "speech", serve_port=0)
    with embedded.start(settings, os.environ) as server:
        there = replace(settings, asr_uri=server.uri, nlp_uri=server.uri, tts_uri=server.uri)
        with Backends(there, os.environ) as backends:
            questions = [spoken(backends.speaker, question) for question in QUESTIONS]
            question = spoken(backends.speaker, BARGE_IN)
            question_by_phone = spoken(backends.speaker, BARGE_IN, twilio.RATE_HZ)
            crowd_says = [spoken(backends.speaker, f"Will it rain in {city}?") for city in CITIES[:crowd]]
        with running.running(folder / "gateway", server.uri) as gateway:
            load = os.getloadavg()[0]
            alone = asyncio.run(_alone(gateway.address, [questions[n % len(questions)] for n in range(turns)]))
            together = asyncio.run(_together(gateway.address, crowd_says))
            stopped = asyncio.run(barge_in.on_a_page(gateway.address, question, barges))
            cleared = asyncio.run(barge_in.on_a_telephone(gateway.address, question_by_phone, barges // 4))
            noises = asyncio.run(barge_in.by_noise(gateway.address))
    return {
        "turns": len(alone),
        "load_before": round(load, 1),
        "speech_s": [round(len(pcm) / 2 / RATE_HZ, 1) for pcm in questions],
        "one_conversation": {stage: _summary([row[stage] for row in alone if stage in row]) for stage in _STAGES},
        "understand_and_dialog_ms": _summary([row["understand_ms"] + row["dialog_ms"] for row in alone]),
        "heard_by_the_client_ms": _summary([row["client_ms"] for row in alone]),
        "conversations_at_once": len(together),
        "crossed_answers": sum(row["crossed"] for row in together),
        "answers_missed": sum(row["missed"] for row in together),
        "stopped_by_speech_ms": _summary(stopped),
        "cleared_on_the_telephone_ms": _summary(cleared),
        "stopped_by_noise": noises,
        "at_once": {stage: _summary([row[stage] for row in together if stage in row]) for stage in _STAGES},
    }


async def _alone(address: str, questions: list[bytes]) -> list[dict[str, float]]:
    rows = []
    async with talking(address, microphone=True) as client:
        await client.quiet()
        for number, question in enumerate(questions):
            rows.append(await _ask(client, question, number))
            await client.send("interrupt")
            await asyncio.sleep(0.7)
    return rows


async def _ask(client: Client, question: bytes, number: int) -> dict[str, float]:
    """The stages of one turn, and ``client_ms`` from the last sample spoken to the first one heard."""
    began = time.monotonic()
    client.speak(question)
    latency = await client.message("latency", number)
    await asyncio.sleep(0.3)
    first = next(at for at, kind in client.arrived if kind == "sound" and at > max(began, client.spoken_until))
    return {**latency["stages"], "client_ms": 1000 * (first - client.spoken_until)}


async def _together(address: str, questions: list[bytes]) -> list[dict[str, float]]:
    async def converse(city: str, question: bytes) -> dict[str, float]:
        async with talking(address, microphone=True) as client:
            await client.quiet()
            client.speak(question)
            latency = await client.message("latency")
            replies = " ".join(client.all("turn")[1]["turn"]["replies"])
        crossed = any(other in replies for other in CITIES if other != city)
        return {**latency["stages"], "crossed": float(crossed), "missed": float(city not in replies)}

    return list(await asyncio.gather(*map(converse, CITIES, questions)))


def _summary(values: list[float]) -> dict[str, float]:
    if len(values) < 2:
        return dict.fromkeys(("p50", "p95"), round(values[0], 1)) if values else {}
    cuts = quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1)}


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(measure(Path(scratch), turns=int(sys.argv[1]) if sys.argv[1:] else 20), indent=1))
