"""Drafts become Flows: names are looked up across the files, missing transitions fall through to the next state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from pipeline.dialog.defects import Defect, did_you_mean
from pipeline.dialog.drafts import Draft, DraftState, action_name, shape_of
from pipeline.dialog.flows import (
    END,
    INIT,
    RETURN,
    Change,
    Confirm,
    Defaults,
    Equal,
    Exists,
    Flows,
    Forgetting,
    Message,
    Patience,
    Question,
    Repeat,
    Restart,
    Route,
    State,
    Work,
)
from pipeline.dialog.reading import FieldValue, Target
from pipeline.dialog.shape import USER_TYPE
from pipeline.dialog.text import key_of, normal, placeholders

_OPTIONAL_LABELS = ("no_match", "no_input", "timed_out", "error")
_ONCE = ("home", "defaults", "slots", "fillers", "small_words", "negations", "corrections", "memory")
T = TypeVar("T")


@dataclass(frozen=True)
class Loaded:
    """Flows in which every name leads somewhere, and what had to be left out or guessed to make them so."""

    flows: Flows
    defects: tuple[Defect, ...]
    files: Mapping[str, str]  # a flow -> its file


class _Names:
    """The states and flows of all files, and the defects of names that lead nowhere."""

    def __init__(self, drafts: Sequence[Draft]) -> None:
        self.defects: list[Defect] = []
        self.whole = all(draft.readable for draft in drafts)  # else an unknown name may be one that could not be read
        self.flow_of: dict[str, str] = {}
        self.first: dict[str, str] = {}
        first_seen: dict[str, tuple[str, int]] = {}
        for draft in drafts:
            for state in draft.states:
                if state.name in first_seen:
                    file, line = first_seen[state.name]
                    message = f"a state of this name is in {file}:{line} already; names are unique across files"
                    self.defects.append(Defect(draft.file, state.line, state.name, message))
                else:
                    first_seen[state.name] = (draft.file, state.line)
                    self.flow_of[state.name] = _stem(draft)
            for name in {draft.name, _stem(draft)}:
                if name in self.first:
                    message = f"a flow called `{name}` exists already"
                    self.defects.append(Defect(draft.file, draft.lines.get("name", 1), "", message))
                elif draft.states:
                    self.first[name] = draft.states[0].name

    def find(self, target: Target, file: str, state: str, label: str) -> str:
        """The name that a target leads to, RETURN and a defect where there is none."""
        if target.is_flow:
            found = self.first.get(target.name, "")
            known, what = list(self.first), "flow"
        else:
            found = target.name if target.name in (END, RETURN) or target.name in self.flow_of else ""
            known, what = list(self.flow_of), "state"
        if not found and self.whole:
            message = (
                f"`{label}` leads to {what} `{target.name}`, which does not exist{did_you_mean(target.name, known)}"
            )
            self.defects.append(Defect(file, target.line, state, message))
        return found or RETURN


def build(drafts: Sequence[Draft]) -> Loaded:
    """The flows of all drafts together; with errors among the defects they are good for drawing and checks only."""
    names = _Names(drafts)
    defaults = _defaults(names, drafts)
    states: dict[str, State] = {}
    routes: dict[str, Route] = {}
    for draft in drafts:
        following = [state.name for state in draft.states[1:]] + [RETURN]
        for state, after in zip(draft.states, following, strict=False):
            if state.name not in states:
                states[state.name] = _state(names, draft, state, after, defaults)
        for route in draft.routes:
            target = names.find(route.target, draft.file, "intent_transitions", route.intent)
            if route.intent in routes:
                message = f"`{route.intent}` has a transition in {routes[route.intent].flow} already"
                names.defects.append(Defect(draft.file, route.line, "intent_transitions", message))
            flow = names.flow_of.get(target, _stem(draft))
            routes.setdefault(route.intent, Route(flow, target, route.sets, route.returns, route.stand_ins))
    if INIT not in states and names.whole:
        names.defects.append(Defect(drafts[0].file if drafts else "", 0, "", f"no file has a state `{INIT}`"))
    flows = _merged(names, drafts, states, routes, defaults)
    own = [defect for draft in drafts for defect in draft.defects]
    return Loaded(flows, (*own, *names.defects), {_stem(draft): draft.file for draft in drafts})


def _stem(draft: Draft) -> str:
    return draft.file.rpartition("/")[2].removesuffix(".yml")


def _get(values: Mapping[str, FieldValue], key: str, default: T) -> T:
    return cast(T, values.get(key, default))


def _state(names: _Names, draft: Draft, state: DraftState, after: str, defaults: Defaults) -> State:
    labels = (
        None
        if state.labels is None
        else {label: names.find(target, draft.file, state.name, label) for label, target in state.labels.items()}
    )

    def to(*wanted: str) -> tuple[str, str, int, dict[str, str]]:
        """What every state has; a label that is not written goes where next_state does, else to the state below."""
        if labels is None:
            targets = dict.fromkeys(wanted, after)
        else:
            other = labels.get("next_state") or (after if labels else RETURN)
            targets = {label: labels.get(label, other) for label in wanted}
        return state.name, _stem(draft), state.line, targets

    written = labels or {}
    values = state.values
    match state.type:
        case "message_text":
            return Message(*to("next_state"), (_get(values, "text", ""),), _get(values, "delay", 0.0))
        case "message_text_random":
            return Message(*to("next_state"), _get(values, "responses", ()) or ("",), _get(values, "delay", 0.0))
        case "input_user" | "input_context":
            leaving = _question_labels(values, written, defaults)
            name, flow, line, targets = to(*leaving)
            optional = {label: written[label] for label in _OPTIONAL_LABELS if label in written}
            return Question(
                *(name, flow, line, targets | optional),
                _patience(values),
                _resume(names, draft, state),
                understanding=_get(values, "nlp_type", "empty"),
                entities=_get(values, "entities", {}),
                match_any=_get(values, "match_any", ()),
                require_match=_get(values, "require_match", False),
                require_intent=_get(values, "require_intent", False),
            )
        case "confirm":
            name, flow, line, targets = to("confirmed", "denied")
            optional = {label: written[label] for label in _OPTIONAL_LABELS if label in written}
            return Confirm(
                *(name, flow, line, targets | optional),
                _patience(values),
                _resume(names, draft, state),
                texts=_get(values, "text", ()) or ("",),
                key=next(iter(_get(values, "key", ())), ""),
                unless=_get(values, "unless", ()),
            )
        case "change_context":
            names_to_delete: tuple[str, ...] = _get(values, "del_keys", ())
            keys = tuple(key_of(text) for text in names_to_delete)
            return Change(*to("next_state"), keys, _get(values, "update_keys", {}))
        case "conditional_exists":
            return Exists(*to("exists", "notexists"), _get(values, "key", ()))
        case "conditional_equal":
            return Equal(*to("equal", "notequal"), _get(values, "value1", ""), _get(values, "value2", ""))
        case "reset":
            return Restart(state.name, _stem(draft), state.line, {"next_state": INIT})
        case "repeat":
            return Repeat(*to("next_state"))
        case _ if shape_of(state.type) is USER_TYPE:
            return _work(state, to("next_state", *written))
        case _:
            return Message(*to("next_state"), ("",))


def _question_labels(
    values: Mapping[str, FieldValue], written: Mapping[str, str], defaults: Defaults
) -> tuple[str, ...]:
    """The labels that a question can leave by: no `notmatch` where texts answer what does not match."""
    texts = _get(values, "no_match", ()) or defaults.patience.no_match
    unmatched = ("notmatch",) if "notmatch" in written or not texts else ()
    if _get(values, "require_intent", False):
        return unmatched
    return ("match", *unmatched) if _get(values, "require_match", False) else ("next_state",)


def _resume(names: _Names, draft: Draft, state: DraftState) -> str:
    target = state.values.get("resume")
    return names.find(target, draft.file, state.name, "resume") if isinstance(target, Target) else ""


def _patience(values: Mapping[str, FieldValue]) -> Patience:
    no_input_s: float | None = _get(values, "no_input_s", None)
    time_out_s: float | None = _get(values, "time_out_s", None)
    return Patience(_get(values, "no_input", ()), _get(values, "no_match", ()), no_input_s, time_out_s)


def _work(state: DraftState, common: tuple[str, str, int, dict[str, str]]) -> Work:
    own = {key: value for key, value in state.values.items() if key not in USER_TYPE.properties}
    request: dict[str, str] = {**cast(dict[str, str], own), **_get(state.values, "request", {})}
    return Work(
        *common,
        action=action_name(state.type),
        request=request,
        whole_context="request" not in state.values,
        time_out_s=_get(state.values, "time_out_s", None),
    )


def _defaults(names: _Names, drafts: Sequence[Draft]) -> Defaults:
    for draft in drafts:
        if "defaults" in draft.lines:
            targets = {
                label: names.find(target, draft.file, "defaults", label)
                for label, target in draft.default_labels.items()
            }
            return Defaults(_patience(draft.defaults), targets)
    return Defaults()


def _merged(
    names: _Names,
    drafts: Sequence[Draft],
    states: Mapping[str, State],
    routes: Mapping[str, Route],
    defaults: Defaults,
) -> Flows:
    settings: dict[str, FieldValue] = {}
    owner: dict[str, str] = {}
    for draft in drafts:
        for key in (key for key in _ONCE if key in draft.lines):
            if key in owner:
                names.defects.append(Defect(draft.file, draft.lines[key], "", f"`{key}` is in {owner[key]} already"))
            owner.setdefault(key, draft.file)
        settings = {**draft.settings, **settings}
    aliases: dict[str, str] = {}
    phrases: dict[str, str] = {}
    openings: dict[str, str] = {}
    results: dict[str, tuple[str, ...]] = {}
    fillers: frozenset[str] = frozenset(_get(settings, "fillers", ()))
    for draft in drafts:
        aliases |= _get(draft.settings, "aliases", {})
        results |= {action_name(name): keys for name, keys in draft.lists.get("actions", {}).items()}
        for intent, texts in draft.lists.get("phrases", {}).items():
            for text in texts:
                words = normal(text, fillers)
                kept = openings if text.rstrip().endswith("...") else phrases
                other = kept.setdefault(words, intent) if words else ""
                if other != intent:
                    means = f"means both `{other}` and `{intent}`" if words else "is nothing but fillers"
                    message = f"the phrase `{text}` {means}"
                    names.defects.append(Defect(draft.file, draft.lines["phrases"], "phrases", message))
    slots = _get(settings, "slots", ())
    return Flows(
        states,
        routes,
        _home(names, drafts),
        defaults,
        slots,
        phrases,
        openings,
        fillers,
        frozenset(_get(settings, "small_words", ())),
        frozenset(_get(settings, "negations", ())),
        frozenset(_get(settings, "corrections", ())),
        tuple(_rule(rule) for draft in drafts for rule in draft.memory),
        aliases,
        results,
        _task_slots(states, slots),
    )


def _home(names: _Names, drafts: Sequence[Draft]) -> str:
    for draft in drafts:
        target = draft.settings.get("home")
        if isinstance(target, Target):
            found = names.find(target, draft.file, "", "home")
            return "" if found == RETURN else found
    return ""


def _rule(values: Mapping[str, FieldValue]) -> Forgetting:
    return Forgetting(_get(values, "forget", ()), _get(values, "naming", ()), _get(values, "intents", ()))


def _task_slots(states: Mapping[str, State], slots: Sequence[str]) -> dict[str, frozenset[str]]:
    asked: dict[str, set[str]] = {}
    for state in states.values():
        if isinstance(state, Work):
            keys = {key for text in state.request.values() for key in placeholders(text)}
            asked.setdefault(state.flow, set()).update(keys & set(slots))
    return {flow: frozenset(keys) for flow, keys in asked.items() if keys}
