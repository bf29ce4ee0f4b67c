"""A call that is spoken through the real gateway, as the agent and the manager see it in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboard.tickets import Tickets, agent_scope, key_in
from pipeline.backends import Backends
from pipeline.settings import Settings
from tests.dashboard.conftest import Dashboard, free_port, watched
from tests.live import running
from tests.live.client import RATE_HZ, spoken

AGENT = "Dana Reed"
GREETING = "Hello, my name is Dana. How can I help you?"
REQUEST = "Will it rain in Boston tomorrow?"
WHO = {"agent": AGENT, "customer": "Ann Lee", "queue": "weather desk"}
FRAME = RATE_HZ // 10  # samples of 100 ms


@dataclass
class Phone:
    """A phone system with one call, which sends at the pace of time what is said, and silence otherwise."""

    address: str
    call_id: str = ""
    _sides: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        """Dials; the agent is on channel 1, the customer on channel 2."""
        line = connect(self.address.replace("http", "ws", 1) + "/calls")
        line.send(
            json.dumps({"type": "start", "channels": 2, "speakers": ["agent", "customer"]} | WHO),
        )
        self.call_id = json.loads(line.recv())["call"]

        def run() -> None:
            with contextlib.suppress(ConnectionClosed):
                began, count = time.monotonic(), 0
                while not self._over.is_set():
                    frame = np.zeros((FRAME, 2), dtype="<i2")
                    for number, side in enumerate(self._sides):
                        piece = np.frombuffer(bytes(side[: 2 * FRAME]), dtype="<i2")
                        del side[: 2 * FRAME]
                        frame[: len(piece), number] = piece
                    line.send(frame.tobytes())
                    count += 1
                    time.sleep(max(0.0, began + count * FRAME / RATE_HZ - time.monotonic()))
                line.send('{"type": "stop"}')
                while json.loads(line.recv())["type"] != "stopped":
                    pass

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def say(self, channel: int, pcm: bytes) -> None:
        """Somebody says this from now on."""
        self._sides[channel - 1].extend(pcm)

    def end(self) -> None:
        """Hangs up; returns when everything is stored."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(60)


@pytest.fixture(scope="module")
def desk(speech_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dashboard, running.Running]]:
    """A gateway and a dashboard over one home, whose company has a reminder of its own."""
    home: Path = tmp_path_factory.mktemp("desk")
    (home / "reminders.yml").write_text(
        "reminders:\n"
        "  - {name: Say your name, says: [my name is]}\n"
        "  - {name: Offer <b>the</b> newsletter, says: [newsletter]}\n"
    )
    with running.running(home, speech_server, live_second_pass="false") as gateway:
        found = Dashboard(Settings(home=home, dashboard_port=free_port()), [])
        found.start()
        yield found, gateway
        found.stop()


@pytest.fixture(scope="module")
def voices(speech_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    settings = Settings(home=tmp_path_factory.mktemp("voice"), tts_uri=speech_server)
    with Backends(settings, os.environ) as backends:
        return {text: spoken(backends.speaker, text) for text in (GREETING, REQUEST)}


@pytest.mark.browser
def test_an_agent_sees_their_call_with_a_suggestion_and_what_was_said(
    desk: tuple[Dashboard, running.Running], voices: dict[str, bytes], chromium: Browser
) -> None:
    dashboard, gateway = desk
    phone = Phone(gateway.address)
    with watched(chromium) as page, watched(chromium) as wall:
        page.goto(f"{dashboard.address}/agent?agent={AGENT.replace(' ', '%20')}")
        expect(page.get_by_text("No call at the moment")).to_be_visible()
        wall.goto(dashboard.address)
        keep_partials(page, ".ov-spoken-row.partial .ov-row-text")
        keep_partials(wall, ".ov-card-said.partial")
        phone.begin()
        try:
            expect(page.get_by_role("heading", name="Ann Lee")).to_be_visible()
            expect(page.get_by_text("0 of 2")).to_be_visible()
            phone.say(1, voices[GREETING])
            expect(page.locator(".ov-spoken-row.agent:not(.partial)")).to_contain_text([re.compile("name is", re.I)])
            reminder = page.get_by_label("Say your name")
            expect(reminder).to_be_checked()
            expect(page.get_by_text("1 of 2")).to_be_visible()
            page.get_by_label("Offer <b>the</b> newsletter").check()
            expect(page.get_by_text("2 of 2")).to_be_visible()

            phone.say(2, voices[REQUEST])
            sentence = page.locator(".ov-spoken-row.customer:not(.partial)")
            expect(sentence).to_contain_text([re.compile("rain in Boston", re.I)])
            offered = page.locator(".ov-suggestion")
            expect(offered).to_contain_text([re.compile("rain in Boston tomorrow.*sample weather", re.S)])
            expect(page.locator(".ov-spoken-row.partial")).to_have_count(0)
            assert any("rain" in text.lower() for text in partials(page))
            assert any("rain" in text.lower() for text in partials(wall))
            expect(wall.locator(".ov-card-said:not(.partial)")).to_contain_text(re.compile("rain in Boston", re.I))

            used, useless = offered.get_by_role("button", name="used it"), offered.get_by_role("button", name="useful")
            page.keyboard.press("n")
            expect(useless).to_have_attribute("aria-pressed", "true")
            expect(page.get_by_text("Your suggestions: 0 of 1 marked were used: 0% (0% to 79%)")).to_be_visible()
            page.keyboard.press("u")  # the last one counts
            expect(used).to_have_attribute("aria-pressed", "true")
            expect(useless).to_have_attribute("aria-pressed", "false")

            page.reload()  # what was said, offered, marked and ticked is there again
            expect(used).to_have_attribute("aria-pressed", "true")
            expect(page.get_by_text("Your suggestions: 1 of 1 marked were used: 100% (21% to 100%)")).to_be_visible()
            expect(sentence).to_have_count(1)
            expect(offered).to_have_count(1)
            expect(page.get_by_text("2 of 2")).to_be_visible()
        finally:
            phone.end()
        expect(page.locator(".ov-agent-time")).to_contain_text("Ended")
        page.goto(f"{dashboard.address}/people?period=All")
        expect(page.get_by_text("Suggestions on My call")).to_be_visible()
        expect(page.get_by_text("All agents: 1 of 1 marked were used: 100% (21% to 100%).")).to_be_visible()


@pytest.mark.browser
def test_an_agent_says_who_they_are_first(desk: tuple[Dashboard, running.Running], page: Page) -> None:
    dashboard, _ = desk
    page.goto(f"{dashboard.address}/agent")
    expect(page.get_by_text("Who are you?")).to_be_visible()
    name = page.get_by_role("combobox", name="Your name")
    name.fill("Bo Nyman")
    name.press("Enter")
    expect(page.get_by_text("The next call of Bo Nyman appears here as it begins.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"agent=Bo(\+|%20)Nyman"))


def test_a_ticket_of_one_agent_opens_nothing_of_another(desk: tuple[Dashboard, running.Running]) -> None:
    dashboard, _ = desk
    tickets = Tickets(key_in(dashboard.settings.home))
    url = f"{dashboard.address.replace('http', 'ws', 1)}/api/live?agent=Dana&ticket={tickets.issue(agent_scope('Bo'))}"
    with connect(url, origin=dashboard.address) as line, pytest.raises(ConnectionClosed) as closed:  # type: ignore[arg-type]
        line.recv(30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def keep_partials(page: Page, where: str) -> None:
    """Gathers in the page every text that an element of this kind ever had."""
    page.evaluate(
        """(where) => {
          window.heard = [];
          new MutationObserver(() => {
            for (const node of document.querySelectorAll(where)) window.heard.push(node.textContent);
          }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
        }""",
        where,
    )


def partials(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.heard")
    return found
