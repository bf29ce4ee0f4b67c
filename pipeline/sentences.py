"""Timed words in, timed sentences out, and the two sides of a call merged into one conversation. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.calls import Word

PAUSE_S = 1.5  # a silence this long ends a sentence, whatever the punctuation
MOST_WORDS = 40
MOST_S = 20.0
_BREATH_S = 0.5  # a silence this long makes an abbreviation's full stop the sentence's

_CLOSERS = "\"'”’»)]"
# Always followed by a name or a number, so that their full stop never ends a sentence.
_TITLES = frozenset({
    "mr", "mrs", "ms", "mx", "dr", "prof", "st", "mt", "ft", "gen", "rep", "sen", "capt", "lt", "col", "sgt", "rev",
    "hon", "vs", "approx", "apt", "ext", "fig",
})  # fmt: skip
# These, and dotted letters (a.m., U.S.), end one only where the next word looks like the start of one.
_ABBREVIATIONS = frozenset({
    "etc", "inc", "ltd", "co", "corp", "jr", "sr", "dept", "ave", "blvd", "rd", "ph.d", "jan", "feb", "aug", "sept",
    "oct", "nov", "dec",
})  # fmt: skip
_STARTERS = frozenset({
    "a", "also", "an", "and", "any", "are", "as", "at", "but", "can", "could", "did", "do", "does", "for", "from",
    "good", "have", "he", "hello", "her", "here", "hi", "his", "how", "i", "i'd", "i'll", "i'm", "i've", "if", "in",
    "is", "it", "it's", "just", "let", "let's", "may", "maybe", "my", "no", "not", "now", "of", "oh", "okay", "ok",
    "on", "or", "our", "please", "she", "should", "so", "some", "sorry", "sure", "thank", "thanks", "that", "that's",
    "the", "their", "then", "there", "there's", "these", "they", "they're", "this", "those", "to", "unfortunately",
    "was", "we", "we'll", "we're", "well", "what", "when", "where", "which", "who", "why", "will", "with", "would",
    "yeah", "yes", "you", "you'll", "you're", "your",
})  # fmt: skip
_JOINERS = frozenset({
    "and", "but", "so", "because", "or", "then", "which", "when", "if", "although", "while",
})  # fmt: skip
_DIGITS = frozenset({
    "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double", "triple",
})  # fmt: skip
_LOOP_WORDS = 12  # longest phrase that is looked for in loops


@dataclass(frozen=True)
class Said:
    """One sentence of one channel (from 1), before anybody judged it: its words, never empty."""

    channel: int
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words with single spaces between them."""
        return " ".join(word.text for word in self.words)

    @property
    def start_s(self) -> float:
        """Start of the first word."""
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        """End of the word that ends last."""
        return max(word.end_s for word in self.words)


def join(
    words: Iterable[Word],
    channel: int = 1,
    *,
    pause_s: float = PAUSE_S,
    most_words: int = MOST_WORDS,
    most_s: float = MOST_S,
) -> list[Said]:
    """The sentences in one channel's words, in order; none is empty or of punctuation only.

    A sentence ends at its punctuation (not at that of an abbreviation or a number) or at a silence of ``pause_s``; one
    longer than ``most_words`` or ``most_s`` seconds is parted at its best comma or pause.
    """
    kept = [word for word in words if word.text.strip()]
    sentences: list[list[Word]] = []
    current: list[Word] = []
    for number, word in enumerate(kept, start=1):
        after = kept[number] if number < len(kept) else None
        current.append(word)
        if after is None or after.start_s - word.end_s >= pause_s or _ends(word, after):
            sentences += _parted(current, most_words, most_s)
            current = []
    return [Said(channel, tuple(part)) for part in sentences if any(_spoken(word.text) for word in part)]


def merge(channels: Iterable[Iterable[Said]]) -> list[Said]:
    """The sentences of all channels in the order of the conversation: by start, then by channel."""
    return sorted((said for channel in channels for said in channel), key=lambda said: (said.start_s, said.channel))


def without_loops(words: Sequence[Word]) -> list[Word]:
    """The words with each loop cut to its first two rounds.

    A loop, the way recognisers fail on music and noise, is a phrase of up to 12 words said at least four times in a row
    (a single word: six times). Digits are left alone: account numbers do repeat.
    """
    keys = [_key(word.text) for word in words]
    kept: list[Word] = []
    at = 0
    while at < len(words):
        length, rounds = _loop(keys, at)
        kept += words[at : at + length * min(rounds, 2)]
        at += length * rounds
    return kept


def _loop(keys: Sequence[str], at: int) -> tuple[int, int]:
    """The length of the phrase that loops from ``at`` on and its rounds; (1, 1) where none does."""
    for length in range(1, _LOOP_WORDS + 1):
        phrase = keys[at : at + length]
        rounds = 1
        while keys[at + rounds * length : at + (rounds + 1) * length] == phrase:
            rounds += 1
        if rounds >= (6 if length == 1 else 4) and not all(key.isdigit() or key in _DIGITS for key in phrase):
            return length, rounds
    return 1, 1


def _ends(word: Word, after: Word) -> bool:
    """Whether a sentence ends with ``word``, before ``after``."""
    text = word.text.strip().rstrip(_CLOSERS)
    if text.endswith(("?", "!", "。", "？", "！")):
        return True
    if text.endswith(("...", "…")):
        return after.text[:1].isupper()
    if not text.endswith("."):
        return False
    gap_s = after.start_s - word.end_s
    core, following = text[:-1].lower(), after.text.strip()
    if core in _TITLES:
        return False
    if core.isdigit() and following[:1].isdigit():  # "3." "5"
        return False
    if core == "no" and following[:1].isdigit():  # "No. 5"
        return False
    if core in _ABBREVIATIONS or _initials(core):
        return gap_s >= _BREATH_S or (following[:1].isupper() and _key(following) in _STARTERS)
    # Small letters go on after a full stop inside an address (example. com), or the recogniser was careless.
    return gap_s >= _BREATH_S or not following[:1].islower() or _key(following) in _STARTERS


def _initials(core: str) -> bool:
    """Whether a word, without its last full stop, is one letter or dotted letters: "f", "u.s"; but not "i"."""
    return re.fullmatch(r"[^\W\d_](\.[^\W\d_])*", core) is not None and core != "i"


def _parted(words: list[Word], most_words: int, most_s: float) -> list[list[Word]]:
    """The words in as many parts as make each short enough, cut where speech itself parts best."""
    count = len(words)
    if count < 2 or (count <= most_words and words[-1].end_s - words[0].start_s <= most_s):
        return [words]
    least = max(1, count // 4)
    best = max(range(least, count - least + 1), key=lambda at: _seam(words, at))
    return _parted(words[:best], most_words, most_s) + _parted(words[best:], most_words, most_s)


def _seam(words: Sequence[Word], at: int) -> float:
    """How well the words part before number ``at``: commas and pauses count most, then joining words, then balance."""
    before, after = words[at - 1], words[at]
    return (
        (1.0 if before.text.rstrip(_CLOSERS).endswith((",", ";", ":", "-", "–", "—")) else 0.0)
        + 1.5 * min(max(after.start_s - before.end_s, 0.0), 2.0)
        + (0.4 if _key(after.text) in _JOINERS else 0.0)
        - 0.5 * abs(at / len(words) - 0.5)
    )


def _key(text: str) -> str:
    """The word as compared: lower case, without the punctuation around it."""
    return text.strip().lower().replace("’", "'").strip("\"'”“‘.,;:?!…()[]-–—")


def _spoken(text: str) -> bool:
    return any(c.isalnum() for c in text)
