"""The server as a whole: bind, load, serve, drain."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import grpc
from riva.client.proto import health_pb2_grpc, riva_asr_pb2_grpc, riva_nlp_pb2_grpc, riva_tts_pb2_grpc

from pipeline.server import engines
from pipeline.server.address import bind
from pipeline.server.asr_service import SpeechRecognition
from pipeline.server.guard import Guard
from pipeline.server.health import Health
from pipeline.server.nlp_service import LanguageUnderstanding
from pipeline.server.tts_service import SpeechSynthesis
from pipeline.server.work import Work
from pipeline.settings import Settings

log = logging.getLogger(__name__)

LARGEST_MESSAGE = 64 << 20  # bytes; what NVIDIA's own clients are set to
SERVICES = (
    "nvidia.riva.asr.RivaSpeechRecognition",
    "nvidia.riva.nlp.RivaLanguageUnderstanding",
    "nvidia.riva.tts.RivaSpeechSynthesis",
)

_GRACE_S = 8.0  # for calls in progress after SIGTERM; a container is killed after 10 s
_ORPHAN_GRACE_S = 0.5  # ... when the parent has gone, and with it those who would read the answers
_LAST_WORK_S = 3.0  # an engine that is still at work when the interpreter ends may crash it
_WAITING_AUDIO = 256 << 20  # bytes of recordings that may wait; more is refused like a full queue
_M_ARENA_MAX = -8  # malloc.h
_OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    # Without this, a second server on the same port would silently get every other connection.
    ("grpc.so_reuseport", 0),
)


def serve(settings: Settings, *, ready: Callable[[str], None], exit_with_parent: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, then finish the calls in progress; ``ready`` gets the URI once calls are taken.

    Call it from the main thread. With ``exit_with_parent`` it also ends when standard input does, which the death of
    the process at its other end brings about. Raises ConfigError for an address, a certificate or weights that cannot
    be had.
    """
    _limit_heaps()
    asyncio.run(_serve(settings, ready, exit_with_parent))


def _limit_heaps() -> None:
    # glibc gives threads heaps of their own, and what one of them frees the others do not get: with a dozen threads
    # that take turns at windows of audio, 180 MB of 900 (measured), and no faster. Elsewhere there is no such call.
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


async def _serve(settings: Settings, ready: Callable[[str], None], exit_with_parent: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    orphaned = asyncio.Event()
    if exit_with_parent:
        threading.Thread(target=_await_parent, args=(loop, stop, orphaned), name="parent", daemon=True).start()
    server = grpc.aio.server(interceptors=[Guard()], options=_OPTIONS)
    # Bound before the models are loaded: a port in use is told at once, and early clients wait instead of failing.
    uri = bind(server, settings)
    loaded = await asyncio.to_thread(engines.load, settings)
    works = _works(settings.serve_queue, loaded.threads)
    health = Health(SERVICES)
    try:
        _register(server, loaded, works, health)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await server.start()
        log.info("serving on %s", uri)
        ready(uri)
        await stop.wait()
        log.info("stopping")
        health.stop()
        await server.stop(_ORPHAN_GRACE_S if orphaned.is_set() else _GRACE_S)
    finally:
        for work in works.values():
            work.close(wait_s=_LAST_WORK_S)
        loaded.close()


def _works(queue: int, threads: int) -> dict[str, Work]:
    """The queue in front of each model. A stream keeps its place as long as it is open, so there are more of those."""
    return {
        "recordings": Work("offline recogniser", threads=threads, requests=threads + queue, most_bytes=_WAITING_AUDIO),
        "streams": Work("online recogniser", threads=1, requests=4 * queue),
        "hearing": Work("audio reader", threads=threads, requests=4 * queue),
        "texts": Work("text classifier", threads=threads, requests=threads + queue),
        "voice": Work("voice", threads=1, requests=1 + queue),
    }


def _register(server: Any, loaded: engines.Engines, works: dict[str, Work], health: Health) -> None:
    recognition = SpeechRecognition(
        loaded.offline,
        loaded.online,
        loaded.punctuator,
        recordings=works["recordings"],
        streams=works["streams"],
        hearing=works["hearing"],
    )
    riva_asr_pb2_grpc.add_RivaSpeechRecognitionServicer_to_server(recognition, server)
    understanding = LanguageUnderstanding(loaded.classifiers, loaded.punctuator, loaded.understander, works["texts"])
    riva_nlp_pb2_grpc.add_RivaLanguageUnderstandingServicer_to_server(understanding, server)
    riva_tts_pb2_grpc.add_RivaSpeechSynthesisServicer_to_server(SpeechSynthesis(loaded.voice, works["voice"]), server)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)


def _await_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, orphaned: asyncio.Event) -> None:
    # The descriptor itself: a thread inside sys.stdin's buffer would hold a lock that the interpreter's end needs.
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    loop.call_soon_threadsafe(orphaned.set)
    loop.call_soon_threadsafe(stop.set)
