from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.vad import get_vad_model
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio import floats
from pipeline.calls import Word
from pipeline.voice import (
    FRAME,
    FRAME_S,
    Ear,
    Endpointer,
    Pack,
    Region,
    SpeechEnded,
    SpeechStarted,
    VoiceActivity,
    pack,
    regions,
)
from tests.pipeline import sounds


def test_the_model_is_fed_as_faster_whisper_feeds_it(silero: Path) -> None:
    audio = floats(sounds.speech())
    audio = audio[: len(audio) // FRAME * FRAME]
    expected = get_vad_model()(audio.copy()).reshape(-1)
    found = VoiceActivity(silero).probabilities(audio)
    # faster-whisper blanks the context of its very first and last frames; all others must agree.
    assert found.dtype == np.float32
    assert np.abs(found - expected)[:-1].max() < 0.01


def test_chunks_of_any_size_give_what_the_whole_gives(silero: Path) -> None:
    audio = floats(sounds.speech(end_s=4.0))
    whole = VoiceActivity(silero)
    expected = np.concatenate([whole.probabilities(audio), whole.finish()])
    chunked = VoiceActivity(silero)
    parts = [chunked.probabilities(audio[i : i + 777]) for i in range(0, len(audio), 777)]
    assert np.array_equal(np.concatenate([*parts, chunked.finish()]), expected)
    assert len(expected) == -(-len(audio) // FRAME)


def test_channels_do_not_hear_each_other(silero: Path) -> None:
    audio = floats(sounds.speech(end_s=2.0))
    alone = VoiceActivity(silero).probabilities(audio)
    first, second = VoiceActivity(silero), VoiceActivity(silero)
    found = []
    for i in range(0, len(audio), 1000):
        found.append(first.probabilities(audio[i : i + 1000]))
        second.probabilities(np.zeros(1000, dtype=np.float32))
    assert np.array_equal(np.concatenate(found), alone)


def test_a_reset_model_starts_anew(silero: Path) -> None:
    audio = floats(sounds.speech(end_s=2.0))
    activity = VoiceActivity(silero)
    first = activity.probabilities(audio)
    activity.reset()
    assert np.array_equal(activity.probabilities(audio), first)


def test_speech_is_found_and_tones_and_silence_are_not(silero: Path) -> None:
    spoken = sounds.speech()
    channel = np.concatenate([sounds.silence(2), sounds.tone(2), spoken, sounds.silence(5)])
    ear = Ear(silero)
    found = list(ear.listen(floats(channel[i : i + 8192]) for i in range(0, len(channel), 8192)))
    assert found
    assert all(3.4 <= region.start_s < region.end_s <= 14.6 for region in found)
    assert sum(region.end_s - region.start_s for region in found) > 5
    assert ear.voiced(0.0, 3.9) is None
    assert ear.voiced(15.0, 99.0) is None
    voiced = ear.voiced(2.0, 19.0)
    assert voiced is not None
    assert 4.0 <= voiced.start_s < voiced.end_s < 14.1
    assert ear.voiced(5.0, 5.01) in (None, Region(5.0, 5.01))


def test_speech_until_the_last_sample_ends_with_it(silero: Path) -> None:
    channel = floats(sounds.speech(end_s=0.9))
    (region,) = Ear(silero).listen([channel])
    assert region.end_s == pytest.approx(0.9)


def times(found: list[Region]) -> list[float]:
    return [t for region in found for t in (region.start_s, region.end_s)]


def voiced(*parts: tuple[float, float]) -> list[float]:
    """Probabilities from (seconds, probability) parts."""
    return [p for seconds, p in parts for _ in range(round(seconds / FRAME_S))]


def test_regions_keep_short_pauses_and_end_at_long_ones() -> None:
    found = regions(voiced((0.96, 0.0), (1.6, 0.9), (0.32, 0.1), (1.6, 0.9), (3.2, 0.0), (0.64, 0.9), (0.96, 0.0)))
    assert times(found) == pytest.approx([0.76, 4.68, 7.48, 8.52])


def test_a_click_is_no_speech() -> None:
    assert regions(voiced((1, 0.0), (0.064, 0.99), (2, 0.0))) == []


def test_hysteresis_keeps_a_fading_word_whole() -> None:
    assert len(regions(voiced((0.64, 0.0), (0.64, 0.9), (1.6, 0.4), (0.64, 0.9), (1.6, 0.0)))) == 1


def test_speech_at_the_end_of_the_audio_ends_with_it() -> None:
    assert times(regions(voiced((0.64, 0.0), (0.64, 0.9)))) == pytest.approx([0.44, 1.28])


def test_long_speech_is_cut_at_its_weakest_moment() -> None:
    found = regions(voiced((20.0, 0.95), (0.256, 0.45), (12.0, 0.95)), longest_s=27.0)
    assert len(found) == 2
    assert found[0].end_s == found[1].start_s == pytest.approx(20.13, abs=0.2)


def test_events_come_as_soon_as_they_can_be_known() -> None:
    endpointer = Endpointer(min_speech_s=0.1, min_silence_s=0.5, pad_s=0.2)
    assert endpointer.feed(voiced((1.0, 0.0))) == []
    (started,) = endpointer.feed(voiced((0.128, 0.9)))
    assert isinstance(started, SpeechStarted)
    assert started.at_s == pytest.approx(0.992 - 0.2)
    assert endpointer.speaking
    assert endpointer.feed(voiced((0.48, 0.0))) == []
    (ended,) = endpointer.feed(voiced((0.064, 0.0)))
    assert isinstance(ended, SpeechEnded)
    assert times([ended.region]) == pytest.approx([0.792, 1.32])
    assert not ended.cut
    assert not endpointer.speaking
    assert endpointer.finish() == []


def test_a_start_can_be_moved_further_than_an_end() -> None:
    endpointer = Endpointer(min_speech_s=0.1, min_silence_s=0.5, pad_s=0.2, lead_s=0.5)
    found = endpointer.feed(voiced((1.0, 0.0), (0.48, 0.9), (0.6, 0.0), (0.48, 0.9), (0.6, 0.0)))
    ended = [event.region for event in found if isinstance(event, SpeechEnded)]
    # What is before the second belongs to the first already, where there is less than 0.5 s between them.
    assert times(ended) == pytest.approx([0.492, 1.672, 1.672, 2.752], abs=0.1)


@given(st.lists(st.floats(0, 1), max_size=400), st.integers(1, 50))
def test_events_alternate_and_regions_never_overlap(probabilities: list[float], step: int) -> None:
    endpointer = Endpointer(longest_s=3.0)
    events: list[SpeechStarted | SpeechEnded] = []
    for i in range(0, len(probabilities), step):
        events += endpointer.feed(probabilities[i : i + step])
    events += endpointer.finish()
    assert [isinstance(event, SpeechEnded) for event in events] == [i % 2 == 1 for i in range(len(events))]
    ended = [event.region for event in events if isinstance(event, SpeechEnded)]
    assert ended == regions(probabilities, longest_s=3.0)
    for before, after in itertools.pairwise(ended):
        assert before.end_s <= after.start_s
    for region in ended:
        assert 0 <= region.start_s < region.end_s <= len(probabilities) * FRAME_S
        assert region.end_s - region.start_s <= 3.0 + 0.4 + FRAME_S


def test_refuses_parameters_that_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="offset"):
        Endpointer(onset=0.3, offset=0.5)
    with pytest.raises(ValueError, match="pad_s"):
        Endpointer(pad_s=1.0, min_silence_s=0.5)
    with pytest.raises(ValueError, match="longest_s"):
        Endpointer(longest_s=0.1)


def test_packs_join_regions_and_shorten_silences() -> None:
    packs = pack([Region(1, 5), Region(5.4, 10), Region(60, 70), Region(100, 120)], longest_s=28.0, gap_s=0.6)
    assert packs == [
        Pack((Region(1, 10.3), Region(59.7, 70))),
        Pack((Region(100, 120),)),
    ]
    assert packs[0].duration_s == pytest.approx(19.6)


def test_times_of_packed_audio_lead_back_to_the_recording() -> None:
    one = Pack((Region(1, 10.3), Region(59.7, 70)))
    assert one.to_recording(0.0) == 1
    assert one.to_recording(9.0) == pytest.approx(10.0)
    assert one.to_recording(9.3) == pytest.approx(59.7)
    assert one.to_recording(10.0) == pytest.approx(60.4)
    assert one.to_recording(500.0) == 70


@given(st.lists(st.tuples(st.floats(0.01, 40), st.floats(0.1, 27)), max_size=30))
def test_packs_hold_every_region_whole_and_stay_short(parts: list[tuple[float, float]]) -> None:
    found, at_s = [], 0.0
    for silence_s, speech_s in parts:
        found.append(Region(at_s + silence_s, at_s + silence_s + speech_s))
        at_s = found[-1].end_s
    packs = pack(found)
    pieces = [piece for one in packs for piece in one.pieces]
    assert all(one.duration_s <= 28.0 + 1e-6 for one in packs)
    for region in found:
        assert any(p.start_s <= region.start_s + 1e-9 and region.end_s <= p.end_s + 1e-9 for p in pieces)
    for before, after in itertools.pairwise(pieces):
        assert before.end_s <= after.start_s + 1e-9


def test_words_that_a_recogniser_stretched_over_a_seam_stay_with_their_sentence() -> None:
    packed = Pack((Region(10.0, 12.0), Region(50.0, 52.0)))
    words = [
        Word("the", 1.2, 1.98),
        Word("order?", 2.02, 2.07),  # said before the seam, written after it
        Word("Oh,", 1.9, 2.8),  # begins the second piece, stretched back over the seam
        Word("lovely.", 3.9, 4.6),  # longer than the audio
    ]
    the, order, oh, lovely = packed.placed(words)
    assert 11.2 <= the.start_s < the.end_s == order.start_s < order.end_s <= 12.0
    assert oh.start_s == 50.0
    assert oh.end_s == pytest.approx(50.8)
    assert lovely.start_s < lovely.end_s == 52.0
