"""The way out: events in order, sound that can be taken back, and the clock of the loudspeaker."""

from __future__ import annotations

import asyncio
import time

import numpy as np

from pipeline.live.events import Ended, Event, Hearing, Saying, Sound, Speech
from pipeline.live.pace import BURST_S, Pace
from pipeline.live.playing import AHEAD_S, Outbox, Playback
from pipeline.tts import RATE_HZ


def collected(outbox: Outbox) -> list[Event]:
    async def read() -> list[Event]:
        return [event async for event in outbox.events()]

    return asyncio.run(asyncio.wait_for(read(), 20))


def test_events_come_out_in_order_and_end() -> None:
    outbox = Outbox()
    given: list[Event] = [Speech(True), Saying(1, 0, "Hello."), Sound(1, b"ab"), Ended()]
    for event in (*given, Speech(False)):
        outbox.put(event)
    assert collected(outbox) == given


def test_sound_can_be_taken_back_and_nothing_else() -> None:
    outbox = Outbox()
    for event in (Saying(1, 0, "Hello."), Sound(1, b"ab"), Sound(1, b"cd"), Speech(True)):
        outbox.put(event)
    outbox.drop_sound()
    outbox.put(Ended())
    assert collected(outbox) == [Saying(1, 0, "Hello."), Speech(True), Ended()]


def test_only_the_newest_partial_is_kept() -> None:
    outbox = Outbox()
    for event in (Hearing("will"), Hearing("will it"), Speech(False), Hearing("will it rain"), Ended()):
        outbox.put(event)
    assert collected(outbox) == [Hearing("will it"), Speech(False), Hearing("will it rain"), Ended()]


def test_a_reader_that_has_stopped_reading_ends_the_conversation() -> None:
    outbox = Outbox()
    for number in range(5_000):
        outbox.put(Sound(number, b"ab"))
    assert collected(outbox) == [Ended()]


def test_the_loudspeaker_is_ahead_by_what_was_sent() -> None:
    playback = Playback()
    assert playback.ahead_s == 0
    playback.add(tone(3.0, 0.5))
    assert 2.5 < playback.ahead_s <= 3.0
    playback.clear()
    assert playback.ahead_s == 0


def test_no_more_than_two_seconds_lie_at_the_other_end() -> None:
    async def send() -> float:
        playback = Playback()
        for _ in range(23):
            await playback.room()
            playback.add(tone(0.1, 0.5))
        return playback.ahead_s

    assert asyncio.run(send()) <= AHEAD_S + 0.1


def test_the_echo_is_as_loud_as_what_is_played() -> None:
    playback = Playback()
    assert playback.loudest() == 0
    playback.add(tone(0.05, 0.5))
    playback.add(tone(30.0, 0.9))  # still to come
    assert abs(playback.loudest() - 0.5 / 2**0.5) < 0.02


def test_who_sends_faster_than_speech_waits() -> None:
    async def send(seconds: float) -> float:
        pace, began = Pace(32_000), time.monotonic()
        for _ in range(round(seconds * 10)):
            await pace.take(3_200)
        return time.monotonic() - began

    assert asyncio.run(send(BURST_S + 0.5)) >= 0.4


def tone(seconds: float, peak: float) -> bytes:
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (32767 * peak * np.sin(2 * np.pi * 440 * at)).astype("<i2").tobytes()
