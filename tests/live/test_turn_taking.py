"""How long a pause may be before an utterance counts as finished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.live.turn_taking import ANSWERED_MS, DECODE_MS, DICTATING_MS, HANGING_MS, LONGEST_MS, USUAL_MS, wait_ms


@pytest.mark.parametrize(
    "text",
    [
        "What's the weather in Denver and",
        "Will it rain in",
        "How much is the",
        "I'm looking for a, um",
        "Um.",
        "So, can",
        "Tell me the price of",
        "I want to buy some shoes because",
        "A red sweater,",
        "I need...",
        "Is",
    ],
)
def test_a_sentence_that_cannot_end_here_is_waited_for(text: str) -> None:
    assert wait_ms(text, answered=False) == HANGING_MS
    assert wait_ms(text, answered=True) == HANGING_MS


@pytest.mark.parametrize(
    "text",
    [
        "What's the weather in Denver?",
        "Where are you from?",
        "What is it like?",
        "Do you have this?",
        "Yes, I do.",
        "Start over.",
        "Tell me",
        "How much is it?",
    ],
)
def test_a_sentence_that_may_end_here_is_answered_early_if_it_can_be(text: str) -> None:
    assert wait_ms(text, answered=True) == ANSWERED_MS
    assert wait_ms(text, answered=False) == USUAL_MS


@pytest.mark.parametrize("text", ["It's 5 5 5", "My number is 555", "12"])
def test_people_group_digits(text: str) -> None:
    assert wait_ms(text, answered=False) == DICTATING_MS


def test_the_order_of_the_waits() -> None:
    assert DECODE_MS < ANSWERED_MS < USUAL_MS < DICTATING_MS < HANGING_MS == LONGEST_MS


@given(st.text(max_size=200), st.booleans())
def test_any_text_has_a_wait(text: str, answered: bool) -> None:
    assert DECODE_MS < wait_ms(text, answered=answered) <= LONGEST_MS
