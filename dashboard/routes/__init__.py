"""The dashboard's own routes beside Streamlit's: live socket, call audio, call data and the pages' scripts."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route, WebSocketRoute

from dashboard.routes.assets import asset
from dashboard.routes.audio import audio, peaks
from dashboard.routes.calls import call_data
from dashboard.routes.live import live


def own_routes() -> list[BaseRoute]:
    """All routes of ours, for ``st.App``."""
    return [
        WebSocketRoute("/api/live", live),
        Route("/api/calls/{call_id}", call_data, methods=["GET"]),
        Route("/api/calls/{call_id}/audio.wav", audio, methods=["GET"]),
        Route("/api/calls/{call_id}/peaks", peaks, methods=["GET"]),
        Route("/assets/{name}", asset, methods=["GET"]),
    ]
