"""Augmentation moves text towards what a recogniser writes and keeps its meaning."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from finetune.augment import augment, hesitant, misheard, plain
from finetune.config import Augmentation


def test_plain_text_has_no_marks_but_keeps_apostrophes_in_words() -> None:
    assert plain("Well, I couldn't be happier - 'really'!") == "well i couldn't be happier really"
    assert plain("A two-year plan/contract?") == "a two year plan contract"
    assert plain("...") == ""


def test_the_negation_is_never_lost() -> None:
    text = "i am not happy and it is never going to be right"
    for seed in range(200):
        changed = misheard(text, random.Random(seed), rate=0.5).split()
        assert "not" in changed
        assert "never" in changed


def test_misheard_changes_at_least_one_word_where_it_can() -> None:
    assert all(misheard("send the bill to me", random.Random(i)) != "send the bill to me" for i in range(20))
    assert misheard("wow", random.Random(1)) == "wow"


def test_hesitant_only_adds() -> None:
    words = ["can", "you", "check", "it"]
    for seed in range(50):
        made = hesitant("can you check it", random.Random(seed)).split()
        assert len(made) > len(words)
        left = iter(made)
        assert all(word in left for word in words)


@given(st.text(min_size=1), st.integers(0, 50))
def test_no_text_becomes_empty_and_the_seed_decides(text: str, seed: int) -> None:
    shares = Augmentation(plain=1.0, fillers=1.0, asr_noise=1.0)
    made = augment(text, random.Random(seed), shares)
    assert made
    assert made == augment(text, random.Random(seed), shares)


def test_zero_shares_change_nothing() -> None:
    assert augment("Hello, you!", random.Random(1), Augmentation(0.0, 1.0, 1.0)) == "Hello, you!"
