"""Conversations by voice without a microphone: recordings as spoken turns, answers as a file, and the flows' tests.

The conversations of a flow folder's tests can be heard by the real thing: by the model alone, or spoken over a
telephone and recognised.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
import wave
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline import audio
from pipeline.asr import RATE_HZ, Expected, Final, Recogniser
from pipeline.assistant import sentences_of
from pipeline.assistant.listening import Listener
from pipeline.dialog import Asked, Said
from pipeline.dialog.cases import Turn, as_written
from pipeline.dialog.tests_as_data import Hear
from pipeline.errors import InputError
from pipeline.tts import RATE_HZ as VOICE_HZ
from pipeline.tts import Speaker

PHONE_HZ = 8000
_BAND_HZ = (300.0, 3400.0)  # what a telephone line lets through: 3 dB less at its edges
_MU = 255.0  # of ITU-T G.711's mu-law
_CHUNK_BYTES = 2 * RATE_HZ // 10  # a tenth of a second
ALTERNATIVES = 3  # of a second opinion
_PAUSE_S = 0.4  # between the answers of two turns
_BEFORE_S, _AFTER_S = 0.5, 1.0  # of silence around the words, as on a line: so their beginning and end are heard

Pcm = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Transcript:
    """What was said in a spoken turn; ``recognise_ms`` is the time from the end of the audio to the last word."""

    text: str
    recogniser: str  # "name@version"; "" where nothing was heard
    recognise_ms: float


def by_model(listener: Listener) -> Hear:
    """Hears the cases' words as the assistant does, in place of the written intents; a written failure stays one.

    BackendError comes out of the run.
    """

    def hear(turn: Turn, asked: Asked) -> Said:
        if turn.error:
            return as_written(turn)
        return listener.told(turn.user or "", asked)

    return hear


def by_voice(speaker: Speaker, recogniser: Recogniser, listener: Listener, cache: Path, *, voice: str = "") -> Hear:
    """Hears the cases' words as a caller says them: synthesised, degraded to telephone speech, recognised, understood.

    Synthesised speech is kept in ``cache``, a file a text and voice. BackendError comes out of the run.
    """

    def hear(turn: Turn, asked: Asked) -> Said:
        if turn.error:
            return as_written(turn)
        pcm = telephone(_spoken(speaker, turn.user or "", voice, cache))
        expected = listener.expects(asked)
        text = transcribe(recogniser, [pcm], expected).text
        if not text:
            return Said("")
        around = bytes(2 * round(_BEFORE_S * RATE_HZ))
        sound = around + pcm.astype("<i2").tobytes() + around

        def again() -> tuple[str, ...]:
            found = recogniser.recognise(sound, expected=expected, alternatives=ALTERNATIVES)
            return (found.transcript, *found.others)

        return listener.told(text, asked, spoken=True, again=again)

    return hear


def transcribe(recogniser: Recogniser, parts: Iterable[Pcm], expected: Sequence[Expected] = ()) -> Transcript:
    """What is said in 16 kHz audio, recognised as a live utterance is: streamed, until the recogniser hears its end.

    Raises BackendError, CapabilityAbsent.
    """
    sent_at = time.perf_counter()

    def chunks() -> Iterator[bytes]:
        nonlocal sent_at
        yield bytes(2 * round(_BEFORE_S * RATE_HZ))
        for part in parts:
            data = part.astype("<i2").tobytes()
            for first in range(0, len(data), _CHUNK_BYTES):
                yield data[first : first + _CHUNK_BYTES]
        sent_at = time.perf_counter()
        yield bytes(2 * round(_AFTER_S * RATE_HZ))

    finals = [
        event for event in recogniser.stream(chunks(), interim=False, expected=expected) if isinstance(event, Final)
    ]
    took_ms = 1000 * (time.perf_counter() - sent_at)
    return Transcript(" ".join(final.transcript for final in finals), finals[-1].model if finals else "", took_ms)


def telephone(pcm: Pcm) -> Pcm:
    """Speech at 22,050 Hz as it comes out of a telephone line: 300 to 3,400 Hz, 8 bits of mu-law, at 16 kHz.

    The band's edges are Butterworth's: two poles below, as of ffmpeg's highpass, and four above.
    """
    hz = np.fft.rfftfreq(len(pcm), 1 / VOICE_HZ)
    low, high = _BAND_HZ
    gain = hz**2 / np.sqrt(hz**4 + low**4) / np.sqrt(1 + (hz / high) ** 8)
    line = np.clip(_resampled(np.fft.rfft(pcm / 32768) * gain, len(pcm), VOICE_HZ, PHONE_HZ), -1.0, 1.0)
    # The continuous law that G.711's segments approximate: 8 bits, of which one is the sign.
    squeezed = np.sign(line) * np.log1p(_MU * np.abs(line)) / np.log1p(_MU)
    steps = np.round(squeezed * 127) / 127
    received = np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(_MU)) / _MU
    heard = _resampled(np.fft.rfft(received), len(received), PHONE_HZ, RATE_HZ)
    return np.asarray(np.clip(np.round(heard * 32767), -32768, 32767), dtype=np.int16)


def heard_in(source: Path, recogniser: Recogniser) -> Transcript:
    """What is said in a recording of one spoken turn, in any format that ffmpeg reads; both channels are mixed.

    Raises InputError for a file that is no recording, BackendError.
    """
    with tempfile.TemporaryDirectory() as folder:
        channels = audio.split(source, Path(folder) / "channels")
        parts = [list(audio.blocks(channel.path)) for channel in channels]
    if len(parts) == 1:
        return transcribe(recogniser, parts[0])
    mixed = np.mean([np.concatenate(part) for part in parts], axis=0)
    return transcribe(recogniser, [mixed.astype(np.int16)])


class Answers:
    """The assistant's answers as speech, collected for one file."""

    def __init__(self, speaker: Speaker, voice: str = "") -> None:
        """``voice`` is a Riva name; empty: the server's choice."""
        self._speaker, self._voice = speaker, voice
        self._spoken: list[bytes] = []

    def add(self, replies: Sequence[str]) -> None:
        """Say the replies of one turn, sentence by sentence. Raises BackendError, CapabilityAbsent."""
        for reply in replies:
            self._spoken += [self._speaker.say(sentence, self._voice)[0] for sentence in sentences_of(reply)]
        if replies:
            self._spoken.append(bytes(2 * round(_PAUSE_S * VOICE_HZ)))

    def write(self, path: Path) -> None:
        """Write all that was said to a 16-bit mono WAV, whole or not at all. Raises InputError."""
        made = path.with_name(f".{path.name}.partial")
        try:
            with made.open("wb") as whole, wave.open(whole, "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(VOICE_HZ)
                file.writeframes(b"".join(self._spoken))
            made.replace(path)
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror or error}; choose another by --out") from error


def _resampled(spectrum: npt.NDArray[np.complex128], count: int, from_hz: int, to_hz: int) -> npt.NDArray[np.float64]:
    """The ``count`` samples of a spectrum at another rate: what the lower rate cannot hold is cut off."""
    wanted = round(count * to_hz / from_hz)
    kept = np.zeros(wanted // 2 + 1, dtype=np.complex128)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return np.asarray(np.fft.irfft(kept, wanted) * wanted / count, dtype=np.float64)


def _spoken(speaker: Speaker, text: str, voice: str, cache: Path) -> Pcm:
    """The text in a voice at 22,050 Hz, from the cache where it was said before."""
    named = voice or ",".join(speaker.voices)
    path = cache / f"{hashlib.sha256(f'{named} {VOICE_HZ} {text}'.encode()).hexdigest()[:32]}.pcm"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        made = path.with_suffix(f".{os.getpid()}")
        made.write_bytes(speaker.say(text, voice)[0])
        made.rename(path)
    return np.frombuffer(path.read_bytes(), dtype="<i2")
