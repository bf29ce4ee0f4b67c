"""Alerts as signed HTTP requests, in the form of the Standard Webhooks specification 1.0 (standardwebhooks.com).

``webhook-id`` names the alert (the same at each attempt), ``webhook-timestamp`` is the second of the attempt, and
``webhook-signature`` is ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body`` with the secret. Receivers
check the signature with one of the specification's libraries, refuse old timestamps, and drop an id that they had.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from pipeline.alerts.delivery import Undelivered
from pipeline.errors import ConfigError

CONNECT_S = 3.0
ANSWER_S = 5.0
_PASSING = (408, 409, 425, 429)  # besides 5xx: states that may pass by themselves
_PREFIX = "whsec_"


class Webhook:
    """One receiver of alerts. Not thread-safe; close it when done."""

    name = "webhook"

    def __init__(self, url: str, secret: str) -> None:
        """``secret`` signs; empty: no signature. Raises ConfigError for what is no web address or no secret."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("OVERTONE_ALERT_WEBHOOK must be an http:// or https:// address")
        self._url, self._host = url, parts.hostname
        self._key = signing_key(secret)
        timeout = httpx2.Timeout(ANSWER_S, connect=CONNECT_S)
        # Redirects are not followed: a signed message goes where the setting says and nowhere else.
        self._client = httpx2.Client(timeout=timeout, follow_redirects=False)

    def deliver(self, id: str, message: Mapping[str, Any]) -> None:
        """Hand the message over. Raises Undelivered unless the receiver answered with a 2xx state."""
        body = json.dumps(message, ensure_ascii=False).encode()
        stamp = str(int(datetime.now(UTC).timestamp()))
        headers = {"content-type": "application/json", "webhook-id": id, "webhook-timestamp": stamp}
        if self._key:
            headers["webhook-signature"] = signature(self._key, id, stamp, body)
        try:
            # Only the state counts; a receiver that sends a long answer is not read to its end.
            with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
                status = answer.status_code
        except httpx2.HTTPError as error:
            raise Undelivered(f"{self._host} did not answer: {type(error).__name__}", retryable=True) from error
        if not 200 <= status < 300:
            raise Undelivered(f"{self._host} answered {status}", retryable=status >= 500 or status in _PASSING)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def signing_key(secret: str) -> bytes:
    """The bytes that sign: those after ``whsec_`` in base64, else the secret as it is written; none for an empty one.

    Raises ConfigError for base64 that is none.
    """
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ConfigError("OVERTONE_ALERT_WEBHOOK_SECRET begins with whsec_ and is no base64 after it") from None


def signature(key: bytes, id: str, stamp: str, body: bytes) -> str:
    """The value of ``webhook-signature`` for a body sent at the UNIX second ``stamp``."""
    mac = hmac.new(key, b".".join((id.encode(), stamp.encode(), body)), hashlib.sha256)
    return f"v1,{base64.b64encode(mac.digest()).decode()}"
