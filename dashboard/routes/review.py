"""The Review page's own requests: the next sentences, and what a reviewer did. JSON both ways."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from dashboard.resources import Resources, open_resources
from dashboard.review import act, work
from dashboard.tickets import REVIEW_SCOPE, same_origin
from pipeline.errors import BackendError, InputError

LARGEST_BYTES = 64 * 1024


async def review_queue(request: Request) -> Response:
    """``{"items": [...]}``: the sentences that are next, as ``dashboard.review.work`` describes the request."""
    return await _answer(
        request,
        lambda resources, asked: {
            "items": work(resources.store, resources.tickets, resources.settings.audio_folder, asked)
        },
    )


async def review_act(request: Request) -> Response:
    """``{}`` after storing what a reviewer did, as ``dashboard.review.act`` describes the request."""

    def done(resources: Resources, asked: Mapping[str, Any]) -> dict[str, Any]:
        act(resources.store, asked, datetime.now(UTC))
        return {}

    return await _answer(request, done)


async def _answer(request: Request, answer: Callable[[Resources, Mapping[str, Any]], dict[str, Any]]) -> Response:
    """What ``answer`` makes of the request's JSON, or a refusal: 403, 413, 400, and 503 where later may work."""
    if not same_origin(request.headers, required=True):
        return PlainTextResponse("this request comes from another site\n", status_code=403)
    resources = open_resources()
    if not resources.tickets.admits(request.query_params.get("ticket", ""), REVIEW_SCOPE):
        return PlainTextResponse("the ticket is missing or has run out\n", status_code=403)
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_BYTES:
            return PlainTextResponse(f"a request may hold {LARGEST_BYTES} bytes\n", status_code=413)
    try:
        asked = json.loads(content)
        if not isinstance(asked, dict):
            raise InputError("a request is one JSON object")
        made = await to_thread.run_sync(answer, resources, asked)
    except (InputError, ValueError) as error:
        return PlainTextResponse(f"{error}\n", status_code=400)
    except BackendError as error:
        return PlainTextResponse(f"{error}\n", status_code=503)
    return JSONResponse(made, headers={"cache-control": "private, no-store"})
