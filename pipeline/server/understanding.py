"""Understanding with an ONNX model of ours: what a sentence asks for, and which of its words say what.

The model was taught what a recogniser writes: lower case, no punctuation, numbers in words. So texts are brought into
that form, and everything found in them refers to the text as it was given.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from pipeline import weights
from pipeline.errors import ConfigError
from pipeline.server.bio import TURN, decoded, spans, strangeness
from pipeline.server.classifier import session
from pipeline.server.spoken_form import spoken

UNKNOWN = "unknown"
_LONGEST_TOKEN = 24  # characters; what is longer than this times max_tokens would be cut off anyway
_PIECES = re.compile(r"\S+")
_WORDS = re.compile(r"[^-/–—…]+")  # of a piece: the parts of a compound were taught as words
_EDGES = re.compile(r"\w(?:.*\w)?", re.DOTALL)
_DROPPED = re.compile(r"[^\w']|_")
_QUOTES = str.maketrans("’‘`", "'''")
_CLOSING = "\"'”’)].,;:!?…"


@dataclass(frozen=True)
class UnderstanderCard:
    """What a model calls itself, its labels, and the domain of each intent."""

    name: str
    version: str
    intents: tuple[str, ...]
    slots: tuple[str, ...]  # BIO tags
    domains: Mapping[str, str]
    max_tokens: int
    carries: Mapping[str, tuple[str, ...]]  # the slots that an intent can have; an intent that it lacks can have any


@dataclass(frozen=True)
class Piece:
    """A word as the model reads it, and the characters of the given text that it stands for; ``end`` is exclusive."""

    word: str
    start: int
    end: int


@dataclass(frozen=True)
class Value:
    """A slot: characters ``start`` to ``end`` (exclusive) of the given text."""

    label: str
    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Understood:
    """The intent with its probability, its domain, and all slots; ``intent`` is ``unknown`` where none is meant."""

    intent: str
    score: float
    domain: str
    domain_score: float
    slots: tuple[Value, ...]


class Understander:
    """A loaded model; its methods may be called from several threads."""

    def __init__(self, task: str, models: Path) -> None:
        """Load ``models/<task>``. Raises ConfigError when it is missing, changed, or no intent and slot model."""
        folder = weights.find(task, models)
        said = weights.card(task, models)
        try:
            if said["task"] != "intent-slot":
                raise ConfigError(f"{folder} holds a model for {said['task']}, not for intent-slot")
            labels = said["labels"]
            intents, slots = tuple(labels["intents"]), tuple(labels["slots"])
            carries = {intent: tuple(names) for intent, names in said.get("carries", {}).items()}
            self.card = UnderstanderCard(
                said["name"], said["version"], intents, slots, dict(said["domains"]), int(said["max_tokens"]), carries
            )
            self._turn = float(said.get("decoding", {}).get("turn", TURN))
            self._weight = float(said["energy"]["unknown_weight"])
            self._threshold = float(said["energy"]["threshold"])
            self._unknown = intents.index(UNKNOWN)
            self._domains = [self.card.domains[intent] for intent in intents]
            decoded(np.zeros((1, len(slots))), slots)  # each slot needs its B and I
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = session(folder / "model.onnx")
        except ConfigError:
            raise
        except Exception as error:  # tokenizers and onnxruntime raise classes of their own without a common base
            raise ConfigError(f"cannot load the model in {folder}: {error}") from error
        self._tokenizer.enable_truncation(self.card.max_tokens)
        self._tokenizer.no_padding()
        self._inputs = {given.name for given in self._session.get_inputs()}

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that have intents, in the order of the intents."""
        return tuple(dict.fromkeys(domain for domain in self._domains if domain != UNKNOWN))

    def understand(self, text: str, domain: str = "") -> Understood:
        """What ``text`` asks for; with a ``domain``, an intent of another one is ``unknown``. Unknown has no slots.

        What is cut off beyond max_tokens is not read.
        """
        pieces = self._pieces(text)
        if not pieces:
            return Understood(UNKNOWN, 1.0, UNKNOWN, 1.0, ())
        intents, slots = self._run(pieces)
        chances = _softmax(intents)
        best = self._best(chances)
        if self._turned_down(intents, best, domain):
            # What is left to anything but the intent that is turned down.
            score = float(1.0 - chances[best])
            return Understood(UNKNOWN, score, UNKNOWN, score, ())
        of_domain = [number for number, name in enumerate(self._domains) if name == self._domains[best]]
        return Understood(
            self.card.intents[best],
            float(chances[best]),
            self._domains[best],
            float(chances[of_domain].sum()),
            self._values(text, pieces, slots, self.card.carries.get(self.card.intents[best])),
        )

    def ranked(self, text: str, domain: str = "") -> list[tuple[str, float]]:
        """The intents of the domain and ``unknown``, with probabilities; the first is what ``understand`` gives."""
        pieces = self._pieces(text)
        if not pieces:
            return [(UNKNOWN, 1.0)]
        intents = self._run(pieces)[0]
        chances = _softmax(intents)
        best = self._best(chances)
        down = self._turned_down(intents, best, domain)
        first = (UNKNOWN, float(1.0 - chances[best])) if down else (self.card.intents[best], float(chances[best]))
        rest = [
            (name, float(chances[number]))
            for number, name in enumerate(self.card.intents)
            if name != first[0] and (domain in ("", self._domains[number]) or name == UNKNOWN)
        ]
        return [first, *sorted(rest, key=lambda one: -one[1])]

    def values(self, text: str, labels: Collection[str] = ()) -> tuple[Value, ...]:
        """The slots of ``text`` whatever its intent, those of ``labels`` where given, in their order."""
        pieces = self._pieces(text)
        if not pieces:
            return ()
        found = self._values(text, pieces, self._run(pieces)[1])
        return tuple(value for value in found if not labels or value.label in labels)

    def _best(self, chances: npt.NDArray[np.float64]) -> int:
        """The number of the most probable intent besides unknown."""
        known = chances.copy()
        known[self._unknown] = -1.0
        return int(known.argmax())

    def _turned_down(self, logits: npt.NDArray[np.float32], best: int, domain: str) -> bool:
        """Whether the sentence is out of scope by its energy, or out of the domain that was asked for."""
        strange = strangeness(logits[None], self._unknown, self._weight)[0] > self._threshold
        return bool(strange) or domain not in ("", self._domains[best])

    def _pieces(self, text: str) -> list[Piece]:
        return words(text[: self.card.max_tokens * _LONGEST_TOKEN])[: self.card.max_tokens]

    def _run(self, pieces: Sequence[Piece]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Intent logits [intents] and tag logits [words, tags]; words beyond max_tokens have none."""
        coded = self._tokenizer.encode([piece.word for piece in pieces], is_pretokenized=True)
        firsts: list[int] = []
        for place, word in enumerate(coded.word_ids):
            if word is not None and word == len(firsts):
                firsts.append(place)
        ids = np.array([coded.ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        intent, slots = self._session.run(["intent", "slots"], {name: feed[name] for name in self._inputs})
        return intent[0], slots[0][firsts]

    def _values(
        self,
        text: str,
        pieces: Sequence[Piece],
        logits: npt.NDArray[np.float32],
        allowed: Collection[str] | None = None,
    ) -> tuple[Value, ...]:
        chances = _softmax(logits)
        found = []
        for first, last, label in spans(decoded(chances, self.card.slots, allowed, self._turn)):
            start, end = pieces[first].start, pieces[last - 1].end
            both = [number for number, tag in enumerate(self.card.slots) if tag[2:] == label]
            score = float(chances[first:last, both].sum(1).mean())
            found.append(Value(label, text[start:end], start, end, score))
        return tuple(found)


def words(text: str) -> list[Piece]:
    """The words of a text as the model reads them: lower case, without punctuation, figures read out."""
    places = [(match.start(), match.end()) for match in _PIECES.finditer(text)]
    said = [text[start:end] for start, end in places]
    found: list[Piece] = []
    position = 0
    for edit in spoken.edits(said):
        for place in places[position : edit.start]:
            found += _plain(text, *place)
        start, end = places[edit.start][0], places[edit.end - 1][1]
        end = start + len(text[start:end].rstrip(_CLOSING))
        for word in " ".join(edit.words).replace("-", " ").split():
            kept = _kept(word)
            if kept:
                found.append(Piece(kept, start, end))
        position = edit.end
    for place in places[position:]:
        found += _plain(text, *place)
    return found


def _plain(text: str, start: int, end: int) -> list[Piece]:
    """The words of a piece between blanks: several where hyphens part it, none where it is punctuation only."""
    made = []
    for part in _WORDS.finditer(text, start, end):
        edges = _EDGES.search(part[0])
        if edges is not None and (word := _kept(edges[0])):
            made.append(Piece(word, part.start() + edges.start(), part.start() + edges.end()))
    return made


def _kept(word: str) -> str:
    return _DROPPED.sub("", word.translate(_QUOTES).lower()).strip("'")


def _softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    made: npt.NDArray[np.float64] = powers / powers.sum(-1, keepdims=True)
    return made
