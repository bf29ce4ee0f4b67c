"""YAML nodes read as the values that the language's fields hold; what does not fit becomes a defect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.dialog.defects import Defect, did_you_mean
from pipeline.dialog.flows import RETURN
from pipeline.dialog.nodes import Items, Node, Scalar, Table
from pipeline.dialog.shape import Field
from pipeline.dialog.text import key_of, placeholders

LONGEST_DELAY_S = 30.0
_UNDERSTANDING = {"": "empty", "empty": "empty", "jarvis": "jarvis", "riva": "riva"}
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Target:
    """Where a transition leads as the file has it: a state, or with ``is_flow`` the first state of a flow."""

    name: str
    line: int
    is_flow: bool = False


@dataclass(frozen=True)
class Use:
    """A place that reads a key of the context."""

    key: str
    file: str
    line: int
    state: str


FieldValue = str | float | bool | tuple[str, ...] | dict[str, str] | Target


class Reader:
    """Reads the nodes of one file and gathers its defects and the context keys that its texts read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.state = ""
        self.defects: list[Defect] = []
        self.uses: list[Use] = []

    def wrong(self, line: int, message: str, severity: Literal["error", "warning"] = "error") -> None:
        """Keeps a defect of the state that is being read."""
        self.defects.append(Defect(self.file, line, self.state, message, severity))

    def table(self, node: Node | None, what: str) -> Table | None:
        """The node if it is a map, else None and, if there is something else, a defect."""
        if isinstance(node, Table):
            return node
        if node is not None and not (isinstance(node, Scalar) and node.text is None):
            self.wrong(node.line, f"{what} must be a map of `key: value` lines")
        return None

    def fields(
        self, table: Table, fields: Mapping[str, Field], what: str, other: Field | None = None
    ) -> dict[str, FieldValue]:
        """The values of a map's keys; ``other`` reads keys beyond the fields, which are defects without it."""
        values: dict[str, FieldValue] = {}
        for key, node in table.entries:
            name = key.text or ""
            known = fields.get(name, other)
            if known is None:
                self.unknown(key, what, fields)
            elif known.kind not in ("table", "rules", "lists"):
                value = self.value(known, name, node)
                if value is not None:
                    values[name] = value
        for name, known in fields.items():
            if known.required and known.kind not in ("table", "rules") and table.get(name) is None:
                self.wrong(table.line, f"{what} needs `{name}`: {known.doc}")
        return values

    def unknown(self, key: Scalar, what: str, known: Collection[str]) -> None:
        """Keeps a warning about a key that the language does not have here."""
        hint = did_you_mean(key.text or "", known)
        self.wrong(key.line, f"`{key.text}` is no key of {what}{hint}", "warning")

    def value(self, known: Field, name: str, node: Node) -> FieldValue | None:
        """The value of one field; None and a defect where the node is of another type."""
        match known.kind:
            case "text":
                return self.text(node, f"`{name}`")
            case "key":
                return self._keys(node, name)
            case "texts" | "names":
                return self._list(node, name, single=True, template=known.kind == "texts")
            case "list":
                return self._list(node, name, single=False, template=name == "responses")
            case "pairs":
                return self._pairs(node, name)
            case "bindings":
                return self._bindings(node, name)
            case "seconds":
                return self._seconds(node, name)
            case "switch":
                return self._switch(node, name)
            case "nlp":
                return self._nlp(node, name)
            case "state":
                return self.target(node, f"`{name}`")
            case _:
                raise AssertionError(f"a field of kind {known.kind} is no single value")

    def text(self, node: Node, what: str, *, template: bool = True) -> str | None:
        """The node's text; a number or a plain yes counts as it is spelled."""
        if not isinstance(node, Scalar):
            braces = " (write quotes around a text that begins with {{)" if isinstance(node, Table) else ""
            self.wrong(node.line, f"{what} must be a text{braces}")
            return None
        if node.text is None:
            self.wrong(node.line, f"{what} is empty")
            return None
        if template:
            self.uses += [Use(key, self.file, node.line, self.state) for key in placeholders(node.text)]
        return node.text

    def target(self, node: Node, what: str) -> Target | None:
        """Where a transition leads: a state, END, RETURN (also for nothing), or the first state of a flow."""
        if isinstance(node, Table) and [key.text for key, _ in node.entries] == ["flow"]:
            name = self.text(node.entries[0][1], f"{what}: `flow`", template=False)
            return Target(name, node.line, is_flow=True) if name else None
        if not isinstance(node, Scalar):
            self.wrong(node.line, f"{what} must name one state")
            return None
        name = (node.text or "").strip()
        flow, colon, rest = name.partition(":")
        if colon and flow.strip() == "flow":
            return Target(rest.strip(), node.line, is_flow=True)
        return Target(name if name not in ("", RETURN) else RETURN, node.line)

    def lists(self, node: Node, name: str) -> Iterator[tuple[Scalar, tuple[str, ...]]]:
        """The lists of a map of lists, each with its key."""
        table = self.table(node, f"`{name}`")
        for key, value in table.entries if table else ():
            found = self._list(value, key.text or "", single=False, template=False)
            if found:
                yield key, found

    def _keys(self, node: Node, name: str) -> tuple[str, ...] | None:
        text = self.text(node, f"`{name}`")
        if text is None:
            return None
        if not placeholders(text):
            self.uses.append(Use(text.strip(), self.file, node.line, self.state))
        return placeholders(text) or (text.strip(),)

    def _list(self, node: Node, name: str, *, single: bool, template: bool) -> tuple[str, ...] | None:
        if isinstance(node, Scalar) and single:
            nodes: tuple[Node, ...] = (node,)
        elif isinstance(node, Items):
            nodes = node.items
        else:
            self.wrong(node.line, f"`{name}` must be a list")
            return None
        if not nodes:
            self.wrong(node.line, f"`{name}` is an empty list")
        texts = (self.text(item, f"an item of `{name}`", template=template) for item in nodes)
        return tuple(text for text in texts if text is not None)

    def _pairs(self, node: Node, name: str) -> dict[str, str] | None:
        tables = node.items if isinstance(node, Items) else (node,)
        pairs: dict[str, str] = {}
        for part in tables:
            table = self.table(part, f"`{name}`")
            for key, value in table.entries if table else ():
                if isinstance(value, Scalar) and (value.text is None or value.kind == "bool"):
                    pairs[key.text or ""] = "True" if _SWITCH.get((value.text or "").lower()) else ""
                    continue
                text = self.text(value, f"`{name}`: `{key.text}`")
                if text is not None:
                    pairs[key.text or ""] = text
        return pairs

    def _bindings(self, node: Node, name: str) -> dict[str, str] | None:
        if isinstance(node, Items):
            names = self._list(node, name, single=False, template=False) or ()
            return {item: item for item in names}
        table = self.table(node, f"`{name}`")
        bindings = {}
        for key, value in table.entries if table else ():
            slot = self.text(value, f"`{name}`: `{key.text}`", template=False)
            if slot is not None:
                bindings[key_of(key.text or "")] = key_of(slot)
        return bindings

    def _seconds(self, node: Node, name: str) -> float | None:
        try:
            seconds = float(node.text or "") if isinstance(node, Scalar) else -1.0
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            self.wrong(node.line, f"`{name}` must be a number of seconds")
            return None
        if name == "delay" and seconds > LONGEST_DELAY_S:
            self.wrong(node.line, f"a delay of {seconds:g} s: `delay` is in seconds, not milliseconds", "warning")
        return seconds

    def _switch(self, node: Node, name: str) -> bool | None:
        value = _SWITCH.get((node.text or "").lower()) if isinstance(node, Scalar) else None
        if value is None:
            self.wrong(node.line, f"`{name}` must be true or false")
        return value

    def _nlp(self, node: Node, name: str) -> str | None:
        value = _UNDERSTANDING.get((node.text or "").lower()) if isinstance(node, Scalar) else None
        if value is None:
            self.wrong(node.line, f"`{name}` must be riva, jarvis or empty")
        return value
