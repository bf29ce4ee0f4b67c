"""The archive of conversations in a real browser: found, opened, corrected."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from pipeline.store import Store
from tests.dashboard import seed_conversations
from tests.dashboard.conftest import Dashboard

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def conversations(store: Store) -> list[str]:
    return seed_conversations.fill(store, datetime.now(UTC))


def test_conversations_are_found_by_filter_and_opened(
    dashboard: Dashboard, conversations: list[str], page: Page
) -> None:
    page.goto(f"{dashboard.address}/conversations?order=Least+sure+first")
    rows = page.locator(".ov-table tbody tr")
    expect(rows.first).to_contain_text("Luis Ferreira")
    page.get_by_label("Search").fill("Boston")
    page.get_by_label("Search").press("Enter")
    expect(page).to_have_url(re.compile("q=Boston"))
    mine = page.locator(f"tr[data-id='{conversations[0]}']")
    expect(mine).to_contain_text("weather: rainfall yes/no")
    expect(page.locator(f"tr[data-id='{conversations[1]}']")).to_have_count(0)
    mine.click()
    expect(page.get_by_role("heading", name="Dana Whitfield")).to_be_visible()
    expect(page.locator(".ov-turn-said").nth(1)).to_contain_text("will it rain in Boston tomorrow")
    expect(page.locator(".ov-mark")).to_have_text(["Boston", "tomorrow", "Friday"])
    page.get_by_role("button", name="Details and correction").nth(1).click()
    expect(page.locator(".ov-origin")).to_contain_text("ask_service")
    expect(page.locator(".ov-origin")).to_contain_text("Recognising")
    page.goto(f"{dashboard.address}/conversations?q=nobody-ever-said-this")
    expect(page.get_by_text("No conversation matches these filters")).to_be_visible()


def test_a_turn_is_corrected_beside_its_prediction(
    dashboard: Dashboard, conversations: list[str], store: Store, page: Page
) -> None:
    page.goto(f"{dashboard.address}/conversations?conversation={conversations[1]}")
    turn = page.locator(".ov-turn[data-number='2']")
    expect(turn.locator(".ov-chip")).to_contain_text("Unsure:store location 41%")
    turn.get_by_role("button", name="Details and correction").click()
    turn.get_by_label("Intent of turn 2").select_option("inventory_check")
    turn.get_by_role("button", name="Take the slot location off").click()
    for word in ("the", "harbour"):
        turn.get_by_role("button", name=word, exact=True).click()
    turn.get_by_label("Slot of the chosen words").select_option("store.name")
    turn.get_by_role("button", name="Save the correction").click()
    expect(page.get_by_text("Turn 2 now means inventory check")).to_be_visible()
    expect(turn.locator(".ov-chip.corrected")).to_have_text("Corrected: inventory check")
    expect(turn.locator(".ov-chip").first).to_contain_text("store location 41%")
    expect(turn.locator(".ov-editor-history")).to_contain_text("demo")
    (label,) = store.turn_labels(conversations[1])
    assert (label.number, label.intent, label.reviewer) == (2, "inventory_check", "demo")
    (slot,) = label.slots
    text = store.turns(conversations[1])[2].user_text
    assert (slot.name, slot.text, text[slot.start : slot.end]) == ("store.name", "the harbour", "the harbour")

    # The last opinion counts, and the one before stays visible.
    turn.get_by_label("Intent of turn 2").select_option("help")
    turn.get_by_role("button", name="Save the correction").click()
    expect(turn.locator(".ov-chip.corrected")).to_have_text("Corrected: help")
    expect(turn.locator(".ov-editor-history li")).to_have_count(2)
    assert [label.intent for label in store.turn_labels(conversations[1])] == ["inventory_check", "help"]
    page.goto(f"{dashboard.address}/conversations?reviewed=Yes")
    expect(page.locator(f"tr[data-id='{conversations[1]}']")).to_be_visible()
    expect(page.locator(f"tr[data-id='{conversations[0]}']")).to_have_count(0)


def test_a_turn_can_be_confirmed_from_the_keyboard(
    dashboard: Dashboard, conversations: list[str], store: Store, page: Page
) -> None:
    page.goto(f"{dashboard.address}/conversation?conversation={conversations[0]}")
    turn = page.locator(".ov-turn[data-number='1']")
    turn.get_by_role("button", name="Details and correction").press("Enter")
    turn.get_by_role("button", name="Boston", exact=True).press("Enter")
    expect(turn.get_by_label("Slot of the chosen words")).to_have_value("location")
    turn.get_by_role("button", name="It is right as it is").press("Enter")
    expect(turn.locator(".ov-chip.corrected")).to_have_text("Confirmed")
    (label,) = store.turn_labels(conversations[0])
    assert label.slots
    assert [slot.text for slot in label.slots] == ["Boston", "tomorrow"]


def test_an_unknown_conversation_leads_back_to_the_list(dashboard: Dashboard, page: Page) -> None:
    page.goto(f"{dashboard.address}/conversations?conversation=0000")
    expect(page.get_by_text("No such conversation")).to_be_visible()
