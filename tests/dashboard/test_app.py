"""The scripts of the pages without a browser, in Streamlit's own test runner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import resources as process
from pipeline.settings import Settings
from tests.dashboard.conftest import ROOT

Seeded = tuple[Settings, list[str]]


def open_app(monkeypatch: pytest.MonkeyPatch, home: Path) -> AppTest:
    monkeypatch.setenv("OVERTONE_HOME", str(home))
    return AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60).run()


@pytest.fixture
def app(seeded: Seeded, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    yield open_app(monkeypatch, seeded[0].home)
    process.open_resources().store.close()
    process.forget()


@pytest.fixture
def blank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    yield open_app(monkeypatch, tmp_path)
    process.open_resources().store.close()
    process.forget()


def component(app: AppTest) -> dict[str, Any]:
    """What the page's own component got."""
    assert not app.exception
    (found,) = app.get("bidi_component")
    data: dict[str, Any] = json.loads(found.proto.json)
    return data


def test_live_mounts_the_wall_with_a_ticket(app: AppTest) -> None:
    data = component(app)
    assert data["path"] == "/api/live"
    assert process.open_resources().tickets.admits(data["ticket"], "live")


def test_the_assistant_gets_a_ticket_of_its_own(app: AppTest) -> None:
    app.switch_page("views/assistant.py").run()
    data = component(app)
    assert data["path"] == "/api/assistant"
    assert len(data["examples"]) == 3
    tickets = process.open_resources().tickets
    assert tickets.admits(data["ticket"], "assistant")
    assert not tickets.admits(data["ticket"], "live")


def test_calls_come_in_pages_and_narrow_with_the_filters(app: AppTest, seeded: Seeded) -> None:
    store = process.open_resources().store
    app.switch_page("views/calls.py").run()
    # Other tests' calls may be among them, in the same store.
    assert [row["id"] for row in component(app)["rows"]] == [row.call.id for row in store.calls(limit=25).rows]
    assert len(store.calls(limit=1000).rows) >= len(seeded[1]) > 25
    app.text_input(key="q").set_value("disgrace").run()
    rows = component(app)["rows"]
    assert rows
    assert all(any("disgrace" in one.text for one in store.sentences(row["id"])) for row in rows)
    app.selectbox(key="order").set_value("best").run()
    moods = [row["mood"] for row in component(app)["rows"]]
    assert moods == sorted(moods, reverse=True)


def test_a_url_narrows_too_and_nonsense_in_it_does_no_harm(app: AppTest) -> None:
    app.query_params["agent"] = "Jonas Weber"
    app.query_params["page"] = "x"
    app.query_params["mood"] = "furious"
    app.switch_page("views/calls.py").run()
    assert {row["agent"] for row in component(app)["rows"]} == {"Jonas Weber"}


def test_people_are_listed_by_role(app: AppTest) -> None:
    app.switch_page("views/people.py").run()
    agents = {row["name"] for row in component(app)["rows"]}
    chooser: Any = app.get("segmented_control")[0]
    chooser.set_value("Customers").run()
    customers = {row["name"] for row in component(app)["rows"]}
    assert agents
    assert customers
    assert not agents & customers


def test_a_call_opens_by_the_start_of_its_id(app: AppTest, seeded: Seeded) -> None:
    app.query_params["call"] = seeded[1][3][:10]
    app.switch_page("views/call.py").run()
    data = component(app)
    assert data["call_id"] == seeded[1][3]
    assert process.open_resources().tickets.admits(data["ticket"], f"call:{seeded[1][3]}")


def test_an_empty_store_says_what_to_do_on_every_page(blank: AppTest) -> None:
    assert "overtone up" in component(blank)["start_command"]
    for view, command in (
        ("calls", "overtone ingest"),
        ("people", "overtone ingest"),
        ("call", "Open one from"),
        ("review", "Write your name"),
        ("conversations", "overtone chat"),
        ("conversation", "Open one from"),
    ):
        blank.switch_page(f"views/{view}.py").run()
        assert not blank.exception
        assert any(command in text.value for text in blank.markdown)
