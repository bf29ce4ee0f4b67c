"""The second opinion of a better recogniser on what was not understood."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from pipeline.backends import Backends
from pipeline.live.rereading import LONGEST_S, Rereader
from pipeline.settings import Settings
from tests.server.material import reading


def test_speech_is_heard_again_by_one_conversation_at_a_time(speech_server: str, tmp_path: Path) -> None:
    pcm = reading().tobytes()
    with Backends(Settings(home=tmp_path, asr_uri=speech_server), {}) as backends:
        rereader = Rereader(backends.recogniser, patience_s=60.0)
        read = rereader.of(pcm)
        assert read is not None
        assert len(read()[0].split()) > 3
        texts: list[Sequence[str]] = []
        threads = [threading.Thread(target=lambda: texts.append(read())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert texts[0] == texts[1] != ()  # the second waits for the first
        assert rereader.of(b"") is None
        assert rereader.of(bytes(round(32_000 * (LONGEST_S + 1)))) is None


def test_a_recogniser_that_is_away_has_no_opinion(tmp_path: Path) -> None:
    with Backends(Settings(home=tmp_path, asr_uri="127.0.0.1:9"), {}) as backends:
        read = Rereader(backends.recogniser, patience_s=0.2).of(reading().tobytes())
        assert read is not None
        assert read() == ()
        assert read() == ()  # the first is still under way
