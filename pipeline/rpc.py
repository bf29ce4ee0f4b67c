"""One call of a Riva service: deadline, retries with back-off, and gRPC's errors translated to ours."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import grpc

from pipeline.errors import BackendError, CapabilityAbsent

LARGEST_BYTES = 64 << 20  # a message, either way: what NVIDIA's own clients and servers are set to
OPTIONS = [
    ("grpc.max_receive_message_length", LARGEST_BYTES),
    ("grpc.max_send_message_length", LARGEST_BYTES),
    # Else a server that comes back after a minute is not looked for until two more have passed.
    ("grpc.max_reconnect_backoff_ms", 2000),
]
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 2.0


@dataclass(frozen=True)
class Service:
    """A Riva service as messages name it, and how long we bear with it."""

    name: str  # "speech recognition"
    address: str
    setting: str  # the variable the address comes from, e.g. OVERTONE_ASR_URI
    timeout_s: float = 120.0  # of one call
    patience_s: float = 20.0  # for which a failing call is tried again

    def within(self, patience_s: float | None) -> Service:
        """The same service, borne with for ``patience_s``; None changes nothing."""
        return self if patience_s is None else replace(self, patience_s=patience_s)


class Patience:
    """Counts the time a call has been failing; a success starts it anew."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.renew()

    def renew(self) -> None:
        """The service answered: the next failure is a first one."""
        self._since: float | None = None
        self._wait_s = _FIRST_WAIT_S

    def bear(self, error: grpc.RpcError, asked: str) -> None:
        """Returns after a pause where the call may be tried again; otherwise raises the error as ours."""
        time.sleep(self.pause_s(error, asked))

    def pause_s(self, error: grpc.RpcError, asked: str) -> float:
        """Seconds to wait before the call is tried again; raises the error as ours where it may not be."""
        translated = translate(error, self._service, asked)
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if not translated.retryable or now - self._since + self._wait_s > self._service.patience_s:
            raise translated from error
        wait_s = self._wait_s * random.uniform(0.75, 1.25)  # so that many clients do not come back at once
        self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S)
        return wait_s


def call(service: Service, method: Callable[..., Any], request: Any, metadata: Any, *, asked: str) -> Any:
    """The answer of one unary call; ``asked`` says in words what was asked for.

    Tried again with back-off while the service is unreachable, overloaded or too slow, for ``service.patience_s``.
    Raises BackendError or CapabilityAbsent, whose message names the address and the setting.
    """
    patience = Patience(service)
    while True:
        try:
            return method(request, timeout=service.timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            patience.bear(error, asked)


def broke_off(error: grpc.RpcError) -> bool:
    """Whether a stream of an event loop ended while something was being sent: gRPC then says this in place of the
    state that the server ended it with (grpc.aio, ``_StreamRequestMixin._write``).
    """
    return error.code() is grpc.StatusCode.INTERNAL and "Internal error from Core" in (error.details() or "")


def translate(error: grpc.RpcError, service: Service, asked: str) -> BackendError:
    """Our error for gRPC's: what failed, at which address, which setting chose it, and what to do."""
    code: grpc.StatusCode = error.code()
    details = " ".join((error.details() or "").split())[:300]
    said = f"{code.name}: {details}" if details else code.name
    there, origin = f"{service.name} at {service.address}", f"the address comes from {service.setting}"
    if code is grpc.StatusCode.UNAVAILABLE:
        return BackendError(f"{there} does not answer ({said}); is it running? T{origin[1:]}", retryable=True)
    if broke_off(error):
        return BackendError(f"{there} broke off while it was sent to; {origin}", retryable=True)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return BackendError(
            f"{there} took longer than {service.timeout_s:g} s for {asked} ({said}); OVERTONE_RIVA_TIMEOUT_S sets the "
            f"time, {origin}",
            retryable=True,
        )
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        if "larger than max" in details:
            return BackendError(f"{there}: a message for {asked} is too large ({said}); {origin}")
        return BackendError(
            f"{there} is overloaded ({said}); try again later, or send less at once; {origin}", retryable=True
        )
    if code in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.NOT_FOUND) or any(
        sign in details for sign in ("not a Riva API model", "Unavailable model", "not available on server")
    ):
        return CapabilityAbsent(f"{there} does not offer {asked} ({said}); {origin}")
    if code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
        return BackendError(
            f"{there} refuses us ({said}); check OVERTONE_RIVA_METADATA and OVERTONE_RIVA_CLIENT_CERT; {origin}"
        )
    return BackendError(f"{there} failed at {asked} ({said}); {origin}")


def identity(name: str, version: str) -> str:
    """``name@version`` as predictions carry it; the bare name where the service tells no version."""
    return f"{name}@{version}" if version else name
