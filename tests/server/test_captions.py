from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.calls import Word
from pipeline.server.captions import mended
from pipeline.server.heard import Heard


def heard(*lines: str) -> Heard:
    """Lines of words, 0.3 s a word, with a second of silence between the lines."""
    words, at_s = [], 0.0
    for line in lines:
        for text in line.split():
            words.append(Word(text, at_s, at_s + 0.3, 0.9))
            at_s += 0.3
        at_s += 1.0
    return Heard(" ".join(lines), at_s, 0.9, tuple(words))


def marks(texts: Sequence[str]) -> list[str]:
    """A punctuation model that knows questions by their first word."""
    return [text + ("?" if text.split()[0] in ("Have", "May") else ".") for text in texts]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("you spoke with Leo", "I Understand it"), "you spoke with Leo. I understand it."),
        (("Have you tried", "My manager is out"), "Have you tried? My manager is out."),
        (("It is fine.", "Thank you, goodbye."), "It is fine. Thank you, goodbye."),
        (("we flew to", "paris on monday"), "we flew to paris on monday."),
        (("Yes,", "Monday is good"), "Yes, Monday is good."),
    ],
)
def test_lines_get_their_marks(lines: tuple[str, ...], text: str) -> None:
    found = mended(heard(*lines), marks)
    assert found.text == text
    assert " ".join(word.text for word in found.words) == text


def test_times_and_confidences_stay() -> None:
    before = heard("you spoke with Leo", "I Understand it")
    after = mended(before, marks)
    assert [(w.start_s, w.end_s, w.confidence) for w in after.words] == [
        (w.start_s, w.end_s, w.confidence) for w in before.words
    ]


def test_a_name_without_a_pause_begins_no_line() -> None:
    assert mended(heard("we met Leo and Karen there"), marks).text == "we met Leo and Karen there."


def test_a_pause_may_hide_in_a_stretched_word() -> None:
    words = [*heard("you spoke with Leo").words, Word("I", 1.2, 2.5), Word("Understand", 2.5, 3.0)]
    found = mended(Heard("you spoke with Leo I Understand", 3.0, 0.9, tuple(words)), marks)
    assert found.text == "you spoke with Leo. I understand."


@pytest.mark.parametrize("before", [Heard("no word times at all", 2.0), heard("two words"), Heard("", 1.0)])
def test_without_enough_to_go_by_nothing_changes(before: Heard) -> None:
    assert mended(before, marks) == before
