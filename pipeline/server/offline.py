"""The offline recogniser: Whisper by faster-whisper, on the speech that Silero's voice activity model finds.

Measured on 2 cores (tiny.en, int8): Whisper always encodes 30 seconds, whatever it gets. So speech is packed into as
few windows of 28 s as possible, cut only in silences, and each window is decoded once, without time tokens: with them
Whisper moves on to the last time it wrote and encodes the rest again, for up to twice the work and invented words in
the remainder. A beam of 5 costs a quarter more than greedy decoding and takes a quarter off the word error rate.
Expected phrases and further guesses are another matter: see hypotheses.py.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline import weights
from pipeline.calls import Word
from pipeline.errors import ConfigError
from pipeline.server import hypotheses
from pipeline.server.boosting import NONE, Boosts
from pipeline.server.heard import Alternative, Heard, RecogniserCard
from pipeline.voice import RATE_HZ, Pack, VoiceActivity, pack, regions

DEFAULT = "tiny.en"
MOST_ALTERNATIVES = 5

_BEAM = 5
_WINDOW_S = 28.0  # of the 30 s that the encoder takes, so that padding at the edges cannot overflow it
_LOOPING = 2.4  # a text that compresses better than this repeats itself (Whisper's own threshold)
_UNSURE = -1.0  # mean log probability under which a text counts only if the model also hears speech (Whisper's own)
_SILENT = 0.6  # probability of "no speech" above which an unsure text is dropped (Whisper's own)
_FRAMES_A_SECOND = 100  # as Whisper counts them in alignments
_TAIL = np.zeros(RATE_HZ // 2, dtype=np.int16)  # Whisper drops a last sentence that ends with the audio (measured)
_BLOCK = 60 * RATE_HZ  # samples that the voice activity model sees at once

Pcm = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Wish:
    """What a request asks of the recogniser."""

    language: str  # ISO 639-1; "" lets a multilingual model find out
    words: bool  # word times and confidences
    alternatives: int  # guesses wanted, 1 or more
    boosts: Boosts = NONE  # phrases to expect


class Whisper:
    """A loaded Whisper model; its methods may be called from several threads, as many as it has workers."""

    def __init__(self, name: str, models: Path, *, workers: int) -> None:
        """Load the faster-whisper model ``name``: tiny.en, a name of theirs, a hub's ``owner/name``, or a local folder.

        Only a name other than tiny.en that is no folder may be fetched from the hub. Raises ConfigError when the model
        cannot be had.
        """
        self._vad = weights.find("silero-vad", models)
        where, version = _locate(name, models)
        self._model = _load(name, where, workers)
        self._english = not self._model.model.is_multilingual
        self.card = RecogniserCard(
            name="whisper-" + (Path(name).name if where.is_dir() else name.rpartition("/")[2]),
            type="offline",
            languages=tuple(self._model.supported_languages),
            version=version or _fingerprint(self._model),
            parameters={
                "word_times": "measured",
                "confidence": "True",
                "max_alternatives": str(MOST_ALTERNATIVES),
                "word_boosting": "True",
            },
        )

    def packs(self, pcm: Pcm) -> list[Pack]:
        """The speech in 16 kHz ``pcm`` as packs of at most 28 s, each to be recognised by itself; none in silence."""
        voice = VoiceActivity(self._vad)
        found = [voice.probabilities(_floats(pcm[i : i + _BLOCK])) for i in range(0, len(pcm), _BLOCK)]
        probabilities = np.concatenate([*found, voice.finish()])
        # The last frame was filled up with silence, and a region must not reach beyond the audio.
        length_s = len(pcm) / RATE_HZ
        # Half a second before the first sure frame: a shorter margin cuts off soft beginnings (measured).
        speech = regions(probabilities, pad_s=0.5, min_silence_s=0.6, longest_s=_WINDOW_S - 1)
        return pack([replace(r, end_s=min(r.end_s, length_s)) for r in speech], longest_s=_WINDOW_S)

    def recognise(self, pcm: Pcm, stretch: Pack, wish: Wish) -> Heard:
        """What is said in ``stretch`` of ``pcm``; an empty text where the model hears no speech after all."""
        pieces = [_cut(pcm, piece.start_s, piece.end_s) for piece in stretch.pieces]
        audio = _floats(np.concatenate([*pieces, _TAIL]))
        end_s = stretch.pieces[-1].end_s
        if wish.alternatives > 1 or wish.boosts.nats:
            among = self._among(audio, stretch, wish)
            if among is not None:
                return among
        best = self._decode(audio, wish)
        if best is None:
            return Heard("", end_s)
        words = _words(best.words, stretch) if wish.words else ()
        confidence = math.exp(min(0.0, best.avg_logprob))
        return Heard(best.text.strip(), end_s, confidence, words)

    def _decode(self, audio: npt.NDArray[np.float32], wish: Wish) -> Any | None:
        """The one segment of the window, or None without speech."""
        segment = self._first(audio, wish)
        if segment is not None and segment.compression_ratio > _LOOPING:
            # Whisper's own way out is sampling at a higher temperature, which gives another text each time.
            segment = self._first(audio, wish, no_repeat_ngram_size=3, repetition_penalty=1.2)
        return segment

    def _first(self, audio: npt.NDArray[np.float32], wish: Wish, **options: Any) -> Any | None:
        segments, _ = self._model.transcribe(
            audio,
            language="en" if self._english else wish.language or None,
            beam_size=_BEAM,
            temperature=0.0,
            compression_ratio_threshold=None,
            log_prob_threshold=_UNSURE,
            no_speech_threshold=_SILENT,
            condition_on_previous_text=False,
            without_timestamps=True,
            word_timestamps=wish.words,
            **options,
        )
        # A lazy iterator: what would come after the first window is the padding behind the speech.
        return next(iter(segments), None)

    def _among(self, audio: npt.NDArray[np.float32], stretch: Pack, wish: Wish) -> Heard | None:
        """The likeliest of several guesses and the next ones; None where the model finds nothing to choose from."""
        from faster_whisper.tokenizer import Tokenizer

        model = self._model
        tokenizer = Tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=wish.language or "en"
        )
        found = hypotheses.found(model, tokenizer, audio, wish.boosts, silent=_SILENT, unsure=_UNSURE, looping=_LOOPING)
        if found is None:
            return None
        best, *others = found.hypotheses[: wish.alternatives]
        words: tuple[Word, ...] = ()
        if wish.words:
            frames = round(len(audio) / RATE_HZ * _FRAMES_A_SECOND)
            words = _words(
                _timed(model.find_alignment(tokenizer, [list(best.tokens)], found.encoded, frames)[0]), stretch
            )
        return Heard(
            best.text,
            stretch.pieces[-1].end_s,
            best.confidence,
            words,
            tuple(Alternative(one.text, one.confidence) for one in others),
        )


def _locate(name: str, models: Path) -> tuple[Path, str]:
    """Folder of the weights and their version; a path that is no folder stands for a name at the hub."""
    if name == DEFAULT:
        # Nothing may reach for the network by surprise, not even for a file that the libraries think is missing.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        return weights.find("whisper-tiny.en", models), weights.version("whisper-tiny.en", models)
    folder = Path(name).expanduser()
    if folder.is_dir():
        missing = [file for file in ("model.bin", "config.json", "tokenizer.json") if not (folder / file).is_file()]
        if missing:
            raise ConfigError(
                f"OVERTONE_WHISPER: {folder} lacks {', '.join(missing)}; give a folder made by "
                "ct2-transformers-converter with --copy_files tokenizer.json"
            )
        return folder, ""
    from faster_whisper import available_models

    if name not in available_models() and name.count("/") != 1:
        raise ConfigError(
            f"OVERTONE_WHISPER is {name!r}: no such folder, and no faster-whisper model "
            f"({', '.join(m for m in available_models() if '/' not in m)}, or a hub's owner/name)"
        )
    return folder, ""


def _load(name: str, where: Path, workers: int) -> Any:
    from faster_whisper import WhisperModel

    try:
        # One thread a worker: two threads are hardly faster than one on one window (measured), two windows at once are.
        return WhisperModel(
            str(where) if where.is_dir() else name,
            device="cpu",
            compute_type="int8",
            cpu_threads=1,
            num_workers=workers,
            local_files_only=where.is_dir(),
        )
    except Exception as error:  # the hub's, the tokenizer's and the engine's own errors have no common base
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ConfigError(f"OVERTONE_WHISPER: cannot load {name!r}: {reason}") from error


def _fingerprint(model: Any) -> str:
    """A version for weights that we know nothing of: a hash over the vocabulary and the sizes of the model."""
    shape = (
        model.model.is_multilingual,
        model.model.n_mels,
        model.model.num_languages,
        model.hf_tokenizer.get_vocab_size(),
    )
    return hashlib.sha256(repr(shape).encode()).hexdigest()[:8]


def _words(found: Sequence[Any], stretch: Pack) -> tuple[Word, ...]:
    """The words at their times in the recording; one that the packing would spread over a gap stays in its piece."""
    words: list[Word] = []
    for one in found:
        word = Word(one.word.strip(), float(one.start), float(one.end), float(one.probability))
        if words and not one.word.startswith(" "):  # "o", "'clock": without a space it goes on with the last word
            last = words.pop()
            sure = min(last.confidence or 0.0, word.confidence or 0.0)
            word = Word(last.text + word.text, last.start_s, word.end_s, sure)
        words.append(word)
    return tuple(stretch.placed(word for word in words if word.text))


def _timed(found: Sequence[Mapping[str, Any]]) -> list[SimpleNamespace]:
    """Words as faster-whisper's own segments have them; the last row is the end of the text."""
    return [SimpleNamespace(**row) for row in found if row["word"].strip() and not row["word"].startswith("<|")]


def _cut(pcm: Pcm, start_s: float, end_s: float) -> Pcm:
    return pcm[max(0, round(start_s * RATE_HZ)) : round(end_s * RATE_HZ)]


def _floats(pcm: Pcm) -> npt.NDArray[np.float32]:
    return pcm.astype(np.float32) / np.float32(1 << 15)
