"""What the scripts and routes of one dashboard process share: settings, store, tickets and the live hub."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

from dashboard.hub import Hub
from dashboard.tickets import Tickets, key_in
from pipeline.settings import Settings
from pipeline.store import Store, open_store


@dataclass(frozen=True)
class Resources:
    """Opened once and used by all sessions; the store may be used by several threads at a time."""

    settings: Settings
    store: Store
    tickets: Tickets
    hub: Hub  # the server starts it; scripts only hold it


def open_resources() -> Resources:
    """The resources for the settings of this process's environment, the same ones at each call."""
    return _open(Settings.from_env(os.environ))


def forget() -> None:
    """Makes the next call open resources anew; whoever closed the store calls this."""
    _open.cache_clear()


@cache
def _open(settings: Settings) -> Resources:
    store = open_store(settings.store_url)
    return Resources(settings, store, Tickets(key_in(settings.home)), Hub(store, settings))
