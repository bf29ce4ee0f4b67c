"""The dashboard's process: Streamlit's pages, our own routes and the hub that watches the store."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from anyio import to_thread

from dashboard.launch import EXIT_WITH_PARENT
from dashboard.resources import open_resources
from dashboard.routes import own_routes

HEAVY = ("pandas", "pyarrow", "altair", "dashboard.charts", "dashboard.components")


@asynccontextmanager
async def life(app: Any) -> AsyncIterator[None]:
    """Opens the store and starts the hub; ends both with the server."""
    if EXIT_WITH_PARENT in sys.argv[1:]:
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    resources = await to_thread.run_sync(open_resources)
    resources.hub.start()
    for name in HEAVY:
        importlib.import_module(name)
    # Streamlit collects garbage after every run of a script. Walking what these imports left behind takes 0.1 s under
    # the interpreter's lock, which starves the live socket; frozen objects are not walked.
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        await resources.hub.stop()
        resources.store.close()


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


app = st.App(Path(__file__).resolve().parent / "app.py", lifespan=life, routes=own_routes())
