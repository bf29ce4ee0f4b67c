from __future__ import annotations

import os
import signal

import pytest

from pipeline.terminal import ProgressBar, clock, one_line, until_signal


def test_one_line_cannot_move_the_cursor() -> None:
    assert one_line("a\nb\x1b[2Jc \N{GRINNING FACE}") == "a b\N{REPLACEMENT CHARACTER}[2Jc \N{GRINNING FACE}"


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (61.2, "1:01"), (3 * 3600 + 5, "3:00:05")])
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_sets_the_event_and_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with until_signal() as stop:
        os.kill(os.getpid(), number)
        assert stop.wait(5)
    assert signal.getsignal(number) is before


def test_standard_output_stays_clean_when_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(quiet=True) as bar:
        bar.move(0.5, 1, 2)
        bar.say("one")
    with ProgressBar(quiet=False) as bar:
        bar.say("two")
        bar.say("three", error=True)
    out, err = capsys.readouterr()
    assert out.splitlines() == ["two"]
    assert [line for line in err.splitlines() if line in ("one", "two", "three")] == ["one", "three"]
