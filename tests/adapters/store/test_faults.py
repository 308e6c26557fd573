"""What counts as a database that is away."""

from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
import pytest
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi

from ivr_engine.adapters.store.faults import is_away


def translated(cause: Exception) -> Exception:
    """Return an error as SQLAlchemy's dialect raises it while it makes a connection."""
    error: Exception = AsyncAdapt_asyncpg_dbapi.Error("translated", cause)  # type: ignore[no-untyped-call]  # SQLAlchemy's dialect has no types
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "cause",
    [
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.InterfaceError("connection is closed"),
    ],
)
def test_server_that_starts_up_or_goes_down_while_connecting_is_away(cause: Exception) -> None:
    assert is_away(translated(cause))


def test_wrong_password_is_not_taken_for_a_server_that_is_away() -> None:
    assert not is_away(translated(asyncpg.InvalidPasswordError("no")))
