"""The standard health service (grpc.health.v1): Check and Watch, for the server as a whole and for each service.

Source: gRPC's health checking protocol. An unknown service is NOT_FOUND to Check and SERVICE_UNKNOWN (3, which the enum
in Riva's package leaves out) to Watch, which then goes on waiting for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import riva.client.proto.health_pb2 as pb

from pipeline.server.guard import Refusal, Status

_SERVICE_UNKNOWN = 3


class Health:
    """The servicer of Health; everything serves until `stop`."""

    def __init__(self, services: Iterable[str]) -> None:
        """``services`` are full names, e.g. ``nvidia.riva.asr.RivaSpeechRecognition``; the server itself is ""."""
        self._services = frozenset(("", *services))
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Say NOT_SERVING from now on, to those who watch as well."""
        self._stopped.set()

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802  the rpc's name
        """Whether the service answers now."""
        if request.service not in self._services:
            raise Refusal(f"unknown service {request.service!r}", Status.NOT_FOUND)
        return pb.HealthCheckResponse(status=self._status(request.service))

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802  the rpc's name
        """The state now, and again when it changes."""
        yield pb.HealthCheckResponse(status=self._status(request.service))
        await self._stopped.wait()
        yield pb.HealthCheckResponse(status=self._status(request.service))

    def _status(self, service: str) -> int:
        if service not in self._services:
            return _SERVICE_UNKNOWN
        serving = pb.HealthCheckResponse.ServingStatus
        return int(serving.NOT_SERVING if self._stopped.is_set() else serving.SERVING)
