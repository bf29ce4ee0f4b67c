"""Who may come in."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from pipeline.errors import ConfigError
from pipeline.live import access
from pipeline.settings import Settings

TOKEN = Settings(live_token="s3cret", twilio_auth_token="12345")
OPEN = Settings()


def connection(
    path: str = "/assistant", query: str = "", host: str = "127.0.0.1:8502", **headers: str
) -> HTTPConnection:
    given = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return HTTPConnection(
        {
            "type": "websocket",
            "scheme": "ws",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "server": ("127.0.0.1", 8502),
        }
    )


def test_a_program_on_this_machine_needs_nothing() -> None:
    assert access.refusal(connection(), OPEN) is None
    assert access.refusal(connection(host="localhost:8502"), OPEN) is None
    assert access.refusal(connection(host="[::1]:8502"), OPEN) is None


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:8502", "null"])
def test_a_page_needs_the_token(origin: str) -> None:
    assert access.refusal(connection(origin=origin), OPEN) is not None
    assert access.refusal(connection(origin=origin), TOKEN) is not None
    assert access.refusal(connection(origin=origin, query="token=s3cret"), TOKEN) is None


def test_other_names_and_proxies_need_the_token() -> None:
    assert access.refusal(connection(host="gateway.example"), OPEN) is not None
    assert access.refusal(connection(x_forwarded_for="203.0.113.5"), OPEN) is not None
    assert access.refusal(connection(host="gateway.example", authorization="Bearer s3cret"), TOKEN) is None


@pytest.mark.parametrize("shown", ["", "s3cre", "s3cret ", "S3CRET", "\udcff", "%00"])
def test_a_wrong_token_is_refused(shown: str) -> None:
    query = f"token={shown}".encode("utf-8", "surrogateescape").decode("latin-1")
    assert access.refusal(connection(query=query.replace(" ", "%20x")), TOKEN) is not None


def test_the_bearer_counts_before_the_query() -> None:
    assert access.refusal(connection(authorization="Bearer no", query="token=s3cret"), TOKEN) is not None
    assert access.refusal(connection(authorization="Basic no", query="token=s3cret"), TOKEN) is None


def test_the_published_example_of_a_signature() -> None:
    # Twilio's documentation: this URL and these parameters of a form, appended in order, with this token.
    signed = (
        "https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+14158675310Digits1234"
        "From+14158675310To+18005551212"
    )
    assert access.twilio_signature(signed, "12345") == "GvWf1cFY/Q7PnoempGyD5oXAezc="


def test_a_signature_opens_the_door() -> None:
    good = access.twilio_signature("wss://voice.example.com/assistant", "12345")
    outside = {"host": "voice.example.com", "x_twilio_signature": good}
    assert access.refusal(connection(**outside), TOKEN) is None
    assert (
        access.refusal(
            connection(host="10.0.0.5", x_forwarded_host="voice.example.com", x_twilio_signature=good), TOKEN
        )
        is None
    )
    assert access.refusal(connection(path="/other", **outside), TOKEN) is not None
    assert access.refusal(connection(**outside | {"x_twilio_signature": good[:-2] + "A="}), TOKEN) is not None
    assert access.refusal(connection(x_twilio_signature=good), OPEN) is None  # on this machine, without any secret


def test_other_machines_need_a_token_to_be_set() -> None:
    with pytest.raises(ConfigError, match="OVERTONE_LIVE_TOKEN"):
        access.check_settings(Settings(live_host="0.0.0.0"))
    access.check_settings(Settings(live_host="0.0.0.0", live_token="x"))
    access.check_settings(Settings(live_host="::1"))
