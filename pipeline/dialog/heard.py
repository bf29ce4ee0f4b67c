"""What a person's words do at the state that waits for them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.calls import Slot
from pipeline.dialog.flows import END, INIT, Asking, Confirm, Flows, Question, Repeat, Work
from pipeline.dialog.languages import FOREIGN, is_foreign
from pipeline.dialog.text import clean, fill, is_fragment, meant, normal, opening_of, placeholders, spoken
from pipeline.dialog.values import Move, Said, Task, Value
from pipeline.dialog.walk import Walk, go, interrupt, put, recall, stay, take, update

YES, NO = "affirm", "deny"  # the intents that a Confirm understands
ERRORS = ("riva_error", "jarvis_error")
RESERVED = frozenset({"intent", "raw_text", *ERRORS})  # context keys that no slot may write


@dataclass(frozen=True)
class Heard:
    """An utterance as the flows see it."""

    text: str
    intent: str
    slots: Mapping[str, Value]
    fragment: bool  # nothing but slots and small words: an answer, a correction or a follow-up


def hear(flows: Flows, walk: Walk, said: Said) -> Walk:
    """The walk after the person's words; after the end they begin anew, at home where there is one."""
    if walk.state.at == END:
        walk = go(flows, walk, Move(END, "begin", flows.home or INIT, "home"))
    node = flows.states.get(walk.state.at)
    if isinstance(node, Work):
        heard = understand(flows, said)
        return _follow_up(flows, walk, heard) or _cut_in(flows, walk, heard) or walk
    if isinstance(node, Question) and node.understanding == "empty":
        return _answer(flows, put(walk, {"raw_text": clean(said.text)}), node, Heard(said.text, "", {}, True))
    if not isinstance(node, Question | Confirm):
        return walk
    if said.error:
        return _not_understood(flows, walk, node, said)
    context = {key: value for key, value in walk.state.context.items() if key not in ERRORS}
    walk = update(walk, context={**context, "raw_text": clean(said.text)})
    heard = understand(flows, said)
    if isinstance(node, Question):
        return _question(flows, walk, node, heard)
    return _confirm(flows, walk, node, heard)


def understand(flows: Flows, said: Said) -> Heard:
    """What was meant: a phrase of the flows counts more than the model, which may misspell its own intents."""
    intent = said.intent
    slots = intent.slots if intent else ()
    words = normal(said.text, flows.fillers)
    known = flows.phrases.get(words, "") or flows.openings.get(opening_of(words, flows.openings), "")
    fragment = is_fragment(said.text, slots, flows.small_words)
    if not known and not fragment and FOREIGN in flows.intents and is_foreign(said.text):
        known = FOREIGN
    name = known or (intent.name if intent and words else "")  # "um" means nothing
    name = flows.aliases.get(name, name)
    left = meant(said.text, slots, flows.negations, flows.corrections)
    return Heard(said.text, name, _values(left), fragment)


def missed(flows: Flows, walk: Walk, node: Asking, label: Literal["no_match", "no_input"]) -> Walk:
    """The walk after an answer that is no use, or none at all: the next text, or the way out when all were said."""
    if label == "no_input":
        texts, count = node.patience.no_input or flows.defaults.patience.no_input, walk.state.silences
        counted = update(walk, silences=count + 1)
    else:
        texts, count = node.patience.no_match, walk.state.misses
        if not texts and "notmatch" not in node.targets:
            texts = flows.defaults.patience.no_match
        counted = update(walk, misses=count + 1)
    if count < len(texts):
        return stay(counted, label, texts[count])
    out = leave(flows, walk, node, label)
    if not out and label == "no_match":
        out = leave(flows, walk, node, "notmatch")
    return out or stay(walk, label)


def leave(flows: Flows, walk: Walk, node: Asking, label: str) -> Walk | None:
    """The walk along a transition that the state or the defaults have, else None."""
    target = node.targets.get(label) or flows.defaults.targets.get(label)
    return go(flows, walk, Move(node.name, label, target)) if target else None


def _values(slots: tuple[Slot, ...]) -> dict[str, Value]:
    """Values by slot, in the order said; a slot said several times with different values holds them all."""
    values: dict[str, tuple[str, ...]] = {}
    for slot in sorted(slots, key=lambda slot: slot.start):
        value = clean(slot.value) or clean(slot.text)
        if value and slot.name not in RESERVED and value not in values.get(slot.name, ()):
            values[slot.name] = (*values.get(slot.name, ()), value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def _not_understood(flows: Flows, walk: Walk, node: Question | Confirm, said: Said) -> Walk:
    spelling = node.understanding if isinstance(node, Question) else "riva"
    walk = put(walk, {"raw_text": clean(said.text), f"{spelling}_error": clean(said.error)})
    interrupted = interrupt(walk, node.name, node.resume) if node.resume else walk
    left = leave(flows, interrupted, node, "error")
    if left:
        return left
    nothing = Heard(said.text, "", {}, False)
    return _answer(flows, walk, node, nothing) if isinstance(node, Question) else missed(flows, walk, node, "no_match")


def _question(flows: Flows, walk: Walk, node: Question, heard: Heard) -> Walk:
    wanted = {*node.entities.values(), *node.match_any}
    if heard.fragment:
        if wanted & set(heard.slots):
            return _answer(flows, walk, node, heard)
        if wanted and set(heard.slots) <= flows.task_slots.get(node.flow, frozenset()):
            return _answer(flows, walk, node, heard)  # something else of the same task: keep it, ask again
        followed = None if wanted else _follow_up(flows, walk, heard)
        if followed:
            return followed
    return _switch(flows, walk, heard) or _answer(flows, _asked_anew(flows, walk, heard), node, heard)


def _asked_anew(flows: Flows, walk: Walk, heard: Heard) -> Walk:
    """The walk with what the open question's own intent sets, when the person asks again in other words."""
    route = flows.intents.get(heard.intent)
    if not route or heard.fragment or heard.intent != walk.state.context.get("intent"):
        return walk
    return _set(walk, {key: text for key, text in route.sets.items() if placeholders(text)})


def _confirm(flows: Flows, walk: Walk, node: Confirm, heard: Heard) -> Walk:
    asked = walk.state.context.get(node.key, "") if node.key else ""
    if heard.intent == YES or (asked and heard.slots.get(node.key) == asked):
        return take(flows, _confirmed(_merge(flows, walk, heard), node), node, "confirmed")
    if heard.intent == NO:
        return take(flows, walk, node, "denied")
    corrects = node.key in heard.slots or (
        heard.fragment and set(heard.slots) <= flows.task_slots.get(node.flow, frozenset())
    )
    if node.key and corrects:
        return go(flows, _merge(flows, walk, heard), Move(node.name, "corrected", node.name, "stay"))
    return _switch(flows, walk, heard) or missed(flows, walk, node, "no_match")


def _confirmed(walk: Walk, node: Confirm) -> Walk:
    if not node.key:
        return walk
    return update(walk, confirmed={**walk.state.confirmed, node.key: walk.state.context.get(node.key, "")})


def _answer(flows: Flows, walk: Walk, node: Question, heard: Heard) -> Walk:
    """The walk after words that stay within the question: keep what was said, then match or not."""
    walk = _merge(flows, walk, heard)
    found: dict[str, Value] = dict(heard.slots)
    if heard.text:
        found["raw_text"] = clean(heard.text)
    if heard.intent:
        found["intent"] = heard.intent
    walk = put(walk, {key: found[name] for key, name in node.entities.items() if name in found})
    if node.require_intent:
        return missed(flows, walk, node, "no_match")
    if not node.require_match:
        return take(flows, walk, node, "next_state")
    named = all(name in found for name in node.entities.values())
    if named and (not node.match_any or any(name in found for name in node.match_any)):
        return take(flows, walk, node, "match")
    return missed(flows, walk, node, "no_match")


def _follow_up(flows: Flows, walk: Walk, heard: Heard) -> Walk | None:
    """The walk into the most recent task that can use all these slots ("and tomorrow?"), None if none can."""
    if not heard.fragment:
        return None
    for task in walk.state.tasks:
        route = flows.intents.get(task.intent)
        known = flows.task_slots.get(task.flow, frozenset())
        if not route:
            continue
        names = {name: name if name in known else route.stand_ins.get(name, name) for name in heard.slots}
        if known.issuperset(names.values()):
            meant_slots = {names[name]: value for name, value in heard.slots.items()}
            merged = _merge(flows, walk, replace(heard, slots=meant_slots), task.intent)
            same = {key: text for key, text in route.sets.items() if not placeholders(text)}  # the rest is as it was
            move = Move(walk.state.at, task.intent, route.target, "follow_up")
            return _into(flows, _set(merged, same), task, move)
    return None


def _cut_in(flows: Flows, walk: Walk, heard: Heard) -> Walk | None:
    """The walk away from an action under way, for another request or to drop it; small talk waits for the answer."""
    route = flows.intents.get(heard.intent)
    if route and (not route.returns or flows.task_slots.get(route.flow)):
        return _switch(flows, walk, heard)
    return None


def _switch(flows: Flows, walk: Walk, heard: Heard) -> Walk | None:
    """The walk to where the intent leads, None if it leads nowhere or is what the conversation is about already."""
    route = flows.intents.get(heard.intent)
    node = flows.states[walk.state.at]
    if not route or (heard.intent == walk.state.context.get("intent") and isinstance(node, Asking)):
        return None
    if isinstance(flows.states.get(route.target), Repeat):
        walk = stay(walk, heard.intent)
        moves = (*walk.moves[:-1], Move(node.name, heard.intent, route.target, "intent"))
        return replace(walk, replies=(*walk.replies, *walk.state.said), moves=moves)
    elsewhere = route.flow != node.flow
    if not route.returns:
        walk = update(walk, stack=())
    elif isinstance(node, Asking) and node.resume and elsewhere:
        walk = interrupt(walk, node.name, node.resume)
    fresh = elsewhere and bool(flows.task_slots.get(route.flow))
    walk = _merge(flows, walk, heard, heard.intent, fresh=fresh)
    walk = _set(put(walk, {"raw_text": clean(heard.text)}), route.sets)
    task = Task(route.flow, heard.intent)
    return _into(flows, walk, task, Move(node.name, heard.intent, route.target, "intent"))


def _set(walk: Walk, sets: Mapping[str, str]) -> Walk:
    """The walk with a route's keys set; a key whose template is a lone key that is missing is deleted."""
    filled = {key: fill(text, walk.state.context) for key, text in sets.items()}
    kept = {key: value for key, value in walk.state.context.items() if key not in filled}
    return update(walk, context={**kept, **{key: value for key, value in filled.items() if value}})


def _into(flows: Flows, walk: Walk, task: Task, move: Move) -> Walk:
    walk = put(walk, {"intent": task.intent})
    if flows.task_slots.get(task.flow):
        walk = update(walk, tasks=recall(walk.state, task))
    return go(flows, walk, move)


def _merge(flows: Flows, walk: Walk, heard: Heard, intent: str = "", *, fresh: bool = False) -> Walk:
    """The walk with the slots in its context, and without what they make obsolete."""
    context = walk.state.context
    intent = intent or spoken(context.get("intent", ""))
    gone: set[str] = set()
    for rule in flows.memory:
        named = any(name in heard.slots and heard.slots[name] != context.get(name, "") for name in rule.naming)
        applies = named if rule.naming else fresh
        if applies and (not rule.intents or intent in rule.intents):
            gone.update(rule.forget)
    kept = {key: value for key, value in context.items() if key not in gone}
    confirmed = {key: value for key, value in walk.state.confirmed.items() if key not in heard.slots}
    return update(walk, context={**kept, **heard.slots}, confirmed=confirmed)
