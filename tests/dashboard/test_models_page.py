"""The Models page in a real browser: versions, promotion, roll back, shadow, and what an evaluation says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.models import EVALUATIONS
from pipeline.calls import Sentiment
from pipeline.registry import SHIPPED, Version
from tests.dashboard.workshop import Workshop, opened
from tests.server.tiny_models import tiny

pytestmark = pytest.mark.browser
SET: dict[str, Any] = {
    "rows": 40,
    "accuracy": [0.5, 0.4, 0.6],
    "macro_f1": [0.45, 0.35, 0.55],
    "classes": {"negative": {"rows": 10}, "neutral": {"rows": 20}, "positive": {"rows": 10}},
    "confusion": [[5, 4, 1], [3, 14, 3], [1, 8, 1]],
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with opened(tmp_path_factory.mktemp("models"), calls=2) as made:
        yield made


@pytest.fixture(scope="module")
def version(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Version:
    """A registered version of a hand-written classifier."""
    folder = tiny(tmp_path_factory.mktemp("made"), version="7", metrics={"calls_dev": SET})
    return workshop.registry.register(folder, snapshot="feedbeef00112233", by="Ann")


def test_without_a_version_of_ones_own_the_page_says_how_to_train_one(workshop: Workshop, page: Page) -> None:
    page.goto(f"{workshop.address}/models?task=Punctuation")
    expect(page.get_by_text("Only the shipped version is here")).to_be_visible()
    expect(page.get_by_text("overtone train punctuation")).to_be_visible()
    expect(page.get_by_role("button", name="Promote")).to_have_count(0)


def test_a_version_is_promoted_and_rolled_back_with_a_name(workshop: Workshop, version: Version, page: Page) -> None:
    page.goto(f"{workshop.address}/models")
    expect(page.get_by_text("feedbeef0011")).to_be_visible()
    expect(page.get_by_role("button", name="Promote")).to_be_disabled()  # nobody knows who would have done it
    expect(page.get_by_text("It was not yet compared")).to_be_visible()
    page.get_by_label("Your name").fill("Mia")
    page.get_by_label("Your name").press("Enter")
    page.get_by_role("button", name="Promote").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"From the next sentence on, {version.version} gives the scores")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert workshop.registry.pointer("sentiment").current == SHIPPED
    page.get_by_role("button", name="Promote").click()
    dialog.get_by_role("button", name="Promote").click()
    expect(page.get_by_text(f"{version.identity} is in use.")).to_be_visible()
    assert workshop.registry.current("sentiment") == version
    page.get_by_role("button", name="Roll back").click()
    dialog.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("is in use again.")).to_be_visible()
    assert workshop.registry.current("sentiment").shipped
    assert [(move.step, move.by) for move in workshop.registry.pointer("sentiment").history] == [
        ("promote", "Mia"), ("rollback", "Mia"),
    ]  # fmt: skip
    expect(page.get_by_text("History")).to_be_visible()


def test_a_shadow_is_compared_with_the_version_in_use(workshop: Workshop, version: Version, page: Page) -> None:
    page.goto(f"{workshop.address}/models?reviewer=Mia")
    page.get_by_role("button", name="Run as shadow").click()
    page.get_by_role("dialog").get_by_role("button", name="Run as shadow").click()
    expect(page.get_by_text("has not yet scored a sentence")).to_be_visible()
    assert workshop.registry.pointer("sentiment").shadow == version.version
    live = workshop.registry.current("sentiment").identity
    store = workshop.store
    kept = {(s.call_id, s.index): s for call in workshop.dashboard.ids for s in store.sentences(call)}
    texts = {sentence.text: sentence for sentence in kept.values()}

    def by(model: str, label: Any = None) -> list[tuple[int, Sentiment]]:
        rows = []
        for ref, text in store.unscored(model):
            own = texts[text].sentiment
            assert own is not None
            rows.append((ref, Sentiment(label or own.label, own.scores, model)))
        return rows

    store.add_predictions("sentiment", live, by(live))
    store.promote_predictions(live)
    store.add_predictions("sentiment", version.identity, by(version.identity, "neutral"))
    neutral = sum(
        sentence.sentiment is not None and sentence.sentiment.label == "neutral" for sentence in kept.values()
    )
    page.reload()
    expect(page.get_by_text(f"Of {len(kept)} sentences that both have scored")).to_contain_text(
        f"they differ on {len(kept) - neutral}"
    )
    expect(page.locator(".ov-table tbody tr").first).to_contain_text("Neutral")


def test_an_evaluation_is_shown_with_its_verdict_and_charts(workshop: Workshop, version: Version, page: Page) -> None:
    folder = workshop.settings.home / EVALUATIONS
    folder.mkdir()
    bins = [[10, 0.45, 0.5], [30, 0.9, 0.8]]
    found = {**SET, "name": "calls_dev", "calibration_error": [0.1, 0.05, 0.2], "reliability": bins}
    found["comparison"] = {"verdict": "no difference can be seen with 40 sentences"}
    against = workshop.registry.current("sentiment").identity
    told = {"model": version.identity, "task": "sentiment", "against": against, "sets": [found]}
    (folder / "one.json").write_text(json.dumps(told))
    (folder / "two.json").write_text("{}")
    page.goto(f"{workshop.address}/models")
    expect(page.get_by_text("no difference can be seen with 40 sentences")).to_be_visible()
    expect(page.get_by_text("two.json holds no evaluation")).to_be_visible()
    expect(page.get_by_text("It was not yet compared")).to_have_count(0)
    expect(page.get_by_text("How far to trust its confidence")).to_be_visible()
    expect(page.locator("[data-testid='stVegaLiteChart']")).to_have_count(2)
