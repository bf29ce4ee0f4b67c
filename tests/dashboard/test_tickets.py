from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dashboard.tickets import LIVE_SCOPE, Tickets, call_scope, key_in, same_origin


def test_a_ticket_admits_to_its_scope_only() -> None:
    tickets = Tickets("key")
    ticket = tickets.issue(call_scope("abc"))
    assert tickets.admits(ticket, call_scope("abc"))
    assert not tickets.admits(ticket, call_scope("abd"))
    assert not tickets.admits(ticket, LIVE_SCOPE)


@pytest.mark.parametrize("forged", ["", "nonsense", "a.b.c"])
def test_what_was_not_issued_here_is_refused(forged: str) -> None:
    assert not Tickets("key").admits(forged, LIVE_SCOPE)
    assert not Tickets("key").admits(Tickets("other key").issue(LIVE_SCOPE), LIVE_SCOPE)


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: key_in(home), range(32)))
    assert len(keys) == 1
    assert stat.S_IMODE((home / "dashboard.key").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["dashboard.key"]


@pytest.mark.parametrize(
    ("headers", "required", "passes"),
    [
        ({"host": "calls.example", "origin": "https://calls.example"}, True, True),
        ({"host": "calls.example:8501", "origin": "http://calls.example:8501"}, True, True),
        ({"host": "calls.example", "origin": "https://evil.example"}, True, False),
        ({"host": "calls.example", "origin": "https://calls.example.evil.example"}, False, False),
        ({"host": "calls.example", "origin": "null"}, True, False),
        ({"host": "calls.example"}, True, False),
        ({"host": "calls.example"}, False, True),
        ({"host": "calls.example", "sec-fetch-site": "same-origin"}, False, True),
        ({"host": "calls.example", "sec-fetch-site": "cross-site"}, False, False),
    ],
)
def test_only_our_own_pages_pass(headers: dict[str, str], required: bool, passes: bool) -> None:
    assert same_origin(headers, required=required) is passes
