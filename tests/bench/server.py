"""What the speech server needs: resident memory with all models loaded, and the time of one recognition."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import riva.client

from pipeline import embedded, rpc
from pipeline.asr import Final, Recogniser
from pipeline.settings import Settings
from tests.pipeline import sounds

_ROUNDS = 5


def measure(folder: Path) -> dict[str, float]:
    """Resident megabytes of the server and its children, start-up seconds, and milliseconds a recognition."""
    settings = Settings(home=folder / "home", serve_port=0)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OVERTONE_")}
    began = time.perf_counter()
    with embedded.start(settings, environment) as server:
        started_s = time.perf_counter() - began
        auth = riva.client.Auth(uri=server.uri, options=rpc.OPTIONS)
        recogniser = Recogniser(auth, address=server.uri)
        found = {"start_s": started_s}
        for seconds in (3, 10):
            pcm = sounds.speech(end_s=seconds).tobytes()
            recogniser.recognise(pcm)
            found[f"offline_{seconds}_s_ms"] = statistics.median(_ms(recogniser, pcm) for _ in range(_ROUNDS))
        found["online_final_after_end_ms"] = statistics.median(_final_ms(recogniser) for _ in range(_ROUNDS))
        riva.client.SpeechSynthesisService(auth).synthesize("All models have spoken now.")
        found["resident_mb"] = _resident_kb(server.process.pid) / 1024
        auth.channel.close()
    return found


def _resident_kb(pid: int) -> int:
    """Resident size of a process and all that it started, from proc(5)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    own = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    children = Path(f"/proc/{pid}/task").glob("*/children")
    return own + sum(_resident_kb(int(child)) for file in children for child in file.read_text().split())


def _ms(recogniser: Recogniser, pcm: bytes) -> float:
    began = time.perf_counter()
    recogniser.recognise(pcm)
    return 1000 * (time.perf_counter() - began)


def _final_ms(recogniser: Recogniser) -> float:
    """From the end of a stream that holds 4 s of speech, sent at once, to its last final."""
    pcm = sounds.speech(end_s=4).tobytes()
    began = time.perf_counter()
    finals = [event for event in recogniser.stream([pcm], interim=False) if isinstance(event, Final)]
    assert finals
    return 1000 * (time.perf_counter() - began)
