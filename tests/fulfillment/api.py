"""A real HTTP server in a thread that speaks a third party's API, for the clients to talk to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

Body = Mapping[str, object] | bytes


@dataclass(frozen=True)
class Call:
    """A request that came in; the query's values are those given last."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    form: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """What is answered: JSON, or bytes as they are."""

    body: Body
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0  # before the first byte
    drip_s: float = 0.0  # between any two bytes
    cut: bool = False  # close the connection in the middle of the body


Speaks = Callable[[Call], Reply]


class Api:
    """A running server; ``calls`` are what it was asked, ``speaks`` may be replaced at any time."""

    def __init__(self, speaks: Speaks) -> None:
        self.speaks = speaks
        self.calls: list[Call] = []
        self.queue: list[Reply] = []  # answers that come before what ``speaks`` says
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Answer nothing any more; the port is free then."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the tests read ``calls``."""

            def _answer(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                call = Call(
                    method=self.command,
                    path=unquote(parts.path),
                    query=_last(parts.query),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    form=_last(body),
                )
                api.calls.append(call)
                reply = api.queue.pop(0) if api.queue else api.speaks(call)
                time.sleep(reply.delay_s)
                raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                try:
                    self._send(reply, raw)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the client gave up waiting

            def _send(self, reply: Reply, raw: bytes) -> None:
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                if reply.cut:
                    self.wfile.write(raw[: len(raw) // 2])
                    self.wfile.flush()
                    self.close_connection = True
                    return
                if not reply.drip_s:
                    self.wfile.write(raw)
                    return
                for position in range(len(raw)):
                    self.wfile.write(raw[position : position + 1])
                    self.wfile.flush()
                    time.sleep(reply.drip_s)

        return Handler


def _last(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}


@contextmanager
def serving(speaks: Speaks) -> Iterator[Api]:
    """A server that answers what ``speaks`` says, for as long as the context lasts."""
    api = Api(speaks)
    api.start()
    try:
        yield api
    finally:
        api.stop()
