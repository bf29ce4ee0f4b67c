"""The protocol of the assistant's socket, read and written."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.live import events, messages


def test_a_start_has_defaults() -> None:
    assert messages.read('{"type": "start"}') == messages.Start(16_000, "", "open", True)


def test_a_start_is_read() -> None:
    text = '{"type": "start", "rate_hz": 48000, "person": " Ann\\n Lee ", "mode": "push", "voice": false}'
    assert messages.read(text) == messages.Start(48_000, "Ann Lee", "push", False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"type": "text", "text": "hi"}', messages.Text("hi")),
        ('{"type": "talk", "on": true}', messages.Push(True)),
        ('{"type": "mode", "mode": "push"}', messages.Switch("push")),
        ('{"type": "aloud", "on": true}', messages.Aloud(True)),
        ('{"type": "interrupt"}', messages.Interrupt()),
        ('{"type": "heard", "turn": 2, "ms": 512.5}', messages.Heard(2, 512.5)),
        ('{"type": "end"}', messages.End()),
    ],
)
def test_messages_are_read(text: str, found: messages.Message) -> None:
    assert messages.read(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[]", "not an object"),
        ("{}", "no message of type null"),
        ('{"type": "sing"}', "no message of type"),
        ('{"type": "start", "rate_hz": 100}', "rate_hz"),
        ('{"type": "start", "rate_hz": "16000"}', "rate_hz"),
        ('{"type": "start", "rate_hz": NaN}', "rate_hz"),
        ('{"type": "start", "mode": "shout"}', "mode"),
        ('{"type": "start", "person": 5}', "person"),
        ('{"type": "text"}', "text"),
        ('{"type": "talk", "on": 1}', "on"),
        ('{"type": "heard", "turn": true, "ms": 1}', "turn"),
    ],
)
def test_nonsense_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        messages.read(text)


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_anything_is_a_message_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert messages.read(text)


def test_sound_goes_out_as_it_is_and_all_else_as_json() -> None:
    assert messages.written(events.Sound(1, b"\x01\x02")) == b"\x01\x02"
    assert json.loads(messages.written(events.Saying(1, 0, "Hello."))) == {
        "type": "say",
        "turn": 1,
        "sentence": 0,
        "text": "Hello.",
    }
