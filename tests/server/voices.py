"""The voice's process, seen from outside, and a server that speaks and does nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from riva.client.proto import riva_tts_pb2_grpc

from pipeline.server.guard import Guard
from pipeline.server.speech import Voice
from pipeline.server.tts_service import SpeechSynthesis
from pipeline.server.work import Work


def pipers(parent: int) -> list[int]:
    """The process ids of the pipers that ``parent`` runs."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            mother = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if mother == parent and b"piper" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def kill_pipers() -> int:
    """Kill the pipers of this process and say how many there were."""
    found = pipers(os.getpid())
    for number in found:
        os.kill(number, signal.SIGKILL)
    return len(found)


@contextmanager
def speaking(voice: Voice | None, *, requests: int = 8) -> Iterator[str]:
    """The address of a server with ``voice`` that lets ``requests`` in at a time."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    work = Work("voice", threads=1, requests=requests)

    async def start() -> tuple[Any, int]:
        server = grpc.aio.server(interceptors=[Guard()], options=[("grpc.max_receive_message_length", 64 << 20)])
        riva_tts_pb2_grpc.add_RivaSpeechSynthesisServicer_to_server(SpeechSynthesis(voice, work), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(0), loop).result(30)
        work.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
