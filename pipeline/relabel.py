"""Scores of another model beside the stored ones, for the past and for what is coming in; never over them.

What is scored already is not scored again, so a run that was interrupted goes on where it was, and running it twice
changes nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from pipeline.errors import OvertoneError
from pipeline.nlp import Classifier
from pipeline.registry import Registry
from pipeline.store import Store

BATCH = 256  # sentences a transaction
_LOOK_S = 2.0  # between two looks for new sentences

log = logging.getLogger(__name__)


def rescore(
    store: Store,
    classifier: Classifier,
    *,
    since: datetime | None = None,
    stop: threading.Event | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> int:
    """How many sentences got a score of the classifier's model beside the scores that they have.

    ``since`` bounds the calls' starts; ``stop`` ends the run after the batch at hand. Raises BackendError.
    """
    model, done = classifier.identity, 0
    while not (stop is not None and stop.is_set()):
        rows = store.unscored(model, since, BATCH)
        if not rows:
            break
        scores = classifier.sentiment([text for _, text in rows])
        strange = {score.model for score in scores} - {model}
        if strange:
            # Stored under its own name it would count as not scored, and this would never end.
            raise OvertoneError(f"{model} was asked and {', '.join(strange)} answered; ask again")
        store.add_predictions("sentiment", model, zip([ref for ref, _ in rows], scores, strict=True))
        done += len(rows)
        on_progress(done)
    return done


def follow(
    store: Store,
    registry: Registry,
    classifier_of: Callable[[str], Classifier],
    *,
    stop: threading.Event,
    look_s: float = _LOOK_S,
) -> None:
    """None, once ``stop`` is set: until then the shadow model scores every sentence that comes in.

    Which model that is says the registry's pointer, looked at again and again; ``classifier_of`` gives the classifier
    of a model ``sentiment@VERSION``. Only sentences since the shadow was seen first are scored: `overtone relabel`
    does the past. What fails is logged and tried again.
    """
    shadow, since = "", datetime.now(UTC)
    classifier: Classifier | None = None
    while not stop.wait(look_s):
        try:
            wanted = registry.pointer("sentiment").shadow
            if wanted != shadow:
                shadow, since = wanted, datetime.now(UTC)
                version = registry.version("sentiment", wanted) if wanted else None
                classifier = classifier_of(version.identity) if version is not None else None
            if classifier is not None:
                rescore(store, classifier, since=since, stop=stop)
        except OvertoneError as error:
            log.warning("the shadow model %s does not score: %s", shadow, error)
