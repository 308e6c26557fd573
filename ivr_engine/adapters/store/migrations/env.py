"""Runs migrations on the connection that `migrate.upgrade` hands over.

Knows Alembic's context. Must not know a database URL: the transaction is the caller's.
"""

from __future__ import annotations

from alembic import context

from ivr_engine.adapters.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
