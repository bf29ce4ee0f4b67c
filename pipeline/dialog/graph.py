"""The edges of flows: what a conversation can do next, for reachability, coverage and drawing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.dialog.flows import END, INIT, RETURN, Asking, Change, Flows, Message, Question, Repeat, Restart, State
from pipeline.dialog.values import Move

ANYWHERE = "*"  # the source of what may happen at every question: intents, and the default transitions


def edges(flows: Flows) -> tuple[Move, ...]:
    """Every edge: the states' transitions and resumptions, then intents, default transitions and the way home."""
    entered = {target for state in flows.states.values() for target in state.targets.values()}
    goes_on = [state for state in flows.states.values() if not isinstance(state, Repeat) or state.name in entered]
    own = [edge for state in goes_on for edge in edges_of(state)]
    intents = [Move(ANYWHERE, intent, route.target, "intent") for intent, route in flows.intents.items()]
    defaults = [Move(ANYWHERE, label, target) for label, target in flows.defaults.targets.items()]
    home = [Move(RETURN, "home", flows.home, "home")] if flows.home else []
    return (*own, *intents, *defaults, *home)


def edges_of(state: State) -> Iterator[Move]:
    """The edges that are written at one state."""
    for label, target in state.targets.items():
        yield Move(state.name, label, target)
    if isinstance(state, Asking) and state.resume:
        yield Move(state.name, "resume", state.resume, "resume")


def as_edge(flows: Flows, move: Move) -> Move | None:
    """The edge that a move of a conversation took; None for moves that stay and for commands."""
    if move.kind in ("intent", "follow_up"):
        return Move(ANYWHERE, move.label, move.target, "intent")
    if move.kind == "stay" or move.label in ("begin", "reset"):
        return None
    state = flows.states.get(move.source)
    if move.kind == "transition" and state and move.label not in state.targets:
        return Move(ANYWHERE, move.label, move.target)
    return move


def reachable(flows: Flows) -> frozenset[str]:
    """The states that a conversation can come to."""
    found: set[str] = set()
    ahead = [INIT]
    asked = False
    while ahead:
        name = ahead.pop()
        if name == RETURN:
            name = flows.home
        state = flows.states.get(name)
        if state is None or name in found:
            continue
        found.add(name)
        ahead += [edge.target for edge in edges_of(state)]
        if isinstance(state, Asking) and not asked:
            asked = not (isinstance(state, Question) and state.understanding == "empty")
            ahead += [flows.home, *flows.defaults.targets.values()]
            ahead += [route.target for route in flows.intents.values()] if asked else []
    return frozenset(found)


def circles(flows: Flows) -> tuple[Sequence[str], ...]:
    """The circles of states that go round for ever without waiting for anybody, each once."""
    found: dict[frozenset[str], Sequence[str]] = {}
    for start in flows.states:
        path: list[str] = []
        name = start
        while name and name not in path:
            path.append(name)
            name = _only_way(flows, name)
        if name:
            circle = path[path.index(name) :]
            found.setdefault(frozenset(circle), circle)
    return tuple(found.values())


def _only_way(flows: Flows, name: str) -> str:
    state = flows.states.get(name)
    if not isinstance(state, Message | Change | Restart | Repeat):
        return ""
    target = state.targets["next_state"]
    return "" if target == END else flows.home if target == RETURN else target
