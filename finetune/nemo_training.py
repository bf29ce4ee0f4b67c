"""Trainings with NeMo, driven from here: joint intents and slots, and speech recognition from calls with references."""

from __future__ import annotations

import json
import re
import shutil
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein

from finetune import data, encoder, nemo, nemo_environment
from finetune.config import Source
from pipeline.errors import InputError
from pipeline.server.understanding import words
from pipeline.store import Store

_MARGIN_S = 0.15  # of sound kept around a sentence
_SHORTEST_S, _LONGEST_S = 0.3, 25.0
_MEASURED = 5  # every fifth sentence measures, the others train
_FEWEST = 10

Say = Callable[[str], None]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    steps: int
    batch_size: int
    learning_rate: float
    seed: int = 1


@dataclass(frozen=True)
class Trained:
    """What a speech training brought; shares of wrong words on sentences that it was not trained on."""

    output: Path
    steps: int
    train: int  # sentences
    measured: int
    before: float
    after: float


def intents(
    folder: Path, output: Path, home: Path, schedule: Schedule, *, queries: Sequence[str], say: Say
) -> dict[str, Any]:
    """What NeMo says of a training on a folder in its format, and of ``queries``; the model is written to ``output``.

    Raises InputError with all defects of the data, ConfigError without the environment, BackendError where NeMo fails.
    """
    source = Source("train.tsv", format="nemo")
    known = nemo.labels(source, {"repository": folder})
    defects = [
        bad for name in ("train.tsv", "test.tsv") for bad in nemo.read(Source(name, format="nemo"), folder, known)[1]
    ]
    data.refuse(defects)
    python = nemo_environment.python_of(home, nemo_environment.INTENT_SLOT)
    work = home / "training" / "nemo-intent-slot"
    pretrained = _with_vocabulary(encoder.unpack(home / "training"), work / "encoder")
    copy = work / "data"
    # NeMo writes its own label files into the folder.
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    job = {
        "data": str(copy.resolve()), "encoder": str(pretrained.resolve()), "output": str(output.resolve()),
        "queries": list(queries), **vars(schedule),
    }  # fmt: skip
    output.parent.mkdir(parents=True, exist_ok=True)
    return nemo_environment.run(
        python, "intent_slot", job, work.resolve(), inputs=sorted(folder.glob("*.?sv")), say=say
    )


def speech(
    model: Path, output: Path, store: Store, audio: Path, references: Path, home: Path, schedule: Schedule, *, say: Say
) -> Trained:
    """A `.nemo` speech model trained on from the stored calls with references; every fifth sentence only measures.

    Raises InputError where the model or enough sentences are missing, ConfigError without NeMo, BackendError where it
    fails.
    """
    if not model.is_file():
        raise InputError(f"there is no model {model}; give a .nemo file")
    python = nemo_environment.python_of(home, nemo_environment.ASR)
    work = (home / "training" / "nemo-asr").resolve()
    rows = manifest_rows(store, audio, references, work / "clips")
    if len(rows) < _FEWEST:
        raise InputError(
            f"{len(rows)} sentences have sound and a reference; at least {_FEWEST} are needed: ingest calls whose "
            f"transcripts lie in {references}"
        )
    parts = {"train": [r for i, r in enumerate(rows) if i % _MEASURED], "measure": rows[::_MEASURED]}
    for name, part in parts.items():
        (work / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part), encoding="utf-8")
    job = {
        "model": str(model.resolve()), "output": str(output.resolve()), "train": str(work / "train.jsonl"),
        "measure": str(work / "measure.jsonl"), **vars(schedule),
    }  # fmt: skip
    output.parent.mkdir(parents=True, exist_ok=True)
    found = nemo_environment.run(
        python, "asr", job, work, inputs=[model, work / "train.jsonl", work / "measure.jsonl"], say=say
    )
    true = [str(row["text"]) for row in parts["measure"]]
    return Trained(
        output, found["steps"], len(parts["train"]), len(true),
        word_error_rate(true, found["before"]), word_error_rate(true, found["after"]),
    )  # fmt: skip


def manifest_rows(store: Store, audio: Path, references: Path, clips: Path) -> list[dict[str, Any]]:
    """NeMo's manifest rows: a clip of the right channel for each reference sentence that has times."""
    clips.mkdir(parents=True, exist_ok=True)
    wanted = {}
    for path in sorted(references.glob("*.json")):
        read = json.loads(path.read_text(encoding="utf-8"))
        wanted[str(read["audio"])] = [s for s in read["sentences"] if "start_s" in s and "end_s" in s]
    made: list[dict[str, Any]] = []
    offset = 0
    while page := store.calls(limit=200, offset=offset).rows:
        offset += len(page)
        for summary in page:
            call = summary.call
            for number, sentence in enumerate(wanted.get(call.source, ())):
                if sentence["speaker"] not in call.speakers:
                    continue
                channel = audio / call.id / f"channel-{call.speakers.index(sentence['speaker']) + 1}.wav"
                text = spoken(sentence["text"])
                length = sentence["end_s"] - sentence["start_s"]
                if text and channel.is_file() and _SHORTEST_S <= length <= _LONGEST_S:
                    clip = clips / f"{call.id}-{number}.wav"
                    duration_s = _cut(channel, clip, sentence["start_s"] - _MARGIN_S, sentence["end_s"] + _MARGIN_S)
                    made.append({"audio_filepath": str(clip), "duration": round(duration_s, 3), "text": text})
    return made


def spoken(text: str) -> str:
    """The text as speech models write it: lower case, numbers in words, letters and apostrophes only."""
    return " ".join(re.sub(r"[^a-z' ]", "", piece.word.lower()) for piece in words(text)).strip()


def word_error_rate(true: Sequence[str], heard: Sequence[str]) -> float:
    """The share of the true words that are wrong, lost or added, over all texts."""
    errors = sum(Levenshtein.distance(a.split(), spoken(b).split()) for a, b in zip(true, heard, strict=True))
    return errors / max(1, sum(len(a.split()) for a in true))


def _cut(source: Path, target: Path, start_s: float, end_s: float) -> float:
    """Seconds of the clip that was written."""
    with wave.open(str(source), "rb") as read:
        rate_hz = read.getframerate()
        first = max(0, round(start_s * rate_hz))
        count = max(0, min(read.getnframes(), round(end_s * rate_hz)) - first)
        read.setpos(min(first, read.getnframes()))
        frames = read.readframes(count)
        with wave.open(str(target), "wb") as write:
            write.setparams(read.getparams())
            write.writeframes(frames)
    return count / rate_hz


def _with_vocabulary(pretrained: Path, folder: Path) -> Path:
    """A copy of the encoder's folder with vocab.txt, which NeMo asks for: a token a line, by its number."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in pretrained.iterdir():
        shutil.copyfile(path, folder / path.name)
    vocabulary = json.loads((pretrained / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    listed = sorted(vocabulary, key=lambda token: int(vocabulary[token]))
    (folder / "vocab.txt").write_text("\n".join(listed) + "\n", encoding="utf-8")
    return folder
