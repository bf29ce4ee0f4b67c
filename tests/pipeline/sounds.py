"""Sound for tests: speech from an installed package, tones and silence, WAVs of them; ffmpeg makes other kinds."""

from __future__ import annotations

import importlib.util
import subprocess
import wave
from pathlib import Path

import numpy as np

from pipeline.audio import Pcm, ffmpeg_program, read

RATE_HZ = 16_000


def speech(name: str = "beckett", start_s: float = 0.0, end_s: float = 10.0) -> Pcm:
    """Part of a recording that comes with moonshine-voice, 16 kHz: ``beckett`` (10 s) or ``clone-test`` (4 s)."""
    spec = importlib.util.find_spec("moonshine_voice")
    assert spec is not None
    assert spec.submodule_search_locations
    return read(Path(spec.submodule_search_locations[0]) / "assets" / f"{name}.wav", start_s, end_s)


def tone(seconds: float, hz: float = 440.0, rate_hz: int = RATE_HZ, loudness: float = 0.3) -> Pcm:
    """A sine; no voice activity model takes it for speech."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.round(loudness * 32767 * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def silence(seconds: float, rate_hz: int = RATE_HZ) -> Pcm:
    """Nothing at all."""
    return np.zeros(round(seconds * rate_hz), dtype=np.int16)


def write_wav(path: Path, *channels: Pcm, rate_hz: int = RATE_HZ) -> Path:
    """``path`` after writing the channels, made equally long with silence, as a 16-bit WAV."""
    longest = max(len(channel) for channel in channels)
    frames = np.zeros((longest, len(channels)), dtype="<i2")
    for number, channel in enumerate(channels):
        frames[: len(channel), number] = channel
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(frames.tobytes())
    return path


def convert(source: Path, target: Path, *options: str) -> Path:
    """``target`` after ffmpeg made it from ``source``."""
    command = [ffmpeg_program(), "-nostdin", "-v", "error", "-y", "-i", f"file:{source}", *options, f"file:{target}"]
    subprocess.run(command, check=True)
    return target
