"""One database, SQLite or PostgreSQL, by one URL.

Knows connections, transactions, deadlines and what "away" looks like. Must not know tables.

Two ways in, one pool. `session()` gives SQLAlchemy's connection for statements that are not on a caller's path.
`fetch()` and `transaction()` run SQL text on the driver itself: a statement costs about 60 microseconds of processor
time there and 300 through SQLAlchemy. The text uses `$1`, which is PostgreSQL's form and is turned into SQLite's `?1`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import aiosqlite
import sqlalchemy as sa
import sqlalchemy.exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection

from ivr_engine.adapters.store.faults import DatabaseOutcomeUnknownError, DatabaseUnavailableError, is_away

DEADLINE_S: Final = 2.0
CONNECTIONS_MAX: Final = 8
CONNECT_DEADLINE_S: Final = 1.5
_THREAD_ENDS_WITHIN_S: Final = 5.0
WRITES: Final = "ivr_writes"
"""Execution option of a connection whose transactions write."""

Result = TypeVar("Result")
Values = tuple[object, ...]
Row = Sequence[Any]
# asyncpg's connection or aiosqlite's; the first ships no types.
_Driver = Any
_Adapted = Any
# What SQLAlchemy hands on to sqlite3.connect.
_Argument = Any


def driver_url(url: str) -> sa.URL:
    """Name the asyncio driver in a database URL; raise `ValueError` for another database.

    `postgresql://` alone means psycopg to SQLAlchemy 2.1, so it is never passed on as it is.
    """
    parsed = sa.make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    name = drivers.get(parsed.drivername, parsed.drivername)
    if name not in drivers.values():
        message = f"database_url must begin with sqlite:// or postgresql://, not {parsed.drivername}://"
        raise ValueError(message)
    if name == "sqlite+aiosqlite" and parsed.database in (None, "", ":memory:"):
        raise ValueError("database_url must name a file: an SQLite database in memory would forget on restart")
    return parsed.set(drivername=name)


class Statement:
    """SQL text with `$1`, `$2`, … in the forms of both drivers."""

    __slots__ = ("postgresql", "sqlite")

    def __init__(self, text: str, *, sqlite: str | None = None) -> None:
        self.postgresql: Final = text
        self.sqlite: Final = (sqlite or text).replace("$", "?")


class Transaction:
    """One open transaction on the driver; only `Database.transaction` makes it."""

    def __init__(self, driver: _Driver, *, postgres: bool, counted: Callable[[], None]) -> None:
        self._driver = driver
        self._postgres = postgres
        self._counted = counted

    async def fetch(self, statement: Statement, *values: object) -> Sequence[Row]:
        """Run one statement and return its rows; one round trip."""
        self._counted()
        if self._postgres:
            rows: Sequence[Row] = await self._driver.fetch(statement.postgresql, *values)
            return rows
        return list(await self._driver.execute_fetchall(statement.sqlite, values))

    async def run_many(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Run one statement for each row; one round trip."""
        self._counted()
        if self._postgres:
            await self._driver.executemany(statement.postgresql, rows)
        else:
            async with self._driver.executemany(statement.sqlite, rows):
                pass

    async def run(self, text: str) -> None:
        """Run a command without values or rows; one round trip."""
        self._counted()
        if self._postgres:
            await self._driver.execute(text)
        else:
            await self._driver.execute_fetchall(text)


class _Stage:
    """Whether a commit is on its way; read by the deadline that may interrupt it."""

    __slots__ = ("committing",)

    def __init__(self) -> None:
        self.committing = False


class Database:
    """A pool of connections with a deadline on everything.

    Every method raises `DatabaseUnavailableError` within `deadline_s` when the database is away, and
    `DatabaseOutcomeUnknownError` when it went away during a commit. Other errors of the driver are bugs and pass.
    """

    def __init__(self, url: str, *, deadline_s: float = DEADLINE_S, connections_max: int = CONNECTIONS_MAX) -> None:
        self._url = driver_url(url)
        self._deadline_s = deadline_s
        self.is_postgres: Final = self._url.get_backend_name() == "postgresql"
        self.round_trips = 0
        """Statements sent since the start, for metrics and for tests that hold a figure."""
        self._threads = SqliteThreads()
        self._engine = new_engine(
            self._url, deadline_s=deadline_s, connections_max=connections_max, threads=self._threads
        )
        # Writers of one process queue here in order; SQLite's own waiting is a sleep that may starve one of them.
        self._sqlite_writer = asyncio.Lock()

    async def fetch(self, statement: Statement, *values: object) -> Sequence[Row]:
        """Run one statement that is a transaction of its own; one round trip."""
        async with self._deadline(), self._driver() as driver:
            return await Transaction(driver, postgres=self.is_postgres, counted=self._count).fetch(statement, *values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a writing transaction on the driver: committed at the end of the block, undone by an exception."""
        stage = _Stage()
        if self.is_postgres:
            async with self._deadline(stage), self._transaction("BEGIN", stage) as transaction:
                yield transaction
        else:
            async with (
                self._deadline(stage),
                self._sqlite_writer,
                self._transaction("BEGIN IMMEDIATE", stage) as transaction,
            ):
                yield transaction

    async def work_on_sqlite(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a function inside one writing transaction, in one visit to the driver's thread; SQLite only.

        A visit costs about 60 microseconds, however much is done in it. `work` must not block on anything else. At the
        deadline it may still be running, and may be kept: only for work whose repetition does no harm.
        """

        def visit(connection: sqlite3.Connection) -> Result:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            return result

        self._count()
        async with self._deadline(), self._sqlite_writer, self._driver() as driver:
            done: Result = await driver._execute(visit, driver._conn)  # noqa: SLF001  # no public way in one visit
            return done

    @asynccontextmanager
    async def session(self, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
        """Open SQLAlchemy's connection in one transaction, for work that no caller waits for."""
        async with self._deadline(), self._engine.connect() as connection:
            await connection.execution_options(**{WRITES: writes})
            async with connection.begin():
                yield connection

    async def ping(self) -> None:
        """Return when the database answers."""
        await self.fetch(_PING)

    async def close(self) -> None:
        """Close every connection; harmless when repeated."""
        await self._engine.dispose()
        await self._threads.ended()

    def _count(self) -> None:
        self.round_trips += 1

    @asynccontextmanager
    async def _transaction(self, begin: str, stage: _Stage) -> AsyncIterator[Transaction]:
        async with self._driver() as driver:
            transaction = Transaction(driver, postgres=self.is_postgres, counted=self._count)
            await transaction.run(begin)
            # An exception inside the block reaches `_driver`, which closes the connection: that undoes everything.
            yield transaction
            stage.committing = True
            await transaction.run("COMMIT")
            stage.committing = False

    @asynccontextmanager
    async def _driver(self) -> AsyncIterator[_Driver]:
        pooled: PoolProxiedConnection = await self._engine.raw_connection()
        try:
            yield pooled.driver_connection
        except BaseException:
            # Nobody knows what an interrupted connection still has to say.
            pooled.invalidate()
            raise
        else:
            pooled.close()

    @asynccontextmanager
    async def _deadline(self, stage: _Stage | None = None) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline_s):
                yield
        except DatabaseUnavailableError:
            raise
        except Exception as error:
            if not is_away(error):
                raise
            if stage is not None and stage.committing:
                raise DatabaseOutcomeUnknownError("the database went away during a commit") from error
            message = f"the database did not answer: {type(error).__name__}"
            raise DatabaseUnavailableError(message) from error


_PING: Final = Statement("SELECT 1")


class SqliteThreads:
    """Opens SQLite connections and remembers their threads.

    A connection that is thrown away, or never came to be, closes in its thread after the call has returned. The thread
    reports to the event loop, which therefore must not be gone before it.
    """

    def __init__(self) -> None:
        self._threads: set[threading.Thread] = set()
        self._late: set[asyncio.Task[None]] = set()

    async def connect(self, *arguments: _Argument, **options: _Argument) -> aiosqlite.Connection:
        """Connect, with the arguments of `sqlite3.connect`; what nobody waits for any more is closed when it comes."""
        connection = aiosqlite.connect(*arguments, **options)
        thread = connection._thread  # noqa: SLF001  # aiosqlite has no public way; SQLAlchemy does the same
        thread.daemon = True
        self._threads = {known for known in self._threads if known.is_alive()} | {thread}
        opening = asyncio.ensure_future(connection)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            closing = asyncio.ensure_future(_close(opening))
            self._late.add(closing)
            closing.add_done_callback(self._late.discard)
            raise

    async def ended(self) -> None:
        """Return when every thread has ended, or after 5 seconds each."""
        await asyncio.gather(*self._late)
        for thread in self._threads:
            if thread.is_alive():
                await asyncio.to_thread(thread.join, _THREAD_ENDS_WITHIN_S)


async def _close(opening: asyncio.Future[aiosqlite.Connection]) -> None:
    """Close a connection that came too late; one that could not be opened needs no closing."""
    with contextlib.suppress(aiosqlite.Error):
        await (await opening).close()


def new_engine(url: sa.URL, *, deadline_s: float, connections_max: int, threads: SqliteThreads) -> AsyncEngine:
    """Make SQLAlchemy's engine as every part of this project needs it; `deadline_s` is also the server's own limit."""
    if url.get_backend_name() == "sqlite":
        # busy_timeout in seconds, below the deadline: an SQLite call cannot be interrupted from outside.
        arguments: dict[str, Any] = {"timeout": deadline_s * 0.8, "async_creator_fn": threads.connect}
    else:
        milliseconds = str(int(deadline_s * 1000))
        arguments = {
            "timeout": min(CONNECT_DEADLINE_S, deadline_s),
            # The server's own stop, should ours not reach it.
            "server_settings": {
                "statement_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
                "application_name": "ivr_engine",
            },
        }
    engine = create_async_engine(
        url,
        pool_size=connections_max,
        max_overflow=0,
        pool_timeout=deadline_s,
        # Last in, first out keeps few connections warm, and with them their prepared statements.
        pool_use_lifo=True,
        # A connection is given back with its transaction ended, or else thrown away: nothing is left to reset.
        pool_reset_on_return=None,
        connect_args=arguments,
        hide_parameters=True,
    )
    if url.get_backend_name() == "sqlite":
        sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
    else:
        sa.event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` and `transaction` say which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that reads and then writes fails at once when another writes: busy_timeout does not help it.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _refuse_closed(connection: _Adapted, _record: object, _proxy: object) -> None:
    # A server that went away has closed its sockets: the driver knows without a round trip.
    if connection.driver_connection.is_closed():
        raise sqlalchemy.exc.InvalidatePoolError
