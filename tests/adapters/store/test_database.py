from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from ivr_engine.adapters.store.database import Database, Statement, driver_url
from ivr_engine.adapters.store.faults import DatabaseUnavailableError
from ivr_engine.adapters.store.tables import bank_customer
from tests.postgres import PostgresServer
from tests.waiting import PATIENCE_S

ADD = Statement("INSERT INTO bank_customer (number, name, language) VALUES ($1, $2, 'en')")
COUNT = Statement("SELECT count(*) FROM bank_customer")
BIG = 9 * 10**18 + 7


async def customers(database: Database) -> int:
    count: int = (await database.fetch(COUNT))[0][0]
    return count


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgresql://bank@host/name", "postgresql+asyncpg"),
        ("postgres://bank@host/name", "postgresql+asyncpg"),
        ("postgresql+asyncpg://bank@host/name", "postgresql+asyncpg"),
        ("sqlite:////var/lib/ivr/bank.sqlite3", "sqlite+aiosqlite"),
    ],
)
def test_url_without_a_driver_gets_the_asyncio_one(url: str, driver: str) -> None:
    assert driver_url(url).drivername == driver


@pytest.mark.parametrize("url", ["mysql://host/name", "sqlite://", "sqlite:///:memory:", "postgresql+psycopg2://h/n"])
def test_database_that_is_not_supported_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database_url"):
        driver_url(url)


async def test_ping_is_one_round_trip(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    await database.ping()
    assert database.round_trips == 1
    await database.close()


async def test_transaction_is_kept_at_its_end(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    async with database.transaction() as transaction:
        await transaction.run_many(ADD, [("1", "a"), ("2", "b")])
    assert await customers(database) == 2
    await database.close()


async def test_transaction_is_undone_by_an_exception(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)

    async def fail() -> None:
        async with database.transaction() as transaction:
            await transaction.fetch(ADD, "1", "a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await customers(database) == 0
    await database.close()


async def test_transaction_is_undone_when_its_task_is_cancelled(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    inside = asyncio.Event()

    async def hang() -> None:
        async with database.transaction() as transaction:
            await transaction.fetch(ADD, "1", "a")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await customers(database) == 0
    async with database.transaction() as transaction:
        await transaction.fetch(ADD, "1", "a")
    assert await customers(database) == 1
    await database.close()


async def test_transaction_that_hangs_is_undone_at_the_deadline(database_url: str) -> None:
    database = Database(database_url, deadline_s=0.2)

    async def hang() -> None:
        async with database.transaction() as transaction:
            await transaction.fetch(ADD, "1", "a")
            await asyncio.Event().wait()

    with pytest.raises(DatabaseUnavailableError):
        await hang()
    assert await customers(database) == 0
    await database.close()


async def test_mistake_in_a_statement_is_not_taken_for_a_database_that_is_away(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    with pytest.raises(Exception, match="nonsense") as caught:
        await database.fetch(Statement("SELECT nonsense"))
    assert not isinstance(caught.value, DatabaseUnavailableError)
    await database.ping()
    await database.close()


async def test_session_writes_and_reads_through_sqlalchemy(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    async with database.session(writes=True) as connection:
        await connection.execute(sa.insert(bank_customer).values(number="1", name="王", language="cmn"))
    async with database.session() as connection:
        assert (await connection.scalar(sa.select(bank_customer.c.name))) == "王"

    async def fail() -> None:
        async with database.session(writes=True) as connection:
            await connection.execute(sa.delete(bank_customer))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await customers(database) == 1
    await database.close()


async def test_money_column_keeps_every_unit(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    async with database.transaction() as transaction:
        await transaction.fetch(
            Statement(
                """INSERT INTO bank_account (number, kind, currency, read_out_order, booked_minor, held_minor,
                credit_line_minor) VALUES ('H', 'house', 'CNY', 0, $1, 0, 0)"""
            ),
            -BIG,
        )
    assert (await database.fetch(Statement("SELECT booked_minor FROM bank_account")))[0][0] == -BIG
    await database.close()


async def test_foreign_key_is_enforced(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await database.fetch(
            Statement("INSERT INTO bank_pin (customer_number, verification_value) VALUES ('0', $1)"), b"v"
        )
    await database.close()


async def test_customer_account_cannot_be_overdrawn_by_any_statement(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    with pytest.raises(Exception, match="not_overdrawn"):
        await database.fetch(
            Statement(
                """INSERT INTO bank_account (number, kind, currency, read_out_order, booked_minor, held_minor,
                credit_line_minor) VALUES ('A', 'current', 'CNY', 0, -101, 0, 100)"""
            )
        )
    await database.close()


async def test_more_questions_than_connections_wait_their_turn(database_url: str) -> None:
    database = Database(database_url, connections_max=2)
    await asyncio.gather(*(customers(database) for _ in range(50)))
    await database.close()


async def test_closing_twice_is_harmless(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    await database.ping()
    await database.close()
    await database.close()


async def test_sqlite_is_durable_and_waits_for_other_writers(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/x.sqlite3")
    settings = [
        (await database.fetch(Statement(f"PRAGMA {name}")))[0][0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    ]
    assert settings == ["wal", 2, 1, 1600]
    await database.close()


async def test_sqlite_that_another_process_keeps_locked_is_unavailable(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.sqlite3"
    holder, database = Database(url, deadline_s=PATIENCE_S), Database(url, deadline_s=0.3)
    async with holder.session(writes=True):
        with pytest.raises(DatabaseUnavailableError):
            async with database.transaction():
                pass
    async with database.transaction():
        pass
    await database.close()
    await holder.close()


async def test_sqlite_in_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/none/x.sqlite3")
    with pytest.raises(DatabaseUnavailableError):
        await database.ping()
    await database.close()


@pytest.mark.postgres
async def test_idle_connections_that_a_restart_cut_are_replaced_without_an_error(
    postgres_server: PostgresServer,
) -> None:
    database = Database(postgres_server.new_database(), deadline_s=PATIENCE_S)
    await asyncio.gather(*(database.ping() for _ in range(6)))
    await asyncio.to_thread(postgres_server.stop)
    await asyncio.to_thread(postgres_server.start)
    await asyncio.gather(*(database.ping() for _ in range(6)))
    await database.close()
