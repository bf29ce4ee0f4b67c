from __future__ import annotations

import asyncio
import math
import random
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.live.buffer import Buffer, Pace
from pipeline.live.intake import Intake
from pipeline.live.pcm import RATE_HZ, Decoder, decoded, parted
from pipeline.live.recording import Recording, repaired
from pipeline.live.scribe import Scribe
from pipeline.server.wav import to_samples
from tests.live.phones import eventually
from tests.pipeline import sounds

FRAME = 160  # samples of 20 ms at 8 kHz


def numbered(count: int) -> list[bytes]:
    """Frames of 16-bit samples at 16 kHz whose samples are all the frame's number."""
    return [np.full(320, number, dtype="<i2").tobytes() for number in range(1, count + 1)]


def values(pcm: bytes) -> list[int]:
    """The number of each 20 ms of ``numbered`` audio; 0 is silence."""
    return [int(value) for value in np.frombuffer(pcm, "<i2")[::320]]


def taken(intake: Intake, order: list[int], *, timed: bool = True) -> list[int]:
    frames = numbered(max(order))
    out = b"".join(
        intake.take(frames[number - 1], number=number, at_s=(number - 1) * 0.02 if timed else None) for number in order
    )
    return values(out + intake.finish())


def test_frames_out_of_order_and_twice_come_out_in_order_and_once() -> None:
    intake = Intake(1, "s16", RATE_HZ)
    assert taken(intake, [1, 3, 2, 2, 5, 4, 4, 6, 1]) == [1, 2, 3, 4, 5, 6]
    assert (intake.counts.duplicates, intake.counts.reordered, intake.counts.missing) == (3, 2, 0)
    assert intake.gaps == []


@pytest.mark.parametrize("timed", [True, False])
def test_a_frame_that_never_comes_is_a_gap_of_silence(timed: bool) -> None:
    intake = Intake(1, "s16", RATE_HZ)
    order = [1, 2, *range(5, 30)]
    assert taken(intake, order, timed=timed) == [1, 2, 0, 0, *range(5, 30)]
    (gap,) = intake.gaps
    assert (gap.start_s, gap.length_s) == pytest.approx((0.04, 0.04))
    assert intake.counts.missing == 2


def test_any_order_within_the_window_gives_the_same_audio() -> None:
    chance = random.Random(7)
    for _ in range(20):
        order = sorted(range(1, 60), key=lambda number: number + chance.uniform(0, 8))
        order.insert(chance.randrange(len(order)), chance.choice(order))
        assert taken(Intake(1, "s16", RATE_HZ), order) == list(range(1, 60))


def test_silence_that_a_source_leaves_out_is_put_back_and_is_no_gap() -> None:
    intake = Intake(1, "s16", RATE_HZ)
    one, two = numbered(2)
    heard = intake.take(one, number=1, at_s=0.1) + intake.take(two, number=2, at_s=0.52)
    assert values(heard) == [0] * 5 + [1] + [0] * 20 + [2]
    assert intake.gaps == []


def test_a_clock_that_jumps_moves_nothing() -> None:
    intake = Intake(1, "s16", RATE_HZ)
    frames = numbered(6)
    times = [0.0, 0.02, 86_400.0, 86_400.02, 3.0, 3.02]
    heard = b"".join(
        intake.take(frame, number=number, at_s=at_s)
        for number, (frame, at_s) in enumerate(zip(frames, times, strict=True))
    )
    assert values(heard) == [1, 2, 3, 4, 5, 6]


def test_a_source_that_counts_anew_is_followed() -> None:
    intake = Intake(1, "s16", RATE_HZ)
    frames = numbered(4)
    for number, frame in zip((5000, 5001, 1, 2), frames, strict=True):
        assert intake.take(frame, number=number)
    assert intake.counts.duplicates == 0


def test_what_cannot_be_audio_is_counted_and_left_out() -> None:
    intake = Intake(1, "s16", RATE_HZ)
    for payload in (b"", b"\0", b"\0" * (31 * 2 * RATE_HZ)):
        assert intake.take(payload) == b""
    assert intake.take(b"\0\0", number=1, at_s=-1.0) == b""
    assert intake.counts.malformed == 4
    assert intake.position_s == 0.0


def test_memory_stays_bounded_when_every_second_frame_is_lost() -> None:
    intake = Intake(1, "s16", RATE_HZ)
    for number in range(1, 20_000, 2):
        intake.take(numbered(1)[0], number=number)
    assert len(intake.gaps) == 1, "neighbours are one gap"
    assert intake.counts.missing == pytest.approx(9_999, abs=10)


def test_phone_encodings_are_those_of_the_speech_server() -> None:
    every = bytes(range(256))
    for encoding in ("mulaw", "alaw"):
        ours = decoded(every, encoding).astype(np.float32) / 32768
        assert np.array_equal(ours, to_samples(every, encoding))


def test_eight_kilohertz_is_doubled_without_seams_or_images() -> None:
    t = np.arange(8000) / 8000
    tone = (10_000 * np.sin(2 * np.pi * 1000 * t)).astype("<i2").tobytes()
    whole = Decoder("s16", 8000).decode(tone)
    decoder = Decoder("s16", 8000)
    pieces = b"".join(decoder.decode(tone[first : first + 2 * FRAME]) for first in range(0, len(tone), 2 * FRAME))
    assert pieces == whole
    samples = np.frombuffer(whole, "<i2").astype(float)
    expected = 10_000 * np.sin(2 * np.pi * 1000 * (np.arange(16_000) - 32) / 16_000)
    assert np.abs(samples - expected)[200:].max() < 5
    with pytest.raises(InputError, match="44100"):
        Decoder("s16", 44_100)


def test_interleaved_channels_are_parted() -> None:
    assert parted(b"\1\2\3\4", 2, "mulaw") == [b"\1\3", b"\2\4"]
    assert parted(b"\1\2\3\4", 2, "s16") == [b"\1\2", b"\3\4"]
    assert parted(b"\1\2\3", 2, "mulaw") == []
    assert parted(b"", 1, "s16") == []


def test_a_buffer_hands_out_what_came_and_silence_for_what_it_dropped() -> None:
    buffer = Buffer(1, longest_s=2.0)
    loud = [np.full(RATE_HZ // 2, number, dtype="<i2").tobytes() for number in range(1000, 1010)]
    for pcm in loud:
        buffer.put(pcm, at=1.0)
    assert buffer.backlog_s == pytest.approx(5.0)
    (gap,) = buffer.dropped()
    assert (gap.start_s, gap.length_s) == pytest.approx((0.0, 3.0))
    buffer.end()
    heard = np.frombuffer(b"".join(left_in(buffer)), "<i2")
    assert len(heard) == 5 * RATE_HZ
    assert not heard[: 3 * RATE_HZ].any()
    assert sorted(set(heard[3 * RATE_HZ :])) == [1006, 1007, 1008, 1009]


def test_pieces_grow_while_nobody_speaks_and_end_at_a_pause() -> None:
    buffer = Buffer(1, longest_s=60.0)
    buffer.put(np.full(RATE_HZ, 5000, dtype="<i2").tobytes())
    assert len(asyncio.run(buffer.next())) == 2 * RATE_HZ
    for _ in range(30):
        buffer.put(sounds.silence(0.1).tobytes())
    assert len(asyncio.run(buffer.next())) == 4 * RATE_HZ
    assert len(asyncio.run(buffer.next())) == 2 * RATE_HZ
    buffer.put(sounds.silence(1.1).tobytes())
    buffer.pause()
    assert left_in(buffer) == []
    assert buffer.position_s == pytest.approx(4.0)
    buffer.go_on()
    buffer.end()
    assert len(b"".join(left_in(buffer))) == 2 * 17_600
    assert buffer.ended


def test_a_reader_that_is_behind_is_not_cut_off_in_the_middle_of_an_utterance() -> None:
    buffer = Buffer(1, longest_s=60.0)
    for _ in range(3):
        buffer.put(np.full(RATE_HZ, 5000, dtype="<i2").tobytes())
    assert len(asyncio.run(buffer.next())) == 4 * RATE_HZ, "one second of the utterance still waits"
    buffer.put(sounds.silence(2.0).tobytes())
    buffer.pause()
    heard = np.frombuffer(b"".join(left_in(buffer)), "<i2")
    assert np.count_nonzero(heard) == RATE_HZ, "a stream that ended before it would make two of one utterance"


def test_a_reader_that_is_behind_pauses_where_it_reads_a_pause() -> None:
    buffer = Buffer(1, longest_s=60.0)
    for _ in range(3):
        buffer.put(np.full(RATE_HZ // 2, 5000, dtype="<i2").tobytes())
        for _ in range(8):
            buffer.put(sounds.silence(0.1).tobytes())
    assert len(asyncio.run(buffer.next())) == 4 * RATE_HZ, "up to 0.2 s into the second pause"
    buffer.pause()
    assert len(b"".join(left_in(buffer))) / 2 / RATE_HZ == pytest.approx(0.4), "the pause counts from 0.6 s on"
    assert buffer.position_s == pytest.approx(2.4)


def test_after_a_long_quiet_the_reader_is_let_go_until_there_is_a_sound() -> None:
    buffer = Buffer(1, longest_s=120.0)
    loud = np.full(RATE_HZ, 5000, dtype="<i2").tobytes()

    async def read() -> float:
        """Where the sound begins that comes after a minute and a half."""
        buffer.put(loud)
        for _ in range(60):
            buffer.put(sounds.silence(1.0).tobytes())
        assert await buffer.sound()
        read_s = 0.0
        while pcm := await buffer.next():
            read_s += len(pcm) / 2 / RATE_HZ
        assert read_s == pytest.approx(31.0, abs=2.0)
        waiting = asyncio.create_task(buffer.sound())
        for _ in range(300):
            buffer.put(sounds.silence(0.1).tobytes())
            await asyncio.sleep(0)
        while buffer.backlog_s > 2.0:  # the quiet is passed over, not kept
            await asyncio.sleep(0.01)
        assert not waiting.done()
        buffer.put(loud)
        assert await waiting
        before_s = 91.0 - buffer.position_s
        assert 0.59 < before_s < 2.0, "a recogniser needs a little quiet before the sound"
        return before_s

    before_s = asyncio.run(read())
    buffer.end()
    heard = np.frombuffer(b"".join(left_in(buffer)), "<i2")
    assert np.flatnonzero(heard)[0] == round(before_s * RATE_HZ), "the time of the sound is true"
    assert not asyncio.run(buffer.sound())


def test_a_call_that_ends_in_a_long_quiet_leaves_nothing_to_read() -> None:
    buffer = Buffer(1, longest_s=120.0)
    for _ in range(40):
        buffer.put(sounds.silence(1.0).tobytes())
    assert left_in(buffer)
    buffer.end()
    assert not asyncio.run(buffer.sound())
    assert buffer.ended
    assert buffer.position_s == pytest.approx(40.0)


def test_a_reader_waits_for_what_comes_from_another_thread() -> None:
    buffer = Buffer(1, longest_s=60.0)
    loud = np.full(RATE_HZ // 10, 5000, dtype="<i2").tobytes()

    async def read() -> list[bytes]:
        threading.Timer(0.05, buffer.put, (loud,)).start()
        threading.Timer(0.15, buffer.put, (loud[:20],)).start()  # too little to be worth a message: it comes late
        threading.Timer(1.0, buffer.end).start()
        return [await buffer.next() for _ in range(3)]

    assert asyncio.run(read()) == [loud, loud[:20], b""]


def test_a_reader_waits_for_what_its_own_loop_brings() -> None:
    buffer = Buffer(1, longest_s=60.0)
    loud = np.full(RATE_HZ // 10, 5000, dtype="<i2").tobytes()

    async def read() -> list[bytes]:
        found = []
        for _ in range(2):
            waiting = asyncio.create_task(buffer.next())
            await asyncio.sleep(0)
            buffer.put(loud)
            found.append(await waiting)
        return found

    assert asyncio.run(read()) == [loud, loud]


def test_a_patient_reader_takes_long_pieces_of_speech_but_its_end_at_once() -> None:
    def tone(seconds: float, amplitude: int) -> bytes:
        return (
            (amplitude * np.sin(2 * np.pi * 300 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ))
            .astype("<i2")
            .tobytes()
        )

    async def pieces(*, patient: bool) -> list[float]:
        """Seconds of each piece that a reader gets of 1.7 s of speech before a noise that is 20 dB softer."""
        buffer = Buffer(1, longest_s=60.0)
        buffer.patient = patient
        found: list[float] = []

        async def read() -> None:
            while pcm := await buffer.next():
                found.append(round(len(pcm) / 2 / RATE_HZ, 2))

        reading = asyncio.create_task(read())
        speech, noise = tone(1.7, 8000), tone(0.3, 800)
        for first in range(0, len(speech + noise), RATE_HZ // 5):
            buffer.put((speech + noise)[first : first + RATE_HZ // 5])
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        buffer.end()
        await reading
        return found

    assert asyncio.run(pieces(patient=False)) == [0.1] * 20
    # From 1.6 s on less than 0.4 s of speech waits; the noise behind it is handed out with it, and by itself.
    assert asyncio.run(pieces(patient=True)) == [0.4] * 4 + [0.2, 0.1, 0.1]


def left_in(buffer: Buffer) -> list[bytes]:
    """What is left in a buffer that has ended or is to pause."""

    async def read() -> list[bytes]:
        found = []
        while pcm := await buffer.next():
            found.append(pcm)
        return found

    return asyncio.run(read())


def test_a_source_is_held_to_the_pace_of_time() -> None:
    now = [100.0]
    pace = Pace(1.0, ahead_s=2.0, clock=lambda: now[0])
    assert pace.wait_s(2.0) == 0.0
    assert pace.wait_s(1.0) == pytest.approx(1.0)
    now[0] += 3.0
    assert pace.wait_s(1.5) == 0.0
    assert Pace(0.0).wait_s(1e6) == 0.0


def test_a_recording_can_be_read_at_any_moment_and_after_a_kill(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "call", 2)
    recording.write(1, b"\1\0" * RATE_HZ)
    recording.write(2, b"\2\0" * 100)
    with wave.open(str(tmp_path / "call/channel-1.wav")) as file:
        assert file.getframerate() == RATE_HZ  # readable, if not up to date
    recording.close()
    with (tmp_path / "call/channel-2.wav").open("ab") as file:
        file.write(b"\3")
    first, second = repaired(tmp_path / "call")
    assert (first.duration_s, second.duration_s) == pytest.approx((1.0, 100 / RATE_HZ))
    with wave.open(str(second.path)) as file:
        assert file.readframes(1000) == b"\2\0" * 100
    again = Recording(tmp_path / "call", 2)
    again.write(1, b"\4\0" * RATE_HZ)
    assert [channel.duration_s for channel in again.close()] == [2.0, pytest.approx(100 / RATE_HZ)]


def test_a_scribe_writes_recordings_out_in_a_thread_of_its_own(tmp_path: Path) -> None:
    writers: set[int] = set()
    scribe = Scribe()

    class Watched(Recording):
        def write_out(self, until_s: float = math.inf) -> None:
            writers.add(threading.get_ident())
            super().write_out(until_s)

    recording = Watched(tmp_path / "call", 1, scribe.due)
    for _ in range(10):
        recording.write(1, b"\1\0" * (RATE_HZ // 10))
    path = tmp_path / "call/channel-1.wav"
    eventually(lambda: path.stat().st_size > 2 * RATE_HZ * 3 // 4)
    assert threading.get_ident() not in writers
    recording.write(1, b"\2\0" * RATE_HZ)
    scribe.close()
    (channel,) = recording.close()
    assert channel.duration_s == pytest.approx(2.0)
    with wave.open(str(path)) as file:
        assert file.readframes(2 * RATE_HZ) == b"\1\0" * RATE_HZ + b"\2\0" * RATE_HZ
    scribe.due(recording)  # one that is closed is none of its business any more
    recording.write_out()


def test_only_what_is_not_on_the_disk_yet_is_written_out_before_a_sentence(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "call", 2, lambda due: None)
    first, second = tmp_path / "call/channel-1.wav", tmp_path / "call/channel-2.wav"
    header = first.stat().st_size
    recording.write(1, b"\1\0" * RATE_HZ)
    recording.write_out(0.5)
    assert first.stat().st_size == header + 2 * RATE_HZ
    recording.write(1, b"\2\0" * RATE_HZ)
    recording.write(2, b"\3\0" * RATE_HZ)
    recording.write_out(1.0)
    assert first.stat().st_size == header + 2 * RATE_HZ, "it goes on behind the sentence"
    assert second.stat().st_size == header + 2 * RATE_HZ
    recording.write_out(1.5)
    assert first.stat().st_size == header + 4 * RATE_HZ
    recording.write(2, b"\4\0" * 100)
    recording.write_out()
    assert second.stat().st_size == header + 2 * (RATE_HZ + 100)
    assert [channel.duration_s for channel in recording.close()] == [2.0, pytest.approx(1.0 + 100 / RATE_HZ)]
