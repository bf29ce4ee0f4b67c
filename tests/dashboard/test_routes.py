"""Our own routes on a running server, asked as a browser and as a stranger would ask."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from email.message import Message

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from dashboard import wav
from dashboard.resources import Resources
from dashboard.routes.audio import byte_range
from dashboard.tickets import LIVE_SCOPE, call_scope
from tests.dashboard.conftest import Dashboard


def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, Message, bytes]:
    request = urllib.request.Request(url, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


def call_url(dashboard: Dashboard, resources: Resources, call_id: str, part: str = "") -> str:
    return f"{dashboard.address}/api/calls/{call_id}{part}?ticket={resources.tickets.issue(call_scope(call_id))}"


def test_the_sound_comes_whole_and_in_ranges(dashboard: Dashboard, resources: Resources) -> None:
    call_id = dashboard.ids[0]
    audio = wav.open_call(resources.settings.audio_folder / call_id)
    expected = b"".join(wav.read_bytes(audio, 0, audio.size))
    url = call_url(dashboard, resources, call_id, "/audio.wav")

    status, headers, content = ask(url, **{"Accept-Encoding": "gzip"})
    assert (status, headers["content-type"], headers["accept-ranges"]) == (200, "audio/wav", "bytes")
    assert content == expected
    status, headers, content = ask(url, "HEAD")
    assert (status, headers["content-length"], content) == (200, str(audio.size), b"")

    for asked, start, stop in (("0-99", 0, 100), ("1001-", 1001, audio.size), ("-77", audio.size - 77, audio.size)):
        status, headers, content = ask(url, Range=f"bytes={asked}")
        assert (status, headers["content-range"]) == (206, f"bytes {start}-{stop - 1}/{audio.size}")
        assert content == expected[start:stop]
    status, headers, _ = ask(url, Range=f"bytes={audio.size}-")
    assert (status, headers["content-range"]) == (416, f"bytes */{audio.size}")


def test_the_live_page_can_be_asked_for_by_its_name(dashboard: Dashboard) -> None:
    with urllib.request.urlopen(f"{dashboard.address}/live?embed=true", timeout=30) as answer:
        assert (answer.status, answer.url) == (200, f"{dashboard.address}/?embed=true")


def test_the_outline_says_how_to_read_it(dashboard: Dashboard, resources: Resources) -> None:
    status, headers, content = ask(call_url(dashboard, resources, dashboard.ids[0], "/peaks"))
    assert (status, headers["x-channels"], headers["x-peaks-per-s"]) == (200, "2", "50")
    assert len(content) == pytest.approx(2 * 50 * float(headers["x-duration-s"]), abs=2)
    silent = call_url(dashboard, resources, dashboard.ids[-1], "/peaks")
    assert ask(silent)[0] == 204
    assert ask(silent.replace("/peaks", "/audio.wav"))[0] == 404


def test_the_transcript_has_every_sentence(dashboard: Dashboard, resources: Resources) -> None:
    call_id = dashboard.ids[5]
    status, _, content = ask(call_url(dashboard, resources, call_id))
    answer = json.loads(content)
    stored = resources.store.sentences(call_id)
    assert status == 200
    assert (answer["call"]["id"], answer["call"]["status"]) == (call_id, "complete")
    assert [sentence["text"] for sentence in answer["sentences"]] == [sentence.text for sentence in stored]
    assert sum(answer["sentences"][0]["scores"]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("part", ["", "/audio.wav", "/peaks"])
def test_a_call_is_shown_to_holders_of_its_ticket_only(dashboard: Dashboard, resources: Resources, part: str) -> None:
    mine, other = dashboard.ids[:2]
    url = call_url(dashboard, resources, mine, part)
    assert ask(url)[0] == 200
    assert ask(url.replace(mine, other, 1))[0] == 403
    assert ask(url.partition("?")[0])[0] == 403
    assert ask(url, Origin="https://evil.example")[0] == 403
    assert ask(url, **{"Sec-Fetch-Site": "cross-site"})[0] == 403


def test_an_id_that_is_no_call_cannot_leave_the_audio_folder(dashboard: Dashboard, resources: Resources) -> None:
    for name in ("..", "%2e%2e", "..%2f..%2fdashboard.key", "0000"):
        status, _, content = ask(f"{dashboard.address}/api/calls/{name}/audio.wav?ticket=x")
        assert status in (400, 403, 404)
        assert b"RIFF" not in content


def test_the_live_socket_wants_a_ticket_and_our_origin(dashboard: Dashboard, resources: Resources) -> None:
    url = dashboard.address.replace("http", "ws", 1) + "/api/live?ticket="
    ticket = resources.tickets.issue(LIVE_SCOPE)
    with connect(url + ticket, origin=dashboard.address) as socket:  # type: ignore[arg-type]
        assert json.loads(socket.recv(30))["kind"] == "snapshot"
    with connect(url + "forged", origin=dashboard.address) as socket:  # type: ignore[arg-type]
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
    for origin in ("https://evil.example", None):
        with pytest.raises(InvalidStatus):
            connect(url + ticket, origin=origin)  # type: ignore[arg-type]


def test_only_our_own_modules_are_served(dashboard: Dashboard) -> None:
    status, headers, content = ask(f"{dashboard.address}/assets/wall.js")
    assert (status, headers.get_content_type()) == (200, "text/javascript")
    assert b"export function mount" in content
    for name in ("absent.js", "..%2f__init__.py", "wall.css"):
        assert ask(f"{dashboard.address}/assets/{name}")[0] in (400, 404)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-", (0, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-5", (95, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
    ],
)
def test_ranges(header: str | None, expected: tuple[int, int] | None) -> None:
    assert byte_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=20-10", "bytes=-0"])
def test_ranges_outside_the_file(header: str) -> None:
    with pytest.raises(ValueError, match="of 100"):
        byte_range(header, 100)
