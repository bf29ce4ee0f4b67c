"""Who may use a route: pages of this very site that hold a ticket for what they ask for."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response

from dashboard.resources import Resources, open_resources
from dashboard.tickets import call_scope, same_origin


def call_access(request: HTTPConnection) -> Response | Resources:
    """The resources when the request may read the call of its path, else the refusal to answer with."""
    if not same_origin(request.headers, required=False):
        return PlainTextResponse("this request comes from another site\n", status_code=403)
    resources = open_resources()
    if not resources.tickets.admits(request.query_params.get("ticket", ""), call_scope(request.path_params["call_id"])):
        return PlainTextResponse("the ticket is missing, has run out or is for another call\n", status_code=403)
    return resources
