"""What several verbs share: their options, and the services they open."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.calls import SpeakerRole
from pipeline.settings import Settings, parse_channels

if TYPE_CHECKING:
    from pipeline.backends import Backends

PATHS = click.Path(path_type=Path)
JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output, for machines.")
AGENT = click.option("--agent", metavar="NAME", help="Who answered the call.")
CUSTOMER = click.option("--customer", metavar="NAME", help="Who called.")
CHANNELS = click.option(
    "--channels", metavar="ROLES", help="Who speaks on each channel, e.g. agent,customer. Default: OVERTONE_CHANNELS."
)


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Backends]:
    """The services that the settings choose, closed at the end."""
    from pipeline.backends import Backends

    with Backends(settings, os.environ) as backends:
        yield backends


def moment(raw: str | None, *, option: str) -> datetime | None:
    """The UTC time that an ISO 8601 text given to ``option`` means; click's UsageError for anything else."""
    if raw is None:
        return None
    try:
        found = datetime.fromisoformat(raw)
    except ValueError:
        raise click.UsageError(f"{option} {raw!r} is no ISO 8601 time; write e.g. 2026-11-20T09:30:00+01:00") from None
    return found.astimezone(UTC)


def roles(raw: str | None, settings: Settings) -> tuple[SpeakerRole, ...]:
    """Who speaks on each channel, as --channels or the settings say. Raises ConfigError."""
    return settings.channels if raw is None else parse_channels(raw, origin="--channels")
