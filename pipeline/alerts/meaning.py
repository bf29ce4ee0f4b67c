"""How near a sentence is to the sentences that rules describe a meaning by.

A sentence that denies ("I don't want a refund") lies near the one it denies, so that it is held only against sentences
of a rule that deny too ("I can't pay this"): which keeps most denials from setting off a rule (docs/alerts.md).
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from pipeline import weights
from pipeline.alerts.rules import Means, Rule
from pipeline.calls import Sentence
from pipeline.embedding import NAME, SentenceEncoder, Vector
from pipeline.errors import ConfigError

# What people say without meaning anything by it: anywhere in a sentence, and at its beginning.
_FILLERS = re.compile(
    r"\b(?:uh|um|uhm|er|erm|hmm|honestly|basically|actually|literally|just|please|i mean|you know)\b,?\s*",
    re.IGNORECASE,
)
_OPENERS = re.compile(
    r"^(?:(?:so|well|yeah|yes|okay|ok|oh|look|listen|right|and|but|like|no(?=,|\s+no\b))\b[,\s]+)+", re.IGNORECASE
)
_FEWEST_WORDS = 2  # that must be left
_NICENESS = 5  # of the thread that embeds: an alert may take two seconds, a sentence on its way to the screen may not
_DENIAL = re.compile(r"\b(?:not|no|never|nobody|nothing|none|without|cannot)\b|n['’]t\b", re.IGNORECASE)
log = logging.getLogger(__name__)


def denies(text: str) -> bool:
    """Whether the sentence has a word of negation."""
    return _DENIAL.search(text) is not None


def bare(text: str) -> str:
    """The sentence without what people say without meaning anything by it; whole where hardly anything is left."""
    left = _OPENERS.sub("", _FILLERS.sub("", text).strip()).strip(" ,")
    return left if len(left.split()) >= _FEWEST_WORDS else text


class Meanings:
    """The sentences of the rules that ask for a meaning, embedded once. Loads the encoder only for such rules.

    What is said is embedded in a thread that gives way to those who carry it to the screen. Close it when done.
    """

    def __init__(self, opened: Callable[[], SentenceEncoder]) -> None:
        self._open = opened
        self._patient = ThreadPoolExecutor(1, thread_name_prefix="meaning", initializer=_give_way)
        self._encoder: SentenceEncoder | None = None
        self._known: dict[str, Vector] = {}
        self._asked: dict[str, frozenset[str]] = {}  # speaker: the rules' sentences that are held against theirs

    def follow(self, rules: Iterable[Rule]) -> None:
        """Hold sentences against the enabled ``rules`` from now on.

        Where the encoder cannot be loaded, that is logged and no meaning is found; other rules go on.
        """
        conditions = [rule.when for rule in rules if rule.enabled and isinstance(rule.when, Means)]
        wanted = {text for when in conditions for text in when.sentences}
        self._asked = {}
        if not wanted:
            self._encoder, self._known = None, {}
            return
        try:
            encoder = self._encoder = self._encoder or self._open()
        except ConfigError as error:
            log.error("rules on meaning (`means`) are off, the others go on: %s", error)
            return
        self._known = {
            text: self._known[text] if text in self._known else encoder.vector(bare(text)) for text in wanted
        }
        for speaker in ("agent", "customer"):
            of = [text for when in conditions if when.who in ("anyone", speaker) for text in when.sentences]
            self._asked[speaker] = frozenset(of)

    def near(self, sentence: Sentence) -> dict[str, float]:
        """The closeness (-1 to 1) of a sentence to each sentence of the rules that look at its speaker.

        It is embedded once for all of them, and not at all where none looks.
        """
        asked = self._asked.get("agent" if sentence.speaker == "agent" else "customer")
        if not asked or self._encoder is None:
            return {}
        known = {text: self._known[text] for text in asked}
        return self._patient.submit(closeness, sentence.text, known, self._encoder.vector).result()

    def close(self) -> None:
        """End the thread."""
        self._patient.shutdown()


def _give_way() -> None:
    """Let other threads and processes go first; only Linux knows priorities of threads."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def closeness(text: str, known: Mapping[str, Vector], embed: Callable[[str], Vector]) -> dict[str, float]:
    """The closeness of ``text`` to each of the ``known`` sentences that it may be held against, by their vectors."""
    said = bare(text)  # the "no" in "no, I want a refund" denies something else
    fitting = [each for each in known if denies(each)] if denies(said) else list(known)
    if not fitting:
        return {}
    vector = embed(said)
    return {each: float(vector @ known[each]) for each in fitting}


def missing(rules: Iterable[Rule], models: Path) -> str:
    """Why rules on meaning cannot be followed with the models in that folder; "" where they can, or there is none."""
    if not any(rule.enabled and isinstance(rule.when, Means) for rule in rules):
        return ""
    try:
        weights.find(NAME, models)
    except ConfigError as error:
        return str(error)
    return ""
