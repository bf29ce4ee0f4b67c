"""The Assistant page in Chromium against a scripted gateway: what the page does with sound, words and failures."""

from __future__ import annotations

import re
import wave
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard import scripted_gateway
from tests.dashboard.conftest import FAKE_MICROPHONE, Dashboard, Launch, watched
from tests.dashboard.listening import TAP, played
from tests.dashboard.scripted_gateway import QUESTION, RATE_HZ, ScriptedGateway

pytestmark = pytest.mark.browser
BURST_HZ = 1000


@pytest.fixture(scope="module")
def speaking(launch: Launch, tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """A browser in whose microphone somebody keeps uttering short tones."""
    path = tmp_path_factory.mktemp("microphone") / "bursts.wav"
    at_s = np.arange(4 * 48_000) / 48_000
    loud = (at_s * 3 % 1 < 0.5) * np.minimum(1, (at_s % 0.3333) * 40)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((14_000 * loud * np.sin(2 * np.pi * BURST_HZ * at_s)).astype("<i2").tobytes())
    return launch(*FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={path}")


@pytest.fixture
def spoken(speaking: Browser) -> Iterator[Page]:
    with watched(speaking, permissions=["microphone"]) as page:
        page.add_init_script(TAP)
        yield page


@pytest.fixture
def script(dashboard: Dashboard) -> Iterator[ScriptedGateway]:
    script = ScriptedGateway()
    with scripted_gateway.running(script, dashboard.settings.live_port):
        yield script


def say(page: Page, text: str) -> None:
    page.get_by_label("Your words").fill(text)
    page.get_by_label("Your words").press("Enter")


def ready(page: Page) -> None:
    """Waits until the page has found the gateway."""
    expect(page.get_by_role("button", name="Send")).to_be_enabled()


def test_an_example_is_asked_and_answered_in_writing(dashboard: Dashboard, script: ScriptedGateway, page: Page) -> None:
    page.goto(f"{dashboard.address}/assistant")
    ready(page)
    assert not script.connections  # looking at the page begins no conversation
    page.get_by_role("button", name="Will it rain in Boston tomorrow?").click()
    expect(page.locator(".ov-bubble")).to_have_count(3)
    said = [text.split(": ", 1)[1] for text in page.locator(".ov-bubble").all_text_contents()]
    question = "Will it rain in Boston tomorrow?"
    assert said == ["Hello! How can I help you?", question, f"You said: {question}"]
    say(page, QUESTION)
    facts = page.locator(".ov-facts").last
    expect(facts).to_contain_text("weather")
    expect(facts.locator(".ov-slot")).to_contain_text("locationChicago")
    expect(facts).to_contain_text(re.compile("sample weather, .*12:00"))
    expect(facts.locator("summary")).to_have_text("answered in 0.59 s: waited 0.35, computed 0.24")
    facts.locator("summary").click()
    expect(facts).to_contain_text("Recognising")
    (start,) = script.sent("start")
    assert (start["rate_hz"], start["voice"]) == (16_000, False)
    hostile = "<img src=x onerror=\"document.title='owned'\">"
    say(page, hostile)
    expect(page.locator(".ov-bubble.user").last).to_contain_text(hostile)
    assert page.title() != "owned"
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".ov-bubble")).to_have_count(0)
    say(page, "again")
    expect(page.locator(".ov-bubble.assistant").last).to_contain_text("You said: again")
    assert len(script.sent("start")) == 2


def test_the_open_microphone_is_sent_and_the_answer_is_heard(
    dashboard: Dashboard, script: ScriptedGateway, spoken: Page
) -> None:
    spoken.goto(f"{dashboard.address}/assistant")
    state = spoken.locator(".ov-mic-state")
    expect(state).to_have_text("Microphone off")
    spoken.get_by_role("button", name="Turn the microphone on").click()
    expect(spoken.locator(".ov-bubble.partial")).to_contain_text("how is the")
    expect(state).to_have_text(re.compile("Hearing you|Speaking"))
    expect(spoken.locator(".ov-bubble.user").last).to_contain_text(QUESTION)
    expect(state).to_have_text("Speaking")
    expect(state).to_have_text("Listening")
    expect(spoken.locator(".ov-bubble.partial")).to_have_count(0)
    spoken.get_by_role("button", name="Turn the microphone off").click()
    expect(state).to_have_text("Microphone off")
    assert {len(frame) for frame in script.frames} == {1280}
    assert abs(loudest_hz(script.frames) - BURST_HZ) < 20
    sound, rate_hz = played(spoken)
    assert rate_hz == RATE_HZ
    # All of the tone came out, in one piece.
    audible = np.flatnonzero(np.abs(sound) > 0.02)
    assert (audible[-1] - audible[0]) / rate_hz == pytest.approx(script.tone_s, abs=0.02)
    (heard,) = script.sent("heard")
    assert heard["turn"] == 1
    assert 0 <= heard["ms"] < 60_000


def test_stopping_an_answer_silences_it_at_once(dashboard: Dashboard, script: ScriptedGateway, spoken: Page) -> None:
    script.tone_s = 8.0
    spoken.goto(f"{dashboard.address}/assistant")
    ready(spoken)
    say(spoken, "in writing")
    expect(spoken.locator(".ov-facts summary")).to_be_visible()
    spoken.get_by_label("Read the answers aloud").check()
    say(spoken, "talk for long")
    expect(spoken.locator(".ov-mic-state")).to_have_text("Speaking")
    spoken.wait_for_timeout(300)
    spoken.keyboard.press("Escape")
    expect(spoken.locator(".ov-mic-state")).to_have_text("Microphone off")
    at_once = len(played(spoken)[0])
    spoken.wait_for_timeout(500)
    sound, rate_hz = played(spoken)
    assert np.abs(sound[at_once + round(0.2 * rate_hz) :]).max() < 0.001
    assert script.sent("interrupt")
    assert [message["on"] for message in script.sent("aloud")] == [True]


def test_holding_the_space_bar_talks(dashboard: Dashboard, script: ScriptedGateway, spoken: Page) -> None:
    spoken.goto(f"{dashboard.address}/assistant")
    ready(spoken)
    spoken.get_by_role("button", name="Hold to talk", exact=True).first.click()
    spoken.locator(".ov-talk-log").click()
    spoken.keyboard.down(" ")
    expect(spoken.locator(".ov-mic-state")).to_have_text("Hearing you")
    expect(spoken.locator(".ov-bubble.partial")).to_be_visible()
    spoken.keyboard.up(" ")
    expect(spoken.locator(".ov-mic-state")).to_have_text("Microphone off")
    expect(spoken.locator(".ov-bubble.partial")).to_have_count(0)
    sent = len(script.frames)
    assert [message["on"] for message in script.sent("talk")] == [True, False]
    spoken.wait_for_timeout(300)
    assert len(script.frames) == sent  # nothing is sent that was not meant
    assert script.sent("start")[0]["mode"] == "push"


def test_a_browser_without_16_khz_has_its_sound_brought_there(
    dashboard: Dashboard, script: ScriptedGateway, spoken: Page
) -> None:
    spoken.add_init_script(
        """{ const Real = AudioContext;
             window.AudioContext = class extends Real {
                 constructor(options) {
                     super({ ...options, sampleRate: options.sampleRate === 16000 ? 44100 : options.sampleRate });
                 }
             }; }"""
    )
    script.utterance_frames = 10_000
    spoken.goto(f"{dashboard.address}/assistant")
    spoken.get_by_role("button", name="Turn the microphone on").click()
    expect(spoken.locator(".ov-bubble.partial")).to_be_visible()
    spoken.wait_for_timeout(1500)
    assert abs(loudest_hz(script.frames) - BURST_HZ) < 20


def test_without_a_microphone_typing_still_works(dashboard: Dashboard, script: ScriptedGateway, page: Page) -> None:
    page.goto(f"{dashboard.address}/assistant")
    page.get_by_role("button", name="Turn the microphone on").click()
    expect(page.locator(".ov-mic-note")).to_contain_text(re.compile("type|Typing"))
    expect(page.locator(".ov-mic-state")).to_have_text("Microphone off")
    say(page, "hello")
    expect(page.locator(".ov-bubble.assistant").last).to_contain_text("You said: hello")


def test_a_gateway_without_speech_leaves_the_keyboard(dashboard: Dashboard, page: Page) -> None:
    script = ScriptedGateway(speech=False)
    with scripted_gateway.running(script, dashboard.settings.live_port):
        page.goto(f"{dashboard.address}/assistant")
        expect(page.locator(".ov-mic-note")).to_contain_text("no speech service")
        expect(page.get_by_role("button", name="Turn the microphone on")).to_be_disabled()
        say(page, "hello")
        expect(page.locator(".ov-bubble.assistant").last).to_contain_text("You said: hello")


def test_a_missing_gateway_is_announced_and_picked_up_again(dashboard: Dashboard, page: Page) -> None:
    page.goto(f"{dashboard.address}/assistant")
    expect(page.locator(".ov-banner")).to_contain_text("The assistant is not running: start it with overtone up")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    script = ScriptedGateway()
    with scripted_gateway.running(script, dashboard.settings.live_port):
        expect(page.locator(".ov-banner")).to_be_hidden(timeout=60_000)
        say(page, "there you are")
        expect(page.locator(".ov-bubble.assistant").last).to_contain_text("You said: there you are")
    expect(page.locator(".ov-talk-note")).to_contain_text("The connection was lost")
    expect(page.locator(".ov-banner")).to_be_visible()
    with scripted_gateway.running(script, dashboard.settings.live_port):
        expect(page.locator(".ov-banner")).to_be_hidden(timeout=60_000)
        say(page, "and again")
        expect(page.locator(".ov-bubble.assistant").last).to_contain_text("You said: and again")


def loudest_hz(frames: list[bytes]) -> float:
    """The strongest frequency in 16 kHz sound."""
    sound = np.frombuffer(b"".join(frames), dtype="<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * 16_000 / len(sound))
