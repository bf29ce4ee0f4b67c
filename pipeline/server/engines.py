"""All models of the server, loaded once, side by side, from local files."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.registry import Registry
from pipeline.server.classifier import TextClassifier
from pipeline.server.current import Current
from pipeline.server.offline import Whisper
from pipeline.server.online import Moonshine
from pipeline.server.punctuator import Punctuator
from pipeline.server.speech import Voice, find_voice
from pipeline.server.understanding import Understander
from pipeline.settings import Settings

CLASSIFIERS = ("sentiment",)  # the first answers requests that name no model
PUNCTUATION = "punctuation"
UNDERSTANDING = "intent_slot"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engines:
    """The loaded models; ``threads`` is how many windows of audio the offline recogniser works on at once."""

    offline: Whisper
    online: Moonshine
    classifiers: Mapping[str, Current[TextClassifier]]
    punctuator: Current[Punctuator] | None
    understander: Current[Understander] | None
    voice: Voice | None
    threads: int

    def close(self) -> None:
        """End the voice's process."""
        if self.voice is not None:
            self.voice.close()


def load(settings: Settings) -> Engines:
    """The models that ``settings`` choose. Raises ConfigError for the first one that cannot be had."""
    threads = settings.serve_threads or len(os.sched_getaffinity(0))
    models, registry = settings.models, Registry.of(settings)
    with ThreadPoolExecutor() as pool:
        # Started together: hashing and reading weights let the others work meanwhile.
        offline = pool.submit(Whisper, settings.whisper, models, workers=threads)
        online = pool.submit(Moonshine, models)
        classifiers = {task: pool.submit(Current, registry, task, TextClassifier) for task in CLASSIFIERS}
        punctuator = pool.submit(_punctuator, registry)
        understander = pool.submit(_understander, registry)
        voice = pool.submit(find_voice, models)
    return Engines(
        offline.result(),
        online.result(),
        {model.result().get().card.name: model.result() for model in classifiers.values()},
        punctuator.result(),
        understander.result(),
        voice.result(),
        threads,
    )


def _punctuator(registry: Registry) -> Current[Punctuator] | None:
    """The recognisers punctuate by themselves, so a folder of models may do without."""
    if (registry.shipped / PUNCTUATION).is_dir() or PUNCTUATION in registry.tasks():
        return Current(registry, PUNCTUATION, Punctuator)
    log.warning("no punctuation model in %s: PunctuateText is not offered", registry.shipped)
    return None


def _understander(registry: Registry) -> Current[Understander] | None:
    """Analysing calls needs no intents, so a folder of models may do without."""
    if (registry.shipped / UNDERSTANDING).is_dir() or UNDERSTANDING in registry.tasks():
        return Current(registry, UNDERSTANDING, Understander)
    log.warning("no intent and slot model in %s: AnalyzeIntent is not offered", registry.shipped)
    return None
