"""Punctuation and capitals for recognised words with an ONNX model of ours.

For each word the model says which mark follows it and how it is written (lower, Capital, UPPER), read at the word's
first token. Marks and capitals that a text already has are kept: what a person wrote is not taken back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from pipeline import weights
from pipeline.errors import ConfigError
from pipeline.server.classifier import session

_BATCH = 16  # windows in one run of the model
_OVERLAP = (
    24  # words that neighbouring windows share; each takes a word's label from the window that sees more around it
)
_LONGEST_WORD = 16  # tokens of a word that are read
_SPLIT = re.compile(r"([\"'“‘(\[]*)(.*?)([\"'”’)\],.;:!?…—–-]*)", re.DOTALL)
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")  # the model was taught the parts of a compound as words
_CLOSING = (".", "?", "!")
_MARKS = re.compile(r"[,.;:!?…—–]")

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PunctuatorCard:
    """What a punctuation model calls itself, and its labels."""

    name: str
    version: str
    marks: tuple[str, ...]
    cases: tuple[str, ...]
    max_tokens: int


@dataclass(frozen=True)
class _Window:
    """Words ``start`` to ``end`` of one text, of which this window decides ``first`` to ``last``; their tokens."""

    text: int
    first: int
    last: int
    start: int
    tokens: tuple[tuple[int, ...], ...]


class Punctuator:
    """A loaded model; its methods may be called from several threads."""

    def __init__(self, task: str, models: Path) -> None:
        """Load ``models/<task>``. Raises ConfigError when it is missing, changed, or no punctuation model."""
        folder = weights.find(task, models)
        said = weights.card(task, models)
        try:
            if said["task"] != "punctuation":
                raise ConfigError(f"{folder} holds a model for {said['task']}, not for punctuation")
            labels = said["labels"]
            marks, cases = tuple(labels["punctuation"]), tuple(labels["casing"])
            self.card = PunctuatorCard(said["name"], said["version"], marks, cases, int(said["max_tokens"]))
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = session(folder / "model.onnx")
        except ConfigError:
            raise
        except Exception as error:  # tokenizers and onnxruntime raise classes of their own without a common base
            raise ConfigError(f"cannot load the model in {folder}: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._closing = [number for number, mark in enumerate(marks) if mark in _CLOSING]
        if not self._closing:
            raise ConfigError(f"{folder / 'model.json'}: none of the marks {marks} closes a sentence")
        self._inputs = {given.name for given in self._session.get_inputs()}
        ends = self._tokenizer.encode("").ids
        self._before, self._after = tuple(ends[: len(ends) // 2]), tuple(ends[len(ends) // 2 :])
        self._room = self.card.max_tokens - len(ends)
        if self._room < _LONGEST_WORD:
            raise ConfigError(f"{folder / 'model.json'}: max_tokens is {self.card.max_tokens}, too few for a word")

    def punctuate(self, texts: Sequence[str]) -> list[str]:
        """``texts`` with marks and capitals, single spaces between words; texts of any length."""
        rows = [_row(text) for text in texts]
        windows = [window for number, row in enumerate(rows) for window in self._windows(number, row)]
        windows.sort(key=lambda window: len(window.tokens))
        marks = [np.zeros(len(row.words), dtype=np.int64) for row in rows]
        cases = [np.zeros(len(row.words), dtype=np.int64) for row in rows]
        for start in range(0, len(windows), _BATCH):
            batch = windows[start : start + _BATCH]
            for window, mark, case, closing in zip(batch, *self._run(batch), strict=True):
                place = slice(window.first, window.last)
                kept = slice(window.first - window.start, window.last - window.start)
                marks[window.text][place] = mark[kept]
                cases[window.text][place] = case[kept]
                if window.last == len(rows[window.text].words) and marks[window.text][-1] not in self._closing:
                    marks[window.text][-1] = closing
        return [
            _written(row, [self.card.marks[m] for m in mark], [self.card.cases[c] for c in case])
            for row, mark, case in zip(rows, marks, cases, strict=True)
        ]

    def _windows(self, number: int, row: _Row) -> list[_Window]:
        if not row.words:
            return []
        encoded = self._tokenizer.encode(list(row.words), is_pretokenized=True, add_special_tokens=False)
        tokens: list[list[int]] = [[] for _ in row.words]
        for token, word in zip(encoded.ids, encoded.word_ids, strict=True):
            if word is not None and len(tokens[word]) < _LONGEST_WORD:
                tokens[word].append(token)
        # A word without a token (of characters that the tokenizer drops) keeps its place with the unknown one.
        pieces = [tuple(word) or (self._unknown,) for word in tokens]
        windows: list[_Window] = []
        start = first = 0
        while True:
            end, room = start, self._room
            while end < len(pieces) and len(pieces[end]) <= room:
                room -= len(pieces[end])
                end += 1
            if end == len(pieces):
                return [*windows, _Window(number, first, end, start, tuple(pieces[start:end]))]
            shared = min(_OVERLAP, (end - start) // 2)
            last = end - shared // 2
            windows.append(_Window(number, first, last, start, tuple(pieces[start:end])))
            start, first = end - shared, last

    @property
    def _unknown(self) -> int:
        return self._tokenizer.token_to_id("[UNK]") or 0

    def _run(self, batch: Sequence[_Window]) -> tuple[list[Ints], list[Ints], list[int]]:
        """Per window the numbers of its words' marks and cases, and of the best mark to close a text with."""
        rows = [[*self._before, *(token for word in window.tokens for token in word), *self._after] for window in batch]
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        found = self._session.run(["punctuation", "casing"], {name: feed[name] for name in self._inputs})
        marks, cases, closings = list[Ints](), list[Ints](), list[int]()
        for index, window in enumerate(batch):
            lengths = np.array([len(word) for word in window.tokens])
            heads = len(self._before) + np.cumsum(lengths) - lengths
            mark, case = (scores[index][heads] for scores in found)
            marks.append(np.asarray(mark.argmax(axis=-1), dtype=np.int64))
            cases.append(np.asarray(case.argmax(axis=-1), dtype=np.int64))
            closings.append(max(self._closing, key=lambda number: float(mark[-1][number])))
        return marks, cases, closings


@dataclass(frozen=True)
class _Row:
    """A text as the model sees it: lower-case words without marks, and where each stands in the text."""

    parts: tuple[tuple[str, str, str], ...]  # opening marks, core, closing marks of each word of the text
    words: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]  # per part the numbers of its words, none where it is marks alone


def _row(text: str) -> _Row:
    letters = [char for char in text if char.isalpha()]
    if len(letters) > 3 and all(char.isupper() for char in letters):
        text = text.lower()  # shouting says nothing about capitals
    parts, words, places = [], list[str](), []
    for token in text.replace("’", "'").split():
        match = _SPLIT.fullmatch(token)
        assert match is not None  # each group may be empty
        parts.append((match[1], match[2], match[3]))
        pieces = _HYPHEN.split(match[2]) if match[2] else []
        places.append(tuple(range(len(words), len(words) + len(pieces))))
        words += [piece.lower() for piece in pieces]
    return _Row(tuple(parts), tuple(words), tuple(places))


def _written(row: _Row, marks: Sequence[str], cases: Sequence[str]) -> str:
    result = []
    begins = True  # whether a sentence does, by a mark of the model's
    for (lead, core, tail), places in zip(row.parts, row.places, strict=True):
        if not places:
            result.append(lead + tail)
            continue
        pieces = [_cased(piece, cases[at]) for piece, at in zip(_HYPHEN.split(core), places, strict=True)]
        if begins:
            pieces[0] = _cased(pieces[0], "Capital")
        mark = "" if _MARKS.search(tail) else marks[places[-1]]
        begins = mark in _CLOSING
        result.append(lead + "-".join(pieces) + tail + mark)
    return " ".join(result)


def _cased(word: str, case: str) -> str:
    """``word`` as ``case`` says; a word that has capitals already keeps its spelling."""
    if case == "lower" or word != word.lower():
        return word
    stem, apostrophe, ending = word.partition("'")
    stem = stem.upper() if case == "UPPER" else stem[:1].upper() + stem[1:]
    return stem + apostrophe + ending
