"""Starts, pauses and ends of speech on a stream, and Riva's parameters for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.server.endpointing import Endpointing, Listener, Segment
from tests.server.material import RATE_HZ, Floats, floats, noise, reading, silence

TWO = floats(np.concatenate((silence(1), reading(), silence(1.5), reading(4.8, 6.5), silence(1.5))))


def listen(listener: Listener, audio: Floats, block: int = 1600) -> list[Segment]:
    found = []
    for start in range(0, len(audio), block):
        found += listener.feed(audio[start : start + block])
    return found + listener.finish()


def test_two_utterances_are_two_segments_with_their_samples(silero: Path) -> None:
    first, second = listen(Listener(silero, Endpointing()), TWO)
    assert 0.6 < first.start_s < 1.0
    assert 4.6 < first.end_s < 5.1
    assert 5.9 < second.start_s < 6.4
    assert 7.7 < second.end_s < 8.2
    for segment in (first, second):
        start, end = round(segment.start_s * RATE_HZ), round(segment.end_s * RATE_HZ)
        assert np.array_equal(segment.samples, TWO[start:end])


@pytest.mark.parametrize("block", [100, 512, 16_000, 1 << 20])
def test_the_size_of_the_chunks_changes_nothing(silero: Path, block: int) -> None:
    expected = listen(Listener(silero, Endpointing()), TWO)
    found = listen(Listener(silero, Endpointing()), TWO, block)
    assert [(s.start_s, s.end_s) for s in found] == [(s.start_s, s.end_s) for s in expected]
    assert all(np.array_equal(one.samples, other.samples) for one, other in zip(found, expected, strict=True))


def test_the_moment_tells_of_speech_and_of_the_pause_that_becomes_its_end(silero: Path) -> None:
    listener = Listener(silero, Endpointing())
    running, pauses, ends = [], [], []
    for start in range(0, len(TWO), 512):
        ends += listener.feed(TWO[start : start + 512])
        moment = listener.moment
        assert moment.now_s == pytest.approx(min(start + 512, len(TWO)) / RATE_HZ)
        if moment.running is not None:
            running.append(moment.running)
        if moment.paused is not None:
            pauses.append(moment.paused)
    assert all(part.end_s - part.start_s == pytest.approx(len(part.samples) / RATE_HZ, abs=1e-3) for part in running)
    # What was heard before the pause is to the sample what the segment turns out to be: it is recognised only once.
    assert {(pause.start_s, pause.end_s) for pause in pauses} >= {(end.start_s, end.end_s) for end in ends}


def test_a_longer_stop_history_joins_what_a_pause_parts(silero: Path) -> None:
    assert len(listen(Listener(silero, Endpointing(stop_history_ms=3000)), TWO)) == 1


def test_a_threshold_shortens_the_silence_that_is_needed(silero: Path) -> None:
    assert Endpointing(stop_history_ms=3000, stop_threshold=0.2).silence_s == pytest.approx(0.6)
    assert len(listen(Listener(silero, Endpointing(stop_history_ms=3000, stop_threshold=0.2)), TWO)) == 2


def test_a_longer_start_history_ignores_short_speech(silero: Path) -> None:
    strict = Endpointing(start_history_ms=5000, start_threshold=1.0)
    assert listen(Listener(silero, strict), TWO) == []


def test_a_pause_is_never_longer_than_the_end() -> None:
    assert Endpointing(stop_history_ms=200, stop_history_eou_ms=900).pause_s == pytest.approx(0.2)
    assert Endpointing(stop_history_ms=0, stop_threshold=0.0).silence_s > 0


def test_speech_without_a_pause_is_cut_and_nothing_of_it_is_lost(silero: Path) -> None:
    # The same three seconds again and again, with hardly a gap, for 45 s.
    audio = floats(np.concatenate([reading(1.25, 4.6)] * 14))
    segments = listen(Listener(silero, Endpointing()), audio)
    assert len(segments) >= 3
    assert all(segment.end_s - segment.start_s <= 15.5 for segment in segments)
    covered = sum(len(segment.samples) for segment in segments)
    assert covered > 0.97 * len(audio)


def test_noise_and_silence_are_no_speech_and_are_forgotten(silero: Path) -> None:
    listener = Listener(silero, Endpointing())
    assert listen(listener, floats(np.concatenate((silence(30), noise(10))))) == []
    assert listener.moment.running is None
    assert len(listener._samples) < 5 * RATE_HZ
