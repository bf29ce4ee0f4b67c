"""How long after somebody begins to speak into an answer it is stopped, on a page and on a telephone; what noise does.

Time runs from the first voiced sample that leaves the client to the message that stops the answer coming back to it.
"""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import cast

import numpy as np
import numpy.typing as npt

from pipeline.live import twilio
from tests.live.client import CHUNK_S, RATE_HZ, Client, talking
from tests.live.running import Running
from tests.live.test_assistant_phone import Phone, call

_ASKED = "what can you do?"  # its answer lasts ten seconds
_INTO_ANSWER_S = 1.2
_STEP_S = 0.013  # between two tries' places in our frames of 32 ms
_QUIET = 0.02  # of full scale: less is no voice yet
_GRACE_S = 2.0


def onset(pcm: bytes) -> bytes:
    """The words from their first voiced sample on."""
    loud = np.abs(np.frombuffer(pcm, dtype="<i2").astype(np.float32)) > _QUIET * 32768
    return pcm[2 * int(np.argmax(loud)) :]


async def on_a_page(address: str, words: bytes, times: int) -> list[float]:
    """Milliseconds of each try, over the assistant's own socket."""
    took = []
    async with talking(address, microphone=True) as client:
        await client.quiet()
        for number in range(times):
            await _answering(client)
            await asyncio.sleep(_INTO_ANSWER_S + number * _STEP_S % CHUNK_S)
            began, stops = time.monotonic(), len(client.all("stop"))
            client.speak(onset(words))
            await client.message("stop", stops)
            at = [at for at, kind in client.arrived if kind == "stop" and at > began]
            took.append(1000 * (at[0] - began))
            await client.message("heard", number)
            await client.message("latency", len(client.all("latency")))
            await client.send("interrupt")
    return took


async def on_a_telephone(address: str, words: bytes, times: int) -> list[float]:
    """Milliseconds of each try, up to Twilio's ``clear``; ``words`` at its rate."""
    took: list[float] = []

    async def script(phone: Phone) -> None:
        voiced = twilio.to_mulaw(onset(words))
        for number in range(times):
            if number:
                for key in ("1", "#"):
                    await phone.send("dtmf", dtmf={"track": "inbound_track", "digit": key})
            await asyncio.sleep(_INTO_ANSWER_S + number * _STEP_S % 0.02 + (1.0 if number else 0.0))
            began, clears = time.monotonic(), phone.clears
            phone.voice += voiced
            while phone.clears == clears and time.monotonic() - began < 5 * _GRACE_S:
                await asyncio.sleep(0.001)
            took.append(1000 * (time.monotonic() - began))
            await asyncio.sleep(len(voiced) / twilio.RATE_HZ + 3 * _GRACE_S)

    await call(cast(Running, SimpleNamespace(address=address)), script)
    return took


async def by_noise(address: str) -> dict[str, bool]:
    """Whether noises that nobody means as speech stop an answer."""
    stopped = {}
    async with talking(address, microphone=True) as client:
        await client.quiet()
        for name, sound in noises().items():
            await _answering(client)
            await asyncio.sleep(_INTO_ANSWER_S)
            stops = len(client.all("stop"))
            client.speak(sound)
            await asyncio.sleep(len(sound) / 2 / RATE_HZ + _GRACE_S)
            stopped[name] = len(client.all("stop")) > stops
            await client.send("interrupt")
    return stopped


def noises() -> dict[str, bytes]:
    """Half-synthetic noises at 16 kHz: a cough, typing, a door, a hum, white noise."""
    rng = np.random.default_rng(5)
    seconds = np.arange(RATE_HZ) / RATE_HZ

    def burst(length_s: float, decay_s: float, low_hz: float, high_hz: float) -> npt.NDArray[np.float64]:
        count = round(length_s * RATE_HZ)
        spectrum = np.fft.rfft(rng.normal(0, 1, count))
        hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
        spectrum[(hz < low_hz) | (hz > high_hz)] = 0
        sound = np.fft.irfft(spectrum, count) * np.exp(-np.arange(count) / RATE_HZ / decay_s)
        return np.asarray(sound / np.max(np.abs(sound)))

    cough = np.concatenate([burst(0.25, 0.07, 200, 4000), np.zeros(2400), burst(0.3, 0.1, 200, 3000)])
    typing = np.concatenate([np.concatenate([burst(0.03, 0.006, 1500, 7000), np.zeros(1500)]) for _ in range(12)])
    hum = np.sin(2 * np.pi * 100 * seconds) + 0.5 * np.sin(2 * np.pi * 200 * seconds)
    made = {
        "cough": 0.6 * cough,
        "typing": 0.5 * typing,
        "door": 0.9 * burst(0.4, 0.12, 40, 400),
        "hum": 0.2 * hum,
        "noise": 0.15 * rng.normal(0, 1, RATE_HZ).clip(-3, 3) / 3,
    }
    return {name: (sound * 32767).astype("<i2").tobytes() for name, sound in made.items()}


async def _answering(client: Client) -> None:
    """Returns when a long answer has begun to sound."""
    said = len(client.all("say"))
    await client.send("text", text=_ASKED)
    await client.message("say", said)
