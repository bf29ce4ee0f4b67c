"""What is personal in a text, written or spoken."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.privacy import moved, personal, redact
from pipeline.settings import PERSONAL


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("my card is 4111 1111 1111 1111 thanks", "my card is [card] thanks"),
        ("card 4111-1111-1111-1112, wrong check digit", "card [card], wrong check digit"),
        ("call (555) 123-4567 or +1 555 123 4567.", "call [phone] or [phone]."),
        ("five five five one two three four", "[phone]"),
        ("it's double five, triple two, ninety nine please", "it's [phone] please"),
        ("oh one two three", "[number]"),
        ("my pin is one two three four", "my pin is [number]"),
        ("order 12345, account AB1234567", "order [number], account AB[number]"),
        ("write to Ann.Lee+x@mail.example.com now", "write to [email] now"),
        ("john dot smith at gmail dot com", "[email]"),
        ("weather on 2026-11-23 at 10:30", "weather on 2026-11-23 at 10:30"),
        ("2026-11-23T19:30:00Z", "2026-11-23T19:30:00Z"),
        ("it costs $1,299.00, or 1,299 or 24.50", "it costs $1,299.00, or 1,299 or 24.50"),
        ("in 2026, in nineteen ninety nine", "in 2026, in nineteen ninety nine"),
        ("twelve sweaters, size ten, double room", "twelve sweaters, size ten, double room"),
        ("one or two", "one or two"),
        ("", ""),
    ],
)
def test_masks(text: str, masked: str) -> None:
    assert redact(text, PERSONAL) == masked
    assert redact(text, ()) == text


@pytest.mark.parametrize(
    ("kind", "masked"),
    [
        ("card", "[card], 555 123 4567, 12345, a@b.cd"),
        ("phone", "4111111111111111, [phone], 12345, a@b.cd"),
        ("email", "4111111111111111, 555 123 4567, 12345, [email]"),
        ("number", "[number], [number], [number], a@b.cd"),
    ],
)
def test_only_the_kinds_that_are_asked_for_go(kind: str, masked: str) -> None:
    parts = ["4111111111111111", "555 123 4567", "12345", "a@b.cd"]
    assert ", ".join(redact(part, [kind]) for part in parts) == masked


@given(st.text(alphabet="0123456789 -+().,@abc one two double :$", max_size=60))
def test_what_is_left_is_where_it_is_said_to_be(text: str) -> None:
    spans = personal(text, PERSONAL)
    masked = redact(text, PERSONAL)
    assert all(first.end <= second.start for first, second in pairwise(spans))
    for span in spans:
        start, end = moved(span.start, span.end, spans)
        assert masked[start:end] == span.mask
    for start in range(len(text)):
        if not any(span.start < start + 1 and start < span.end for span in spans):
            here = moved(start, start + 1, spans)
            assert masked[here[0] : here[1]] == text[start]
