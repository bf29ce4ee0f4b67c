"""The live socket: a snapshot, then events, as JSON texts (see ``board``), and what the page says back.

{"kind": "late", "rows": [[call id, index, seconds] ..]} names sentences that were understood late, some seconds after.

From the page, as JSON texts too::

    {"kind": "ping", "sent_ms": its clock}             answered at once with {"kind": "pong", "sent_ms", "now_ms": ours}
    {"kind": "painted", "rows": [[call id, index, ms by our clock as it knows it] ..]}
    {"kind": "judge", "id": alert, "verdict": "right" | "wrong"}      refused with {"kind": "refused", "message": ..}
    {"kind": "mark", "call": id, "index": .., "text": suggestion, "used": bool}    of an agent's page; refused likewise,
                or all pages of the agent hear {"kind": "marked", "call", "index", "used", "usefulness": words}
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from typing import Any, get_args

from anyio import to_thread
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.hub import Hub, Subscriber
from dashboard.resources import open_resources
from dashboard.tickets import LIVE_SCOPE, REVIEWER, agent_scope, call_scope, same_origin
from pipeline import reminders
from pipeline.calls import AlertVerdict
from pipeline.errors import OvertoneError

TICKET_REFUSED = 4401  # close codes of our own; the page gets itself a new ticket
LAGGED = 4408
STOPPING = 1001
NOT_UNDERSTOOD = 1003
HEARTBEAT_S = 10.0
LONGEST_MESSAGE = 65_536
MOST_ROWS = 1000


async def live(socket: WebSocket) -> None:
    """Serves one page: all live calls, one call with ``?call=<id>``, or an agent's own with ``?agent=<name>``.

    Closes with 4401 on a bad ticket.
    """
    if not same_origin(socket.headers, required=True):
        await socket.close(1008)  # before the handshake: the browser sees HTTP 403
        return
    await socket.accept()
    call_id, agent = socket.query_params.get("call"), socket.query_params.get("agent")
    scope = call_scope(call_id) if call_id else agent_scope(agent) if agent else LIVE_SCOPE
    resources = open_resources()
    if not resources.tickets.admits(socket.query_params.get("ticket", ""), scope):
        await socket.close(TICKET_REFUSED, "ticket refused")
        return
    hub = resources.hub
    if agent and not call_id:
        checklist = await to_thread.run_sync(reminders.load, resources.settings.home)
        subscriber = hub.subscribe(agent=agent, reminders=checklist.reminders)
    else:
        subscriber = hub.subscribe(call_id)
    sender = asyncio.create_task(_send(socket, hub, subscriber))
    try:
        while (event := await socket.receive())["type"] != "websocket.disconnect":
            try:
                await _hear(event.get("text") or "", hub, subscriber)
            except ValueError:
                await socket.close(NOT_UNDERSTOOD, "not understood")
                break
    finally:
        hub.unsubscribe(subscriber)
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sender


async def _send(socket: WebSocket, hub: Hub, subscriber: Subscriber) -> None:
    await socket.send_text(hub.snapshot(subscriber.call_id, subscriber.agent))
    while True:
        try:
            text = await asyncio.wait_for(subscriber.queue.get(), HEARTBEAT_S)
        except TimeoutError:
            text = json.dumps({"kind": "heartbeat", "now_ms": round(time.time() * 1000)})
        if text is None:
            await socket.close(STOPPING if hub.stopping else LAGGED)
            return
        await socket.send_text(text)


async def _hear(text: str, hub: Hub, subscriber: Subscriber) -> None:
    """Does what a page says. Raises ValueError for what is no message of ours."""
    if len(text) > LONGEST_MESSAGE:
        raise ValueError("too long")
    message: Any = json.loads(text)
    match message:
        case {"kind": "ping", "sent_ms": int() | float() as sent_ms}:
            hub.tell(subscriber, {"kind": "pong", "sent_ms": sent_ms, "now_ms": time.time() * 1000})
        case {"kind": "painted", "rows": list() as rows}:
            now = datetime.now(UTC)
            for row in rows[:MOST_ROWS]:
                match row:
                    case [str() as call_id, int() as index, int() | float() as at_ms] if isfinite(at_ms):
                        hub.clocks.painted((call_id, index), at_ms, now)
                    case _:
                        raise ValueError("no row")
        case {"kind": "judge", "id": str() as alert_id, "verdict": str() as verdict} if subscriber.agent is None:
            await _judge(hub, subscriber, alert_id, verdict)
        case {
            "kind": "mark",
            "call": str() as call_id,
            "index": int() as index,
            "text": str() as suggested,
            "used": bool() as used,
        } if subscriber.agent is not None:
            mark = partial(hub.mark, call_id, index, suggested, subscriber.agent, used=used)
            await _tried(hub, subscriber, mark)
        case _:
            raise ValueError("no message of ours")


async def _judge(hub: Hub, subscriber: Subscriber, alert_id: str, verdict: str) -> None:
    known: dict[str, AlertVerdict] = {name: name for name in get_args(AlertVerdict)}
    if verdict not in known:
        raise ValueError("no verdict")
    await _tried(hub, subscriber, partial(hub.judge, alert_id, known[verdict], REVIEWER, subscriber.call_id))


async def _tried(hub: Hub, subscriber: Subscriber, stores: Callable[[], None]) -> None:
    """Stores something away from the event loop; the page hears why where that is refused."""
    try:
        await to_thread.run_sync(stores)
    except OvertoneError as error:
        hub.tell(subscriber, {"kind": "refused", "message": str(error)})
