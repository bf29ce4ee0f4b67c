"""What Alembic runs around the migrations: they go through the connection that `bring_to_head` hands over."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    transactional_ddl=True,  # ours is one transaction around all, on SQLite too
)
context.run_migrations()
