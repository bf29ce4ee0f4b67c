"""Numbered migrations: each takes a database from one schema to the next; `bring_to_head` runs those still to run."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from pipeline.errors import ConfigError
from pipeline.store.database import SETTING, Database

HEAD = "0004"  # the schema that tables.py describes; said here so that an up-to-date database opens without Alembic
FOLDER = Path(__file__).parent
TABLE = "overtone_schema"  # Alembic's own name would meet that of another program in a shared database


def bring_to_head(database: Database, *, head: str = HEAD, folder: Path = FOLDER) -> None:
    """Run the migrations that ``database`` lacks, all in one transaction; processes that do it at once take turns.

    Raises ConfigError for a database that a newer Overtone has written.
    """
    with database.reading() as connection:
        if _schema(connection) == head:
            return
    with database.migrating() as connection:
        _upgrade(database, connection, head, folder)


def _schema(connection: Connection) -> str | None:
    """Number of the newest migration that ran; None for a database without our tables."""
    if not inspect(connection).has_table(TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {TABLE}")).scalar()


def _upgrade(database: Database, connection: Connection, head: str, folder: Path) -> None:
    from alembic import command  # only here: most openings find nothing to do
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=TABLE)
    present = _schema(connection)  # again: another process may have been faster
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if present is not None and present not in known:
        raise ConfigError(
            f"the database {database.address} has schema {present}, written by a newer Overtone; this one knows up to"
            f" {head}: update Overtone, or choose another database with {SETTING}"
        )
    command.upgrade(config, head)
