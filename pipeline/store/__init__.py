"""Where calls live: tables, migrations and the Store."""

from pipeline.store.store import Store, open_store

__all__ = ["Store", "open_store"]
