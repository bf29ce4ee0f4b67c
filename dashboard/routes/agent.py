"""What an agent's own page shows of a call that goes on already: what was said, the mood, and what is ticked off."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from dashboard.queries import MARKS_SINCE, usefulness
from dashboard.resources import Resources, open_resources
from dashboard.tickets import agent_scope, same_origin
from dashboard.wire import call_object, sentence_objects
from pipeline import reminders
from pipeline.errors import BackendError, InputError
from pipeline.metrics import running_moods


async def agent_call(request: Request) -> Response:
    """What is known of a call of the agent of ``?agent=``.

    ``{"call", "sentences", "moods": [mood ..], "ticked": [name ..], "marks": [[index, used] ..], "usefulness": words}``
    """
    if not same_origin(request.headers, required=False):
        return PlainTextResponse("this request comes from another site\n", status_code=403)
    resources = open_resources()
    agent = request.query_params.get("agent", "")
    if not resources.tickets.admits(request.query_params.get("ticket", ""), agent_scope(agent)):
        return PlainTextResponse("the ticket is missing, has run out or is for another agent\n", status_code=403)
    try:
        content = await to_thread.run_sync(_read, resources, request.path_params["call_id"], agent)
    except InputError as error:
        return PlainTextResponse(f"{error}\n", status_code=404)
    except BackendError as error:
        return PlainTextResponse(f"{error}\n", status_code=503)
    return JSONResponse(content, headers={"cache-control": "private, no-store"})


def _read(resources: Resources, call_id: str, agent: str) -> dict[str, Any]:
    call = resources.store.call(call_id)
    if call.agent != agent:
        raise InputError(f"{call_id} is no call of {agent}")
    sentences = resources.store.sentences(call.id)
    checklist = reminders.load(resources.settings.home)
    return {
        "call": call_object(call),
        "sentences": sentence_objects(resources.store, call),
        "moods": [round(mood, 4) for _, mood in running_moods(sentences)],
        "marks": [[mark.index, mark.used] for mark in resources.store.suggestion_marks(call_id=call.id)],
        "usefulness": usefulness(resources.store.suggestion_marks(agent=agent, since=datetime.now(UTC) - MARKS_SINCE)),
        "ticked": list(reminders.ticked(checklist.reminders, sentences)),
    }
