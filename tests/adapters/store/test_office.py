"""The office in the database: what the contract says, and what stands in the rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

import pytest
import sqlalchemy as sa

from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.office import OfficeStore
from ivr_engine.adapters.store.tables import metadata, outbox_message, step_up_code
from ivr_engine.banking.code_policy import CODE_HOLDS, CodeVerdict
from ivr_engine.calls.office import CallNote, OfficeUnavailableError, Posted, ServiceCase
from tests.banking.clock import SetClock
from tests.calls.office import CALL, CODE, WANG, Bench, OfficeContract, check, message, send_code
from tests.waiting import PATIENCE_S

KEY: Final = bytes(range(32))
KEPT: Final = timedelta(hours=1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, deadline_s=PATIENCE_S)
    yield opened
    await opened.close()


@pytest.fixture
def bench(database: Database) -> Bench:
    clock = SetClock()
    return Bench(OfficeStore(database, key=KEY, clock=clock), clock)


async def rows(database: Database, table: sa.Table) -> list[dict[str, object]]:
    async with database.session() as connection:
        return [dict(row) for row in (await connection.execute(sa.select(table))).mappings()]


async def everything(database: Database) -> str:
    """Return all that the database holds, as text."""
    return json.dumps([await rows(database, table) for table in metadata.sorted_tables], default=repr)


class TestOfficeStore(OfficeContract):
    """The suite, on SQLite and PostgreSQL."""

    async def test_message_waits_for_a_gateway_with_all_that_it_needs(self, bench: Bench, database: Database) -> None:
        sent = message(1, bench)
        await bench.office.post(sent)
        [row] = await rows(database, outbox_message)
        now_ms = int(bench.clock.now().timestamp() * 1000)
        assert row == {
            "id": "call-1-1",
            "call_id": "call-1",
            "customer_number": "100001",
            "medium": "sms",
            "message": "balance_by_sms",
            "language": "en",
            "address": "13900000001",
            "heading": "",
            "text": "You have CNY 10,755.35.",
            "state": "waiting",
            "attempts": 0,
            "created_at_ms": now_ms,
            "next_at_ms": now_ms,
            "expires_at_ms": now_ms + 24 * 3600 * 1000,
        }

    async def test_same_message_sent_in_parallel_is_kept_once(self, bench: Bench, database: Database) -> None:
        sent = message(1, bench)
        assert set(await asyncio.gather(*(bench.office.post(sent) for _ in range(5)))) == {Posted.ACCEPTED}
        assert len(await rows(database, outbox_message)) == 1

    async def test_code_stands_in_its_message_and_nowhere_else(self, bench: Bench, database: Database) -> None:
        await send_code(bench)
        assert (await everything(database)).count(CODE) == 1
        [row] = await rows(database, outbox_message)
        assert CODE in str(row["text"])

    async def test_code_that_was_used_is_wiped(self, bench: Bench, database: Database) -> None:
        await send_code(bench)
        assert await check(bench) is CodeVerdict.ACCEPTED
        assert CODE not in await everything(database)

    async def test_code_is_wiped_when_its_time_is_over_and_other_messages_are_not(
        self, bench: Bench, database: Database
    ) -> None:
        office = bench.office
        assert isinstance(office, OfficeStore)
        await send_code(bench)
        await office.post(message(2, bench))
        bench.clock.move(CODE_HOLDS)
        assert await office.tidy_up(screens_kept_for=KEPT) == 1
        assert CODE not in await everything(database)
        states = {
            row["id"]: (row["state"], row["text"], row["address"]) for row in await rows(database, outbox_message)
        }
        assert states == {
            "call-1-1": ("expired", "", ""),
            "call-1-2": ("waiting", "You have CNY 10,755.35.", "13900000001"),
        }
        assert await office.tidy_up(screens_kept_for=KEPT) == 0

    async def test_parallel_guesses_are_judged_three_times(self, bench: Bench) -> None:
        await send_code(bench)
        verdicts = await asyncio.gather(*(check(bench, f"00000{number}") for number in range(8)))
        assert verdicts.count(CodeVerdict.WRONG) == 2
        assert verdicts.count(CodeVerdict.ATTEMPTS_USED) == 6
        assert await check(bench) is CodeVerdict.ATTEMPTS_USED

    async def test_codes_are_forgotten_after_a_day(self, bench: Bench, database: Database) -> None:
        office = bench.office
        assert isinstance(office, OfficeStore)
        await send_code(bench)
        bench.clock.move(timedelta(hours=24))
        await office.tidy_up(screens_kept_for=KEPT)
        assert await rows(database, step_up_code) == []

    async def test_mistake_of_the_program_is_not_told_as_an_outage(self, bench: Bench, database: Database) -> None:
        async with database.session(writes=True) as connection:
            await connection.execute(sa.text("DROP TABLE call_note"))
        with pytest.raises(Exception, match="call_note"):  # a bug of ours is no outage
            await bench.office.note(CallNote("a", CALL, None, "b", bench.clock.now()))


async def test_office_without_a_database_says_so() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none", deadline_s=1)
    clock = SetClock()
    bench = Bench(OfficeStore(database, key=KEY, clock=clock), clock)
    case = ServiceCase("a", CALL, WANG, "lost_card", "{}", clock.now())
    for asked in (
        lambda: bench.office.post(message(1, bench)),
        lambda: send_code(bench),
        lambda: check(bench),
        lambda: bench.office.open_case(case),
        lambda: bench.office.note(CallNote("a", CALL, None, "b", clock.now())),
    ):
        with pytest.raises(OfficeUnavailableError):
            await asked()
    await database.close()


def test_key_of_codes_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        OfficeStore(Database("sqlite:///unused"), key=b"short", clock=SetClock())
