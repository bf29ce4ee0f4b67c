"""SSML to stretches and breaks."""

from __future__ import annotations

import pytest

from pipeline.errors import InputError
from pipeline.server.ssml import Break, Run, is_ssml, runs


def _speak(inside: str) -> list[Run | Break]:
    return [run for run in runs(f"<speak>{inside}</speak>") if isinstance(run, Break) or run.text.strip()]


def test_nvidias_own_examples_are_understood() -> None:
    prosody = "<prosody pitch='2.5'>Today is sunny</prosody>. <prosody rate='high' volume='+1dB'>Rain later.</prosody>"
    assert [run.text for run in _speak(prosody) if isinstance(run, Run)] == ["Today is sunny", ". ", "Rain later."]
    later = _speak(prosody)[2]
    assert isinstance(later, Run)
    assert (later.rate, round(later.gain, 3)) == (1.25, 1.122)
    assert _speak("<sub alias='World Wide Web'>WWW</sub> is known as the web.")[0] == Run("World Wide Web")
    phoneme = _speak("You say <phoneme alphabet='ipa' ph='təˈmeɪˌtoʊ'>tomato</phoneme>.")[1]
    assert phoneme == Run("tomato", ipa="təˈmeɪˌtoʊ")


@pytest.mark.parametrize(
    ("markup", "seconds"),
    [("time='500ms'", 0.5), ("time='1.5s'", 1.5), ("", 0.4), ("strength='x-strong'", 1.0), ("strength='none'", 0.0)],
)
def test_breaks(markup: str, seconds: float) -> None:
    assert _speak(f"a<break {markup}/>b") == [Run("a"), Break(seconds), Run("b")]


@pytest.mark.parametrize(
    ("rate", "factor"), [("35%", 0.35), ("+200%", 3.0), ("-50%", 0.5), ("x-low", 0.5), ("default", 1.0), ("1.5", 1.5)]
)
def test_rates(rate: str, factor: float) -> None:
    (run,) = _speak(f"<prosody rate='{rate}'>a</prosody>")
    assert isinstance(run, Run)
    assert run.rate == pytest.approx(factor)


def test_nested_manners_multiply() -> None:
    inside = "<prosody rate='50%' volume='-6dB'>a<prosody rate='150%'>b</prosody>c</prosody>d"
    assert [(run.text, round(run.rate, 3), round(run.gain, 2)) for run in _speak(inside) if isinstance(run, Run)] == [
        ("a", 0.5, 0.5),
        ("b", 0.75, 0.5),
        ("c", 0.5, 0.5),
        ("d", 1.0, 1.0),
    ]


def test_other_elements_leave_their_text() -> None:
    inside = "<p><s>One.</s></p><emphasis>two</emphasis><say-as interpret-as='digits'>34</say-as><mark name='x'/>"
    found = runs(f"<speak>{inside}</speak>")
    assert "".join(run.text for run in found if isinstance(run, Run)) == "\n\n\n\nOne.\n\n\n\ntwo3 4 "


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ("<speak>a</speak>", True),
        (' <?xml version="1.0"?>\n<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis">a</speak>', True),
        ("<speak", False),
        ("5 < 6 and <b>bold</b>", False),
        ("I speak", False),
    ],
)
def test_only_a_speak_element_makes_it_ssml(text: str, is_it: bool) -> None:
    assert is_ssml(text) is is_it


def test_a_namespace_changes_nothing() -> None:
    assert runs('<speak xmlns="http://www.w3.org/2001/10/synthesis">a<break/></speak>')[1] == Break(0.4)


@pytest.mark.parametrize(
    ("ssml", "says"),
    [
        ("<speak>hi", "not well-formed"),
        ("<speak>a & b</speak>", "not well-formed"),
        ("<speak><b></speak>", "not well-formed"),
        ("<speak><prosody rate='600%'>a</prosody></speak>", "25% to 300%"),
        ("<speak><prosody rate='quick'>a</prosody></speak>", "'quick'"),
        ("<speak><prosody rate='50%'><prosody rate='30%'>a</prosody></prosody></speak>", "comes to 15%"),
        ("<speak><prosody volume='11'>a</prosody></speak>", "'11'"),
        ("<speak><prosody volume='+90dB'>a</prosody></speak>", "-96dB to"),
        ("<speak><break time='1h'/></speak>", "'1h'"),
        ("<speak><break time='99s'/></speak>", "at most 10s"),
        ("<speak><break strength='big'/></speak>", "'big'"),
        ("<speak>" + "<p>" * 60 + "</p>" * 60 + "</speak>", "50 elements deep"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><speak>&a;</speak>', "document type"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(ssml: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        runs(ssml)
    assert "\n" not in str(caught.value)
