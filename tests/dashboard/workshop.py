"""A dashboard of its own for tests that label many sentences or change which model is in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.registry import Registry
from pipeline.settings import Settings
from pipeline.store import Store, open_store
from tests.dashboard import seed
from tests.dashboard.conftest import Dashboard, free_port


@dataclass(frozen=True)
class Workshop:
    """A running dashboard with its store and registry."""

    dashboard: Dashboard
    store: Store
    registry: Registry
    settings: Settings

    @property
    def address(self) -> str:
        return self.dashboard.address


@contextmanager
def opened(home: Path, *, calls: int) -> Iterator[Workshop]:
    """A dashboard over ``calls`` seeded calls, all with sound."""
    settings = Settings(home=home, dashboard_port=free_port(), live_port=free_port())
    with open_store(settings.store_url) as store:
        ids = seed.fill(store, settings.audio_folder, calls=calls, now=datetime.now(UTC), with_audio=calls)
        running = Dashboard(settings, ids)
        running.start()
        try:
            yield Workshop(running, store, Registry.of(settings), settings)
        finally:
            running.stop()
