"""Databases for tests: one of each kind, with the newest tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr_engine.adapters.store.migrate import upgrade
from tests.postgres import PostgresServer


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bank.sqlite3"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture
async def database_url(empty_database_url: str) -> str:
    """The URL of a database with the newest tables."""
    await upgrade(empty_database_url)
    return empty_database_url
