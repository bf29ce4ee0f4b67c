"""The four forms of a transcript: what each writes, and that words with times follow the text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.calls import Word
from pipeline.server.rewriting import Form
from pipeline.server.text_forms import mask_profanity, plain, spoken, written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is natural language processing?", "what is natural language processing"),
        ("Don't — I'll say it’s the dogs' 'cause.", "don't i'll say it's the dogs cause"),
        ("A self-aware e-mail, and/or more…", "a self aware e mail and or more"),
        ("It's 3.5%, $1,234.50 at 12:45!", "it's 3.5% $1,234.50 at 12:45"),
        ("At 9 a.m. in the U.S. (well, nearly)", "at 9 am in the u s well nearly"),
        ("Mail joe@example.com or see overtone.com.", "mail joe@example.com or see overtone.com"),
        ("COVID-19, AT&T & -5 degrees", "covid 19 at&t & -5 degrees"),
        ("Call 555-1234.", "call 555-1234"),
        ("What the F***?", "what the f***"),
        ("- ... !", ""),
    ],
)
def test_plain_is_lower_case_without_punctuation(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What the fuck, that's BULLSHIT.", "What the f***, that's B*******."),
        ("Motherfucker's", "M***********'s"),
        ("fucking-hell", "f******-hell"),
        ("A class in Scunthorpe, Dickens' assets, an assassin and a cockpit", None),
        ("The analysis shows Penistone and Essex; pass the shitake", None),
    ],
)
def test_profane_words_keep_their_first_letter_and_no_other_word_is_hit(text: str, expected: str | None) -> None:
    assert mask_profanity(text) == (expected or text)


def test_nvidias_percent_recording_reads_as_their_test_expects() -> None:
    assert plain(written("thirty five percent of forty equals fourteen")) == "35 % of 40 equals 14"
    assert plain(written("35% of 40 equals 14.")) == "35 % of 40 equals 14"
    assert plain(spoken("35% of 40 equals 14.")) == "thirty five percent of forty equals fourteen"


FORMS = {"plain": plain, "written": written, "spoken": spoken, "mask_profanity": mask_profanity}
PIECES = st.sampled_from([
    "one", "two", "five", "nine", "oh", "double", "twenty", "thirty-five", "hundred", "thousand", "million", "and", "a",
    "half", "point", "percent", "dollars", "cents", "o'clock", "m", "p.m.", "at", "first", "third", "may", "of", "5",
    "35%", "$3.50", "12:45", "1984", "80s", "2nd", "555-1234", "(555)", "123-4567", "1/2", "Hello,", "world.", "fuck!",
    "U.S.", "e-mail", "-", "…", "&", "%", "press", "to", "nineteen", "eighty", "four",
])  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(PIECES, max_size=14))
def test_words_with_times_read_as_the_text_and_stay_in_order(form: Form, pieces: list[str]) -> None:
    words = [Word(piece, index * 0.5, index * 0.5 + 0.4, 0.5 + index / 100) for index, piece in enumerate(pieces)]
    found = form.words(words)
    assert " ".join(word.text for word in found) == form(" ".join(pieces))
    for before, after in pairwise(found):
        assert before.start_s <= before.end_s <= after.start_s + 1e-9
    if found:
        assert found[0].start_s >= 0.0
        assert found[-1].end_s <= words[-1].end_s


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_passes(form: Form, text: str) -> None:
    assert form(text) == form(form(text)) or form in (written, spoken)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pieces=st.lists(PIECES, max_size=8))
def test_a_written_text_is_left_as_it_is(pieces: list[str]) -> None:
    once = written(" ".join(pieces))
    assert written(once) == once
