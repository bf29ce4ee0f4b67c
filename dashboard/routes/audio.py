"""The sound of a call: its stereo WAV in byte ranges (RFC 9110, section 14) and the outline of its waveform."""

from __future__ import annotations

import re

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from dashboard import peaks as outlines
from dashboard import wav
from dashboard.resources import Resources
from dashboard.routes.access import call_access
from pipeline.errors import InputError

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


async def audio(request: Request) -> Response:
    """The call as one WAV, or the part that a Range header asks for; assembled while it is sent."""
    found = await _open(request)
    if isinstance(found, Response):
        return found
    try:
        asked = byte_range(request.headers.get("range"), found.size)
    except ValueError:
        return Response(status_code=416, headers={"content-range": f"bytes */{found.size}"})
    start, stop = asked or (0, found.size)
    headers = {
        "accept-ranges": "bytes",
        "content-length": str(stop - start),
        "cache-control": "private, no-cache",
        "etag": f'"{found.size:x}"',
    }
    if asked:
        headers["content-range"] = f"bytes {start}-{stop - 1}/{found.size}"
    body = () if request.method == "HEAD" else wav.read_bytes(found, start, stop)
    return StreamingResponse(iter(body), 206 if asked else 200, headers, media_type="audio/wav")


async def peaks(request: Request) -> Response:
    """The outline of all channels one after the other, a byte per peak.

    The headers ``x-channels``, ``x-peaks-per-s`` and ``x-duration-s`` say how to read it. A call without sound is
    nothing unusual (it is live, or its audio was not kept): 204.
    """
    found = await _open(request)
    if isinstance(found, Response):
        return Response(status_code=204) if found.status_code == 404 else found
    headers = {
        "x-channels": str(len(found.channels)),
        "x-peaks-per-s": str(outlines.PEAKS_PER_S),
        "x-duration-s": f"{found.duration_s:.3f}",
        "cache-control": "private, no-cache",
    }
    content = await to_thread.run_sync(outlines.of_call, found)
    return Response(content, headers=headers, media_type="application/octet-stream")


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The first and last-plus-one byte that a Range header asks for; None where there is no usable header.

    Several ranges, other units and nonsense are ignored, as RFC 9110 allows. Raises ValueError for a range that lies
    outside the file.
    """
    match = _RANGE.match((header or "").replace(" ", ""))
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if start >= size or stop <= start:
        raise ValueError(f"bytes {start} to {stop} of {size}")
    return start, stop


async def _open(request: Request) -> wav.CallAudio | Response:
    access = call_access(request)
    if not isinstance(access, Resources):
        return access
    try:
        # The ticket names the call, so the path parameter is an id that a script of ours put there.
        return await to_thread.run_sync(wav.open_call, access.settings.audio_folder / request.path_params["call_id"])
    except (InputError, FileNotFoundError) as error:
        return PlainTextResponse(f"{error}\n", status_code=404)
