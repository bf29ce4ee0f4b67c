"""The Review page in a real browser: keys, undo, second opinions, sound; and what the store then holds."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from dashboard.tickets import REVIEW_SCOPE, Tickets, key_in
from pipeline.calls import Label
from pipeline.store.queries import ReviewQuery
from tests.dashboard.workshop import Workshop, opened

pytestmark = pytest.mark.browser
KEYS = {"1": "negative", "2": "neutral", "3": "positive"}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with opened(tmp_path_factory.mktemp("review"), calls=6) as made:
        yield made


def said(page: Page) -> str:
    """The sentence that is to be judged."""
    return page.locator(".ov-review-text").inner_text()


def stored(page: Page) -> None:
    """Waits until everything that was done is in the store."""
    expect(page.locator(".ov-review")).to_have_attribute("data-waiting", "0")


def labels(workshop: Workshop, reviewer: str) -> list[Label]:
    found = [label for call in workshop.dashboard.ids for label in workshop.store.labels(call)]
    return sorted((label for label in found if label.reviewer == reviewer), key=lambda label: label.at)


def test_twenty_sentences_are_judged_by_keys_and_one_taken_back(workshop: Workshop, page: Page) -> None:
    queue = workshop.store.review_queue(ReviewQuery("Ann"), 22)
    page.goto(f"{workshop.address}/review")
    expect(page.get_by_text("Who are you?")).to_be_visible()
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("Your name").press("Enter")
    expect(page.locator(".ov-review-text")).to_have_text(queue[0].sentence.text)
    page.locator(".ov-review-counts").click()  # out of the text box
    expect(page.locator(".ov-review-card")).not_to_contain_text("sentiment@")  # nobody is led
    context = queue[0].before or queue[0].after
    assert context is not None
    expect(page.locator(".ov-review-card")).to_contain_text(context.text)

    keys = "12312312312312312312"
    for place, (key, item) in enumerate(zip(keys, queue, strict=False)):
        expect(page.locator(".ov-review-counts")).to_contain_text(f"{place} labelled")
        expect(page.locator(".ov-review-text")).to_have_text(item.sentence.text)
        page.keyboard.press(key)
    expect(page.locator(".ov-review-counts")).to_contain_text("20 labelled")
    expect(page.locator(".ov-review-done")).to_contain_text("sentiment@2026.11.1")  # after the answer

    page.keyboard.press("u")
    expect(page.locator(".ov-review-text")).to_have_text(queue[19].sentence.text)
    expect(page.locator(".ov-review-counts")).to_contain_text("19 labelled")
    page.keyboard.press("3")
    page.keyboard.press("s")
    expect(page.locator(".ov-review-counts")).to_contain_text("20 labelled · 1 skipped")
    expect(page.locator(".ov-review-text")).to_have_text(queue[21].sentence.text)  # it may be on its way
    page.keyboard.press("1")
    expect(page.locator(".ov-review-counts")).to_contain_text("21 labelled")
    stored(page)

    kept = labels(workshop, "Ann")
    wanted = [*(KEYS[key] for key in keys[:19]), "positive"]
    assert [(label.call_id, label.index, label.value) for label in kept[:20]] == [
        (item.call.id, item.sentence.index, value) for item, value in zip(queue, wanted, strict=False)
    ]
    assert len(kept) == 21
    first, second = workshop.store.label_history(queue[19].call.id, queue[19].sentence.index)
    assert (first.label.value, second.label.value) == (KEYS[keys[19]], "positive")
    assert first.retracted_at is not None
    assert second.retracted_at is None
    assert second.said == queue[19].opinions


def test_a_second_opinion_reaches_the_others_first(workshop: Workshop, page: Page) -> None:
    page.goto(f"{workshop.address}/review?reviewer=Cleo&speaker=Agents")
    expect(page.locator(".ov-review-head")).to_contain_text("Agent")
    doubtful = said(page)
    page.keyboard.press("o")
    expect(page.locator(".ov-review-counts")).to_contain_text("1 passed on")
    stored(page)
    page.goto(f"{workshop.address}/review?reviewer=Dan")
    expect(page.locator(".ov-review-head")).to_contain_text("Cleo asks for a second opinion")
    assert said(page) == doubtful
    page.get_by_role("button", name="Neutral (2)").click()
    expect(page.locator(".ov-review-head")).not_to_contain_text("second opinion")
    stored(page)
    assert [label.value for label in labels(workshop, "Dan")] == ["neutral"]
    assert workshop.store.review_queue(ReviewQuery("Eve"), 1)[0].asked_by is None


def test_the_space_bar_plays_the_sentence_and_settings_show_opinions(workshop: Workshop, page: Page) -> None:
    page.goto(f"{workshop.address}/review?reviewer=Fay")
    expect(page.locator(".ov-review-text")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.locator(".ov-clip")).to_have_attribute("data-plays", "true")
    expect(page.locator(".ov-clip")).to_have_attribute("data-plays", "false")  # at the end of the sentence
    page.get_by_role("button", name="Settings").click()
    page.get_by_text("Show the models' opinions before I answer").click()
    expect(page.locator(".ov-review-card")).to_contain_text("sentiment@2026.11.1")
    page.keyboard.press("Escape")


def test_answers_that_cannot_be_sent_are_sent_again(workshop: Workshop, page: Page) -> None:
    page.goto(f"{workshop.address}/review?reviewer=Kim")
    expect(page.locator(".ov-review-text")).to_be_visible()
    page.route("**/api/review/acts*", lambda route: route.abort())
    page.keyboard.press("1")
    page.keyboard.press("2")
    expect(page.get_by_text("The last answers are not stored yet")).to_be_visible()
    expect(page.locator(".ov-review-counts")).to_contain_text("2 labelled")
    page.unroute("**/api/review/acts*")
    stored(page)
    expect(page.get_by_text("The last answers are not stored yet")).to_be_hidden()
    assert [label.value for label in labels(workshop, "Kim")] == ["negative", "neutral"]
    page.errors.clear()  # type: ignore[attr-defined]  # those of the broken connection


def test_what_reviewers_disagree_on_is_found_until_nothing_is_left(workshop: Workshop, page: Page) -> None:
    last = workshop.store.review_queue(ReviewQuery("Gus"), 500)[-1]
    for reviewer, value in (("Gus", "negative"), ("Hal", "positive")):
        label = Label(last.call.id, last.sentence.index, "sentiment", value, reviewer, datetime.now(UTC))
        workshop.store.add_label(label)
    disputed = workshop.store.review_queue(ReviewQuery("Ida", "disagreed"), 500)
    assert last.sentence in [item.sentence for item in disputed]
    page.goto(f"{workshop.address}/review?reviewer=Ida&order=Most+disagreed+first")
    for item in disputed:
        expect(page.locator(".ov-review-text")).to_have_text(item.sentence.text)
        page.keyboard.press("2")
    expect(page.get_by_text("Nothing is left to judge")).to_be_visible()
    stored(page)
    assert len(labels(workshop, "Ida")) == len(disputed)


def test_other_sites_and_strangers_are_refused(workshop: Workshop) -> None:
    ticket = Tickets(key_in(workshop.settings.home)).issue(REVIEW_SCOPE)

    def status(part: str, ticket: str, origin: str, content: bytes) -> int:
        address = f"{workshop.address}/api/review/{part}?ticket={ticket}"
        request = urllib.request.Request(address, content, {"origin": origin}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    asked = json.dumps({"reviewer": "Ann"}).encode()
    assert status("queue", ticket, workshop.address, asked) == 200
    assert status("queue", ticket, "http://elsewhere.example", asked) == 403
    assert status("queue", "x", workshop.address, asked) == 403
    assert status("acts", ticket, workshop.address, asked) == 400
    assert status("acts", ticket, workshop.address, b"[]") == 400
    assert status("acts", ticket, workshop.address, b"\xff") == 400
    assert status("queue", ticket, workshop.address, b" " * 70_000) == 413
