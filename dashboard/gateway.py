"""The gateway of live calls and the assistant, as the dashboard reaches it."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from pipeline import embedded
from pipeline.errors import BackendError, ConfigError
from pipeline.settings import Settings

LARGEST_MESSAGE_BYTES = 1 << 20  # of the gateway's: a sentence of speech comes in smaller frames
_WAITING_MESSAGES = 32  # read ahead of a page that is slow to take them
_CONNECT_TIMEOUT_S = 5.0


def address(settings: Settings) -> str:
    """``host:port`` of the gateway: the one that runs for this home, else where the settings say it is."""
    if published := embedded.find_gateway(settings):
        found = urlsplit(published)
        host, port = found.hostname or "", found.port
    else:
        host, port = settings.live_host, settings.live_port
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # one that listens everywhere is found on loopback
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def speaks(settings: Settings) -> bool:
    """Whether the gateway can hear and speak; one that has only just started is trusted to.

    Raises BackendError when nobody answers there.
    """
    where = address(settings)
    try:
        async with httpx2.AsyncClient(timeout=_CONNECT_TIMEOUT_S, trust_env=False) as client:
            answer = await client.get(f"http://{where}/health")
            health = answer.raise_for_status().json()
        return bool(health["speech"] or not health["warm"])
    except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
        raise BackendError(f"no gateway answers at {where}") from error


async def open_assistant(settings: Settings) -> ClientConnection:
    """A new connection to the gateway's socket of the assistant; closing it ends the conversation.

    Raises BackendError when nobody answers there, ConfigError when the gateway does not take our token.
    """
    return await _open(settings, "/assistant")


async def open_partials(settings: Settings) -> ClientConnection:
    """A new connection to the gateway's feed of what is being said and suggested on live calls (docs/live.md).

    Raises BackendError when nobody answers there, ConfigError when the gateway does not take our token.
    """
    return await _open(settings, "/partials")


async def _open(settings: Settings, path: str) -> ClientConnection:
    where = address(settings)
    headers = {"authorization": f"Bearer {settings.live_token}"} if settings.live_token else {}
    try:
        return await connect(
            f"ws://{where}{path}",
            additional_headers=headers,
            open_timeout=_CONNECT_TIMEOUT_S,
            max_size=LARGEST_MESSAGE_BYTES,
            max_queue=_WAITING_MESSAGES,
            compression=None,
            proxy=None,
        )
    except InvalidStatus as error:
        if error.response.status_code in (401, 403):
            raise ConfigError(
                f"the gateway at {where} refuses this dashboard: set the same OVERTONE_LIVE_TOKEN"
            ) from error
        raise BackendError(f"the gateway at {where} has no {path}: HTTP {error.response.status_code}") from error
    except (OSError, WebSocketException) as error:  # a time-out is an OSError too
        raise BackendError(f"nobody answers at {where}") from error
