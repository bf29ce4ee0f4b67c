"""The online recogniser on segments, and the times it is given for its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.server import text_forms
from pipeline.server.online import Moonshine, estimated_words, modern, without_echo
from tests.server.material import TIMES, floats, reading


def test_a_segment_becomes_text_the_same_each_time(moonshine: Moonshine) -> None:
    texts = [moonshine.recognise(floats(reading())) for _ in range(2)]
    assert texts[0] == texts[1]
    assert text_forms.plain(texts[0]) == TIMES


def test_hardly_any_samples_are_no_error(moonshine: Moonshine) -> None:
    assert isinstance(moonshine.recognise(floats(reading(1.5, 1.55))), str)
    assert isinstance(moonshine.recognise(floats(reading(1.5, 1.5))), str)


def test_the_model_says_that_its_word_times_are_estimated(moonshine: Moonshine) -> None:
    card = moonshine.card
    assert (card.name, card.type, card.language_code) == ("moonshine-tiny-en", "online", "en-US")
    assert card.parameters["word_times"] == "estimated"
    assert card.parameters["confidence"] == "False"


@pytest.mark.parametrize(
    ("text", "length_s", "expected"),
    [
        ("It was the age of wisdom. It was the age", 1.9, "It was the age of wisdom."),
        ("I want this. I want this.", 1.2, "I want this."),
        ("I want this. I want this.", 3.0, "I want this. I want this."),  # there was time to say it twice
        ("No, no, no, no.", 0.9, "No, no, no, no."),
        ("Yes.", 0.3, "Yes."),
        ("", 0.0, ""),
    ],
)
def test_a_sentence_that_the_model_begins_again_is_said_once(text: str, length_s: float, expected: str) -> None:
    assert without_echo(text, length_s) == expected


def test_words_share_the_time_of_their_segment_by_length() -> None:
    words = estimated_words("a seven-up please", 10.0, 12.7)
    assert [word.text for word in words] == ["a", "seven-up", "please"]
    assert words[0].start_s == pytest.approx(10.5)
    assert words[-1].end_s == pytest.approx(12.5)
    lengths = [word.end_s - word.start_s for word in words]
    assert lengths == pytest.approx([2 / 18 * 2, 9 / 18 * 2, 7 / 18 * 2])
    assert all(word.confidence is None for word in words)


def test_no_words_have_no_times_and_a_short_segment_keeps_them_inside() -> None:
    assert estimated_words("  ", 0.0, 1.0) == ()
    (word,) = estimated_words("Yes.", 1.0, 1.2)
    assert 1.0 <= word.start_s < word.end_s <= 1.2


def test_weights_that_are_not_the_known_ones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.json").write_text(
        '{"weights": {"moonshine-tiny-en": {"package": "moonshine_voice", "pip": "moonshine-voice", "version": "1",'
        '"path": "assets/tiny-en", "files": {"tokenizer.bin": "00"}}}}'
    )
    with pytest.raises(ConfigError, match=r"tokenizer.bin of the weights moonshine-tiny-en is not the file we know"):
        Moonshine(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("And to-morrow. Good-bye!", "And tomorrow. Goodbye!"),
        ("To-day or to night?", "Today or tonight?"),
        ("I went to night school, to day care, good night.", "I went to night school, to day care, good night."),
        ("A two-day to-do list.", "A two-day to-do list."),
    ],
)
def test_words_are_spelt_as_today(text: str, expected: str) -> None:
    assert modern(text) == expected
