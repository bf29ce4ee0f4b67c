"""The modules that the components load: plain JavaScript files beside them, the same for everybody."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

FOLDER = Path(__file__).resolve().parent.parent / "components" / "web"


async def asset(request: Request) -> Response:
    """A JavaScript module of ours; the browser asks each time whether it changed."""
    name = request.path_params["name"]
    if name not in {path.name for path in FOLDER.glob("*.js")}:
        return PlainTextResponse("no such file\n", status_code=404)
    return FileResponse(FOLDER / name, media_type="text/javascript", headers={"cache-control": "no-cache"})
