"""The gateway as a process: bind, open the services, serve, and end with every conversation told."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping

import uvicorn
import uvloop

from pipeline import embedded
from pipeline.backends import Backends
from pipeline.errors import ConfigError
from pipeline.live import access
from pipeline.live.app import application
from pipeline.live.clerk import Clerk
from pipeline.live.gateway import Gateway
from pipeline.settings import Settings, variable

_GRACE_S = 4  # for conversations after a signal; they are told at once
_TURN_S = (
    0.001  # for a thread, where others wait: Python's 5 ms add up to the delay of a sentence on its way through five
)
_GARBAGE = (20_000, 20, 20)  # Python's 700 of the youngest make two hundred calls stop for 80 ms of every second
_LARGEST_MESSAGE = 1 << 20  # bytes; 10 s of audio at 48 kHz

log = logging.getLogger(__name__)


def serve(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    ready: Callable[[str], None],
    exit_with_parent: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` gets the address once connections are taken.

    Call it from the main thread. With ``exit_with_parent`` it also ends when standard input does. Raises ConfigError
    for an address that cannot be had or that would be open to everybody, BackendError where the services do not start.
    """
    access.check_settings(settings)
    sys.setswitchinterval(_TURN_S)
    with _listening(settings) as listener, Backends(settings, environment) as backends:
        # Opened here, since opening is not guarded against several threads; loading models takes seconds.
        _ = backends.store, backends.recogniser, backends.speaker, backends.classifier, backends.assistant
        _ = backends.voice_activity, backends.understander
        with (
            contextlib.closing(Clerk(settings, environment)) as clerk,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            gateway = Gateway(settings, backends, runner.get_loop(), clerk)
            runner.run(_serve_and_close(gateway, listener, ready, exit_with_parent=exit_with_parent))


async def _serve_and_close(
    gateway: Gateway, listener: socket.socket, ready: Callable[[str], None], *, exit_with_parent: bool
) -> None:
    try:
        await _serve(gateway, listener, ready, exit_with_parent=exit_with_parent)
    finally:
        await asyncio.to_thread(gateway.close)  # the last words of the calls are still heard in this loop


async def _serve(
    gateway: Gateway, listener: socket.socket, ready: Callable[[str], None], *, exit_with_parent: bool
) -> None:
    config = uvicorn.Config(
        application(gateway),
        ws_max_size=_LARGEST_MESSAGE,
        ws="websockets-sansio",  # it stops reading while a message waits: a client cannot fill our memory
        ws_per_message_deflate=False,  # audio does not get smaller, and time does
        timeout_graceful_shutdown=_GRACE_S,
        access_log=False,  # it would hold tokens
        log_config=None,
        log_level=logging.WARNING,
        lifespan="off",
        server_header=False,
    )
    # It takes the answer to a refused handshake for a mistake of ours.
    logging.getLogger("uvicorn.error").addFilter(lambda row: "completing handshake" not in row.getMessage())
    server = _Server(config)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if exit_with_parent:
        threading.Thread(target=_await_parent, args=(loop, stop), name="parent", daemon=True).start()
    warming = asyncio.create_task(gateway.prepare())
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        address = address_of(listener)
        log.info("listening on %s", address)
        # What is loaded by now stays: without looking through it again and again, collecting garbage stops nobody.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GARBAGE)
        embedded.publish_gateway(address, os.getpid(), gateway.settings)
        ready(address)
    await serving
    warming.cancel()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: they end the process by the signal, and ours is a clean stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def address_of(listener: socket.socket) -> str:
    """``http://host:port`` of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    host, port = settings.live_host, settings.live_port
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise ConfigError(
            f"the gateway cannot listen on {host}: {error.strerror or error}; set OVERTONE_LIVE_HOST"
        ) from error
    with contextlib.closing(listener):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise ConfigError(
                f"the gateway cannot listen on {host}:{port}: {error.strerror}; end what uses it, or set "
                f"{variable('live_port')} or {variable('live_host')}"
            ) from error
        yield listener


def _await_parent(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    # The descriptor itself: a thread inside sys.stdin's buffer would hold a lock that the interpreter's end needs.
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop has ended by itself meanwhile
        loop.call_soon_threadsafe(stop)
