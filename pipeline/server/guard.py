"""How a request fails: one exception for a refusal, and the interceptor that answers and logs every failure.

Each failed request leaves one line in the log: who, which call, which status, why. Audio and texts never go there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

from pipeline.server.work import Overloaded

log = logging.getLogger(__name__)

Status = grpc.StatusCode


class Refusal(Exception):  # noqa: N818  as in errors.py: the name says what is wrong
    """The request cannot be served; the client gets ``code`` and the message."""

    def __init__(self, message: str, code: Any = Status.INVALID_ARGUMENT) -> None:
        super().__init__(message)
        self.code = code


def not_offered(what: str) -> Callable[[Any, Any], Awaitable[Any]]:
    """A handler that refuses its call with UNIMPLEMENTED, for calls of a service that this server does not offer."""

    async def refuse(request: Any, context: Any) -> Any:
        raise Refusal(f"{what} is not offered by this server", Status.UNIMPLEMENTED)

    return refuse


class Guard(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc ships no types
    """Turns what handlers raise into gRPC statuses and logs it."""

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        """The handler of the call with its failures caught; None (gRPC then says UNIMPLEMENTED) where there is none."""
        handler = await continuation(details)
        method = details.method
        if handler is None:
            log.warning("%s failed: UNIMPLEMENTED no such call", method)
            return None
        if handler.response_streaming:
            make = grpc.stream_stream_rpc_method_handler if handler.request_streaming else _unary_stream
            behaviour: Any = _streaming(method, handler.stream_stream or handler.unary_stream)
        else:
            make = grpc.stream_unary_rpc_method_handler if handler.request_streaming else _unary_unary
            behaviour = _single(method, handler.stream_unary or handler.unary_unary)
        return make(
            behaviour,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


_unary_unary = grpc.unary_unary_rpc_method_handler
_unary_stream = grpc.unary_stream_rpc_method_handler


def _single(method: str, behaviour: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def guarded(request: Any, context: Any) -> Any:
        try:
            return await behaviour(request, context)
        except BaseException as error:  # noqa: BLE001  _fail raises for each of them
            await _fail(method, context, error)

    return guarded


def _streaming(
    method: str, behaviour: Callable[[Any, Any], AsyncIterator[Any]]
) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def guarded(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            async for response in behaviour(request, context):
                yield response
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001  _fail raises for each of them
            await _fail(method, context, error)

    return guarded


async def _fail(method: str, context: Any, error: BaseException) -> None:
    """Log the failure and end the call with its status; always raises."""
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, Refusal):
        code, message = error.code, str(error)
    elif isinstance(error, Overloaded):
        code, message = Status.RESOURCE_EXHAUSTED, str(error)
    elif isinstance(error, asyncio.CancelledError):
        log.info("%s from %s ended: CANCELLED by the client", method, context.peer())
        raise error
    elif isinstance(error, Exception):
        code, message = Status.INTERNAL, f"Error: the server failed: {type(error).__name__}"
        log.error("%s from %s failed: INTERNAL", method, context.peer(), exc_info=error)
    else:
        raise error
    if code is not Status.INTERNAL:
        log.warning("%s from %s failed: %s %s", method, context.peer(), code.name, message)
    await context.abort(code, message)
