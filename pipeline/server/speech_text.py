"""What a voice is to say: a request's text or SSML cut into short utterances with their rate, loudness and pauses.

Figures are put into words, emoji left out, pronunciations applied. The first utterance is a short clause where the text
has one, so that the first sound comes soon; the cuts depend on the text alone, so that streamed speech is the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.errors import InputError
from pipeline.server.spoken_form import spoken
from pipeline.server.ssml import Break, Run, is_ssml, runs

LONGEST_TEXT = 50_000  # characters of one request: an hour of speech
_PAUSE_S = 0.2  # after a sentence, beside the silence that the voice itself leaves
_FIRST_CLAUSE = 12  # characters that a clause has at least which is spoken ahead of the rest of a long first sentence
_LONG_SENTENCE = 60
# Characters said in one go. It bounds the wait of everybody else and the memory of piper, which grows in steps with the
# longest piece it ever said: 247 MB resident after 40 pieces of at most 80 characters, 267 MB at 90, 345 MB at 100.
_LONGEST_PIECE = 90

# A full stop ends a sentence where the next word looks like the start of one; other marks always do.
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+(?:(?<=[!?…]\s)|(?=[\"'“‘(\[]*(?:[^\W_a-z]|[\ue000-\uf8ff])))")
_ENDED = re.compile(r"[.!?…][\"'”’)\]]*$")
_CLAUSE_END = re.compile(r"[,;:]\s+")
_JOINER = re.compile(r"\s(?=(?:and|or|but|so|because|which|who|that|when|where|while|if|than|to|for|with)\s)")
_TITLE = re.compile(r"(?:^|\s)(?:mr|mrs|ms|dr|prof|st|no|vs|[A-Z])\.\s+$", re.IGNORECASE)
_FIRST_MARK = 0xE000  # private-use characters stand for words with a given pronunciation
_MOST_MARKS = 6400


@dataclass(frozen=True)
class Utterance:
    """One thing to say. ``say`` is for the voice, ``text`` the same for people; both are empty for a mere pause."""

    say: str
    text: str
    rate: float = 1.0  # 2 is twice as fast
    gain: float = 1.0  # factor on the samples
    pause_s: float = 0.0  # silence after it


@dataclass
class _Pronunciations:
    """Words replaced by marks: (the word, its IPA) for each."""

    words: list[tuple[str, str]]

    def mark(self, word: str, ipa: str) -> str:
        """The character that stands for ``word`` pronounced as ``ipa``; the word itself where there are too many."""
        if len(self.words) >= _MOST_MARKS:
            return word
        self.words.append((word, ipa))
        return chr(_FIRST_MARK + len(self.words) - 1)

    def resolve(self, text: str) -> tuple[str, str]:
        """``text`` for the voice and for people, without marks."""
        say = shown = text
        for mark in {char for char in text if _is_mark(char)}:
            word, ipa = self.words[ord(mark) - _FIRST_MARK]
            say = say.replace(mark, f"[[{ipa}]]")
            shown = shown.replace(mark, word)
        return say, shown


def utterances(text: str, *, dictionary: str = "", ipa: bool = True) -> tuple[Utterance, ...]:
    """What to say for ``text``, in order; empty where it has nothing that can be spoken.

    ``dictionary`` holds Riva's custom pronunciations, "word  pronunciation" with two spaces between, comma-separated; a
    pronunciation in IPA is for voices that take it (``ipa``), any other is read in the word's place. Raises InputError
    for SSML that cannot be read, values out of range, and a malformed dictionary.
    """
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"the text has {len(text)} characters, at most {LONGEST_TEXT} are spoken at once; send it in parts"
        )
    text = "".join(char for char in text if not _is_mark(char))
    marks = _Pronunciations([])
    entries = _dictionary(dictionary)
    result: list[Utterance] = []
    parts = runs(text) if is_ssml(text) else [Run(text)]
    for run in _merged([_marked(part, marks) if ipa else part for part in parts]):
        if isinstance(run, Break):
            result.append(Utterance("", "", pause_s=run.seconds))
        else:
            prepared = _prepare(_pronounced(run.text, entries, marks, ipa=ipa))
            result += _cut(prepared, run, marks, first=not any(piece.say for piece in result))
    if not any(piece.say for piece in result):
        return ()
    # There is no silence between sentences after the last one, nor where a break says how long it is to be.
    following = (*result[1:], Utterance("", ""))
    return tuple(
        replace(part, pause_s=0.0) if part.say and not after.say else part
        for part, after in zip(result, following, strict=True)
    )


def _marked(part: Run | Break, marks: _Pronunciations) -> Run | Break:
    if isinstance(part, Break) or part.ipa is None:
        return part
    return replace(part, text=marks.mark(part.text, part.ipa), ipa=None)


def _merged(parts: Sequence[Run | Break]) -> list[Run | Break]:
    """Neighbouring runs of one kind as one, so that a sentence is not cut at a tag inside it."""
    result: list[Run | Break] = []
    for part in parts:
        before = result[-1] if result else None
        if isinstance(part, Run) and isinstance(before, Run) and (part.rate, part.gain) == (before.rate, before.gain):
            result[-1] = replace(before, text=before.text + part.text)
        else:
            result.append(part)
    return result


def _dictionary(entries: str) -> Mapping[str, str]:
    result = {}
    for entry in filter(str.strip, entries.split(",")):
        word, gap, pronunciation = entry.strip().partition("  ")
        if not gap or not word.strip() or not pronunciation.strip():
            raise InputError(
                f"custom_dictionary has {entry.strip()[:80]!r}: give a word, two spaces, its pronunciation"
            )
        result[word.strip().lower()] = pronunciation.strip()
    return result


def _pronounced(text: str, entries: Mapping[str, str], marks: _Pronunciations, *, ipa: bool) -> str:
    if not entries:
        return text
    words = "|".join(re.escape(word) for word in sorted(entries, key=len, reverse=True))

    def said(match: re.Match[str]) -> str:
        pronunciation = entries[match[0].lower()]
        if pronunciation.isascii():
            return pronunciation
        return marks.mark(match[0], pronunciation) if ipa else match[0]

    return re.sub(rf"(?<!\w)(?:{words})(?!\w)", said, text, flags=re.IGNORECASE)


def _prepare(text: str) -> str:
    """``text`` with figures in words and without what is not spoken; a blank line still parts sentences."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", text):
        words = spoken(re.sub(r"\s*[—–]+\s+|—", ", ", paragraph))
        kept = "".join(" " if _silent(char) else char for char in words)
        # Two brackets would be phonemes to piper.
        paragraphs.append(" ".join(kept.replace("[[", "(").replace("]]", ")").split()))
    return "\n".join(filter(None, paragraphs))


def _silent(char: str) -> bool:
    kind = unicodedata.category(char)
    return kind in ("So", "Cc", "Cf", "Cs", "Cn") or (kind == "Sk" and not char.isascii()) or char == "\ufe0f"


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) == "Co"


def _cut(text: str, run: Run, marks: _Pronunciations, *, first: bool) -> list[Utterance]:
    result = []
    sentences = _sentences(text)
    for at, sentence in enumerate(sentences):
        pieces = _pieces(sentence, first=first)
        for number, piece in enumerate(pieces):
            say, shown = marks.resolve(piece.lstrip(" .,;:!?…"))
            if any(char.isalnum() for char in say):
                # A run of SSML may end in the middle of a sentence.
                ended = number == len(pieces) - 1 and (at < len(sentences) - 1 or _ENDED.search(piece) is not None)
                result.append(Utterance(say, shown, run.rate, run.gain, _PAUSE_S if ended else 0.0))
                first = False
    return result


def _sentences(text: str) -> list[str]:
    result = []
    for paragraph in text.splitlines():
        start = 0
        for end in _SENTENCE_END.finditer(paragraph):
            if not _TITLE.search(paragraph[start : end.end()]):
                result.append(paragraph[start : end.end()].strip())
                start = end.end()
        result.append(paragraph[start:].strip())
    return list(filter(None, result))


def _pieces(sentence: str, *, first: bool) -> list[str]:
    """The sentence in the pieces it is said in."""
    pieces = []
    if first and len(sentence) > _LONG_SENTENCE:
        early = [end.end() for end in _CLAUSE_END.finditer(sentence, _FIRST_CLAUSE) if end.end() < len(sentence) / 2]
        if early:
            pieces.append(sentence[: early[0]].strip())
            sentence = sentence[early[0] :]
    while len(sentence) > _LONGEST_PIECE:
        at = _best_cut(sentence[:_LONGEST_PIECE])
        pieces.append(sentence[:at].strip())
        sentence = sentence[at:]
    return list(filter(None, [*pieces, sentence.strip()]))


def _best_cut(head: str) -> int:
    """Where to end a piece: after its last clause, before its last "and", at its last blank, or anywhere."""
    for pattern in (_CLAUSE_END, _JOINER):
        cuts = [found.end() for found in pattern.finditer(head) if found.end() > _LONGEST_PIECE // 4]
        if cuts:
            return cuts[-1]
    return head.rfind(" ") + 1 or len(head)
