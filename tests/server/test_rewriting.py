"""Texts and timed words rewritten alike."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.calls import Word
from pipeline.server.rewriting import Edit, Form

WORDS = (Word("twenty", 1.0, 1.4, 0.9), Word("five", 1.5, 1.7, 0.6), Word("percent", 1.8, 2.4, None))


def _form(*edits: Edit) -> Form:
    return Form(lambda words: list(edits))


def test_words_that_become_one_take_their_whole_time_and_the_lowest_confidence() -> None:
    assert _form(Edit(0, 2, ("25",))).words(WORDS) == (Word("25", 1.0, 1.7, 0.6), WORDS[2])


def test_words_that_come_out_of_others_share_their_time_by_length() -> None:
    one, two, rest = _form(Edit(0, 1, ("a", "bbb"))).words(WORDS)[:3]
    assert (one.start_s, one.end_s, two.start_s, two.end_s) == pytest.approx((1.0, 1.1, 1.1, 1.4))
    assert (one.confidence, two.confidence, rest) == (0.9, 0.9, WORDS[1])


def test_as_many_words_keep_their_own_times() -> None:
    found = _form(Edit(1, 3, ("5", "%"))).words(WORDS)
    assert found == (WORDS[0], Word("5", 1.5, 1.7, 0.6), Word("%", 1.8, 2.4, None))


def test_a_word_may_vanish() -> None:
    assert _form(Edit(0, 2, ())).words(WORDS) == (WORDS[2],)
    assert _form(Edit(0, 2, ()))("twenty five  percent") == "percent"


def test_blanks_inside_and_around_words_do_not_count() -> None:
    seen: list[list[str]] = []

    def edits(words: Sequence[str]) -> list[Edit]:
        seen.append(list(words))
        return []

    found = Form(edits).words((Word(" a b ", 0.0, 1.0), Word("", 1.0, 1.0), Word("c", 1.0, 2.0)))
    assert [word.text for word in found] == ["a", "b", "c"]
    assert seen == [["a", "b", "c"]]
