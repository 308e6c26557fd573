from __future__ import annotations

import asyncio
import sys

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from ivr_engine.adapters.store.database import driver_url
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.adapters.store.tables import metadata


def differences(connection: sa.Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
    return list(compare_metadata(context, metadata))


async def look(url: str) -> tuple[list[object], set[str]]:
    engine = create_async_engine(driver_url(url))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
        names = set(await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()))
    await engine.dispose()
    return found, names


async def test_upgraded_empty_database_equals_the_tables_of_the_code(empty_database_url: str) -> None:
    await upgrade(empty_database_url)
    found, names = await look(empty_database_url)
    assert found == []
    assert names == {*metadata.tables, "alembic_version"}


async def test_database_that_was_not_upgraded_differs(empty_database_url: str) -> None:
    found, _ = await look(empty_database_url)
    assert len(found) >= len(metadata.tables)


async def test_upgrading_again_changes_nothing(database_url: str) -> None:
    await upgrade(database_url)
    assert (await look(database_url))[0] == []


UPGRADE = (
    "import asyncio, sys; from ivr_engine.adapters.store.migrate import upgrade; asyncio.run(upgrade(sys.argv[1]))"
)


async def test_engines_that_start_together_upgrade_one_after_the_other(empty_database_url: str) -> None:
    engines = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", UPGRADE, empty_database_url) for _ in range(3)
    ]
    async with asyncio.timeout(30):
        assert [await engine.wait() for engine in engines] == [0, 0, 0]
    assert (await look(empty_database_url))[0] == []
