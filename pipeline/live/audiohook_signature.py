"""Whether a request for an AudioHook session comes from Genesys: its API key and its HTTP message signature.

Source: Genesys, "AudioHook protocol: security", which profiles draft-ietf-httpbis-message-signatures-11: HMAC-SHA-256
by the client secret (base64) over six components of the request, the key's id, a nonce and two times.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import threading
import time
from collections.abc import Mapping, Sequence

REQUIRED = (
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
)
_OLDEST_S = 10  # a signature is made for one request
_SKEW_S = 3  # between Genesys' clock and ours
_SHORTEST_NONCE = 22
_INPUT = re.compile(r'^\s*([a-z*][a-z0-9_.*-]*)=(\(((?:"[^"\\]*" *)*)\)((?:;[a-z]+=(?:"[^"\\]*"|\d+))*))\s*$')
_PARAMETER = re.compile(r';([a-z]+)=(?:"([^"\\]*)"|(\d+))')


class Nonces:
    """The nonces seen lately: a signature is good for one request. Thread-safe."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_new(self, nonce: str, now: float) -> bool:
        """Whether ``nonce`` comes for the first time; it is remembered."""
        with self._lock:
            for old in [known for known, at in self._seen.items() if at < now - 60]:
                del self._seen[old]
            if nonce in self._seen:
                return False
            self._seen[nonce] = now
            return True


def refusal(
    headers: Mapping[str, str],
    target: str,
    authorities: Sequence[str],
    key: str,
    nonces: Nonces,
    *,
    now: float | None = None,
) -> str | None:
    """Why the request is refused, in words; None where it is signed as it must be.

    ``headers`` have lower-case names; ``target`` is path and query as they came; ``authorities`` are the names under
    which the client may know us; ``key`` is api-key:client-secret; ``now`` is seconds since 1970.
    """
    api_key, _, secret = key.partition(":")
    now = time.time() if now is None else now
    if not hmac.compare_digest(headers.get("x-api-key", "").encode(), api_key.encode()):
        return "the API key is missing or another one; check OVERTONE_AUDIOHOOK_KEY"
    parsed = _INPUT.match(headers.get("signature-input", ""))
    if parsed is None:
        return "the request is not signed; give the integration in Genesys Cloud its client secret"
    label, described, listed, tail = parsed.groups()
    components = re.findall(r'"([^"]*)"', listed)
    given = {name: text or number for name, text, number in _PARAMETER.findall(tail)}
    if problem := _problem(components, given, api_key, now):
        return problem
    signature = _bytes(headers.get("signature", ""), label)
    if signature is None:
        return "its signature cannot be read"
    fits = False
    for authority in authorities:
        base = _base(components, headers, target, authority, described)
        if base is None:
            return "it signs a header that it does not have"
        made = hmac.new(_secret(secret), base.encode(), hashlib.sha256).digest()
        fits = hmac.compare_digest(made, signature) or fits
    if not fits:
        return "the signature does not fit; check the client secret in OVERTONE_AUDIOHOOK_KEY"
    if not nonces.is_new(given["nonce"], now):
        return "the signature was used before"
    return None


def signed(
    headers: Mapping[str, str], target: str, authority: str, key: str, *, created: int, nonce: str
) -> dict[str, str]:
    """The two header fields that sign a request: what Genesys sends, for trying a gateway out."""
    api_key, _, secret = key.partition(":")
    listed = " ".join(f'"{name}"' for name in REQUIRED)
    described = (
        f'({listed});keyid="{api_key}";nonce="{nonce}";alg="hmac-sha256";created={created};expires={created + 30}'
    )
    base = _base(REQUIRED, {**headers, "x-api-key": api_key}, target, authority, described)
    if base is None:
        raise ValueError("a header that must be signed is missing")
    made = base64.b64encode(hmac.new(_secret(secret), base.encode(), hashlib.sha256).digest()).decode()
    return {"signature-input": f"sig1={described}", "signature": f"sig1=:{made}:"}


def _problem(components: Sequence[str], given: Mapping[str, str], api_key: str, now: float) -> str | None:
    if missing := sorted(set(REQUIRED) - set(components)):
        return f"its signature leaves out {', '.join(missing)}"
    if len(set(components)) != len(components):
        return "its signature names a component twice"
    if given.get("keyid") != api_key:
        return "its signature is by another key"
    if given.get("alg", "hmac-sha256") != "hmac-sha256":
        return "its signature is not by hmac-sha256"
    if len(given.get("nonce", "")) < _SHORTEST_NONCE:
        return "its nonce is too short"
    created, expires = int(given.get("created") or 0), int(given.get("expires") or 0)
    if not now - _OLDEST_S - _SKEW_S <= created <= now + _SKEW_S:
        return "its signature is too old, or the clocks differ; set this machine's clock"
    if expires and expires < now - _SKEW_S:
        return "its signature has expired"
    return None


def _base(
    components: Sequence[str], headers: Mapping[str, str], target: str, authority: str, described: str
) -> str | None:
    """What is signed: a line for each component, and the parameters; None where a component is not there."""
    derived = {"@request-target": target, "@authority": authority}
    lines = []
    for name in components:
        value = derived.get(name, headers.get(name))
        if value is None:
            return None
        lines.append(f'"{name}": {" ".join(value.split()) if name not in derived else value}')
    return "\n".join([*lines, f'"@signature-params": {described}'])


def _bytes(field: str, label: str) -> bytes | None:
    found = re.fullmatch(rf"\s*{re.escape(label)}=:([A-Za-z0-9+/=]*):\s*", field)
    if found is None:
        return None
    try:
        return base64.b64decode(found.group(1), validate=True)
    except binascii.Error:
        return None


def _secret(secret: str) -> bytes:
    """The key in a client secret, which Genesys wants as base64; anything else is taken as it stands."""
    try:
        return base64.b64decode(secret, validate=True)
    except binascii.Error:
        return secret.encode()
