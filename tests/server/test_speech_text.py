"""What is said for a text, and in which pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.server.speech_text import LONGEST_TEXT, utterances


def _said(text: str, dictionary: str = "") -> list[str]:
    return [part.say for part in utterances(text, dictionary=dictionary)]


def test_sentences_are_said_one_by_one_with_a_pause_between() -> None:
    parts = utterances("Dr. Smith is in. Is he free? yes! Call at 9 a.m. today.")
    assert [part.say for part in parts] == ["Dr. Smith is in.", "Is he free?", "yes!", "Call at nine a.m. today."]
    assert [part.pause_s for part in parts] == [0.2, 0.2, 0.2, 0.0]


def test_a_long_first_sentence_starts_with_its_first_clause() -> None:
    text = "Thank you for calling, your order will arrive on Thursday, and it is free."
    assert _said(text) == ["Thank you for calling,", "your order will arrive on Thursday, and it is free."]
    assert _said("Sure. " + text) == ["Sure.", text]


def test_figures_money_and_emoji() -> None:
    assert _said("It is $3.50 😀 at 7:05 — thanks 👍🏽!") == [
        "It is three dollars and fifty cents at seven oh five, thanks !"
    ]


@pytest.mark.parametrize("text", ["", "  \n ", "😀", "...", "<speak></speak>", "<speak><break time='1s'/></speak>"])
def test_nothing_to_say(text: str) -> None:
    assert utterances(text) == ()


def test_blank_lines_part_sentences_and_line_ends_do_not() -> None:
    assert _said("one\ntwo\n\nthree") == ["one two", "three"]


@settings(max_examples=50, deadline=None)
@given(text=st.text(alphabet="ab ,.;?!A\n", min_size=1, max_size=600))
def test_no_piece_is_long_and_no_letter_is_lost(text: str) -> None:
    parts = _said(text)
    assert all(len(part) <= 90 for part in parts)
    assert "".join(filter(str.isalnum, "".join(parts))) == "".join(filter(str.isalnum, text))


def test_a_word_without_end_is_cut() -> None:
    assert [len(part) for part in _said("x" * 250)] == [90, 90, 70]


def test_ssml_manners_and_breaks() -> None:
    parts = utterances(
        "<speak>You say <phoneme alphabet='ipa' ph='təˈmeɪˌtoʊ'>tomato</phoneme>, <break time='300ms'/>"
        "<prosody rate='150%'>I say it <sub alias='twice'>2x</sub></prosody>. Bye.</speak>"
    )
    assert [(part.say, part.text, part.rate, part.pause_s) for part in parts] == [
        ("You say [[təˈmeɪˌtoʊ]],", "You say tomato,", 1.0, 0.0),
        ("", "", 1.0, 0.3),
        ("I say it twice", "I say it twice", 1.5, 0.0),
        ("Bye.", "Bye.", 1.0, 0.0),
    ]


def test_a_voice_without_ipa_reads_the_word() -> None:
    ssml = "<speak><phoneme ph='təˈmeɪˌtoʊ'>tomato</phoneme></speak>"
    assert [part.say for part in utterances(ssml, ipa=False)] == ["tomato"]
    assert [part.say for part in utterances("a tomato", dictionary="tomato  təˈmeɪˌtoʊ", ipa=False)] == ["a tomato"]


def test_the_custom_dictionary_is_honoured() -> None:
    text = "Nvidia or nvidia, but not nvidiax; ask Joe."
    said = _said(text, "NVIDIA  ɛnvˈɪdiə,joe  Joseph")
    assert said == ["[[ɛnvˈɪdiə]] or [[ɛnvˈɪdiə]], but not nvidiax; ask Joseph."]
    assert utterances(text, dictionary="NVIDIA  ɛnvˈɪdiə")[0].text == text


@pytest.mark.parametrize("dictionary", ["word", "word pronunciation", "  x", "a  b,c"])
def test_a_malformed_dictionary_is_refused(dictionary: str) -> None:
    with pytest.raises(InputError, match="two spaces"):
        utterances("hello", dictionary=dictionary)


def test_phonemes_cannot_be_smuggled_in_and_private_characters_are_dropped() -> None:
    assert _said("a [[x]] \ue000 b") == ["a (x) b"]


def test_a_book_is_refused() -> None:
    with pytest.raises(InputError, match="send it in parts"):
        utterances("a" * (LONGEST_TEXT + 1))
