"""The gateway as an ASGI application: its routes, with nobody let in whom access.py refuses."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.live import access, assistant_socket, audiohook_socket, plain, twilio_calls, watching
from pipeline.live.gateway import Gateway, gateway_of

HEALTH = "/health"


def application(gateway: Gateway) -> Starlette:
    """The application over ``gateway``; every route but the health check is behind the access rules."""
    app = Starlette(routes=_routes())
    app.state.gateway = gateway
    app.add_middleware(_Door, gateway=gateway)
    return app


def _routes() -> Sequence[BaseRoute]:
    return [
        Route(HEALTH, _health, methods=["GET"]),
        *assistant_socket.routes(),
        *plain.routes(),
        *twilio_calls.routes(),
        *audiohook_socket.routes(),
        *watching.routes(),
    ]


async def _health(request: Request) -> JSONResponse:
    """Whether the gateway works; nothing that a stranger must not know."""
    gateway = gateway_of(request)
    return JSONResponse(
        {
            "status": "ok",
            "warm": gateway.warm,
            "speech": gateway.speech,
            "conversations": gateway.conversations,
            "most_conversations": gateway.settings.live_conversations,
            **gateway.calls.health(),
        }
    )


class _Door:
    """Lets a request through to the application, or answers it with 403 and the reason."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app, self._gateway = app, gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] == HEALTH:
            await self._app(scope, receive, send)
            return
        refused = access.refusal(HTTPConnection(scope), self._gateway.settings)
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse(refused.reason + "\n", status_code=403)(scope, receive, send)
        else:
            await _deny(scope, receive, send, refused.reason)


async def _deny(scope: Scope, receive: Receive, send: Send, reason: str) -> None:
    await receive()  # websocket.connect
    if "websocket.http.response" in scope.get("extensions", {}):
        from starlette.websockets import WebSocket

        await WebSocket(scope, receive, send).send_denial_response(PlainTextResponse(reason + "\n", status_code=403))
    else:
        await send({"type": "websocket.close", "code": 4403, "reason": reason})
