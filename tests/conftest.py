"""What tests in several folders share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL cluster of the tests' own; each test takes a new database in it."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
