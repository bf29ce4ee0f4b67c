"""The streaming resampler: rates, seams and odd cuts."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.live.resampling import Resampler


@pytest.mark.parametrize(
    ("source_hz", "target_hz"), [(22_050, 8_000), (48_000, 16_000), (8_000, 16_000), (44_100, 16_000)]
)
def test_pieces_are_the_same_as_the_whole(source_hz: int, target_hz: int) -> None:
    tone = (10_000 * np.sin(2 * np.pi * 440 * np.arange(source_hz) / source_hz)).astype("<i2").tobytes()
    whole = Resampler(source_hz, target_hz)
    expected = whole.feed(tone) + whole.finish()
    pieces = Resampler(source_hz, target_hz)
    got = b"".join(pieces.feed(tone[at : at + 777]) for at in range(0, len(tone), 777)) + pieces.finish()
    assert got == expected
    assert abs(len(got) / 2 - target_hz) < 40
    spectrum = np.abs(np.fft.rfft(np.frombuffer(got, "<i2")[:target_hz]))
    assert abs(int(np.argmax(spectrum)) - 440) <= 2


def test_the_same_rate_passes_through_in_whole_samples() -> None:
    same = Resampler(16_000, 16_000)
    assert same.feed(b"abc") == b"ab"
    assert same.feed(b"d") == b"cd"
    assert same.finish() == b""


def test_nothing_in_nothing_out() -> None:
    resampler = Resampler(22_050, 8_000)
    assert resampler.feed(b"") + resampler.finish() == b""
