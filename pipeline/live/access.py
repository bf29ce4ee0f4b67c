"""Who may use the gateway: a token, a phone company's signature, or, on this machine only, no browser's foreign page.

Without OVERTONE_LIVE_TOKEN the gateway listens on loopback alone. Pages of any site can open sockets to loopback, and
browsers name the page in ``Origin``: such a request needs the token, as does one that a proxy forwards from outside.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from pipeline.errors import ConfigError
from pipeline.live import audiohook_signature
from pipeline.settings import Settings

_SIGNATURE = "x-twilio-signature"
_AUDIOHOOK = "/audiohook"
_NONCES = audiohook_signature.Nonces()


@dataclass(frozen=True)
class Refused:
    """Why a request may not come in, in words; an answer of 403 goes with it."""

    reason: str


def check_settings(settings: Settings) -> None:
    """Raises ConfigError where the gateway would be open to other machines without a token."""
    if not is_loopback(settings.live_host) and not settings.live_token:
        raise ConfigError(
            f"the gateway would listen on {settings.live_host}, which other machines reach: set OVERTONE_LIVE_TOKEN "
            "to a secret that clients must show, or OVERTONE_LIVE_HOST to 127.0.0.1"
        )


def refusal(request: HTTPConnection, settings: Settings) -> Refused | None:
    """Why this request, HTTP or WebSocket, is refused; None where it may come in.

    The token comes as ``?token=`` or as ``Authorization: Bearer``; Twilio's signature as X-Twilio-Signature.
    """
    if settings.live_token and _shows_token(request, settings.live_token):
        return None
    if settings.audiohook_key and request.url.path == _AUDIOHOOK:
        return _audiohook_refusal(request, settings.audiohook_key)
    if settings.twilio_auth_token and (given := request.headers.get(_SIGNATURE)):
        fits = any(
            hmac.compare_digest(twilio_signature(url, settings.twilio_auth_token).encode(), given.encode())
            for url in _addresses(request)
        )
        return None if fits else Refused("the Twilio signature does not fit; check OVERTONE_TWILIO_AUTH_TOKEN")
    if settings.live_token:
        return Refused("the token is missing or wrong; give it as ?token= or as Authorization: Bearer")
    if "origin" in request.headers:
        return Refused("pages of browsers need a token: set OVERTONE_LIVE_TOKEN")
    if not is_loopback(request.url.hostname or "") or "x-forwarded-for" in request.headers:
        return Refused("requests from other machines need a token: set OVERTONE_LIVE_TOKEN")
    return None


def twilio_signature(url: str, auth_token: str) -> str:
    """The signature that Twilio sends for ``url``: base64 of HMAC-SHA1 by the account's auth token.

    Source: Twilio's "Webhooks security" page; the handshake of a stream carries no parameters beside its URL.
    """
    return base64.b64encode(hmac.new(auth_token.encode(), url.encode(), hashlib.sha1).digest()).decode()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``, a name or an address."""
    bare = host.strip("[]")
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def _shows_token(request: HTTPConnection, token: str) -> bool:
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    shown = bearer.strip() if kind.lower() == "bearer" else request.query_params.get("token", "")
    return hmac.compare_digest(shown.encode(), token.encode())


def _audiohook_refusal(request: HTTPConnection, key: str) -> Refused | None:
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    query = request.scope.get("query_string") or b""
    target = (raw + (b"?" + query if query else b"")).decode("latin-1")
    hosts = [request.headers.get(name) for name in ("x-forwarded-host", "host")]
    reason = audiohook_signature.refusal(request.headers, target, [host for host in hosts if host], key, _NONCES)
    return None if reason is None else Refused(reason)


def _addresses(request: HTTPConnection) -> list[str]:
    """The URLs that the phone company may have signed: it knows the name in front of a proxy, and signs as wss."""
    host = request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    bare = path.removesuffix("/")
    return [f"{scheme}://{host}{p}" for scheme in ("wss", "https", "ws", "http") for p in (bare, bare + "/")]
