"""The ways out against real servers: failing, hanging, refusing, and gone for a while."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.alerts import delivery, outbox, webhook
from pipeline.alerts.delivery import Delivery, Undelivered
from pipeline.alerts.mail import Mailbox, as_mail, parse
from pipeline.alerts.watch import message
from pipeline.alerts.webhook import Webhook
from pipeline.calls import Alert
from pipeline.errors import ConfigError
from pipeline.settings import Settings
from tests.alerts.calls import CALL_ID, START, live_call, said
from tests.alerts.receivers import HANG, PATIENCE_S, mail_receiver, web_receiver

ALERT = Alert("a1ert", CALL_ID, 0, "Asks for a supervisor", "critical", "The customer asks for a supervisor.", START)
MESSAGE = message(ALERT, live_call(), said(0, "Get me your supervisor."), Settings())
SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes ...").decode()


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_webhook_gets_a_signed_message(tmp_path: Path) -> None:
    with web_receiver() as receiver:
        out = Delivery(tmp_path, [Webhook(receiver.url, SECRET)])
        out.put(ALERT.id, MESSAGE)
        ((headers, body),) = receiver.wait(1)
        until(lambda: not outbox.counts(tmp_path))
        out.close()
    assert json.loads(body) == json.loads(json.dumps(MESSAGE))
    # As a receiver checks it, by the specification.
    stamp = headers["webhook-timestamp"]
    signed = f"{ALERT.id}.{stamp}.".encode() + body
    mac = hmac.new(b"a secret of 24 bytes ...", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    assert headers["webhook-id"] == ALERT.id
    assert abs(time.time() - int(stamp)) < PATIENCE_S
    assert headers["content-type"] == "application/json"


def test_the_example_of_the_specification() -> None:
    """The test vector that the libraries of Standard Webhooks share."""
    key = webhook.signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = webhook.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_errors_and_a_server_that_hangs_are_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "ANSWER_S", 0.2)
    with web_receiver(500, HANG, 429, 200) as receiver:
        out = Delivery(tmp_path, [Webhook(receiver.url, "")], first_pause_s=0.02)
        out.put(ALERT.id, MESSAGE)
        requests = receiver.wait(4)
        until(lambda: not outbox.counts(tmp_path))
        out.close()
    assert {headers["webhook-id"] for headers, _ in requests} == {ALERT.id}
    assert "webhook-signature" not in requests[0][0]


def test_one_that_fails_does_not_hold_up_the_next(tmp_path: Path) -> None:
    with web_receiver(500, 200) as receiver:
        out = Delivery(tmp_path, [Webhook(receiver.url, "")], first_pause_s=3600)
        out.put("first", MESSAGE)
        receiver.wait(1)
        out.put("second", MESSAGE)
        assert [headers["webhook-id"] for headers, _ in receiver.wait(2)] == ["first", "second"]
        until(lambda: outbox.counts(tmp_path) == {"webhook": (1, 0)})
        out.close()


def test_what_waits_goes_out_after_a_restart(tmp_path: Path) -> None:
    with web_receiver() as receiver:
        url = receiver.url
    out = Delivery(tmp_path, [Webhook(url, "")], first_pause_s=3600)
    out.put(ALERT.id, MESSAGE)
    out.put(ALERT.id, MESSAGE)  # the same alert is one message
    out.close()
    assert outbox.counts(tmp_path) == {"webhook": (1, 0)}
    with web_receiver(port=int(url.split(":")[2].split("/")[0])) as receiver:
        again = Delivery(tmp_path, [Webhook(url, "")])
        assert receiver.messages(1)[0]["id"] == ALERT.id
        until(lambda: not outbox.counts(tmp_path))
        again.close()


def test_a_final_refusal_is_kept_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with web_receiver(410) as receiver, caplog.at_level(logging.ERROR):
        out = Delivery(tmp_path, [Webhook(receiver.url, "s")])
        out.put(ALERT.id, MESSAGE)
        until(lambda: outbox.counts(tmp_path) == {"webhook": (0, 1)})
        out.close()
    (kept,) = (tmp_path / "failed" / "webhook").iterdir()
    assert json.loads(kept.read_text())["reason"] == "127.0.0.1 answered 410"
    assert "was not delivered by webhook: 127.0.0.1 answered 410" in caplog.text


def test_a_redirect_is_not_followed() -> None:
    with web_receiver(302) as receiver, pytest.raises(Undelivered, match="answered 302"):
        Webhook(receiver.url, "s").deliver(ALERT.id, MESSAGE)


def test_an_old_message_is_given_up_and_a_damaged_one_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "webhook"
    folder.mkdir()
    (folder / f"{1:015d}-old.json").write_text(json.dumps(MESSAGE))
    (folder / f"{2:015d}-bad.json").write_text('{"half')
    with web_receiver(500) as receiver:
        out = Delivery(tmp_path, [Webhook(receiver.url, "")])
        until(lambda: outbox.counts(tmp_path) == {"webhook": (0, 2)})
        out.close()


def test_a_mail_arrives_and_its_second_copy_can_be_recognised(tmp_path: Path) -> None:
    with mail_receiver("451 later", "250 taken") as receiver:
        box = Mailbox(f"smtp://{receiver.address}", "overtone@example.com", ["a@example.com", "b@example.com"])
        out = Delivery(tmp_path, [box], first_pause_s=0.02)
        out.put(ALERT.id, MESSAGE)
        (mail,) = receiver.wait(1)
        until(lambda: not outbox.counts(tmp_path))
        out.close()
    assert receiver.attempts == 2
    assert receiver.recipients == [["a@example.com", "b@example.com"]]
    assert mail["subject"] == "[critical] Asks for a supervisor: Dana Whitfield"
    assert mail["message-id"] == f"<{ALERT.id}@example.com>"
    text = mail.get_content()
    assert "Said: Get me your supervisor." in text
    assert f"/call?call={CALL_ID}" in text


def test_a_mail_server_that_refuses_for_good(tmp_path: Path) -> None:
    with mail_receiver("554 no") as receiver:
        out = Delivery(tmp_path, [Mailbox(f"smtp://{receiver.address}", "o@example.com", ["a@example.com"])])
        out.put(ALERT.id, MESSAGE)
        until(lambda: outbox.counts(tmp_path) == {"email": (0, 1)})
        out.close()


def test_the_password_is_used_and_a_wrong_one_told_without_it() -> None:
    with mail_receiver(with_login=True) as receiver:
        Mailbox(f"smtp://me:p%40ss@{receiver.address}", "o@example.com", ["a@example.com"]).deliver("x", MESSAGE)
        assert receiver.logins == [("me", "p@ss")]
        assert len(receiver.mails) == 1
        wrong = Mailbox(f"smtp://me:secret@{receiver.address}", "o@example.com", ["a@example.com"])
        with pytest.raises(Undelivered) as caught:
            wrong.deliver("x", MESSAGE)
        assert "secret" not in str(caught.value)
        assert not caught.value.retryable


def test_encryption_that_is_asked_for_and_not_there_sends_nothing() -> None:
    with mail_receiver() as receiver:
        for scheme in ("smtp+starttls", "smtps"):
            with pytest.raises(Undelivered):
                Mailbox(f"{scheme}://{receiver.address}", "o@example.com", ["a@example.com"]).deliver("x", MESSAGE)
        assert receiver.mails == []


def test_names_with_line_breaks_add_no_headers() -> None:
    hostile: dict[str, Any] = {**MESSAGE, "rule": "A\nBcc: x@example.com"}
    mail = as_mail("x", hostile, "o@example.com", ["a@example.com"])
    assert "Bcc" not in mail
    assert mail["subject"] == "[critical] A Bcc: x@example.com: Dana Whitfield"


@pytest.mark.parametrize(
    ("url", "port"), [("smtp://h", 25), ("smtp+starttls://h", 587), ("smtps://h", 465), ("smtp://u:p@h:2525", 2525)]
)
def test_mail_servers(url: str, port: int) -> None:
    assert parse(url).port == port


@pytest.mark.parametrize("url", ["h:25", "http://h", "smtp://", "smtp://u:secret@h:99999"])
def test_what_is_no_mail_server(url: str) -> None:
    with pytest.raises(ConfigError, match="OVERTONE_ALERT_SMTP") as caught:
        Mailbox(url, "o@example.com", ["a@example.com"])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["nobody", "a@example.com\nBcc: b@example.com", "a b@example.com"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ConfigError, match="is no e-mail address"):
        Mailbox("smtp://h", "o@example.com", [address])


@pytest.mark.parametrize(("url", "secret"), [("ftp://h", ""), ("hook", ""), ("http://h", "whsec_?")])
def test_what_is_no_webhook(url: str, secret: str) -> None:
    with pytest.raises(ConfigError, match="OVERTONE_ALERT_WEBHOOK"):
        Webhook(url, secret)


def test_mail_needs_a_sender_and_a_recipient() -> None:
    with pytest.raises(ConfigError, match="OVERTONE_ALERT_EMAIL_TO"):
        replace(Settings(), alert_smtp="smtp://h")


class Breaking:
    """A channel with a fault of its own, which the thread must outlive."""

    name = "webhook"

    def __init__(self) -> None:
        self.taken: list[str] = []

    def deliver(self, id: str, message: Mapping[str, Any]) -> None:
        if id == "bad":
            raise RuntimeError("a fault")
        self.taken.append(id)

    def close(self) -> None:
        """Nothing is open."""


def test_a_fault_in_a_channel_does_not_end_it(tmp_path: Path) -> None:
    channel = Breaking()
    assert delivery.FIRST_PAUSE_S < 1
    out = Delivery(tmp_path, [channel])
    out.put("bad", MESSAGE)
    out.put("good", MESSAGE)
    until(lambda: channel.taken == ["good"])
    out.close()
    assert outbox.counts(tmp_path) == {"webhook": (1, 0)}
