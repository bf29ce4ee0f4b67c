"""The file of alert rules that counts in a home: the company's own, or the one that we ship."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipeline.alerts.reading import Defect, RulesError, read
from pipeline.alerts.rules import Rule
from pipeline.errors import InputError
from pipeline.settings import DATA

SHIPPED = DATA / "alerts" / "rules.yml"
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Book:
    """The rules in force; ``defects`` is why the company's own file is not among them ("" where all is well)."""

    rules: tuple[Rule, ...]
    origin: Path
    defects: str = ""


def own_file(home: Path) -> Path:
    """Where the company's own rules lie; the file need not be there."""
    return home / "alerts.yml"


def text(home: Path) -> str:
    """The text of the file that is to count, for an editor: the company's own where there is one.

    Raises InputError where it cannot be read.
    """
    return _content(own_file(home) if own_file(home).exists() else SHIPPED)


def load(home: Path) -> Book:
    """The rules in force: the company's own, or where its file cannot be used the shipped ones with the reason why."""
    own = own_file(home)
    if not own.exists():
        return Book(read(_content(SHIPPED), SHIPPED.name), SHIPPED)
    try:
        return Book(read(_content(own), own.name), own)
    except InputError as error:
        return Book(read(_content(SHIPPED), SHIPPED.name), SHIPPED, str(error))


def save(home: Path, content: str) -> tuple[Rule, ...]:
    """The rules in ``content`` after making it the company's own file, whole or not at all.

    Raises RulesError, and leaves the file as it was, when anything in it is wrong.
    """
    rules = read(content, own_file(home).name)
    home.mkdir(parents=True, exist_ok=True)
    part = home / f".alerts.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(own_file(home))
    finally:
        part.unlink(missing_ok=True)
    return rules


def stamp(home: Path) -> tuple[int, int] | None:
    """Changes whenever the company's own file does: its time and size; None without one."""
    try:
        state = own_file(home).stat()
    except FileNotFoundError:
        return None
    return state.st_mtime_ns, state.st_size


def switched(content: str, name: str, *, on: bool) -> str:
    """``content`` with the rule ``name`` turned on or off and every other character as it was.

    Raises InputError where no rule is called so, RulesError for a text that cannot be used.
    """
    read(content, own_file(Path()).name)
    node = _rule_node(content, name)
    for key, value in node.value:
        if key.value == "enabled":
            start, end = value.start_mark.index, value.end_mark.index
            return content[:start] + ("true" if on else "false") + content[end:]
    if on:
        return content
    at, column = node.start_mark.index, node.start_mark.column
    if node.flow_style:
        return f"{content[: at + 1]}enabled: false, {content[at + 1 :]}"
    return f"{content[:at]}enabled: false\n{' ' * column}{content[at:]}"


def _rule_node(content: str, name: str) -> yaml.MappingNode:
    root = yaml.compose(content, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)  # it was read without a defect
    for key, value in root.value:
        if key.value != "rules" or not isinstance(value, yaml.SequenceNode):
            continue
        for rule in value.value:
            if any(part.value == "name" and " ".join(held.value.split()) == name for part, held in rule.value):
                assert isinstance(rule, yaml.MappingNode)
                return rule
    raise InputError(f"there is no rule called “{name}”: the file was changed meanwhile; reload the page")


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RulesError(path.name, [Defect(1, f"the file is longer than {_MOST_BYTES:,} bytes")])
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RulesError(path.name, [Defect(1, "the file is not UTF-8 text; save it as UTF-8")]) from None
    except OSError as error:
        raise InputError(f"cannot read the alert rules {path}: {error.strerror}") from error
