"""The voices of the server, each in a process of its own: piper where it is installed, espeak-ng in its place.

piper is GPL-3.0-or-later: it is run, never imported. It reads lines from its input, writes a WAV for each into a folder
of ours and then logs its name, which is the exact boundary between one utterance and the next.
"""

from __future__ import annotations

import io
import logging
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import wave
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np

from pipeline import weights
from pipeline.errors import BackendError, ConfigError
from pipeline.server.speech_audio import Pcm

LANGUAGE = "en-US"
_WEIGHTS = "piper-joe"
_PIPER_HZ = 22_050
_TIMEOUT_S = 60.0  # of one utterance, the loading of the model included; usually 0.1 to 0.8 s, and 4 s for loading
_WROTE = re.compile(r"Wrote (.+\.wav)\s*$")

log = logging.getLogger(__name__)


class Voice(Protocol):
    """Something that speaks. One thread uses it at a time."""

    model: str  # as GetRivaSynthesisConfig names it
    version: str
    name: str  # "English-US"; with the subvoice, "English-US.Joe", what clients ask for
    subvoice: str
    rate_hz: int
    ipa: bool  # whether [[phonemes]] in IPA may stand in a text

    def say(self, text: str) -> Pcm:
        """``text`` as samples at ``rate_hz``, always the same ones. Raises BackendError."""
        ...

    def close(self) -> None:
        """End what runs."""
        ...


def find_voice(models: Path) -> Voice | None:
    """The best voice that is installed, None where there is none; says in the log when it is not piper."""
    try:
        if find_spec("piper") is None:
            raise ConfigError("extra tts is not installed")
        return Piper(weights.find(_WEIGHTS, models), weights.version(_WEIGHTS, models))
    except ConfigError as error:
        program = shutil.which("espeak-ng")
        if program is None:
            log.warning("%s and espeak-ng is not there: text is not spoken; pip install 'overtone[tts]'", error)
            return None
        log.warning("%s: espeak-ng speaks; pip install 'overtone[tts]' for a better voice", error)
        return Espeak(program)


class Piper:
    """piper with the voice Joe. Its process starts with the first utterance (4 s) and again whenever it has died."""

    model, name, subvoice = "piper-en-US-joe-medium", "English-US", "Joe"
    rate_hz, ipa = _PIPER_HZ, True

    def __init__(self, folder: Path, version: str, *, timeout_s: float = _TIMEOUT_S) -> None:
        """``folder`` holds the voice's one .onnx file."""
        self.version = version
        self._onnx = next(folder.glob("*.onnx"))
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[str] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def say(self, text: str) -> Pcm:
        """``text``, one line, as samples. Raises BackendError when the process ends or hangs on it twice."""
        line = " ".join(text.split())
        said = ""
        for _ in range(2):
            child = self._child or self._start()
            wav, said = self._exchange(child, line)
            if wav is not None:
                return wav
            self.close()
            log.warning("the voice's process ended (%s); it is started again", said)
        raise BackendError(f"Error: the voice ended twice while it spoke this text ({said})")

    def close(self) -> None:
        """End the process; the next utterance starts another."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stderr):
                if pipe is not None:
                    with suppress(BrokenPipeError):  # a line it never read was still on its way
                        pipe.close()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _start(self) -> subprocess.Popen[str]:
        self._scratch = tempfile.TemporaryDirectory(prefix="overtone-voice-")
        # Without noise the same text gives the same samples, streamed or not, and is recognised better if anything
        # (word errors 0.0 % against 0.5 %, 20 sentences, Whisper tiny.en). It ends by itself when its input closes, so
        # it does not outlive us however we end. -P: nothing in the working folder may pass for a module of Python's.
        self._child = subprocess.Popen(
            [
                *(sys.executable, "-P", "-X", "utf8", "-m", "piper", "--model", str(self._onnx)),
                *("--output-dir", self._scratch.name, "--noise-scale", "0", "--noise-w-scale", "0"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            # Ctrl-C in the terminal reaches the whole group: the server ends its voice itself, after its last request.
            start_new_session=True,
        )
        return self._child

    def _exchange(self, child: subprocess.Popen[str], line: str) -> tuple[Pcm | None, str]:
        """The samples of ``line``, None where the process ended before it had them; and the last that it logged."""
        assert child.stdin is not None
        assert child.stderr is not None
        said = "it said nothing"
        watchdog = threading.Timer(self._timeout_s, child.kill)
        watchdog.start()
        try:
            child.stdin.write(line + "\n")
            child.stdin.flush()
            for logged in child.stderr:
                said = logged.strip()[-200:] or said
                written = _WROTE.search(logged)
                if written:
                    return _take(Path(written[1])), said
        except BrokenPipeError:
            pass
        finally:
            watchdog.cancel()
        return None, said


class Espeak:
    """espeak-ng: harder to understand than piper (13.5 % word errors against 2.2 %), and 60 times cheaper."""

    model, name, subvoice = "espeak-ng", "espeak-ng", "English"
    version = ""
    rate_hz, ipa = 22_050, False

    def __init__(self, program: str) -> None:
        """``program`` is the path of espeak-ng."""
        self._program = program

    def say(self, text: str) -> Pcm:
        """``text`` as samples, from a process that ends with it. Raises BackendError."""
        try:
            done = subprocess.run(
                [self._program, "-v", "en-us", "-b", "1", "--stdin", "--stdout"],
                input=text.encode(),
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise BackendError(f"Error: espeak-ng failed: {error}") from error
        with wave.open(io.BytesIO(done.stdout)) as file:  # its header claims 2 GB; what is there is read
            return np.frombuffer(file.readframes(file.getnframes()), np.int16)

    def close(self) -> None:
        """Nothing runs between utterances."""


def _take(path: Path) -> Pcm:
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    path.unlink()
    return samples
