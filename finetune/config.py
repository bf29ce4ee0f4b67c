"""What a training run is told: one YAML file per task, refused as a whole with every fault named.

A config names data by roots, so that the same file serves everywhere: ``repository`` is the folder that holds
``data/``, ``datasets`` the folder of public data sets that is given on the command line, ``rows`` the folder of rows
that people's corrections make.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from pipeline.errors import ConfigError

Task = Literal["sentiment", "punctuation", "intent-slot"]
Format = Literal["calls", "reviewed", "labelled", "banking77", "clinc150", "nlupp", "tokens", "nemo"]
Root = Literal["repository", "datasets", "rows"]


@dataclass(frozen=True)
class Source:
    """One file of examples and how much it counts."""

    path: str
    format: Format = "calls"
    root: Root = "repository"
    repeat: int = 1  # times a row appears in an epoch
    weight: float = 1.0  # factor of the row's loss
    limit: int = 0  # rows drawn at random by the run's seed; 0 = all
    label: str = ""  # label of every row, for files that carry none of ours
    exclude: tuple[str, ...] = ()  # words that keep a row out, for files that get one label
    only: tuple[str, ...] = ()  # labels that are kept; empty = all
    least: float = 0.0  # probability that the teacher must give a row's label; cleans noisy labels; 0 = no teacher

    @property
    def annotated(self) -> bool:
        """Whether its sentences come with intents and slots of their own."""
        return self.format == "nemo" or (self.format == "tokens" and not self.label)

    def faults(self) -> list[str]:
        """The inconsistencies of this source, each one line; empty when it can be used."""
        found = []
        if not self.path:
            found.append("path is empty")
        if Path(self.path).is_absolute() or ".." in Path(self.path).parts:
            found.append(f"path {self.path!r} leaves its root; give one below it")
        for name, allowed in (("format", get_args(Format)), ("root", get_args(Root))):
            if getattr(self, name) not in allowed:
                found.append(f"{name} is {getattr(self, name)!r}, not one of {', '.join(allowed)}")
        if self.repeat < 1:
            found.append(f"repeat is {self.repeat}, must be at least 1")
        if not 0 < self.weight <= 10:
            found.append(f"weight is {self.weight}, must be above 0 and at most 10")
        if not 0 <= self.least < 1:
            found.append(f"least is {self.least}, must be at least 0 and below 1")
        if self.limit < 0:
            found.append(f"limit is {self.limit}, must be 0 (all) or more")
        if self.format in ("banking77", "clinc150", "nlupp") and not self.label:
            found.append(f"format {self.format} carries no label of ours, so label must be set")
        return found


@dataclass(frozen=True)
class Encoder:
    """Which part of the encoder is used and which part learns."""

    layers: int = 6  # kept from the bottom
    freeze_embeddings: bool = True
    freeze_layers: int = 0  # frozen from the bottom
    dropout: float = 0.1
    max_tokens: int = 128
    blend: float = 1.0  # share of the trained weights in the shipped ones, the rest is the pretrained encoder

    def faults(self) -> list[str]:
        """The inconsistencies of this part, each one line."""
        found = []
        if not 1 <= self.layers <= 6:
            found.append(f"layers is {self.layers}, the encoder has 1 to 6")
        if not 0 <= self.freeze_layers <= self.layers:
            found.append(f"freeze_layers is {self.freeze_layers}, must lie between 0 and layers ({self.layers})")
        if self.freeze_layers and not self.freeze_embeddings:
            found.append("freeze_layers without freeze_embeddings would train what lies under frozen layers")
        if not 0 <= self.dropout < 1:
            found.append(f"dropout is {self.dropout}, must be at least 0 and below 1")
        if not 0 < self.blend <= 1:
            found.append(f"blend is {self.blend}, must be above 0 and at most 1")
        if not 8 <= self.max_tokens <= 512:
            found.append(f"max_tokens is {self.max_tokens}, must lie between 8 and 512")
        return found


@dataclass(frozen=True)
class Training:
    """The optimiser's side: AdamW, linear warm-up, linear decay to zero."""

    seed: int = 1
    epochs: int = 3
    batch_size: int = 32
    learning_rate: float = 2e-4
    head_learning_rate: float = 1e-3
    layer_decay: float = 1.0  # factor of the rate per layer downwards
    weight_decay: float = 0.01
    warmup_share: float = 0.06  # of all steps
    clip_norm: float = 1.0
    label_smoothing: float = 0.0
    threads: int = 1
    checkpoint_every: int = 200  # steps

    def faults(self) -> list[str]:
        """The inconsistencies of this part, each one line."""
        found = [
            f"{name} is {getattr(self, name)}, must be at least 1"
            for name in ("epochs", "batch_size", "threads", "checkpoint_every")
            if getattr(self, name) < 1
        ]
        found += [
            f"{name} is {getattr(self, name)}, must be above 0"
            for name in ("learning_rate", "head_learning_rate", "clip_norm")
            if not getattr(self, name) > 0
        ]
        for name, low, high in (
            ("layer_decay", 0.1, 1.0),
            ("weight_decay", 0.0, 1.0),
            ("warmup_share", 0.0, 0.5),
            ("label_smoothing", 0.0, 0.5),
        ):
            if not low <= getattr(self, name) <= high:
                found.append(f"{name} is {getattr(self, name)}, must lie between {low} and {high}")
        return found


@dataclass(frozen=True)
class Augmentation:
    """Shares of the training sentences that are changed anew in each epoch."""

    plain: float = 0.5  # lower-cased, without punctuation
    fillers: float = 0.1  # of the plain ones: "uh", "you know", a word said twice
    asr_noise: float = 0.15  # of the plain ones: homophones, lost short words
    exchange: float = 0.0  # of the slot values that a list holds: another of the list instead

    def faults(self) -> list[str]:
        """The inconsistencies of this part, each one line."""
        return [
            f"{f.name} is {getattr(self, f.name)}, must lie between 0 and 1"
            for f in dataclasses.fields(self)
            if not 0 <= getattr(self, f.name) <= 1
        ]


@dataclass(frozen=True)
class Config:
    """One training run: the task, its data and its numbers."""

    task: Task
    version: str
    train: tuple[Source, ...]
    dev: tuple[Source, ...] = ()  # decides and calibrates, never trained on
    report: tuple[Source, ...] = ()  # only reported
    values: str = ""  # folder of slot values that may stand for each other, under the repository
    teacher: str = ""  # folder of an exported model, under the repository, that judges sources with ``least``
    class_biases: bool = True  # the calibration fits one a label, beside the temperature (sentiment)
    encoder: Encoder = field(default_factory=Encoder)
    training: Training = field(default_factory=Training)
    augmentation: Augmentation = field(default_factory=Augmentation)

    def faults(self) -> list[str]:
        """Every inconsistency, each one line with the place it stands at."""
        found = []
        if self.task not in get_args(Task):
            found.append(f"task is {self.task!r}, not one of {', '.join(get_args(Task))}")
        if not self.version:
            found.append("version is empty")
        if not self.train:
            found.append("train names no source")
        for part in ("encoder", "training", "augmentation"):
            found += [f"{part}: {fault}" for fault in getattr(self, part).faults()]
        for part in ("train", "dev", "report"):
            for number, source in enumerate(getattr(self, part), 1):
                found += [f"{part}[{number}]: {fault}" for fault in source.faults()]
        if any(source.least for source in self.train) and not self.teacher:
            found.append("a source has least, but teacher names no model")
        if self.augmentation.exchange and not self.values:
            found.append("augmentation exchanges slot values, but values names no folder")
        if self.task != "intent-slot":
            found += [
                f"{part}: {s.path} has format {s.format} with intents and slots of its own, which only the task "
                "intent-slot reads; set label to give all its rows one"
                for part in ("train", "dev", "report")
                for s in getattr(self, part)
                if s.annotated
            ]
        elif not any(s.annotated for s in self.train) or not any(s.annotated for s in self.dev):
            found.append("task intent-slot needs a source of format nemo, or tokens without label, in train and in dev")
        trained = {(s.root, s.path) for s in self.train}
        found += [
            f"{part}: {s.path} is also trained on, so its figures would mean nothing"
            for part in ("dev", "report")
            for s in getattr(self, part)
            if (s.root, s.path) in trained and self.task != "punctuation"
        ]
        return found


def load(path: Path) -> Config:
    """The config of a YAML file.

    Raises ConfigError, naming the file and all faults at once: unknown keys, wrong types, values out of range.
    """
    made, faults = examine(path)
    if faults or made is None:
        raise ConfigError(f"config {path}: {len(faults)} faults, nothing trained:\n  " + "\n  ".join(faults))
    return made


def examine(path: Path) -> tuple[Config | None, list[str]]:
    """The config of a YAML file and its faults, each with its line; without a config where too much of it is wrong.

    A config whose only faults are unknown keys is there, so that its data can be looked at too. Raises ConfigError for
    a file that is no YAML mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
        read, tree = yaml.safe_load(text), yaml.compose(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise ConfigError(f"config {path}: {' '.join(str(exc).split())}; give a readable YAML file") from exc
    if not isinstance(read, dict):
        raise ConfigError(f"config {path}: holds no mapping; see finetune/configs/sentiment.yml for one")
    unknown: list[str] = []
    faults: list[str] = []
    made: Config | None = _record(Config, read, "", faults, unknown)
    if made is not None:
        faults += made.faults()
    places = _lines(tree)
    told = [f"{path.name}:{_line(fault, places)}: {fault}" for fault in (*unknown, *faults)]
    return made, told


def dumped(config: Config) -> str:
    """The config as YAML that ``load`` reads back as the same."""
    return yaml.safe_dump(_listed(dataclasses.asdict(config)), sort_keys=False, allow_unicode=True, width=120)


def _listed(value: Any) -> Any:
    """The value with tuples as lists, since YAML knows no tuples."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, tuple | list) else value


def _lines(tree: Any, place: str = "") -> dict[str, int]:
    """The line of each key and list item of a YAML tree, by the place that faults name."""
    found = {}
    if isinstance(tree, yaml.MappingNode):
        for key, value in tree.value:
            name = f"{place}.{key.value}" if place else str(key.value)
            found[name] = key.start_mark.line + 1
            found |= _lines(value, name)
    elif isinstance(tree, yaml.SequenceNode):
        for number, item in enumerate(tree.value, 1):
            found[f"{place}[{number}]"] = item.start_mark.line + 1
            found |= _lines(item, f"{place}[{number}]")
    return found


def _line(fault: str, places: Mapping[str, int]) -> int:
    """The line that a fault stands at: of the longest known place that it begins with, else the first."""
    fitting = [name for name in places if re.match(re.escape(name) + r"(?![\w-])", fault)]
    return places[max(fitting, key=len)] if fitting else 1


def _record(kind: type[Any], read: Mapping[str, Any], place: str, faults: list[str], unknown: list[str]) -> Any:
    """An instance of a dataclass from a mapping, or None with the reasons in ``faults``; unknown keys are passed by."""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    before = len(faults)
    unknown += [f"{place}{key}: no such key; known are {', '.join(fields)}" for key in read if key not in fields]
    required = [
        f.name for f in fields.values() if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    faults += [f"{place}{name}: missing" for name in required if name not in read]
    parts: dict[str, type[Any]] = {"encoder": Encoder, "training": Training, "augmentation": Augmentation}
    values: dict[str, Any] = {}
    for name in fields.keys() & read.keys():
        value = read[name]
        if name in ("train", "dev", "report"):
            if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
                faults.append(f"{place}{name}: must be a list of sources")
                continue
            made = [_record(Source, item, f"{name}[{i}].", faults, unknown) for i, item in enumerate(value, 1)]
            values[name] = tuple(made)
        elif name in parts and kind is Config:
            if not isinstance(value, dict):
                faults.append(f"{place}{name}: must be a mapping")
                continue
            values[name] = _record(parts[name], value, f"{name}.", faults, unknown)
        else:
            values[name] = _plain(str(fields[name].type), value, f"{place}{name}", faults)
    return kind(**values) if len(faults) == before else None


def _plain(kind: str, value: Any, place: str, faults: list[str]) -> Any:
    """A scalar or tuple of words as its field wants it; a wrong type is a fault."""
    if kind.startswith("tuple"):
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        faults.append(f"{place}: must be a list of words")
    elif kind == "bool":
        if isinstance(value, bool):
            return value
        faults.append(f"{place}: {value!r} is not true or false")
    elif kind == "int":
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        faults.append(f"{place}: {value!r} is not a whole number")
    elif kind == "float":
        try:
            # YAML 1.1 reads 2e-4 as text.
            return float(value)
        except (TypeError, ValueError):
            faults.append(f"{place}: {value!r} is not a number")
    elif isinstance(value, str):
        return value
    else:
        faults.append(f"{place}: {value!r} is not text; put it in quotes")
    return None
