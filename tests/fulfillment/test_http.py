"""The HTTP client against a real server: retries, time-outs, rate limits, malformed bodies, the cache, hidden keys."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from fulfillment.errors import (
    ExhaustedError,
    FulfilmentError,
    RefusedError,
    UnavailableError,
    UnreadableError,
)
from fulfillment.http import MOST_BYTES, Answer, JsonApi, Patience, Service, number
from tests.fulfillment.api import Api, Reply, serving

SERVICE = Service("Test API", "the test service", "OVERTONE_TEST_KEY")
KEY = "s3cr3t-k3y-that-must-not-leak"
QUICK = Patience(attempts=3, connect_s=0.5, silence_s=0.5, total_s=2.0, first_pause_s=0.01, longest_pause_s=0.3)
FINE = Reply({"fine": True})


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def nothing(_: Answer) -> FulfilmentError | None:
    return None


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(lambda call: FINE) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(api: Api, clock: Clock) -> Iterator[JsonApi]:
    with JsonApi(SERVICE, api.url, judge=nothing, key=("key", KEY), patience=QUICK, clock=clock) as opened:
        yield opened


def test_an_answer_has_its_body_and_the_time_it_came(client: JsonApi, api: Api, clock: Clock) -> None:
    answer = client.get("/thing", {"q": "a b&c"})
    assert (answer.status, answer.body, answer.as_of) == (200, {"fine": True}, clock.now)
    assert api.calls[0].query == {"q": "a b&c", "key": KEY}


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(client: JsonApi, api: Api, status: int) -> None:
    api.queue += [Reply({}, status), Reply({}, status)]
    assert client.get("/thing", {}).body == {"fine": True}
    assert len(api.calls) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, UnreadableError), (401, RefusedError), (403, RefusedError), (404, UnreadableError), (301, UnreadableError)],
)
def test_what_stays_is_not_tried_again(client: JsonApi, api: Api, status: int, kind: type[FulfilmentError]) -> None:
    api.queue += [Reply({}, status, {"Location": "/elsewhere"})]
    with pytest.raises(kind):
        client.get("/thing", {})
    assert len(api.calls) == 1


def test_a_failure_that_lasts_is_told_after_the_last_attempt(client: JsonApi, api: Api) -> None:
    api.speaks = lambda call: Reply({}, 503)
    with pytest.raises(UnavailableError) as caught:
        client.get("/thing", {})
    assert len(api.calls) == QUICK.attempts
    assert caught.value.retryable
    assert caught.value.spoken == "Sorry, I can't reach the test service right now."
    assert "503" in str(caught.value)


def test_a_service_that_is_not_there(api: Api) -> None:
    with serving(lambda call: FINE) as gone:
        pass
    with JsonApi(SERVICE, gone.url, judge=nothing, patience=QUICK) as client, pytest.raises(UnavailableError) as caught:
        client.get("/thing", {})
    assert "ConnectError" in str(caught.value)


def test_silence_is_a_failure_within_the_time_given(api: Api) -> None:
    api.speaks = lambda call: Reply({}, delay_s=5)
    patience = Patience(attempts=2, silence_s=0.1, total_s=1.0, first_pause_s=0.01)
    with JsonApi(SERVICE, api.url, judge=nothing, patience=patience) as client, pytest.raises(UnavailableError):
        client.get("/thing", {})
    assert len(api.calls) == 2


def test_an_answer_that_drips_is_given_up(api: Api) -> None:
    api.speaks = lambda call: Reply(b"x" * 1000, drip_s=0.05)
    patience = Patience(attempts=1, silence_s=1.0, total_s=0.3)
    with JsonApi(SERVICE, api.url, judge=nothing, patience=patience) as client, pytest.raises(UnavailableError):
        client.get("/thing", {})


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Bad gateway</html>", b'{"cut": ', b"[1, 2]", b'"text"', b"null", b"\xff\xfe\x00", b'{"a": NaN}',
     b"[" * 100_000],
)  # fmt: skip
def test_a_body_that_is_no_json_object(client: JsonApi, api: Api, body: bytes) -> None:
    api.queue += [Reply(body)]
    with pytest.raises(UnreadableError) as caught:
        client.get("/thing", {})
    assert caught.value.spoken == "Sorry, the test service sent me an answer that I can't read."
    assert len(api.calls) == 1


def test_a_body_that_never_ends(client: JsonApi, api: Api) -> None:
    api.queue += [Reply(b" " * (MOST_BYTES + 1))]
    with pytest.raises(UnreadableError, match="longer than"):
        client.get("/thing", {})


def test_a_connection_that_breaks_in_the_middle_is_tried_again(client: JsonApi, api: Api) -> None:
    api.queue += [Reply({"fine": True, "more": "x" * 500}, cut=True)]
    assert client.get("/thing", {}).body == {"fine": True}
    assert len(api.calls) == 2


def test_a_broken_compression_is_a_failure(client: JsonApi, api: Api) -> None:
    api.speaks = lambda call: Reply(b"not gzip at all", headers={"Content-Encoding": "gzip"})
    with pytest.raises(FulfilmentError):
        client.get("/thing", {})


def test_a_short_retry_after_is_waited_for(client: JsonApi, api: Api) -> None:
    api.queue += [Reply({}, 429, {"Retry-After": "0"}), Reply({}, 503, {"Retry-After": "0"})]
    assert client.get("/thing", {}).body == {"fine": True}


@pytest.mark.parametrize("as_date", [False, True])
def test_a_long_retry_after_ends_the_question_and_spares_the_service(
    client: JsonApi, api: Api, clock: Clock, as_date: bool
) -> None:
    wait = format_datetime(clock.now + timedelta(seconds=120), usegmt=True) if as_date else "120"
    api.queue += [Reply({}, 429, {"Retry-After": wait})]
    for _ in range(3):
        with pytest.raises(ExhaustedError) as caught:
            client.get("/thing", {})
        assert caught.value.wait_s is not None
        assert 100 < caught.value.wait_s <= 120
        assert "too often" in caught.value.spoken
    assert len(api.calls) == 1


@pytest.mark.parametrize("value", ["soon", "-5", "", "Wed, 99 Nov 2026", "Wed, 21 Oct 2015 07:28:00"])
def test_a_strange_retry_after_counts_as_none(client: JsonApi, api: Api, value: str) -> None:
    api.queue += [Reply({}, 429, {"Retry-After": value})]
    assert client.get("/thing", {}).body == {"fine": True}


def test_an_answer_is_kept_for_as_long_as_asked(client: JsonApi, api: Api, clock: Clock) -> None:
    first = client.get("/thing", {"q": "a"}, keep_s=60)
    clock.now += timedelta(seconds=59)
    kept = client.get("/thing", {"q": "a"}, keep_s=60)
    assert kept.as_of == first.as_of  # it says how old it is
    assert len(api.calls) == 1
    clock.now += timedelta(seconds=2)
    assert client.get("/thing", {"q": "a"}, keep_s=60).as_of == clock.now
    assert len(api.calls) == 2


def test_another_question_has_another_answer(client: JsonApi, api: Api) -> None:
    for question in ("a", "b", "a"):
        client.get("/thing", {"q": question}, keep_s=60)
    client.get("/other", {"q": "a"}, keep_s=60)
    assert len(api.calls) == 3


def test_failures_are_not_kept(client: JsonApi, api: Api) -> None:
    api.queue += [Reply(b"broken")]
    with pytest.raises(UnreadableError):
        client.get("/thing", {}, keep_s=60)
    assert client.get("/thing", {}, keep_s=60).body == {"fine": True}


def test_nothing_is_kept_after_the_end(client: JsonApi, api: Api) -> None:
    client.get("/thing", {}, keep_s=60)
    client.close()
    with pytest.raises(RuntimeError):
        client.get("/thing", {}, keep_s=60)


def test_the_judge_is_asked_before_the_status(api: Api) -> None:
    def judge(answer: Answer) -> FulfilmentError | None:
        return RefusedError("no", spoken="No.") if (answer.body or {}).get("fine") else None

    with JsonApi(SERVICE, api.url, judge=judge, patience=QUICK) as client, pytest.raises(RefusedError):
        client.get("/thing", {})


def test_the_key_is_in_no_log_no_error_and_no_repr(client: JsonApi, api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen = [repr(client), repr(client.get("/thing", {"place": "Denver"}, headers={"Authorization": f"Bearer {KEY}"}))]
    replies = [Reply({}, 401), Reply(b"{"), Reply({}, 503), Reply({}, 429, {"Retry-After": "999"})]
    for reply in replies:
        api.speaks = lambda call, reply=reply: reply  # type: ignore[misc]
        try:
            client.get("/thing", {"place": "Denver"})
        except FulfilmentError as error:
            seen += [str(error), repr(error), error.spoken, repr(error.__cause__), repr(error.__context__)]
    text = "\n".join([*seen, caplog.text])
    assert "HTTP Request: GET" in caplog.text  # the library did log
    assert KEY not in text
    assert "Denver" not in text  # nor what people ask about


def test_threads_share_a_client(client: JsonApi, api: Api) -> None:
    api.speaks = lambda call: Reply({"you": call.query["q"]})
    wrong: list[str] = []

    def ask(name: str) -> None:
        for turn in range(10):
            body = client.get("/thing", {"q": f"{name}{turn}"}, keep_s=60).body or {}
            if body.get("you") != f"{name}{turn}":
                wrong.append(name)

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("value", [True, None, "", "x", float("nan"), float("inf"), "1e999", [], {}])
def test_what_is_no_finite_figure(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        number(value)


@pytest.mark.parametrize(("value", "figure"), [(1, 1.0), ("2.5", 2.5), (-3.25, -3.25), ("40.714", 40.714)])
def test_figures_also_come_as_text(value: object, figure: float) -> None:
    assert number(value) == figure
