"""A text of alert rules in, the rules or every defect with its line out (pure)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pipeline.alerts.phrases import pattern
from pipeline.alerts.rules import (
    AsksForSupervisor,
    Condition,
    Means,
    MoodBelow,
    NegativeInARow,
    Rule,
    Says,
    Severity,
    Silence,
    TalkOver,
    Who,
)
from pipeline.alerts.shape import CONDITIONS, DEFAULT_CLOSENESS, DEFAULT_COOLDOWN_S, DEFAULT_WITHIN_S, RULE_KEYS, Key
from pipeline.dialog.defects import did_you_mean
from pipeline.dialog.nodes import Items, Node, Scalar, Table, parse
from pipeline.errors import InputError

_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_MOST_RULES = 200
_FEWEST_WORDS = 3  # of a sentence that describes a meaning: two words lie near all sorts of sentences


@dataclass(frozen=True)
class Defect:
    """One thing to mend in the file; lines count from 1."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class RulesError(InputError):
    """A file of rules cannot be used; ``defects`` is the full list."""

    def __init__(self, origin: str, defects: Sequence[Defect]) -> None:
        self.defects = tuple(sorted(defects, key=lambda defect: defect.line))
        count = f"{len(defects)} thing{'' if len(defects) == 1 else 's'} to mend"
        super().__init__("\n".join([f"the alert rules in {origin} cannot be used, {count}:", *map(str, self.defects)]))


def read(text: str, origin: str) -> tuple[Rule, ...]:
    """The rules in a YAML ``text``, off ones too; ``origin`` names it in the error.

    Raises RulesError with everything that is wrong with it at once.
    """
    root, flaws = parse(text)
    reader = _Reader([Defect(flaw.line, flaw.message) for flaw in flaws])
    rules = reader.file(root) if root is not None else ()
    if reader.defects:
        raise RulesError(origin, reader.defects)
    return rules


class _Reader:
    """Reads the nodes of one file and gathers its defects."""

    def __init__(self, defects: list[Defect]) -> None:
        self.defects = defects
        self._forms: dict[str, tuple[str, ...]] = {}

    def file(self, root: Node) -> tuple[Rule, ...]:
        """The rules of the whole file; those with a defect are left out."""
        if not isinstance(root, Table):
            self._wrong(root, "the file must be a map with `rules:`, a list")
            return ()
        for key, node in root.entries:
            if key.text not in ("rules", "forms"):
                self._wrong(
                    key, f"`{key.text}` is no key of the file{did_you_mean(key.text or '', ('rules', 'forms'))}"
                )
            elif key.text == "forms":
                self._forms = self._read_forms(node)
        listed = root.get("rules")
        if not isinstance(listed, Items):
            empty = isinstance(listed, Scalar) and listed.text is None
            if not empty:  # an empty list of rules is a way to have none
                self._wrong(listed or root, "`rules` must be a list: each rule begins with `- name:`")
            return ()
        if len(listed.items) > _MOST_RULES:
            self._wrong(listed, f"{len(listed.items)} rules; at most {_MOST_RULES} are watched")
        rules: list[Rule] = []
        names: dict[str, int] = {}
        for node in listed.items:
            before = len(self.defects)
            rule = self._rule(node)
            if rule is None or len(self.defects) > before:
                continue
            if rule.name in names:
                self._wrong(node, f"a rule called “{rule.name}” is in line {names[rule.name]} already")
                continue
            names[rule.name] = node.line
            rules.append(rule)
        return tuple(rules)

    def _rule(self, node: Node) -> Rule | None:
        if not isinstance(node, Table):
            self._wrong(node, "a rule must be a map with `name:` and `when:`")
            return None
        fields = {key.text or "": value for key, value in node.entries}
        for key, _ in node.entries:
            if key.text not in (*RULE_KEYS, "when"):
                known = did_you_mean(key.text or "", (*RULE_KEYS, "when"))
                self._wrong(key, f"`{key.text}` is no key of a rule{known}")
        values = {name: self._value(name, known, fields[name]) for name, known in RULE_KEYS.items() if name in fields}
        if "name" not in fields:
            self._wrong(node, "a rule needs `name`")
        when = self._condition(fields["when"]) if "when" in fields else None
        if "when" not in fields:
            self._wrong(node, f"a rule needs `when` with one of {', '.join(CONDITIONS)}")
        if when is None or not isinstance(values.get("name"), str):
            return None
        cooldown_s = values.get("cooldown_s")
        return Rule(
            name=cast(str, values["name"]),
            when=when,
            severity=cast(Severity, values.get("severity") or "warning"),
            message=cast(str, values.get("message") or ""),
            cooldown_s=cast(float, DEFAULT_COOLDOWN_S if cooldown_s is None else cooldown_s),
            enabled=values.get("enabled") is not False,
        )

    def _condition(self, node: Node) -> Condition | None:
        if not isinstance(node, Table):
            self._wrong(node, f"`when` must be a map with one of {', '.join(CONDITIONS)}")
            return None
        names = [key.text or "" for key, _ in node.entries]
        chosen = [name for name in names if name in CONDITIONS]
        every_key = {name for keys in CONDITIONS.values() for name in keys}
        if not chosen:
            hint = next((hint for name in names if (hint := did_you_mean(name, every_key))), "")
            self._wrong(node, f"`when` needs one of {', '.join(CONDITIONS)}{hint}")
            return None
        if len(chosen) > 1:
            self._wrong(node, f"`when` holds {' and '.join(chosen)}; write a rule for each")
            return None
        keys = CONDITIONS[chosen[0]]
        for key, _ in node.entries:
            if key.text not in keys:
                self._wrong(key, f"`{key.text}` does not go with {chosen[0]}{did_you_mean(key.text or '', keys)}")
        before = len(self.defects)
        values = {
            name: self._value(name, known, value)
            for name, known in keys.items()
            if (value := node.get(name)) is not None
        }
        if len(self.defects) > before:
            return None
        return self._made(chosen[0], values, node)

    def _made(self, name: str, values: Mapping[str, object], node: Table) -> Condition | None:
        number = {key: value for key, value in values.items() if isinstance(value, float)}
        match name:
            case "mood_below":
                return MoodBelow(number["mood_below"], number.get("for_s", 0.0))
            case "negative_in_a_row":
                return NegativeInARow(int(number[name]))
            case "silence_s":
                return Silence(number[name])
            case "talk_over_s":
                within_s = number.get("within_s", DEFAULT_WITHIN_S)
                if within_s < number[name]:
                    self._wrong(node, f"talk_over_s {number[name]:g} does not fit into within_s {within_s:g}")
                    return None
                return TalkOver(number[name], within_s)
            case "asks_for_supervisor":
                if values[name] is not True:
                    self._wrong(node, "asks_for_supervisor is true or not there; `enabled: false` turns a rule off")
                    return None
                return AsksForSupervisor()
            case "means":
                sentences = cast(tuple[str, ...], values[name])
                for place, text in enumerate(sentences):
                    if len(text.split()) < _FEWEST_WORDS:
                        listed = node.get(name)
                        at = listed.items[place] if isinstance(listed, Items) else node
                        self._wrong(at, f"“{text}” is no sentence: write {_FEWEST_WORDS} words or more, or use `says`")
                return Means(
                    cast(Who, values.get("who", "anyone")), sentences, number.get("closeness", DEFAULT_CLOSENESS)
                )
            case _:
                return self._says(cast(tuple[str, ...], values["says"]), cast(Who, values.get("who", "anyone")), node)

    def _says(self, phrases: tuple[str, ...], who: Who, node: Table) -> Says | None:
        patterns = []
        listed = node.get("says")
        for place, phrase in enumerate(phrases):
            at = listed.items[place] if isinstance(listed, Items) else node
            try:
                patterns.append(pattern(phrase, self._forms))
            except ValueError as error:
                self._wrong(at, f"“{phrase}” is no phrase: {error}")
        return Says(who, phrases, tuple(patterns)) if len(patterns) == len(phrases) else None

    def _read_forms(self, node: Node) -> dict[str, tuple[str, ...]]:
        if not isinstance(node, Table):
            self._wrong(node, "`forms` must be a map: a word, and the list of its other forms")
            return {}
        forms: dict[str, tuple[str, ...]] = {}
        for key, value in node.entries:
            word = key.text or ""
            found = self._value(word, Key("texts", ""), value)
            for each in (word, *(cast(tuple[str, ...], found) if found else ())):
                if len(each.split()) != 1:
                    self._wrong(key, f"“{each}” in `forms` is not one word")
            if found:
                forms[word.lower()] = cast(tuple[str, ...], found)
        return forms

    def _value(self, name: str, known: Key, node: Node) -> object:
        """The value of one key; None and a defect where the node is not what it must be."""
        match known.kind:
            case "texts":
                items = node.items if isinstance(node, Items) else (node,)
                texts = [item.text for item in items if isinstance(item, Scalar) and item.text and item.text.strip()]
                if not texts or len(texts) < len(items):
                    self._wrong(node, f"`{name}` must be a list of texts, none of them empty")
                    return None
                return tuple(" ".join(text.split()) for text in texts)
            case "text":
                if not isinstance(node, Scalar) or not (node.text or "").strip():
                    self._wrong(node, f"`{name}` must be a text")
                    return None
                return " ".join((node.text or "").split())
            case "switch":
                on = _SWITCH.get((node.text or "").lower()) if isinstance(node, Scalar) else None
                if on is None:
                    self._wrong(node, f"`{name}` must be true or false")
                return on
            case "choice":
                if not isinstance(node, Scalar) or node.text not in known.choices:
                    self._wrong(node, f"`{name}` must be one of {', '.join(known.choices)}")
                    return None
                return node.text
            case _:
                return self._number(name, known, node)

    def _number(self, name: str, known: Key, node: Node) -> float | None:
        try:
            number = float(node.text or "") if isinstance(node, Scalar) else math.nan
        except ValueError:
            number = math.nan
        whole = known.kind != "count" or number == math.floor(number) if math.isfinite(number) else False
        if not whole or not known.low <= number <= known.high:
            what = "a whole number" if known.kind == "count" else "a number"
            self._wrong(node, f"`{name}` must be {what} from {known.low:g} to {known.high:g}")
            return None
        return number

    def _wrong(self, node: Node, message: str) -> None:
        self.defects.append(Defect(node.line, message))
