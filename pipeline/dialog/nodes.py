"""A YAML text as nodes that know their lines; scalars keep their spelling, so that ``yes`` stays "yes"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml


@dataclass(frozen=True)
class Scalar:
    """A single value; ``text`` is None for null or nothing."""

    line: int
    text: str | None
    kind: str  # str, bool, int, float, null, or another YAML tag's last part


@dataclass(frozen=True)
class Items:
    """A list."""

    line: int
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Table:
    """A map; ``entries`` keep the file's order and hold every key once."""

    line: int
    entries: tuple[tuple[Scalar, Node], ...]

    def get(self, key: str) -> Node | None:
        """The value of a key, None without it."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Scalar | Items | Table


@dataclass(frozen=True)
class Flaw:
    """Something wrong with the YAML itself."""

    line: int
    message: str


def parse(text: str) -> tuple[Node | None, Sequence[Flaw]]:
    """The text's one document as nodes (None if it cannot be read) and what is wrong with it."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return None, [Flaw(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}")]
    except yaml.YAMLError as error:
        return None, [Flaw(1, f"not YAML: {' '.join(str(error).split())}")]
    except RecursionError:
        return None, [Flaw(1, "nested too deeply")]
    if root is None:
        return None, [Flaw(1, "the file is empty")]
    flaws: list[Flaw] = []
    return _node(root, flaws, {}), flaws


def _node(node: yaml.Node, flaws: list[Flaw], seen: dict[int, Node]) -> Node:
    """The node; an anchor's is made once, so that aliases of aliases stay small, and is empty inside itself."""
    if id(node) not in seen:
        line = node.start_mark.line + 1
        seen[id(node)] = Scalar(line, None, "null")
        seen[id(node)] = _made(node, flaws, seen, line)
    return seen[id(node)]


def _made(node: yaml.Node, flaws: list[Flaw], seen: dict[int, Node], line: int) -> Node:
    if isinstance(node, yaml.SequenceNode):
        return Items(line, tuple(_node(item, flaws, seen) for item in node.value))
    if isinstance(node, yaml.MappingNode):
        return Table(line, tuple(_entries(node, flaws, seen)))
    kind = node.tag.rpartition(":")[2].lstrip("!")
    return Scalar(line, None if kind == "null" else node.value, kind)


def _entries(node: yaml.MappingNode, flaws: list[Flaw], nodes: dict[int, Node]) -> Iterator[tuple[Scalar, Node]]:
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            flaws.append(Flaw(line, "a key must be a word; write quotes around a text that begins with {{"))
            continue
        if key.value in seen:
            flaws.append(Flaw(line, f"`{key.value}` is written twice, first in line {seen[key.value]}"))
            continue
        seen[key.value] = line
        yield Scalar(line, key.value, "str"), _node(value, flaws, nodes)
