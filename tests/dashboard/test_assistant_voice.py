"""The Assistant page with everything real behind it: Chromium, the dashboard, the gateway and the speech server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import riva.client
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from pipeline.asr import RATE_HZ as RECOGNISER_HZ
from pipeline.asr import Recogniser
from pipeline.store import Store
from pipeline.tts import Speaker
from tests.dashboard.conftest import FAKE_MICROPHONE, ROOT, Dashboard, Launch, watched
from tests.dashboard.listening import TAP, played

pytestmark = pytest.mark.browser
QUESTION = "How is the weather in Chicago tomorrow?"
MICROPHONE_HZ = 48_000
ANSWER_MS = 90_000  # a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def gateway(dashboard: Dashboard, speech_server: str) -> Iterator[None]:
    """The real gateway, where the dashboard looks for it."""
    services = {"asr_uri": speech_server, "nlp_uri": speech_server, "tts_uri": speech_server}
    settings = replace(dashboard.settings, **services)  # type: ignore[arg-type]
    with (settings.home / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.live", "--exit-with-parent"],
            cwd=ROOT,
            env=settings.to_env(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:  # closes the pipes, at which the gateway ends, and waits for it
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready "), (settings.home / "gateway.log").read_text()
        yield


def test_a_typed_question_is_answered_and_archived(
    dashboard: Dashboard, gateway: None, store: Store, page: Page
) -> None:
    page.goto(f"{dashboard.address}/assistant")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    page.get_by_label("Your words").fill("will it rain in boston tomorrow")
    page.get_by_label("Your words").press("Enter")
    answer = page.locator(".ov-bubble.user ~ .ov-bubble.assistant").first
    expect(answer).to_contain_text("Boston", timeout=ANSWER_MS)
    expect(page.locator(".ov-facts").last).to_contain_text("rainfall")
    expect(page.locator(".ov-facts").last.locator(".ov-slot").first).to_contain_text(re.compile("boston", re.I))
    expect(page.locator(".ov-facts").last.locator("summary")).to_contain_text("answered in")
    page.get_by_role("button", name="Open in the archive").click()
    expect(page.locator(".ov-turn-said").last).to_have_text("Said: will it rain in boston tomorrow")
    conversation = store.conversation(page.url.partition("conversation=")[2])
    assert conversation.channel == "text"
    assert store.turns(conversation.id)[-1].user_text == "will it rain in boston tomorrow"


def test_a_spoken_question_is_heard_and_its_answer_is_spoken(
    dashboard: Dashboard, gateway: None, speech_server: str, launch: Launch, tmp_path: Path
) -> None:
    auth = riva.client.Auth(uri=speech_server)
    pcm, rate_hz = Speaker(auth, address=speech_server).say(QUESTION)
    spoken = resampled(np.frombuffer(pcm, dtype="<i2").astype(float), rate_hz, MICROPHONE_HZ)
    before, after = np.zeros(2 * MICROPHONE_HZ), np.zeros(2 * MICROPHONE_HZ)
    path = write_wav(tmp_path / "question.wav", np.concatenate([before, spoken, after]))
    browser = launch(*FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={path}%noloop")
    with watched(browser, permissions=["microphone"]) as page:
        page.add_init_script(TAP)
        page.goto(f"{dashboard.address}/assistant")
        page.get_by_role("button", name="Turn the microphone on").click()
        expect(page.locator(".ov-bubble.user:not(.partial)")).to_contain_text(
            re.compile("weather in Chicago", re.I), timeout=ANSWER_MS
        )
        answer = page.locator(".ov-bubble.user ~ .ov-bubble.assistant").first
        expect(answer).to_contain_text("Chicago", timeout=ANSWER_MS)
        expect(page.locator(".ov-facts summary").last).to_contain_text(
            re.compile("waited .* computed"), timeout=ANSWER_MS
        )
        state = page.locator(".ov-mic-state")
        expect(state).to_have_text("Speaking")
        page.locator(".ov-facts summary").last.click()
        expect(page.locator(".ov-facts").last).to_contain_text("You heard it")
        expect(state).to_have_text("Listening", timeout=ANSWER_MS)
        page.get_by_role("button", name="Turn the microphone off").click()
        shown = answer.locator(".ov-bubble-text").inner_text()
        sound, rate_hz = played(page)
    pcm_heard = resampled(sound * 32767, rate_hz, RECOGNISER_HZ).clip(-32768, 32767).astype("<i2").tobytes()
    heard = Recogniser(auth, address=speech_server).recognise(pcm_heard).transcript
    auth.channel.close()
    wanted = words(shown)
    assert "chicago" in wanted & words(heard)
    # Figures may be written in another way; the words of the answer must be there.
    assert len(wanted & words(heard)) >= 0.7 * len(wanted), f"shown: {shown!r}; heard: {heard!r}"


def words(text: str) -> set[str]:
    """The words in ``text``, without figures."""
    return set(re.findall(r"[a-z]+", text.lower()))


def resampled(sound: NDArray[np.float64], from_hz: int, to_hz: int) -> NDArray[np.float64]:
    """The sound at another rate, by its spectrum."""
    length = round(len(sound) * to_hz / from_hz)
    spectrum = np.fft.rfft(sound)
    kept = np.zeros(length // 2 + 1, dtype=complex)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return np.fft.irfft(kept, length) * (length / len(sound))


def write_wav(path: Path, sound: NDArray[np.float64]) -> Path:
    """Writes 48 kHz mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(MICROPHONE_HZ)
        file.writeframes(sound.clip(-32768, 32767).astype("<i2").tobytes())
    return path
