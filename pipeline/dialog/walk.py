"""Walking from state to state until one waits for somebody. Pure: every function gives a new Walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from zlib import crc32

from pipeline.dialog.flows import (
    END,
    INIT,
    RETURN,
    Change,
    Confirm,
    Equal,
    Exists,
    Flows,
    Message,
    Question,
    Repeat,
    Restart,
    State,
    Work,
)
from pipeline.dialog.text import fill, render, spoken
from pipeline.dialog.values import Action, DialogState, Frame, Move, Reply, Task, Value

MOST_MOVES = 200  # in one step; only flows that run in a circle without waiting take more, and then the dialog ends
DEEPEST_STACK = 4  # interrupted questions that are remembered


@dataclass(frozen=True)
class Walk:
    """A step in the making."""

    state: DialogState
    replies: tuple[Reply, ...] = ()
    actions: tuple[Action, ...] = ()
    moves: tuple[Move, ...] = ()


def go(flows: Flows, walk: Walk, move: Move) -> Walk:
    """The walk along this move and on, up to the next state that waits, or the end."""
    for _ in range(MOST_MOVES):
        walk = _enter(flows, walk, move)
        node = flows.states.get(walk.state.at)
        if node is None:
            return walk
        walk, label = _visit(flows, walk, node)
        if not label:
            return walk
        move = Move(node.name, label, node.targets[label])
    return update(walk, at=END)


def take(flows: Flows, walk: Walk, node: State, label: str) -> Walk:
    """The walk along one of the state's own transitions."""
    return go(flows, walk, Move(node.name, label, node.targets[label]))


def stay(walk: Walk, label: str, text: str = "") -> Walk:
    """The walk that remains where it is and says a text."""
    here = walk.state.at
    walk = replace(walk, moves=(*walk.moves, Move(here, label, here, "stay")))
    return say(walk, text) if text else walk


def say(walk: Walk, template: str, delay_s: float = 0.0) -> Walk:
    """The walk with one more reply; nothing is said where the text turns out empty."""
    text = render(template, walk.state.context).strip()
    return replace(walk, replies=(*walk.replies, Reply(text, delay_s))) if text else walk


def update(walk: Walk, **changes: object) -> Walk:
    """The walk with fields of its state replaced."""
    return replace(walk, state=replace(walk.state, **changes))  # type: ignore[arg-type]


def put(walk: Walk, values: Mapping[str, Value]) -> Walk:
    """The walk with these keys set in its context."""
    return update(walk, context={**walk.state.context, **values})


def interrupt(walk: Walk, question: str, resume: str) -> Walk:
    """The walk that will come back to this question when what comes now returns."""
    frame = Frame(question, resume, walk.state.context)
    return update(walk, stack=(*walk.state.stack, frame)[-DEEPEST_STACK:])


def blank(state: DialogState) -> DialogState:
    """The state with everything forgotten except which conversation it is."""
    return DialogState(at=state.at, seed=state.seed, visits=state.visits, events=state.events)


def recall(state: DialogState, task: Task) -> tuple[Task, ...]:
    """The state's tasks with this one as the most recent; one is kept per flow."""
    return (task, *(other for other in state.tasks if other.flow != task.flow))


def _enter(flows: Flows, walk: Walk, move: Move) -> Walk:
    walk = replace(walk, moves=(*walk.moves, move))
    target = move.target
    if target == RETURN:
        walk, target = _leave(flows, walk)
    return update(walk, at=target, misses=0, silences=0, pending=None)


def _leave(flows: Flows, walk: Walk) -> tuple[Walk, str]:
    if walk.state.stack:
        frame = walk.state.stack[-1]
        flow, intent = flows.states[frame.question].flow, frame.context.get("intent", "")
        tasks = recall(walk.state, Task(flow, spoken(intent))) if flows.task_slots.get(flow) else walk.state.tasks
        context = _restored(flows, walk.state, frame, flow)
        walk = update(walk, context=context, stack=walk.state.stack[:-1], tasks=tasks)
        move = Move(frame.question, "resume", frame.resume, "resume")
    elif flows.home:
        move = Move(RETURN, "home", flows.home, "home")
    else:
        return walk, END
    return replace(walk, moves=(*walk.moves, move)), move.target


def _restored(flows: Flows, state: DialogState, frame: Frame, flow: str) -> dict[str, Value]:
    """The context of an interrupted question; slots that it has no use for stay as they are now, for follow-ups."""
    others = set(flows.slots) - flows.task_slots.get(flow, frozenset())
    before = {key: value for key, value in frame.context.items() if key not in others}
    return before | {key: value for key, value in state.context.items() if key in others}


def _visit(flows: Flows, walk: Walk, node: State) -> tuple[Walk, str]:
    """The walk after this state's own deed, and the label it leaves by; "" where it waits."""
    context = walk.state.context
    match node:
        case Message():
            walk, text = _turn(walk, node.name, node.texts)
            return say(walk, text, node.delay_s), "next_state"
        case Change():
            return _change(walk, node), "next_state"
        case Exists():
            return walk, "exists" if any(context.get(key) for key in node.keys) else "notexists"
        case Equal():
            same = render(node.value1, context) == render(node.value2, context)
            return walk, "equal" if same else "notequal"
        case Restart():
            return replace(walk, state=blank(walk.state)), "next_state"
        case Repeat():
            return replace(walk, replies=(*walk.replies, *walk.state.said)), "next_state"
        case Confirm():
            if _settled(walk.state, node):
                return walk, "confirmed"
            walk, text = _turn(walk, node.name, node.texts)
            return say(walk, text), ""
        case Work():
            return _ask_for(flows, walk, node), ""
        case Question():
            return walk, ""
        case _:
            raise AssertionError(f"a state of kind {type(node).__name__}")


def _turn(walk: Walk, name: str, texts: tuple[str, ...]) -> tuple[Walk, str]:
    if len(texts) == 1:
        return walk, texts[0]
    visits = walk.state.visits.get(name, 0)
    start = crc32(f"{walk.state.seed} {name}".encode())
    walk = update(walk, visits={**walk.state.visits, name: visits + 1})
    return walk, texts[(start + visits) % len(texts)]


def _change(walk: Walk, node: Change) -> Walk:
    context = {key: value for key, value in walk.state.context.items() if key not in node.del_keys}
    for key, template in node.update_keys.items():
        value = fill(template, context)
        if value is None:
            context.pop(key, None)
        else:
            context[key] = value
    return update(walk, context=context)


def _settled(state: DialogState, node: Confirm) -> bool:
    if not node.key:
        return False
    value = state.context.get(node.key, "")
    return not value or value in node.unless or state.confirmed.get(node.key) == value


def _ask_for(flows: Flows, walk: Walk, node: Work) -> Walk:
    stale = {*flows.results.get(node.action, ()), status_key(node.action)}
    context = {key: value for key, value in walk.state.context.items() if key not in stale}
    filled = {key: fill(template, context) for key, template in node.request.items()}
    request = (context if node.whole_context else {}) | {key: value for key, value in filled.items() if value}
    action = Action(len(walk.state.events), node.action, request)
    return replace(walk, state=replace(walk.state, context=context, pending=action), actions=(*walk.actions, action))


def status_key(action: str) -> str:
    """The context key in which an action says how it went: ``weather_status``."""
    return f"{action}_status"


START = Move("", "begin", INIT)
