"""Which texts word boosting proposes, and that the sound decides between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fulfillment.cities import load_cities
from pipeline.server.boosting import MOST_VARIANTS, boosts, variants
from pipeline.server.offline import Whisper, Wish
from pipeline.settings import DATA
from pipeline.voice import Pack, Region
from tests.server.material import reading

CITIES = load_cities(DATA / "catalogue" / "cities.csv")
PLACES = boosts(dict.fromkeys(CITIES.sizes, 60.0))
ASKED = Wish(language="en", words=True, alternatives=3, boosts=PLACES)


@pytest.fixture(scope="module")
def whisper(models: Path) -> Whisper:
    return Whisper("tiny.en", models, workers=1)


def test_what_sounds_like_a_phrase_gives_way_to_it() -> None:
    made = variants(["whether in pairs."], boosts({"Paris": 60.0, "Lima": 60.0, "pairs": -50.0}))
    assert "whether in Paris." in made
    assert not any("Lima" in text for text in made)
    assert "Springfield." in variants(["Sprint feel.", "Sprint field."], boosts({"Springfield": 20.0}))
    assert variants([], PLACES) == variants(["..."], PLACES) == variants(["in Boston"], boosts({})) == []
    assert len(variants(["a b c d e f g " * 40], PLACES)) <= MOST_VARIANTS


def test_a_phrase_is_worth_its_boost_within_bounds() -> None:
    expected = boosts({"New York": 20.0, "York": 500.0, "no": -30.0})
    assert expected.worth("in new york,") == 10.0
    assert expected.worth("New Yorkers") == 0.0
    assert expected.worth("No.") == -3.0


def test_nothing_is_invented_where_nobody_speaks(whisper: Whisper) -> None:
    rng = np.random.default_rng(3)
    tone = 3000 * np.sin(np.arange(32_000) * 440 * 2 * np.pi / 16_000)
    for sound in (np.zeros(32_000), rng.normal(0, 800, 32_000), tone):
        pcm = sound.astype(np.int16)
        assert whisper.packs(pcm) == []
        heard = whisper.recognise(pcm, Pack((Region(0.0, 2.0),)), ASKED)  # as if somebody had spoken
        assert not any(name in heard.text for name in CITIES.sizes)


def test_speech_without_places_stays_as_it_is(whisper: Whisper) -> None:
    (pack,) = whisper.packs(reading())
    plain = whisper.recognise(reading(), pack, Wish("en", words=True, alternatives=1))
    heard = whisper.recognise(reading(), pack, ASKED)
    assert heard.text.lower().split()[:6] == plain.text.lower().split()[:6]
    assert [word.text for word in heard.words] == heard.text.split()
    assert abs(heard.words[0].start_s - plain.words[0].start_s) < 0.3
    assert all(one.end_s <= pack.pieces[-1].end_s + 0.01 for one in heard.words)
