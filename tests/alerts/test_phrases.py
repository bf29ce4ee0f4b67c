from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.phrases import SUPERVISOR, found, pattern

FORMS = {"cancel": ("cancels", "cancelled", "cancelling"), "can't": ("cannot",)}


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("cancel", "I am CANCELLING now", "CANCELLING"),
        ("cancel it", "Cancel, it!", "Cancel, it"),
        ("cancel", "the canceller", None),
        ("can", "I can't", None),
        ("can", "Yes, I can.", "can"),
        ("can't", "I can’t go", "can’t"),
        ("can't", "I cannot go", "cannot"),
        ("manager", "the manager's office", "manager"),
        ("cancel ... contract", "cancelled my old contract", "cancelled my old contract"),
        ("cancel ... contract", "cancel contract", "cancel contract"),
        ("cancel ... contract", "cancel one two three four contract", None),
        ("cancel … contract", "cancel the contract", "cancel the contract"),
        ("100%", "I am 100% sure", "100%"),
        ("a.b", "axb", None),
        ("école", "à l'École", None),
        ("École", "une école", "école"),
    ],
)
def test_phrases(phrase: str, text: str, expected: str | None) -> None:
    assert found([pattern(phrase, FORMS)], text) == expected


@pytest.mark.parametrize("phrase", ["", "...", "... contract", "cancel ...", "?!"])
def test_what_is_no_phrase(phrase: str) -> None:
    with pytest.raises(ValueError, match="write words"):
        pattern(phrase, {})


@pytest.mark.parametrize(
    "text",
    [
        "I want to speak to a manager.",
        "Get me your supervisor, now!",
        "Can I talk with someone in charge?",
        "I’d like to talk to your team leader.",
        "Put me through to the supervisor, please.",
        "I need somebody above you.",
        "Is there a manager there?",
    ],
)
def test_asking_for_a_supervisor(text: str) -> None:
    assert found(SUPERVISOR, text)


@pytest.mark.parametrize("text", ["My manager told me to call.", "I'd like to speak with Dana.", "You manage it."])
def test_not_asking_for_a_supervisor(text: str) -> None:
    assert found(SUPERVISOR, text) is None


@given(st.text(max_size=300))
def test_any_text_can_be_searched(text: str) -> None:
    found([*SUPERVISOR, pattern("cancel ... contract", FORMS)], text)


@given(st.lists(st.text("abcdefgh'", min_size=1, max_size=8).filter(lambda w: w[0].isalpha()), min_size=1, max_size=5))
def test_a_phrase_finds_itself_with_any_punctuation(words: list[str]) -> None:
    wanted = pattern(" ".join(words), {})
    assert found([wanted], f"Oh, {', '.join(words).upper()}!") is not None
