"""The dashboard's own routes beside Streamlit's: sockets, call audio, call data, reviews and the pages' scripts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute

from dashboard.routes.agent import agent_call
from dashboard.routes.assets import asset
from dashboard.routes.assistant import assistant
from dashboard.routes.audio import audio, peaks
from dashboard.routes.calls import call_data
from dashboard.routes.live import live
from dashboard.routes.review import review_act, review_queue


def own_routes() -> list[BaseRoute]:
    """All routes of ours, for ``st.App``."""
    return [
        WebSocketRoute("/api/live", live),
        WebSocketRoute("/api/assistant", assistant),
        Route("/api/agent/{call_id}", agent_call, methods=["GET"]),
        Route("/api/calls/{call_id}", call_data, methods=["GET"]),
        Route("/api/calls/{call_id}/audio.wav", audio, methods=["GET"]),
        Route("/api/calls/{call_id}/peaks", peaks, methods=["GET"]),
        Route("/api/review/queue", review_queue, methods=["POST"]),
        Route("/api/review/acts", review_act, methods=["POST"]),
        Route("/assets/{name}", asset, methods=["GET"]),
        Route("/live", _to_the_first_page, methods=["GET"]),
    ]


def _to_the_first_page(request: Request) -> RedirectResponse:
    """The Live page's own address: Streamlit serves its default page at the root only, and calls others unknown."""
    return RedirectResponse(f"/?{request.url.query}" if request.url.query else "/")
