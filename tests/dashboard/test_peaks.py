from __future__ import annotations

from pathlib import Path

import numpy as np

from dashboard import peaks, wav
from tests.dashboard.test_wav import write


def test_a_peak_is_the_loudest_of_its_20_ms(tmp_path: Path) -> None:
    samples = np.zeros(16_000 * 61 + 5, dtype=int)  # past one block, and not a whole number of peaks
    samples[330] = -32_768
    samples[16_000 * 60 + 1] = 12_800
    samples[-1] = 25_600
    write(tmp_path / "channel-1.wav", samples)
    outline = np.frombuffer(peaks.of_call(wav.open_call(tmp_path)), np.uint8)
    assert len(outline) == 61 * 50 + 1
    assert {int(i): int(outline[i]) for i in outline.nonzero()[0]} == {1: 255, 3000: 100, 3050: 200}


def test_channels_follow_each_other_at_the_length_of_the_call(tmp_path: Path) -> None:
    write(tmp_path / "channel-1.wav", np.full(16_000, 12_800))
    write(tmp_path / "channel-2.wav", np.full(8_000, 25_600))
    assert peaks.of_call(wav.open_call(tmp_path)) == b"\x64" * 50 + b"\xc8" * 25 + b"\0" * 25


def test_the_outline_is_kept_beside_the_sound_and_made_again_for_another_sound(tmp_path: Path) -> None:
    write(tmp_path / "channel-1.wav", np.full(3200, 12_800))
    first = peaks.of_call(wav.open_call(tmp_path))
    kept = tmp_path / "channel-1.peaks"
    assert kept.read_bytes().endswith(first)
    kept.write_bytes(kept.read_bytes()[:-1] + b"\x07")
    assert peaks.of_call(wav.open_call(tmp_path)).endswith(b"\x07")  # read, not computed
    write(tmp_path / "channel-1.wav", np.full(6400, 25_600))
    assert peaks.of_call(wav.open_call(tmp_path)) == b"\xc8" * 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["channel-1.peaks", "channel-1.wav"]


def test_a_sound_of_no_samples_has_no_outline(tmp_path: Path) -> None:
    write(tmp_path / "channel-1.wav", np.zeros(0))
    assert peaks.of_call(wav.open_call(tmp_path)) == b""


def test_the_outline_of_a_growing_sound_goes_on(tmp_path: Path) -> None:
    samples = np.concatenate([np.full(16_000 * n, level) for n, level in ((3, 12_800), (2, 25_600))])
    for seconds in (1.01, 2.5, 2.5, 5.0):
        write(tmp_path / "channel-1.wav", samples[: round(16_000 * seconds)])
        outline = peaks.of_call(wav.open_call(tmp_path))
        assert outline == peaks.compute(wav.open_call(tmp_path).channels[0])
    assert outline == b"\x64" * 150 + b"\xc8" * 100
