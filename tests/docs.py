"""The two pages of the docs that are made from the code: `python -m tests.docs` writes them, a test compares them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from finetune.cli import cli as finetune_cli
from pipeline.cli import cli
from pipeline.settings import DATA, Settings, describe

DOCS = Path(__file__).resolve().parent.parent / "docs"


def commands() -> str:
    """docs/commands.md: the help of every verb."""
    shape = {**cli.context_settings, "terminal_width": 100, "max_content_width": 100}
    root = click.Context(cli, info_name="overtone", **shape)
    pages = ["# The command line\n", f"```\n{cli.get_help(root)}\n```\n", *_verbs(cli, root)]
    pages.append(
        "Exit codes: 0 done; 1 something failed, and a line on standard error says what, on what, and what to do; "
        "2 wrong usage; 130 stopped by Ctrl-C.\n"
    )
    return "\n".join(pages)


def _verbs(group: click.Group, parent: click.Context) -> Iterator[str]:
    for name, here in group.commands.items():
        # Verbs that are handed on have their options where they are carried out.
        verb = finetune_cli.commands.get(name, here) if group is cli else here
        context = click.Context(verb, info_name=name, parent=parent, terminal_width=100, max_content_width=100)
        yield f"## {context.command_path}\n\n```\n{verb.get_help(context)}\n```\n"
        if isinstance(verb, click.Group):
            yield from _verbs(verb, context)


def settings() -> str:
    """docs/settings.md: every variable with its default."""
    defaults = describe(Settings())
    rows = []
    for row in defaults:
        default = row["default"].replace(f"{DATA}/", "data/")  # wherever the repository lies
        shown = f"`{default}`" if default else ""
        rows.append(f"| `{row['variable']}` | {shown} | {row['help'].replace('|', '&#124;')} |")
    head = (
        "# Settings\n\nEnvironment variables; unset or empty means the default. A misspelt `OVERTONE_` variable is an "
        "error, not a default.\n`overtone doctor` shows the values in use.\n\n"
        "| variable | default | meaning |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


PAGES = {"commands.md": commands, "settings.md": settings}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (DOCS / page).write_text(make(), encoding="utf-8")
