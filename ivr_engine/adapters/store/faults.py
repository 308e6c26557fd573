"""Tells a database that is away from a program that is wrong.

Knows the errors of asyncpg, sqlite3 and SQLAlchemy. Must not know what was asked.
"""

from __future__ import annotations

import sqlite3
from typing import Final

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
import sqlalchemy.exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi


class DatabaseUnavailableError(Exception):
    """The database could not be reached, or not in time; nothing was changed."""


class DatabaseOutcomeUnknownError(DatabaseUnavailableError):
    """The connection was lost while a transaction was committed: it may or may not have happened."""


_POSTGRES_AWAY: Final = (
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.InsufficientResourcesError,  # class 53: disk full, too many connections
    asyncpg.OperatorInterventionError,  # class 57: shutdown, starting up, statement time-out
    asyncpg.TransactionRollbackError,  # class 40: deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that was not promoted yet
    asyncpg.InterfaceError,  # the connection was closed under us
)
_SQLITE_AWAY: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
    }
)
_SQLITE_PRIMARY_CODE: Final = 0xFF  # the low byte of an extended result code


def is_away(error: BaseException | None) -> bool:
    """Say whether an error means that the database is away or too slow, rather than that a statement is wrong."""
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return True
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        return error.connection_invalidated or is_away(error.orig) or is_away(error.orig and error.orig.__cause__)
    if isinstance(error, AsyncAdapt_asyncpg_dbapi.Error):
        return is_away(error.__cause__)  # while a connection is made nobody has wrapped the dialect's own error yet
    if isinstance(error, asyncpg.DataError | asyncpg.InterfaceWarning):
        return False
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & _SQLITE_PRIMARY_CODE in _SQLITE_AWAY
    return isinstance(error, (OSError, TimeoutError, *_POSTGRES_AWAY))
