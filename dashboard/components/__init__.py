"""The three components of our own: live wall, call player and table. Their scripts and styles lie beside this file.

Each is a Streamlit component (v2) whose inline script only loads the module of that name from ``/assets``; that module
exports ``mount(component)``, which returns ``update`` (called at each rerun) and ``stop``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).resolve().parent
_LOADER = """
const views = new WeakMap();
export default function (component) {
  const parent = component.parentElement;
  let held = views.get(parent);
  if (held) {
    held.latest = component;
    held.view?.update(component);
  } else {
    held = { latest: component, view: null, stopped: false };
    views.set(parent, held);
    const mine = held;
    import(new URL("/assets/MODULE.js", location.origin).href).then(
      (module) => { if (!mine.stopped) mine.view = module.mount(mine.latest); },
      () => { parent.textContent = "This part of the page could not be loaded: is the dashboard still running?"; },
    );
  }
  const mine = held;
  return () => { mine.stopped = true; mine.view?.stop(); views.delete(parent); };
}
"""


def _component(name: str) -> Callable[..., Any]:
    # Styles are not isolated, so that the browser's own search finds the text; the class names are ours alone.
    return st.components.v2.component(
        f"overtone_{name}",
        html=f'<div class="ov ov-{name}"></div>',
        css="\n".join((_FOLDER / file).read_text(encoding="utf-8") for file in ("base.css", f"{name}.css")),
        js=_LOADER.replace("MODULE", name),
        isolate_styles=False,
    )


_wall = _component("wall")
_player = _component("player")
_table = _component("table")


def live_wall(*, ticket: str, start_command: str) -> str | None:
    """Draws the wall of live calls; returns the id of the call that the user opened in this run.

    ``start_command`` is what the empty wall tells people to run.
    """
    data = {"path": "/api/live", "ticket": ticket, "start_command": start_command}
    result = _wall(key="wall", data=data, on_opened_change=_nothing, on_ticket_wanted_change=_nothing)
    opened: str | None = result.opened
    return opened


def call_player(call_id: str, *, ticket: str, labels: Sequence[str]) -> dict[str, Any] | None:
    """Draws sound, sentiment and transcript of one call; returns ``{"index", "value"}`` of a correction just made.

    ``labels`` are the sentiments that a sentence can be corrected to.
    """
    data = {"call_id": call_id, "ticket": ticket, "labels": list(labels)}
    result = _player(
        key=f"player-{call_id}",
        data=data,
        on_corrected_change=_nothing,
        on_ended_change=_nothing,
        on_ticket_wanted_change=_nothing,
    )
    corrected: dict[str, Any] | None = result.corrected
    return corrected


def table(
    rows: Sequence[dict[str, Any]],
    columns: Sequence[dict[str, Any]],
    *,
    key: str,
    name: str,
    sort: str | None = None,
    selected: Sequence[str] | None = None,
    on_sorted: Callable[[], None] | None = None,
    on_picked: Callable[[], None] | None = None,
) -> str | None:
    """Draws a table; returns the ``id`` of the row that the user opened in this run.

    ``rows`` carry an ``id`` and a value for each column's ``field``. ``columns`` are ``{"field", "title", "kind"}``
    with kind person, text, number, time, duration, mood, interval, trend or labels; ``below`` names a field for a
    second line and ``orders`` the orders that a click on the head goes through. ``name`` is read out by screen readers;
    ``selected`` adds a box to each row. ``on_sorted`` and ``on_picked`` run before the script: they find the wanted
    order or the ids in ``st.session_state[key]`` as ``sorted`` and ``picked``.
    """
    data = {
        "rows": list(rows),
        "columns": list(columns),
        "name": name,
        "sort": sort,
        "selected": None if selected is None else list(selected),
    }
    result = _table(
        key=key,
        data=data,
        on_opened_change=_nothing,
        on_sorted_change=on_sorted or _nothing,
        on_picked_change=on_picked or _nothing,
    )
    opened: str | None = result.opened
    return opened


def _nothing() -> None:
    """Declares a trigger; its value is read after the component was drawn."""
