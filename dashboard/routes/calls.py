"""What the player shows of one call: its transcript with people's corrections and notes, and its alerts."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from dashboard.resources import Resources
from dashboard.routes.access import call_access
from dashboard.wire import alert_object, call_object, note_object, sentence_objects
from pipeline.errors import BackendError, InputError
from pipeline.report import corrections
from pipeline.store import Store


async def call_data(request: Request) -> Response:
    """``{"call", "sentences", "corrections": {index: label}, "notes", "alerts"}`` of one call (see ``wire``)."""
    access = call_access(request)
    if not isinstance(access, Resources):
        return access
    try:
        content = await to_thread.run_sync(read_call, access.store, request.path_params["call_id"])
    except InputError as error:
        return PlainTextResponse(f"{error}\n", status_code=404)
    except BackendError as error:
        return PlainTextResponse(f"{error}\n", status_code=503)
    return JSONResponse(content, headers={"cache-control": "private, no-store"})


def read_call(store: Store, call_id: str) -> dict[str, Any]:
    """The content of the answer of ``call_data``. Raises InputError for an unknown call."""
    call = store.call(call_id)
    return {
        "call": call_object(call),
        "sentences": sentence_objects(store, call),
        "corrections": {str(index): label for index, label in corrections(store, call.id).items()},
        "notes": [note_object(note) for note in store.notes(call.id)],
        "alerts": [alert_object(alert, call) for alert in reversed(store.alerts(call_id=call.id))],
    }
