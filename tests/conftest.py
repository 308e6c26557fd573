"""What tests in several folders share."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

from tests.postgres import PostgresServer

# A deadline of each example is a timed assertion: it fails where the machine is busy, and says nothing of the code.
hypothesis.settings.register_profile("hotline", deadline=None)
hypothesis.settings.load_profile("hotline")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a developer accept what is printed now as what is expected from now on."""
    parser.addoption("--update", action="store_true", help="write the expected texts of tests anew")


@pytest.hookimpl(trylast=True)  # after pytest-randomly has mixed the files
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL cluster of the tests' own; each test takes a new database in it."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
