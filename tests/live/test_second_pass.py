"""When an ended call is heard again: not while a live call needs the machine."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.backends import Backends
from pipeline.live import journal as journals
from pipeline.live.journal import Described
from pipeline.live.labelling import Labeller
from pipeline.live.recording import Recording
from pipeline.live.second_pass import SecondPass, busy_share
from pipeline.settings import Settings
from tests.dashboard import seed
from tests.live.phones import eventually
from tests.server.material import reading


class Cores:
    """The share of busy cores as the test has it; ``looks`` counts how often it was asked for."""

    def __init__(self, share: float) -> None:
        self.share, self.looks = share, 0
        self._looked = threading.Condition()

    def __call__(self) -> float:
        with self._looked:
            self.looks += 1
            self._looked.notify_all()
        return self.share

    def looked_at(self, times: int) -> bool:
        with self._looked:
            return self._looked.wait_for(lambda: self.looks >= times, 60)


def test_it_waits_while_live_calls_need_the_cores(speech_server: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, asr_uri=speech_server, nlp_uri=speech_server, tts_uri=speech_server)
    call = replace(seed.live_call(1, datetime.now(UTC)), speakers=("customer",))
    cores = Cores(0.9)
    with Backends(settings, os.environ) as backends:
        store = backends.store
        store.begin(call)
        store.finish(call.id, 4.0)
        recording = Recording(settings.audio_folder / call.id, 1)
        recording.write(1, reading().tobytes())
        recording.close()
        later = SecondPass(
            store,
            backends.services,
            Labeller(backends.classifier, None),
            settings.audio_folder,
            keep_audio=True,
            live_calls=lambda: 1,
            busy=cores,
        )
        later.put(journals.begin(tmp_path / "live" / call.id, Described(call, "plain", "", state="ended")))
        assert cores.looked_at(3)
        assert not store.sentences(call.id)
        assert later.waiting == 1
        cores.share = 0.2
        eventually(lambda: not later.waiting)
        later.close()
        assert "best of times" in " ".join(sentence.text for sentence in store.sentences(call.id)).lower()


def test_busy_cores_are_seen_at_once() -> None:
    cores = os.cpu_count() or 1
    stop = threading.Event()
    before = busy_share()
    block = bytes(1 << 20)  # hashing it gives Python's lock away, so that a thread a core keeps all of them busy

    def work() -> None:
        while not stop.is_set():
            hashlib.sha256(block)

    threads = [threading.Thread(target=work) for _ in range(cores)]
    for thread in threads:
        thread.start()
    during = max(busy_share() for _ in range(3))
    stop.set()
    for thread in threads:
        thread.join()
    assert 0 <= before <= 1
    assert during > 0.6
