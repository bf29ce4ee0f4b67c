"""A folder of flows, checked and loaded: every defect is found at once, by file, line and state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.dialog.defects import Defect, FlowError, did_you_mean
from pipeline.dialog.drafts import Draft, action_name, draft, shape_of
from pipeline.dialog.flows import Flows, State, Work
from pipeline.dialog.graph import circles, reachable
from pipeline.dialog.languages import FOREIGN
from pipeline.dialog.loading import Loaded, build
from pipeline.dialog.shape import USER_TYPE
from pipeline.dialog.walk import status_key
from pipeline.errors import InputError

# Keys that the engine itself sets; the old language's understanding always had a location.
ENGINE_KEYS = frozenset({"intent", "raw_text", "location", "riva_error", "jarvis_error"})


def load(folder: Path, *, intents: Collection[str] = (), actions: Collection[str] = ()) -> Flows:
    """The flows of a folder's ``*.yml`` files; ``FlowError`` lists every error where there are any.

    ``intents`` are the labels of the understanding and ``actions`` the names that the assistant can serve; where
    they are given, the flows are checked against them too.
    """
    flows, defects = _checked(folder, intents, actions)
    if any(defect.severity == "error" for defect in defects):
        raise FlowError(str(folder), defects)
    return flows


def check(folder: Path, *, intents: Collection[str] = (), actions: Collection[str] = ()) -> list[Defect]:
    """All that is wrong with a folder, errors and warnings, in the order of files and lines."""
    return _checked(folder, intents, actions)[1]


def load_texts(
    files: Mapping[str, str], *, intents: Collection[str] = (), actions: Collection[str] = ()
) -> tuple[Flows, list[Defect]]:
    """The flows in these files' texts, and all that is wrong with them; use the flows only where nothing is."""
    return _assembled([draft(file, text) for file, text in sorted(files.items())], intents, actions)


def in_words(defects: Iterable[Defect]) -> str:
    """The defects as lines to print, errors and warnings told apart."""
    return "\n".join(f"{defect.severity}: {defect}" for defect in defects)


def _assembled(
    drafts: Sequence[Draft], intents: Collection[str], actions: Collection[str]
) -> tuple[Flows, list[Defect]]:
    loaded = build(drafts)
    whole = all(one.readable for one in drafts)
    beyond = [*_intents(drafts, loaded.flows, intents), *_actions(drafts, loaded.flows, actions)]
    found = [*loaded.defects, *beyond, *_contexts(drafts, loaded.flows)]
    if whole:
        found += _structure(loaded)
    return loaded.flows, sorted(dict.fromkeys(found), key=lambda defect: (defect.file, defect.line))


def _checked(folder: Path, intents: Collection[str], actions: Collection[str]) -> tuple[Flows, list[Defect]]:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder of flows: give one that holds *.yml files")
    drafts = _read(folder)
    if not drafts:
        raise InputError(f"{folder} holds no *.yml file: a folder of flows has at least one, with a state `init`")
    return _assembled(drafts, intents, actions)


def _read(folder: Path) -> list[Draft]:
    drafts = []
    for path in sorted(folder.glob("*.yml")):
        try:
            drafts.append(draft(path.name, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError as error:
            line = path.read_bytes()[: error.start].count(b"\n") + 1
            drafts.append(_unreadable(path, line, "not UTF-8 text"))
        except OSError as error:
            drafts.append(_unreadable(path, 0, f"cannot be read: {error.strerror}"))
    return drafts


def _unreadable(path: Path, line: int, message: str) -> Draft:
    return Draft(path.name, defects=(Defect(path.name, line, "", message),), readable=False)


def _structure(loaded: Loaded) -> Iterator[Defect]:
    """States that no conversation comes to, and circles that none leaves."""
    flows = loaded.flows
    unreached = [state for name, state in flows.states.items() if name not in reachable(flows)]
    for state in unreached:
        yield _at(loaded, state, "no conversation can come to this state", "warning")
    for circle in circles(flows):
        path = " -> ".join([*circle, circle[0]])
        yield _at(loaded, flows.states[circle[0]], f"goes round for ever without waiting for anybody: {path}")


def _at(loaded: Loaded, state: State, message: str, severity: str = "error") -> Defect:
    file = loaded.files[state.flow]
    return Defect(file, state.line, state.name, message, "warning" if severity == "warning" else "error")


def _intents(drafts: Sequence[Draft], flows: Flows, known: Collection[str]) -> Iterator[Defect]:
    """Intents that the understanding does not have, and that neither a phrase nor another language gives."""
    heard = {*known, FOREIGN, *flows.phrases.values(), *flows.openings.values(), *flows.aliases.values()}
    for one in drafts:
        for route in one.routes if known else ():
            if route.intent not in heard:
                message = f"the understanding has no intent `{route.intent}`{did_you_mean(route.intent, sorted(heard))}"
                yield Defect(one.file, route.line, "intent_transitions", message, "warning")


def _actions(drafts: Sequence[Draft], flows: Flows, served: Collection[str]) -> Iterator[Defect]:
    """User classes that the folder does not declare, where it declares any, or that nobody serves."""
    for one in drafts:
        for state in one.states:
            name = action_name(state.type)
            if shape_of(state.type) is not USER_TYPE:
                continue
            if flows.results and name not in flows.results:
                message = f"`actions` does not declare `{state.type}`{did_you_mean(name, flows.results)}"
                yield Defect(one.file, state.line, state.name, message)
            elif served and name not in served:
                message = f"nobody serves the action `{name}`{did_you_mean(name, served)}"
                yield Defect(one.file, state.line, state.name, message)


def _contexts(drafts: Sequence[Draft], flows: Flows) -> Iterator[Defect]:
    """Keys that texts read and nothing sets, slots that the understanding lacks, and entities that nothing reads."""
    written = _written(drafts, flows)
    uses = [use for one in drafts for use in one.uses]
    for use in uses:
        if use.key not in written:
            message = f"reads `{{{{{use.key}}}}}`, which nothing sets{did_you_mean(use.key, sorted(written))}"
            yield Defect(use.file, use.line, use.state, message, "warning")
    read = {use.key for use in uses}
    slots = {*flows.slots, "intent", "raw_text"}
    for one in drafts:
        for state in one.states:
            entities = state.values.get("entities", {})
            for key, slot in entities.items() if isinstance(entities, dict) else ():
                if flows.slots and slot not in slots:
                    message = f"the entity `{slot}` is not among `slots`{did_you_mean(slot, sorted(slots))}"
                    yield Defect(one.file, state.lines["entities"], state.name, message, "warning")
                elif key not in (slot, *read):
                    message = f"keeps the entity `{slot}` as `{key}`, which nothing reads; write `{slot}: {slot}`"
                    yield Defect(one.file, state.lines["entities"], state.name, message, "warning")


def _written(drafts: Sequence[Draft], flows: Flows) -> set[str]:
    written = {*ENGINE_KEYS, *flows.slots}
    for one in drafts:
        for state in one.states:
            written |= _keys(state.values.get("entities"), both=True) | _keys(state.values.get("update_keys"))
        for route in one.routes:
            written |= _keys(route.sets)
    for action in (state.action for state in flows.states.values() if isinstance(state, Work)):
        written |= {status_key(action), *flows.results.get(action, ())}
    return written


def _keys(pairs: object, *, both: bool = False) -> set[str]:
    if not isinstance(pairs, dict):
        return set()
    return {*pairs, *pairs.values()} if both else set(pairs)
