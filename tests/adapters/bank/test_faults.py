"""What the bank does when its database goes away."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.banking.core import CoreOutcomeUnknownError, CoreUnavailableError
from ivr_engine.banking.model import PinVerdict, PostingOutcome
from ivr_engine.values.money import Money
from tests.adapters.bank.benches import Wire, opened_bench
from tests.banking.clock import SetClock
from tests.banking.contract import CARD, PIN_KEY, PINS, SAVINGS, WANG, booked, transfer, try_pin
from tests.postgres import PostgresServer

DEADLINE_S = 1.0
RECOVERY_S = 5.0

pytestmark = pytest.mark.postgres


async def postgres_bench_url(server: PostgresServer) -> str:
    url = server.new_database()
    await upgrade(url)
    async with opened_bench(url):
        return url


async def test_postgres_that_crashes_is_unavailable_within_the_deadline_and_comes_back(
    postgres_server: PostgresServer,
) -> None:
    url = await postgres_bench_url(postgres_server)
    database = Database(url, deadline_s=DEADLINE_S)
    core = EmbeddedCore(database, pin_key=PIN_KEY, clock=SetClock())
    before = await booked(core, SAVINGS) + await booked(core, CARD)
    outcomes: dict[str, PostingOutcome | None] = {}
    crashing = asyncio.Event()

    async def post_until_the_crash(caller: int) -> None:
        for number in range(100_000):
            posting_id = f"T{caller}-{number}"
            try:
                outcomes[posting_id] = await core.post(transfer(posting_id, "0.01"))
            except CoreUnavailableError:
                return
            except CoreOutcomeUnknownError:
                outcomes[posting_id] = None
                return
            if number == 5:
                crashing.set()

    async with asyncio.TaskGroup() as tasks:
        for caller in range(6):
            tasks.create_task(post_until_the_crash(caller))
        await crashing.wait()
        await asyncio.to_thread(postgres_server.stop, "immediate")
    try:
        loop = asyncio.get_running_loop()
        for _ in range(3):
            asked_at = loop.time()
            with pytest.raises(CoreUnavailableError):
                await core.balance(SAVINGS)
            with pytest.raises(CoreUnavailableError):
                await try_pin(core, PINS[WANG])
            with pytest.raises(CoreUnavailableError):
                await core.post(transfer("never"))
            assert loop.time() - asked_at < 3 * DEADLINE_S + 0.5
    finally:
        await asyncio.to_thread(postgres_server.start)
    # The server answers again: the very first question is answered.
    assert await booked(core, SAVINGS) + await booked(core, CARD) == before
    assert await core.unbalanced() == ()
    for posting_id, outcome in outcomes.items():
        kept = await core.posting_outcome(posting_id)
        assert kept is PostingOutcome.POSTED if outcome else kept in (None, PostingOutcome.POSTED)
        if outcome is None:
            assert await core.post(transfer(posting_id, "0.01")) in (
                PostingOutcome.POSTED,
                PostingOutcome.ALREADY_POSTED,
            )
    assert await core.posting_outcome("never") is None
    assert await try_pin(core, PINS[WANG]) is PinVerdict.VERIFIED
    moved = await booked(core, CARD) - Money.parse("-1344.60", before.currency)
    assert moved.minor == len(outcomes)
    await database.close()


async def test_row_that_stays_locked_is_unavailable_within_the_deadline_and_posts_nothing(
    postgres_server: PostgresServer,
) -> None:
    url = await postgres_bench_url(postgres_server)
    other, database = Database(url, deadline_s=30), Database(url, deadline_s=0.3)
    core = EmbeddedCore(database, pin_key=PIN_KEY, clock=SetClock())
    async with other.session(writes=True) as connection:
        await connection.execute(sa.text("SELECT 1 FROM bank_account FOR UPDATE"))
        with pytest.raises(CoreUnavailableError):
            await core.post(transfer("T1"))
    assert await core.posting_outcome("T1") is None
    assert await core.post(transfer("T1")) is PostingOutcome.POSTED
    await database.close()
    await other.close()


async def test_commit_without_an_answer_is_an_unknown_outcome_that_can_be_asked_for(
    postgres_server: PostgresServer,
) -> None:
    url = sa.make_url(await postgres_bench_url(postgres_server))
    assert url.host is not None
    assert url.port is not None
    wire = Wire(url.host, url.port)

    def mute_after_commit(data: bytes) -> None:
        wire.mute = wire.mute or b"COMMIT" in data

    wire.on_request = mute_after_commit
    async with wire.listening() as port:
        through = Database(url.set(port=port).render_as_string(), deadline_s=0.5)
        core = EmbeddedCore(through, pin_key=PIN_KEY, clock=SetClock())
        with pytest.raises(CoreOutcomeUnknownError):
            await core.post(transfer("T1"))
        await through.close()
    direct = Database(url.render_as_string())
    core = EmbeddedCore(direct, pin_key=PIN_KEY, clock=SetClock())
    assert await core.posting_outcome("T1") is PostingOutcome.POSTED
    assert await core.post(transfer("T1")) is PostingOutcome.ALREADY_POSTED
    await direct.close()


async def test_silent_database_is_unavailable_within_the_deadline(postgres_server: PostgresServer) -> None:
    url = sa.make_url(await postgres_bench_url(postgres_server))
    assert url.host is not None
    assert url.port is not None
    wire = Wire(url.host, url.port)
    async with wire.listening() as port:
        database = Database(url.set(port=port).render_as_string(), deadline_s=0.3)
        core = EmbeddedCore(database, pin_key=PIN_KEY, clock=SetClock())
        assert await core.balance(SAVINGS) is not None
        wire.mute = True
        started = asyncio.get_running_loop().time()
        with pytest.raises(CoreUnavailableError):
            await core.balance(SAVINGS)
        assert asyncio.get_running_loop().time() - started < 1
        wire.mute = False
        assert await core.balance(SAVINGS) is not None
        await database.close()


POSTER = """
import asyncio, sys
from itertools import count
from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.store.database import Database
from tests.banking.clock import SetClock
from tests.banking.contract import PIN_KEY, transfer

async def main():
    core = EmbeddedCore(Database(sys.argv[1]), pin_key=PIN_KEY, clock=SetClock())
    async def caller(name):
        for number in count():
            posting_id = f"{sys.argv[2]}-{name}-{number}"
            await core.post(transfer(posting_id, "0.01"))
            print(posting_id, flush=True)
    await asyncio.gather(*map(caller, range(4)))

asyncio.run(main())
"""


async def test_sqlite_ledger_is_exact_after_kill_9_and_forgets_nothing_that_was_confirmed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bank.sqlite3"
    await upgrade(url)
    confirmed: list[str] = []
    async with opened_bench(url) as bench:
        for kill in range(3):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", POSTER, url, f"K{kill}", stdout=asyncio.subprocess.PIPE
            )
            assert process.stdout is not None
            async with asyncio.timeout(30):
                for _ in range(20 + 7 * kill):
                    confirmed += (await process.stdout.readline()).decode().split()
                process.send_signal(signal.SIGKILL)
                confirmed += (await process.stdout.read()).decode().split()
                await process.wait()
            assert await bench.bank.unbalanced() == ()
            for posting_id in confirmed:
                assert await bench.core.posting_outcome(posting_id) is PostingOutcome.POSTED
        assert len(confirmed) >= 20 + 27 + 34
