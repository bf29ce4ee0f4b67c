"""What ingest costs: conversion against bare ffmpeg, the path around the recogniser against the recogniser, memory."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import riva.client
from faster_whisper import WhisperModel

from pipeline import audio, embedded, ingest, rpc, voice, weights
from pipeline.asr import Recogniser
from pipeline.errors import InputError
from pipeline.ingest import Services
from pipeline.nlp import Classifier
from pipeline.server.offline import Whisper, Wish
from pipeline.settings import Settings
from pipeline.store import Store, open_store
from tests.pipeline import sounds
from tests.pipeline.scripted_riva import serving


def cpu_s() -> float:
    """CPU seconds that this process and its ended children have used."""
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def cost(work: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds of ``work``."""
    cpu, wall = cpu_s(), time.perf_counter()
    work()
    return cpu_s() - cpu, time.perf_counter() - wall


def conversion(folder: Path, minutes: int = 10, rounds: int = 5) -> dict[str, float]:
    """Cost of ``audio.split`` over a bare ffmpeg run of the same file, medians; and seconds a clip, shared and alone.

    The files: ``minutes`` of stereo as 44.1 kHz MP3 and as 8 kHz mu-law WAV; 24 clips of 3 s.
    """
    noise = ["-f", "lavfi", "-i", f"anoisesrc=d={minutes * 60}:c=pink:r=44100", "-map", "1:a", "-ac", "2"]
    tone = sounds.write_wav(folder / "tone.wav", sounds.tone(1))
    found = {}
    for kind, options in (("mp3", ["-b:a", "64k"]), ("mulaw", ["-ar", "8000", "-c:a", "pcm_mulaw"])):
        source = sounds.convert(tone, folder / f"call.{'wav' if kind == 'mulaw' else kind}", *noise, *options)
        bare, ours = [], []
        for _ in range(rounds):
            bare.append(cost(partial(_bare, source, folder / "bare.wav")))
            ours.append(cost(partial(audio.split, source, folder / "split")))
        found[f"conversion_{kind}_cpu_ratio"] = _median(ours, 0) / _median(bare, 0)
        found[f"conversion_{kind}_wall_ratio"] = _median(ours, 1) / _median(bare, 1)
        found[f"conversion_{kind}_wall_s"] = _median(ours, 1)
    clips = [sounds.write_wav(folder / f"{n}.wav", sounds.tone(3), sounds.tone(3, 1000)) for n in range(24)]
    found["clip_shared_s"] = cost(lambda: _all([(clip, folder / "many" / clip.stem) for clip in clips]))[1] / 24
    alone = [cost(partial(audio.split, clip, folder / "one" / clip.stem))[1] for clip in clips]
    bare_s = [cost(partial(_bare, clip, folder / "bare.wav"))[1] for clip in clips]
    found |= {"clip_alone_s": statistics.mean(alone), "clip_bare_s": statistics.mean(bare_s)}
    return found


def _bare(source: Path, target: Path) -> None:
    command = [audio.ffmpeg_program(), "-nostdin", "-v", "error", "-y", "-i", str(source)]
    subprocess.run([*command, "-ar", "16000", "-c:a", "pcm_s16le", str(target)], check=True)


def _all(pairs: list[tuple[Path, Path]]) -> None:
    assert not any(isinstance(result, InputError) for result in audio.split_many(pairs))


def _median(costs: list[tuple[float, float]], which: int) -> float:
    return statistics.median(one[which] for one in costs)


def overhead(folder: Path, sources: list[Path]) -> dict[str, float]:
    """CPU of a whole ingest of ``sources`` (this process, the server, ffmpeg) over that of the speech engine alone.

    ``overhead_engine_ratio``: over the engine called in this process, two at a time as in the server, on the same
    stretches of speech: what no ingest can do without. ``overhead_same_wavs_ratio``: the same without the conversion.
    ``overhead_direct_ratio``: that over faster-whisper called directly on the same channels' WAVs, with its own voice
    activity filter and otherwise the server's options: under 1 where packing saves windows.
    """
    settings = Settings(home=folder / "home", serve_port=0)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OVERTONE_")}
    with embedded.start(settings, environment) as server, open_store(settings.store_url) as store:
        auth = riva.client.Auth(uri=server.uri, options=rpc.OPTIONS)
        vad = weights.find("silero-vad", settings.models)
        services = Services(Recogniser(auth, address=server.uri), Classifier(auth, address=server.uri), vad)
        _ingest(sources[:1], store, services, folder / "warm")
        store.delete(audio.digest(sources[0])[:16])
        served = _process_cpu_s(server.process.pid)
        converting = resource.getrusage(resource.RUSAGE_CHILDREN)
        ours, wall = cost(partial(_ingest, sources, store, services, settings.audio_folder))
        converted = resource.getrusage(resource.RUSAGE_CHILDREN)
        served = _process_cpu_s(server.process.pid) - served
        auth.channel.close()
    channels = sorted(settings.audio_folder.glob("*/channel-*.wav"))
    whisper = Whisper(settings.whisper, settings.models, workers=2)
    wish = Wish("en", words=True, alternatives=1)
    stretches = []
    for path in channels:
        blocks = (audio.floats(block) for block in audio.blocks(path, 32 * voice.FRAME_S))
        pcm = np.concatenate(list(audio.blocks(path)))
        stretches += [
            partial(whisper.recognise, pcm, pack, wish) for pack in voice.packs(voice.Ear(vad).listen(blocks))
        ]
    engine = cost(partial(_two_at_a_time, stretches))[0]
    model = _whisper(settings)
    direct = cost(partial(_two_at_a_time, [partial(_transcribe, path, model) for path in channels]))[0]
    ffmpeg = converted.ru_utime + converted.ru_stime - converting.ru_utime - converting.ru_stime
    recording_s = sum(audio.duration_s(path) for path in channels)
    return {
        "overhead_engine_ratio": (ours + served) / engine,
        "overhead_same_wavs_ratio": (ours + served - ffmpeg) / engine,
        "overhead_direct_ratio": (ours + served - ffmpeg) / direct,
        "overhead_our_process_share": ours / (ours + served),
        "ingest_cpu_s_per_channel_s": (ours + served) / recording_s,
        "ingest_wall_s_per_channel_s": wall / recording_s,
    }


def memory(folder: Path, minutes: tuple[float, float] = (5.0, 180.0)) -> dict[str, float]:
    """Peak resident megabytes of a process that ingests a stereo call, short and long, and what the long one adds.

    The recogniser is a server that answers at once, in this process; everything else is as always. A third of the calls
    is speech.
    """
    found = []
    with serving() as server:
        for number, length in enumerate(minutes):
            source = _long_call(folder / f"call-{number}.wav", length)
            home = folder / f"home-{number}"
            home.mkdir()
            command = [sys.executable, "-m", "tests.bench.ingest", server.uri, str(home), str(source)]
            found.append(int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024)
            source.unlink()
            shutil.rmtree(home)
    return {"memory_short_mb": found[0], "memory_long_mb": found[1], "memory_growth_mb": found[1] - found[0]}


def _long_call(path: Path, minutes: float) -> Path:
    """Stereo at 16 kHz in which the two speak in turns of 10 s, with 10 s of silence between them."""
    spoken, nothing = sounds.speech(), sounds.silence(10)
    agent, customer = np.concatenate([spoken, nothing, nothing]), np.concatenate([nothing, spoken, nothing])
    length = min(len(agent), len(customer))
    turn = np.stack([agent[:length], customer[:length]], axis=1).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(audio.RATE_HZ)
        for _ in range(round(minutes * 60 * audio.RATE_HZ / length)):
            file.writeframesraw(turn)
    return path


def _ingest(sources: list[Path], store: Store, services: Services, folder: Path) -> None:
    outcomes = list(ingest.ingest(sources, store=store, services=services, audio_folder=folder))
    assert {outcome.status for outcome in outcomes} == {"stored"}, outcomes


def _two_at_a_time(work: Sequence[Callable[[], object]]) -> None:
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(one) for one in work]:
            future.result()


def _transcribe(path: Path, model: WhisperModel) -> None:
    segments, _ = model.transcribe(
        str(path), language="en", vad_filter=True, beam_size=5, word_timestamps=True, condition_on_previous_text=False
    )
    list(segments)


def _whisper(settings: Settings) -> WhisperModel:
    folder = weights.find("whisper-tiny.en", settings.models)
    return WhisperModel(
        str(folder), device="cpu", compute_type="int8", cpu_threads=1, num_workers=2, local_files_only=True
    )


def _process_cpu_s(pid: int) -> float:
    """CPU seconds of another process, from proc(5): utime and stime, in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_kb() -> int:
    """Peak resident size of this process, from proc(5): unlike getrusage's it does not begin with its parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def _measure_memory(uri: str, home: Path, source: Path) -> None:
    auth = riva.client.Auth(uri=uri, options=rpc.OPTIONS)
    vad = weights.find("silero-vad", Settings().models)
    with open_store(f"sqlite:///{home}/overtone.db") as store:
        services = Services(Recogniser(auth, address=uri), Classifier(auth, address=uri), vad)
        _ingest([source], store, services, home / "audio")
    print(_peak_kb())


if __name__ == "__main__":
    _measure_memory(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
