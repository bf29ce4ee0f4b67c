"""The pages in a real browser against a real server; another process (this one) writes to the store meanwhile."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from pipeline.calls import Call, SentenceClock, SentimentLabel
from pipeline.store import Store
from tests.dashboard import seed
from tests.dashboard.conftest import Dashboard

pytestmark = pytest.mark.browser
HOSTILE = "Look at this <img src=x onerror=\"document.title='owned'\"> and <b>that</b>"
_numbers = iter(range(1, 1000))


@pytest.fixture
def live(store: Store) -> Call:
    """A live call of its own for each test; it is over when the test is."""
    number = next(_numbers)
    call = seed.live_call(number, datetime.now(UTC), agent="Live Agent", customer=f"Caller Number {number}")
    store.begin(call)
    return call


def say(store: Store, call: Call, index: int, text: str, label: SentimentLabel = "negative") -> None:
    said = seed.conversation(call.id, [("customer", text, label)], random.Random(index))[0]
    store.append(call.id, [replace(said, index=index, start_s=4.0 * index, end_s=4.0 * index + 3)])


def test_live_shows_a_sentence_as_it_is_stored_and_a_click_opens_its_call(
    dashboard: Dashboard, store: Store, live: Call, page: Page
) -> None:
    page.goto(dashboard.address)
    card = page.locator(f".ov-card[data-call='{live.id}']")
    expect(card).to_contain_text("Nothing said yet")
    page.evaluate(
        """() => new MutationObserver((changes) => {
            for (const change of changes) for (const node of change.addedNodes)
                if (node.dataset?.key) (window.seen ??= []).push(node.dataset.key);
        }).observe(document, { childList: true, subtree: true })"""
    )
    say(store, live, 0, "I have been waiting for an hour.")
    expect(card.locator(".ov-card-said")).to_have_text("I have been waiting for an hour.")
    expect(card.locator(".ov-chip")).to_contain_text("Negative")
    assert f"{live.id}:0" in page.evaluate("window.seen")

    say(store, live, 1, HOSTILE)
    expect(card.locator(".ov-card-said")).to_have_text(HOSTILE)
    assert page.title() != "owned"
    assert page.locator(".ov-wall img").count() == 0

    card.click()
    expect(page.get_by_role("heading", name=live.customer)).to_be_visible()
    assert f"call={live.id}" in page.url
    expect(page.locator(".ov-row-text").nth(1)).to_have_text(HOSTILE)
    assert page.locator(".ov-player img").count() == 0

    # The open call grows as it is spoken, and ends when it ends.
    say(store, live, 2, "Thank you, that is wonderful.", "positive")
    expect(page.locator(".ov-row")).to_have_count(3)
    store.finish(live.id, 15.0)
    expect(page.locator(".ov-tile").first).to_contain_text("3 sentences")


def test_a_sentence_that_was_understood_late_is_marked(
    dashboard: Dashboard, store: Store, live: Call, page: Page
) -> None:
    def late(index: int, seconds: float) -> None:
        said = datetime.now(UTC) - timedelta(seconds=seconds)
        store.record_clocks([SentenceClock(live.id, index, said, datetime.now(UTC), datetime.now(UTC))])

    say(store, live, 0, "Nobody calls me back.")
    page.goto(dashboard.address)
    row = page.locator(f".ov-feed-row[data-key='{live.id}:0']")
    expect(row).to_contain_text("Nobody calls me back.")
    expect(row.locator(".ov-late")).to_have_count(0)
    late(0, 8.0)
    expect(row.locator(".ov-late")).to_have_text("8 s late", timeout=20_000)

    page.locator(f".ov-card[data-call='{live.id}']").click()
    said = page.locator(".ov-row")
    expect(said.nth(0).locator(".ov-late")).to_have_text("8 s late")
    say(store, live, 1, "And now I hear nothing.")
    expect(said.nth(1)).to_contain_text("And now I hear nothing.")
    late(1, 12.0)
    expect(said.nth(1).locator(".ov-late")).to_have_text("12 s late", timeout=20_000)
    store.finish(live.id, 15.0)


def test_an_ended_call_says_so_and_leaves(dashboard: Dashboard, store: Store, live: Call, page: Page) -> None:
    page.goto(dashboard.address)
    card = page.locator(f".ov-card[data-call='{live.id}']")
    expect(card).to_be_visible()
    store.finish(live.id, 1.0)
    expect(card).to_have_attribute("data-phase", "ended")
    expect(card).to_contain_text("ended")
    # Thirty seconds later, by the page's clock.
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 31_000; }")
    expect(card).to_have_count(0)


def test_the_wall_sorts_and_filters_by_agent(dashboard: Dashboard, store: Store, page: Page) -> None:
    calls = [
        seed.live_call(500 + n, datetime.now(UTC), agent=f"Sorter {n % 2}", customer=f"Sorted {n}") for n in range(3)
    ]
    for call, label in zip(calls, ("positive", "negative", "neutral"), strict=True):
        store.begin(call)
        say(store, call, 0, "As it happens.", label)  # type: ignore[arg-type]
    page.goto(dashboard.address)
    names = page.locator(".ov-card-name").filter(has_text="Sorted")
    expect(names).to_have_text(["Sorted 1", "Sorted 2", "Sorted 0"])
    page.get_by_role("button", name="Newest").click()
    expect(names).to_have_text(["Sorted 2", "Sorted 1", "Sorted 0"])
    page.get_by_label("Agent").select_option("Sorter 1")
    expect(page.locator(".ov-card")).to_have_count(1)
    expect(page.locator(".ov-tile-value").first).to_have_text("1")
    for call in calls:
        store.finish(call.id)


def test_two_sessions_see_the_same_sentence(dashboard: Dashboard, store: Store, live: Call, page: Page) -> None:
    other = page.context.browser.new_page()  # type: ignore[union-attr]
    for each in (page, other):
        each.goto(dashboard.address)
        expect(each.locator(f".ov-card[data-call='{live.id}']")).to_be_visible()
    say(store, live, 0, "Both of you hear this.")
    for each in (page, other):
        expect(each.locator(f".ov-card[data-call='{live.id}'] .ov-card-said")).to_have_text("Both of you hear this.")
    other.close()
    store.finish(live.id)


def test_filters_live_in_the_url_and_a_row_opens_its_call(dashboard: Dashboard, page: Page) -> None:
    page.goto(f"{dashboard.address}/calls")
    rows = page.locator(".ov-table tbody tr")
    expect(rows).to_have_count(25)
    page.get_by_label("Search").fill("disgrace")
    page.get_by_label("Search").press("Enter")
    expect(page).to_have_url(re.compile("q=disgrace"))
    expect(rows.first).to_contain_text("cancellation")
    page.get_by_role("button", name="Mood").click()
    expect(page.locator("th.mood")).to_have_attribute("aria-sort", "ascending")
    expect(page).to_have_url(re.compile("order=Worst"))
    found = rows.count()
    assert 0 < found < 25
    page.reload()
    expect(rows).to_have_count(found)
    expect(page.get_by_label("Search")).to_have_value("disgrace")
    page.goto(f"{dashboard.address}/calls?page=2")
    expect(page.get_by_text(re.compile("^26 to "))).to_be_visible()
    expect(rows.first).to_be_visible()
    identity = rows.first.get_attribute("data-id")
    rows.first.click()
    expect(page).to_have_url(re.compile(f"/call\\?call={identity}"))
    expect(page.locator(".ov-row").first).to_be_visible()


def test_a_click_on_a_sentence_plays_it_and_keys_move_on(dashboard: Dashboard, page: Page) -> None:
    page.add_init_script("const Real = Audio; window.Audio = function () { return (window.sound = new Real()); };")
    page.goto(f"{dashboard.address}/call?call={dashboard.ids[0]}")
    third = page.locator(".ov-row").nth(2)
    third.click()
    page.wait_for_function("window.sound && !window.sound.paused && window.sound.currentTime > 0.2")
    expect(third).to_have_class(re.compile("active"))
    starts_s = page.evaluate("window.sound.currentTime")
    page.keyboard.press("j")
    page.wait_for_function(f"window.sound.currentTime > {starts_s} + 0.5")
    expect(page.locator(".ov-row").nth(3)).to_have_class(re.compile("active"))
    page.keyboard.press(" ")
    page.wait_for_function("window.sound.paused")
    page.keyboard.press(">")
    assert page.evaluate("window.sound.playbackRate") == 1.25
    page.keyboard.press("/")
    page.keyboard.type("the")
    expect(page.locator(".ov-row mark").first).to_have_text(re.compile("the", re.I))
    # The waveform seeks where it is clicked.
    slider = page.get_by_role("slider", name="Position in the call")
    box = slider.bounding_box()
    assert box
    slider.click(position={"x": box["width"] / 2, "y": 20})
    length_s = float(slider.get_attribute("aria-valuemax") or 0)
    assert page.evaluate("window.sound.currentTime") == pytest.approx(length_s / 2, rel=0.05)


def test_the_transcript_follows_the_sound_in_a_small_window(dashboard: Dashboard, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(f"{dashboard.address}/call?call={dashboard.ids[0]}")
    rows = page.locator(".ov-row")
    expect(rows.first).to_be_visible()
    page.locator(".ov-rows").evaluate("list => list.style.maxHeight = '120px'")
    for _ in range(rows.count()):
        page.keyboard.press("j")
    expect(rows.last).to_have_class(re.compile("active"))
    page.wait_for_function(
        """() => {
            const [list, row] = [".ov-rows", ".ov-row.active"]
                .map((selector) => document.querySelector(selector).getBoundingClientRect());
            return row.top >= list.top - 1 && row.bottom <= list.bottom + 1;
        }"""
    )


def test_a_correction_is_stored_beside_the_prediction(dashboard: Dashboard, store: Store, page: Page) -> None:
    call_id = dashboard.ids[1]
    page.goto(f"{dashboard.address}/call?call={call_id}")
    row = page.locator(".ov-row").first
    predicted = row.locator(".ov-chip").first.text_content()
    row.get_by_role("button", name="Probabilities and correction").click()
    expect(row.locator(".ov-scores")).to_contain_text("%")
    expect(row.locator(".ov-details")).to_contain_text(seed.MODEL)
    row.get_by_label("Correct the sentiment of sentence 1").select_option("positive")
    expect(page.get_by_text("Sentence 1 is now marked positive")).to_be_visible()
    (label,) = store.labels(call_id)
    assert (label.index, label.field, label.value, label.reviewer) == (0, "sentiment", "positive", "demo")
    page.reload()
    expect(row.locator(".ov-chip.corrected")).to_contain_text("Positive")
    expect(row.locator(".ov-chip").first).to_have_text(predicted or "")


def test_exports_give_the_report(dashboard: Dashboard, page: Page) -> None:
    page.goto(f"{dashboard.address}/call?call={dashboard.ids[2]}")
    for name, begins in (("CSV", "call_id,source,index"), ("JSON", '{\n  "call": {')):
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        assert download.value.suggested_filename == f"overtone-{dashboard.ids[2]}.{name.lower()}"
        assert download.value.path().read_text().startswith(begins)


def test_people_have_trends_and_lead_to_their_calls(dashboard: Dashboard, page: Page) -> None:
    page.goto(f"{dashboard.address}/people")
    rows = page.locator(".ov-table tbody tr")
    expect(rows.first).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    page.get_by_role("checkbox", name=re.compile("Show the trend of")).nth(3).check()
    name = rows.nth(3).locator(".main").inner_text()
    expect(page.get_by_test_id("stVegaLiteChart").first).to_contain_text(name)
    rows.nth(3).locator(".main").click()
    expect(page).to_have_url(re.compile(r"/calls\?.*agent="))
    expect(page.locator(".ov-table tbody tr td:nth-child(2)").first).to_have_text(name)


def test_empty_answers_say_what_to_do(dashboard: Dashboard, page: Page) -> None:
    page.goto(f"{dashboard.address}/calls?q=nobody-ever-said-this")
    expect(page.get_by_text("No call matches these filters")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.locator(".ov-table tbody tr").first).to_be_visible()
    page.goto(f"{dashboard.address}/call?call=0000no-such-call")
    expect(page.get_by_text("No such call")).to_be_visible()


def test_a_restarted_server_is_announced_and_picked_up_again(
    dashboard: Dashboard, store: Store, live: Call, page: Page
) -> None:
    page.goto(dashboard.address)
    card = page.locator(f".ov-card[data-call='{live.id}']")
    expect(card).to_be_visible()
    dashboard.stop()
    expect(page.locator(".ov-banner")).to_contain_text("Connection lost")
    say(store, live, 0, "Said while the dashboard was away.")
    dashboard.start()
    expect(card.locator(".ov-card-said")).to_have_text("Said while the dashboard was away.", timeout=60_000)
    expect(page.locator(".ov-banner")).to_be_hidden()
    say(store, live, 1, "And said after that.")
    expect(card.locator(".ov-card-said")).to_have_text("And said after that.")
    store.finish(live.id)
    page.errors.clear()  # type: ignore[attr-defined]  # the browser reports each refused connection
