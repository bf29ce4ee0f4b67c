"""Tickets: how the dashboard's own routes know that a request comes from a page that this dashboard served.

Streamlit's login guards its scripts and not the routes beside them, so a script signs a ticket for what its page may
fetch and the route checks it, together with the request's origin. A ticket names one scope, such as ``live`` or
``call:<id>``, and runs out. The key lies in the home folder, so that tickets outlive a restart of the dashboard.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer

LIVE_SCOPE = "live"
ASSISTANT_SCOPE = "assistant"
REVIEW_SCOPE = "review"
LIFETIME_S = 3600
REVIEWER = "demo"  # until people log in
KEY_FILE = "dashboard.key"


class Tickets:
    """Signs and checks tickets with one key."""

    def __init__(self, key: str) -> None:
        self._serializer = URLSafeTimedSerializer(key, salt="overtone-dashboard")

    def issue(self, scope: str) -> str:
        """A ticket for ``scope``, good for an hour."""
        return str(self._serializer.dumps(scope))

    def admits(self, ticket: str, scope: str) -> bool:
        """Whether ``ticket`` was issued here for ``scope`` within the last hour."""
        try:
            return bool(self._serializer.loads(ticket, max_age=LIFETIME_S) == scope)
        except BadSignature:  # also the base of SignatureExpired
            return False


def call_scope(call_id: str) -> str:
    """The scope of one call's transcript, outline and audio."""
    return f"call:{call_id}"


def agent_scope(agent: str) -> str:
    """The scope of one agent's own live calls."""
    return f"agent:{agent}"


def key_in(home: Path) -> str:
    """The signing key in ``home``, made on first use and readable by its owner only."""
    path = home / KEY_FILE
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        home.mkdir(parents=True, exist_ok=True)
    key = secrets.token_urlsafe(32)
    temporary = home / f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
    try:
        os.link(temporary, path)  # unlike rename, fails when another process was first: its key is the one
    except FileExistsError:
        return path.read_text(encoding="ascii")
    finally:
        temporary.unlink()
    return key


def same_origin(headers: Mapping[str, str], *, required: bool) -> bool:
    """Whether a request was made by a page of this very site, by its Origin against its Host header.

    Browsers send no Origin with a plain GET of their own site, so there its absence passes; a WebSocket always carries
    one (``required``). See the Fetch standard, "Origin header".
    """
    origin = headers.get("origin")
    if origin is None:
        return not required and headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    return urlsplit(origin).netloc == headers.get("host", "")
