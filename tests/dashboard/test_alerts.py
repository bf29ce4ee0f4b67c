"""Alerts, notes, filters and the clock in a real browser; another process (this one) writes to the store meanwhile."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from dashboard.resources import Resources
from dashboard.tickets import LIVE_SCOPE, call_scope
from pipeline.alerts import book
from pipeline.alerts.shape import CONDITIONS
from pipeline.calls import Alert, Call
from pipeline.errors import InputError
from pipeline.store import Store
from tests.dashboard import seed
from tests.dashboard.conftest import Dashboard
from tests.dashboard.test_pages import say
from tests.dashboard.test_wav import write
from tests.store.samples import a_sentence

PATIENCE_S = 30.0
CHOSEN = re.compile(r"\bchosen\b")
_numbers = count(7000)


@pytest.fixture
def live(store: Store) -> Iterator[Call]:
    """A live call of its own for each test, in a queue and a team of its own."""
    number = next(_numbers)
    call = replace(
        seed.live_call(number, datetime.now(UTC), agent="Alarm Agent", customer=f"Alarmed {number}"),
        attributes={"queue": f"queue {number}", "team": f"team {number}"},
    )
    store.begin(call)
    yield call
    with contextlib.suppress(InputError):  # a test may have deleted it
        store.finish(call.id, 30.0)


def alarm(store: Store, call: Call, index: int | None = None, severity: str = "critical") -> Alert:
    alert = Alert(
        id=f"alert{next(_numbers)}",
        call_id=call.id,
        index=index,
        rule=f"Rule of {call.customer}",
        severity=severity,  # type: ignore[arg-type]
        message="Something <b>happened</b>.",
        at=datetime.now(UTC),
    )
    store.add_alert(alert)
    return alert


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def verdicts(store: Store, call: Call) -> list[str | None]:
    return [alert.verdict for alert in store.alerts(call_id=call.id)]


@pytest.mark.browser
def test_a_deleted_call_takes_its_words_and_alerts_off_the_screen(
    dashboard: Dashboard, store: Store, live: Call, page: Page
) -> None:
    store.append(live.id, [a_sentence(live.id, text="My account number is 12345.")])
    raised = alarm(store, live)
    page.goto(dashboard.address)
    card, row = page.locator(f".ov-card[data-call='{live.id}']"), page.locator(f".ov-feed-row[data-key^='{live.id}:']")
    listed = page.locator(f".ov-alert[data-alert='{raised.id}']")
    for shown in (card, row, listed):
        expect(shown).to_be_visible()
    store.delete(live.id)
    for gone in (card, row, listed):
        expect(gone).to_have_count(0)


@pytest.mark.browser
def test_an_alert_appears_and_is_judged_with_one_key(
    dashboard: Dashboard, store: Store, live: Call, page: Page
) -> None:
    page.goto(dashboard.address)
    card = page.locator(f".ov-card[data-call='{live.id}']")
    expect(card).to_contain_text(f"Alarm Agent · {live.attributes['queue']}")
    page.get_by_label("Queue").select_option(live.attributes["queue"])
    expect(page.locator(".ov-card")).to_have_count(1)
    first = alarm(store, live)
    row = page.locator(f".ov-alert[data-alert='{first.id}']")
    expect(row).to_contain_text(f"Rule of {live.customer}Something <b>happened</b>.")
    expect(card.locator(".ov-alarm")).to_have_text("!!")
    page.keyboard.press("r")
    until(lambda: verdicts(store, live) == ["right"])
    expect(row.get_by_role("button", name="Right (R)")).to_have_attribute("aria-pressed", "true")
    expect(card.locator(".ov-alarm")).to_be_visible()

    second = alarm(store, live, severity="info")
    expect(page.locator(f".ov-alert[data-alert='{second.id}']")).to_have_class(CHOSEN)
    page.keyboard.press("j")  # back to the first: it was wrong after all
    expect(row).to_have_class(CHOSEN)
    page.keyboard.press("w")
    until(lambda: verdicts(store, live) == [None, "wrong"])
    expect(card.locator(".ov-alarm")).to_have_text("i")

    page.get_by_label("Team").select_option("")
    page.get_by_label("Queue").select_option("")
    page.keyboard.press("k")
    row.click()
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name=live.customer)).to_be_visible()
    expect(page.locator(".ov-remark")).to_have_count(2)


@pytest.mark.browser
def test_a_sentence_on_the_screen_stops_its_clock(dashboard: Dashboard, store: Store, live: Call, page: Page) -> None:
    page.goto(dashboard.address)
    expect(page.locator(f".ov-card[data-call='{live.id}']")).to_be_visible()
    begun = datetime.now(UTC)
    say(store, live, 0, "How long does it take?")
    expect(page.locator(f"[data-key='{live.id}:0']")).to_be_visible()
    until(lambda: any(clock.painted_at for clock in store.clocks(call_id=live.id)))
    (clock,) = store.clocks(call_id=live.id)
    assert clock.sent_at is not None
    assert clock.painted_at is not None
    assert begun <= clock.sent_at <= clock.painted_at <= datetime.now(UTC)


@pytest.mark.browser
def test_notes_and_flags_stand_on_the_strip_of_the_call(
    dashboard: Dashboard, store: Store, live: Call, page: Page
) -> None:
    say(store, live, 0, "I was promised a refund.")
    page.goto(f"{dashboard.address}/call?call={live.id}")
    expect(page.locator(".ov-row")).to_have_count(1)
    page.keyboard.press("n")
    page.get_by_label("Note", exact=True).fill("Check <i>the refund</i>")
    page.keyboard.press("Enter")
    expect(page.locator(".ov-remark")).to_contain_text(["Check <i>the refund</i>"])
    expect(page.get_by_text("The note is kept with the call.")).to_be_visible()
    page.keyboard.press("m")
    until(lambda: len(store.notes(live.id)) == 2)
    note, flag = store.notes(live.id)
    assert (note.text, note.flagged, note.author) == ("Check <i>the refund</i>", False, "demo")
    assert (flag.text, flag.flagged) == ("", True)
    assert note.at_s == pytest.approx(3.0)  # where the call stood: the end of its last sentence
    expect(page.locator(".ov-remark")).to_have_count(2)
    page.reload()
    expect(page.locator(".ov-remark")).to_have_count(2)


@pytest.mark.browser
def test_a_call_can_be_heard_while_it_goes_on(
    dashboard: Dashboard, resources: Resources, store: Store, live: Call, page: Page
) -> None:
    folder = resources.settings.audio_folder / live.id
    folder.mkdir(parents=True)
    tone = (8000 * np.sin(np.arange(16_000 * 8) / 12)).astype(int)
    for name in ("channel-1.wav", "channel-2.wav"):
        write(folder / name, tone[: 16_000 * 4])
    page.add_init_script("window.Audio = new Proxy(Audio, { construct: (A) => (window.sound = new A()) });")
    page.goto(f"{dashboard.address}/call?call={live.id}")
    listen = page.get_by_role("button", name="Listen in (L)")
    expect(listen).to_be_visible()
    page.wait_for_function("window.sound.duration > 3.9")
    for name in ("channel-1.wav", "channel-2.wav"):
        write(folder / name, tone)
    listen.click()  # two seconds before the present, which is four seconds later by now
    page.wait_for_function("window.sound.duration > 7.9 && window.sound.currentTime > 5.9")


EDITED = {  # a condition of every kind, and what the page says of it
    "mood_below: -0.5, for_s: 20": "The customer's mood stays below −0.50 for 20 s",
    "negative_in_a_row: 3": "3 negative customer sentences in a row",
    "says: [no refunds], who: agent": "The agent says “no refunds”",
    "means: [I want my money back.], who: customer": "The customer says something like “I want my money back”",
    "asks_for_supervisor: true": "The customer asks for a supervisor",
    "silence_s: 60": "Nobody speaks for 60 s",
    "talk_over_s: 5, within_s: 40": "Both sides speak at once for 5 s within 40 s",
}


@pytest.mark.browser
def test_rules_are_switched_and_edited_on_the_alerts_page(
    dashboard: Dashboard, resources: Resources, store: Store, live: Call, page: Page
) -> None:
    home = resources.settings.home
    book.own_file(home).unlink(missing_ok=True)
    alert = alarm(store, live)
    store.judge_alert(alert.id, "right", "me", datetime.now(UTC))
    book.save(home, f"rules:\n  - {{name: {alert.rule}, when: {{silence_s: 30}}}}\n")
    try:
        page.goto(f"{dashboard.address}/alerts")
        expect(page.get_by_text("Nobody speaks for 30 s")).to_be_visible()
        expect(page.get_by_text("1 of 1 right: 100% (21% to 100%)")).to_be_visible()
        page.locator("label").filter(has_text=alert.rule).first.click()
        until(lambda: not book.load(home).rules[0].enabled)

        page.get_by_text("Edit the rules").click()
        editor = page.get_by_role("textbox", name="Rules as YAML")
        expect(editor).to_have_value(book.text(home))
        editor.fill("rules:\n  - {name: a}\n  - {name: b, when: {silence_s: soon}}\n")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Nothing is saved: 2 things to mend.")).to_be_visible()
        expect(page.get_by_text("line 3: `silence_s` must be a number from 10 to 240")).to_be_visible()
        assert alert.rule in book.text(home)
        editor.fill("rules:\n" + "".join(f"  - {{name: {i}, when: {{{when}}}}}\n" for i, when in enumerate(EDITED)))
        page.get_by_role("button", name="Save").click()
        for words in EDITED.values():
            expect(page.get_by_text(words, exact=True)).to_be_visible()
        until(lambda: len(book.load(home).rules) == len(EDITED))
        assert {name for name in CONDITIONS if any(when.startswith(name) for when in EDITED)} == set(CONDITIONS)
    finally:
        book.own_file(home).unlink(missing_ok=True)


def socket(dashboard: Dashboard, ticket: str, call_id: str = "") -> Connection:
    url = f"{dashboard.address.replace('http', 'ws', 1)}/api/live?ticket={ticket}&call={call_id}"
    return connect(url, origin=dashboard.address)  # type: ignore[arg-type]


def answer(line: Connection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(line.recv(PATIENCE_S))
        if message["kind"] == kind:
            return message


def test_a_page_can_measure_its_clock_against_ours(dashboard: Dashboard, resources: Resources) -> None:
    with socket(dashboard, resources.tickets.issue(LIVE_SCOPE)) as line:
        line.send(json.dumps({"kind": "ping", "sent_ms": 12.5}))
        pong = answer(line, "pong")
    assert pong["sent_ms"] == 12.5
    assert abs(pong["now_ms"] / 1000 - time.time()) < PATIENCE_S


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "[]",
        '{"kind": "painted", "rows": [[1, 2, 3]]}',
        '{"kind": "painted", "rows": [["a", 1, Infinity]]}',
        '{"kind": "judge", "id": "a", "verdict": "maybe"}',
        '{"kind": "ping", "sent_ms": "now"}',
        '{"kind": "ping", "sent_ms": 1, "pad": "' + "x" * 70_000 + '"}',
    ],
)
def test_what_is_no_message_ends_the_line(dashboard: Dashboard, resources: Resources, text: str) -> None:
    with socket(dashboard, resources.tickets.issue(LIVE_SCOPE)) as line:
        line.send(text)
        with pytest.raises(ConnectionClosed) as closed:
            answer(line, "nothing of the kind")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003


def test_a_call_page_judges_the_alerts_of_its_call_only(
    dashboard: Dashboard, resources: Resources, store: Store, live: Call
) -> None:
    other = seed.live_call(next(_numbers), datetime.now(UTC))
    store.begin(other)
    mine, foreign = alarm(store, live), alarm(store, other)
    with socket(dashboard, resources.tickets.issue(call_scope(live.id)), live.id) as line:
        line.send(json.dumps({"kind": "judge", "id": foreign.id, "verdict": "wrong"}))
        assert "has no alert" in answer(line, "refused")["message"]
        line.send(json.dumps({"kind": "judge", "id": mine.id, "verdict": "wrong"}))
        judged: list[dict[str, Any]] = []
        while not judged:
            judged = [event for event in answer(line, "events")["events"] if event.get("judged")]
        (event,) = judged
        assert (event["alert"]["id"], event["alert"]["verdict"]) == (mine.id, "wrong")
    assert verdicts(store, other) == [None]
    assert verdicts(store, live) == ["wrong"]
    store.finish(other.id, 1.0)
