"""Real receivers on the loopback: a web server and a mail server that answer as they are told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PATIENCE_S = 30.0
HANG = 0  # a state that never comes


class WebReceiver:
    """Keeps what was posted to it; ``states`` are its answers in turn, the last one for ever."""

    def __init__(self, states: list[int]) -> None:
        self.states = states
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.times: list[float] = []  # when each came, in seconds since 1970
        self.changed = threading.Condition()
        self.released = threading.Event()
        self.url = ""

    def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """The first ``count`` requests, once they are there."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, PATIENCE_S), self.requests
            return self.requests[:count]

    def messages(self, count: int) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.wait(count)]


@contextmanager
def web_receiver(*states: int, port: int = 0) -> Iterator[WebReceiver]:
    """A web server that answers with ``states`` in turn; HANG keeps the request open."""
    receiver = WebReceiver(list(states or (200,)))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with receiver.changed:
                receiver.times.append(time.time())
                receiver.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
                state = receiver.states.pop(0) if len(receiver.states) > 1 else receiver.states[0]
                receiver.changed.notify_all()
            if state == HANG:
                receiver.released.wait(PATIENCE_S)
                return
            self.send_response(state)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/alerts"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class MailReceiver:
    """Keeps the mails that it took; ``replies`` are its answers to mails in turn, the last one for ever."""

    def __init__(self, replies: list[str]) -> None:
        self.replies = replies
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.logins: list[tuple[str, str]] = []
        self.attempts = 0
        self.changed = threading.Condition()
        self.address = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by the server for each mail."""
        with self.changed:
            self.attempts += 1
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            if reply.startswith("250"):
                assert isinstance(envelope.content, bytes)
                mail = BytesParser(_class=EmailMessage, policy=default).parsebytes(envelope.content)
                self.mails.append(mail)
                self.recipients.append(list(envelope.rcpt_tos))
            self.changed.notify_all()
        return reply

    def login(self, *parts: Any) -> AuthResult:
        """Called by the server for a login: only the right password is let in."""
        given = parts[-1]
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=given.password == b"p@ss", handled=False)

    def wait(self, count: int) -> list[EmailMessage]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.mails) >= count, PATIENCE_S)
            return self.mails[:count]


@contextmanager
def mail_receiver(*replies: str, with_login: bool = False) -> Iterator[MailReceiver]:
    """A mail server without encryption that answers each mail with ``replies`` in turn."""
    receiver = MailReceiver(list(replies or ("250 taken",)))
    options: dict[str, Any] = {"authenticator": receiver.login, "auth_require_tls": False} if with_login else {}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(receiver, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        receiver.address = f"127.0.0.1:{port}"
        yield receiver
    finally:
        controller.stop()
