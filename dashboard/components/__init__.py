"""The components of our own, such as live wall, call player and table. Their scripts and styles lie beside this file.

Each is a Streamlit component (v2) whose inline script only loads the module of that name from ``/assets``; that module
exports ``mount(component)``, which returns ``update`` (called at each rerun) and ``stop``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


def _component(name: str, *shared: str) -> Callable[..., Any]:
    # Styles are not isolated, so that the browser's own search finds the text; the class names are ours alone.
    return st.components.v2.component(
        f"overtone_{name}",
        html=f'<div class="ov ov-{name}"></div>',
        css="\n".join((_FOLDER / f"{style}.css").read_text(encoding="utf-8") for style in ("base", *shared, name)),
        js=_LOADER.replace("MODULE", name),
        isolate_styles=False,
    )


_wall = _component("wall")
_player = _component("player")
_table = _component("table")
_alerts = _component("alerts_page")
_assistant = _component("assistant", "turn_words")
_turns = _component("turns", "turn_words")
_review = _component("review")
_agent = _component("agent")


def live_wall(*, ticket: str, start_command: str) -> str | None:
    """Draws the wall of live calls; returns the id of the call that the user opened in this run.

    ``start_command`` is what the empty wall tells people to run.
    """
    data = {"path": "/api/live", "ticket": ticket, "start_command": start_command}
    result = _wall(key="wall", data=data, on_opened_change=_nothing, on_ticket_wanted_change=_nothing)
    opened: str | None = result.opened
    return opened


@dataclass(frozen=True)
class PlayerEvents:
    """What a person did in the player in this run: ``{"index", "value"}``, and ``{"at_s", "text", "flagged"}``."""

    corrected: dict[str, Any] | None
    noted: dict[str, Any] | None


def call_player(call_id: str, *, ticket: str, labels: Sequence[str]) -> PlayerEvents:
    """Draws sound, sentiment, transcript and notes of one call; returns the correction or note just made.

    ``labels`` are the sentiments that a sentence can be corrected to.
    """
    data = {"call_id": call_id, "ticket": ticket, "labels": list(labels)}
    result = _player(
        key=f"player-{call_id}",
        data=data,
        on_corrected_change=_nothing,
        on_noted_change=_nothing,
        on_ended_change=_nothing,
        on_ticket_wanted_change=_nothing,
    )
    return PlayerEvents(result.corrected, result.noted)


def alert_log(alerts: Sequence[dict[str, Any]], *, key: str, on_judged: Callable[[], None]) -> str | None:
    """Draws a list of alerts (see ``wire``), newest first; returns the id of the call that the user opened in this run.

    ``on_judged`` runs before the script and finds ``{"id", "verdict"}`` in ``st.session_state[key]`` as ``judged``.
    """
    data = {"alerts": list(alerts)}
    result = _alerts(key=key, data=data, on_judged_change=on_judged, on_opened_change=_nothing)
    opened: str | None = result.opened
    return opened


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
    with kind person, text, number, time, duration, mood, label, interval, trend or labels; ``below`` names a field for
    a second line and ``orders`` the orders that a click on the head goes through. ``name`` is read out by screen
    readers; ``selected`` adds a box to each row. ``on_sorted`` and ``on_picked`` run before the script: they find the
    wanted order or the ids in ``st.session_state[key]`` as ``sorted`` and ``picked``.
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


def assistant(*, ticket: str, examples: Sequence[str]) -> str | None:
    """Draws the conversation with the assistant; returns the id of the one that the user wants to see in the archive.

    ``examples`` are questions to begin with.
    """
    data = {"path": "/api/assistant", "ticket": ticket, "examples": list(examples)}
    result = _assistant(key="assistant", data=data, on_opened_change=_nothing, on_ticket_wanted_change=_nothing)
    opened: str | None = result.opened
    return opened


def turn_list(
    turns: Sequence[dict[str, Any]],
    *,
    key: str,
    intents: Sequence[str],
    slots: Sequence[str],
    on_corrected: Callable[[], None],
) -> None:
    """Draws the turns of a conversation, as ``conversations.turn_object`` makes them.

    ``intents`` and ``slots`` are the names that a turn can be corrected to. ``on_corrected`` runs before the script and
    finds ``{"number", "intent", "slots"}`` in ``st.session_state[key].corrected``; each of these slots is
    ``{"name", "start", "end"}`` with offsets into the user's words.
    """
    data = {"turns": list(turns), "intents": list(intents), "slots": list(slots)}
    _turns(key=key, data=data, on_corrected_change=on_corrected)


def reviewing(*, ticket: str, asked: Mapping[str, str | None], hints: bool, autoplay: bool) -> None:
    """Draws one sentence at a time to judge; it fetches them and sends what the reviewer did by itself.

    ``asked`` says who reviews what, as ``review.query_of`` reads it. ``hints`` shows what models said before an answer,
    ``autoplay`` plays each sentence.
    """
    data = {"path": "/api/review", "ticket": ticket, "asked": dict(asked), "hints": hints, "autoplay": autoplay}
    _review(key="review", data=data, on_ticket_wanted_change=_nothing)


def agent_desk(agent: str, *, ticket: str, reminders: Sequence[str]) -> None:
    """Draws the call that ``agent`` is on: what is said, the customer's mood, suggestions and the ``reminders``."""
    data = {"agent": agent, "ticket": ticket, "reminders": list(reminders)}
    _agent(key=f"agent-{agent}", data=data, on_ticket_wanted_change=_nothing)


def _nothing() -> None:
    """Declares a trigger; its value is read after the component was drawn."""
