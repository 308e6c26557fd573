"""Databases for tests: one of each kind, with the newest tables.

Those are made once by the migrations, and copied for each test: a copy takes a tenth of the time.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ivr_engine.adapters.store.migrate import upgrade
from tests.postgres import PostgresServer

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bank.sqlite3"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with the newest tables: the test runs once on each kind."""
    copy: Callable[[Path], str] = request.getfixturevalue(f"new_{request.param}")
    return copy(tmp_path)


@pytest.fixture(scope="session")
def new_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Return what puts a database with the newest tables into a folder."""
    made = tmp_path_factory.mktemp("made") / "bank.sqlite3"
    asyncio.run(upgrade(f"sqlite:///{made}"))

    def copy(folder: Path) -> str:
        shutil.copyfile(made, folder / "bank.sqlite3")
        return f"sqlite:///{folder}/bank.sqlite3"

    return copy


@pytest.fixture(scope="session")
def new_postgres(postgres_server: PostgresServer) -> Callable[[Path], str]:
    """The same, on a server."""
    made = postgres_server.new_database()
    asyncio.run(upgrade(made))
    return lambda _: postgres_server.new_database(like=made)
