"""Brings a database to the newest tables.

Knows Alembic. Must not know what the tables are for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from ivr_engine.adapters.store.database import WRITES, SqliteThreads, driver_url, new_engine

_SCRIPTS: Final = Path(__file__).parent / "migrations"
DEADLINE_S: Final = 3600.0
"""For one statement: a migration takes as long as its tables need."""
_ONE_AT_A_TIME: Final = 4_731_001
"""Key of the PostgreSQL advisory lock that lets engines which start together upgrade one after the other."""


async def upgrade(database_url: str, revision: str = "head") -> None:
    """Upgrade the tables in one transaction; does nothing when they are up to date.

    Processes that do this together wait for each other; inside one process call it once at a time, because Alembic
    keeps its state in module globals.
    """
    threads = SqliteThreads()
    engine = new_engine(driver_url(database_url), deadline_s=DEADLINE_S, connections_max=1, threads=threads)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(**{WRITES: True})
            async with connection.begin():
                await connection.run_sync(_upgrade, revision)
    finally:
        await engine.dispose()
        await threads.ended()


def _upgrade(connection: sa.Connection, revision: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
