"""The offline recogniser on real speech, on none, and on long recordings."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.server import text_forms
from pipeline.server.boosting import boosts
from pipeline.server.offline import Whisper, Wish
from pipeline.voice import Pack, Region
from tests.server.material import RATE_HZ, TIMES, WISDOM, Pcm, noise, reading, silence

PLAIN = Wish(language="en", words=False, alternatives=1)
WORDS = Wish(language="en", words=True, alternatives=1)


def tone(seconds: float) -> Pcm:
    return (8000 * np.sin(np.arange(round(seconds * RATE_HZ)) * 2 * np.pi * 440 / RATE_HZ)).astype(np.int16)


def test_speech_becomes_text_with_a_confidence(whisper: Whisper) -> None:
    (pack,) = whisper.packs(reading())
    heard = whisper.recognise(reading(), pack, PLAIN)
    assert text_forms.plain(heard.text) == TIMES
    assert heard.text[0].isupper()
    assert 0.5 < heard.confidence <= 1
    assert heard.words == ()
    assert 3.5 < heard.end_s <= 4


def test_words_come_in_order_at_their_times_in_the_recording(whisper: Whisper) -> None:
    # Three seconds of silence before and in the middle: they are not sent to the engine, and the times know of it.
    pcm = np.concatenate((silence(3), reading(), silence(3), reading(4.8, 6.5)))
    (pack,) = whisper.packs(pcm)
    assert pack.duration_s < 9
    words = whisper.recognise(pcm, pack, WORDS).words
    assert [text_forms.plain(word.text) for word in words] == f"{TIMES} {WISDOM}".split()
    assert all(word.start_s <= word.end_s for word in words)
    assert all(one.start_s <= other.start_s for one, other in pairwise(words))
    assert 2.6 < words[0].start_s < 3.8
    assert words[11].end_s < 7.3
    assert 9.5 < words[12].start_s < 10.5
    assert all(word.confidence is not None and 0 <= word.confidence <= 1 for word in words)


@pytest.mark.parametrize(
    "pcm",
    [silence(0), silence(0.01), silence(10), noise(10), tone(5)],
    ids=["nothing", "a moment", "silence", "noise", "tone"],
)
def test_where_nobody_speaks_there_is_nothing_to_recognise(whisper: Whisper, pcm: Pcm) -> None:
    assert whisper.packs(pcm) == []


def test_noise_that_is_sent_to_the_engine_all_the_same_gives_no_loop(whisper: Whisper) -> None:
    heard = whisper.recognise(noise(20), Pack((Region(0.0, 20.0),)), WORDS)
    assert len(heard.text.split()) < 10
    assert heard.end_s == 20


def test_a_long_recording_is_cut_in_silences_and_loses_nothing(whisper: Whisper) -> None:
    pcm = reading(0, 44)
    packs = whisper.packs(pcm)
    assert len(packs) == 2
    assert all(pack.duration_s <= 28 for pack in packs)
    assert packs[0].pieces[-1].end_s <= packs[1].pieces[0].start_s
    heard = [text_forms.plain(whisper.recognise(pcm, pack, PLAIN).text) for pack in packs]
    assert heard[0].startswith(TIMES)
    assert "the winter of despair" in " ".join(heard)


def test_alternatives_are_other_texts_and_as_many_as_asked_at_most(whisper: Whisper) -> None:
    doubtful = np.clip(reading() + np.random.default_rng(1).normal(0, 1500, len(reading())), -32768, 32767)
    pcm = doubtful.astype(np.int16)
    (pack,) = whisper.packs(pcm)
    wish = Wish(language="en", words=False, alternatives=3)
    heard = whisper.recognise(pcm, pack, wish)
    texts = [heard.text, *(other.text for other in heard.alternatives)]
    assert 1 <= len(heard.alternatives) <= 2
    assert len({text_forms.plain(text) for text in texts}) == len(texts)
    assert all(0 <= other.confidence <= 1 for other in heard.alternatives)


def test_phrases_to_expect_do_not_spoil_the_text(whisper: Whisper) -> None:
    (pack,) = whisper.packs(reading())
    wish = Wish(
        language="en",
        words=False,
        alternatives=1,
        boosts=boosts({"Larkfield": 60.0, "best of times": 60.0, "wurst of thymes": 20.0}),
    )
    assert text_forms.plain(whisper.recognise(reading(), pack, wish).text) == TIMES


def test_the_model_presents_itself(whisper: Whisper) -> None:
    card = whisper.card
    assert (card.name, card.type, card.language_code, card.version) == ("whisper-tiny.en", "offline", "en-US", "0.1.0")


def test_a_local_folder_is_a_model_of_its_own_name_and_version(models: Path, tmp_path: Path) -> None:
    from pipeline import weights

    folder = tmp_path / "our-whisper"
    folder.symlink_to(weights.find("whisper-tiny.en", models))
    model = Whisper(str(folder), models, workers=1)
    assert model.card.name == "whisper-our-whisper"
    assert len(model.card.version) == 8
    (pack,) = model.packs(reading())
    assert text_forms.plain(model.recognise(reading(), pack, PLAIN).text) == TIMES


@pytest.mark.parametrize(
    ("name", "why"),
    [("no-such-model", "no such folder, and no faster-whisper model"), ("./no/such/folder", "no such folder")],
)
def test_an_unknown_name_is_told_and_nothing_is_fetched(models: Path, name: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f"OVERTONE_WHISPER is .*{why}"):
        Whisper(name, models, workers=1)


def test_a_folder_that_is_no_model_is_told(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"OVERTONE_WHISPER: .* lacks model.bin, config.json, tokenizer.json"):
        Whisper(str(tmp_path), models, workers=1)


def test_a_folder_with_damaged_files_is_told_in_one_line(models: Path, tmp_path: Path) -> None:
    for file in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / file).write_text("{}")
    with pytest.raises(ConfigError, match="OVERTONE_WHISPER: cannot load") as caught:
        Whisper(str(tmp_path), models, workers=1)
    assert "\n" not in str(caught.value)
