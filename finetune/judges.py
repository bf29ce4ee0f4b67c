"""Models that judge texts, wherever they are: a folder, a version of the registry, or a Riva server.

Folders and versions run as in our server, with its very code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from finetune.evaluate import Floats
from pipeline import weights
from pipeline.backends import Backends
from pipeline.calls import SENTIMENT_LABELS
from pipeline.errors import InputError
from pipeline.registry import Registry
from pipeline.server.classifier import TextClassifier
from pipeline.server.understanding import Understander
from pipeline.settings import Settings

SENTIMENT, INTENT_SLOT = "sentiment", "intent_slot"


@dataclass(frozen=True)
class Meaning:
    """An intent with its probability, and slots as (first character, end, name)."""

    intent: str
    score: float
    slots: tuple[tuple[int, int, str], ...]


class Judge(Protocol):
    """A model behind one name; ``task`` says which of its methods it has."""

    @property
    def identity(self) -> str:
        """``name@version``."""

    @property
    def task(self) -> str:
        """sentiment or intent_slot."""

    def sentiments(self, texts: Sequence[str]) -> Floats:
        """Float64 [texts, 3]: probabilities of negative, neutral, positive."""

    def meanings(self, texts: Sequence[str]) -> list[Meaning]:
        """What each text asks for."""


class FolderJudge:
    """A model in a folder of ours."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError when the folder holds no whole model of sentiment or of intents and slots."""
        card = weights.card(folder.name, folder.parent)
        self.task = {"text-classification": SENTIMENT, "intent-slot": INTENT_SLOT}.get(card["task"], "")
        if not self.task:
            raise InputError(f"{folder} holds a model for {card['task']}, which is not evaluated here")
        self.identity = f"{card['name']}@{card['version']}"
        self._classifier = TextClassifier(folder.name, folder.parent) if self.task == SENTIMENT else None
        self._understander = Understander(folder.name, folder.parent) if self.task == INTENT_SLOT else None
        if self._classifier is not None and set(self._classifier.card.labels) != set(SENTIMENT_LABELS):
            raise InputError(f"{folder} knows {', '.join(self._classifier.card.labels)}, not the three sentiments")

    def sentiments(self, texts: Sequence[str]) -> Floats:
        """Float64 [texts, 3]."""
        assert self._classifier is not None
        order = [self._classifier.card.labels.index(label) for label in SENTIMENT_LABELS]
        return np.asarray(self._classifier.probabilities(texts), dtype=np.float64)[:, order]

    def meanings(self, texts: Sequence[str]) -> list[Meaning]:
        """What each text asks for."""
        assert self._understander is not None
        found = [self._understander.understand(text) for text in texts]
        return [Meaning(f.intent, f.score, tuple((s.start, s.end, s.label) for s in f.slots)) for f in found]


class ServerJudge:
    """A model behind a Riva server."""

    def __init__(self, backends: Backends, task: str) -> None:
        self.task = task
        self._backends = backends
        service = backends.classifier if task == SENTIMENT else backends.understander
        self.identity = f"{service.identity} at {backends.settings.nlp_uri}"

    def sentiments(self, texts: Sequence[str]) -> Floats:
        """Float64 [texts, 3]."""
        found = self._backends.classifier.sentiment(texts)
        return np.array([[one.scores[label] for label in SENTIMENT_LABELS] for one in found]).reshape(-1, 3)

    def meanings(self, texts: Sequence[str]) -> list[Meaning]:
        """What each text asks for."""
        found = [self._backends.understander.understand(text) for text in texts]
        return [Meaning(f.name, f.score, tuple((s.start, s.end, s.name) for s in f.slots)) for f in found]


@contextmanager
def opened(wanted: str, settings: Settings, environment: Mapping[str, str], *, task: str = "") -> Iterator[Judge]:
    """The model that ``wanted`` means: a folder, ``[name@]version`` of the registry, a task, or ``host:port``.

    A task means its version in use. ``task`` says which model of a server is meant, sentiment by default. Raises
    InputError, ConfigError, BackendError.
    """
    if (Path(wanted) / "model.json").is_file():
        yield FolderJudge(Path(wanted).resolve())
    elif ":" in wanted:
        with Backends(replace(settings, nlp_uri=wanted), environment) as backends:
            yield ServerJudge(backends, task or SENTIMENT)
    else:
        yield FolderJudge(_registered(wanted, Registry.of(settings), task))


def _registered(wanted: str, registry: Registry, task: str) -> Path:
    known = registry.tasks()
    name, _, version = wanted.replace("-", "_").partition("@") if "@" in wanted else (wanted.replace("-", "_"), "", "")
    if name in known:
        version = wanted.partition("@")[2]
        found = registry.version(name, version) if version else registry.current(name)
        registry.check(found)
        return found.folder
    fitting = []
    for each in (task,) if task else known:
        try:
            fitting.append(registry.version(each, wanted))
        except InputError:
            continue
    if len(fitting) != 1:
        raise InputError(
            f"{wanted!r} is no folder with a model.json, no version in `overtone models list`, no task "
            f"({', '.join(known)}) and no host:port"
        )
    registry.check(fitting[0])
    return fitting[0].folder
