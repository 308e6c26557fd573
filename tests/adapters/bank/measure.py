"""Measures what the bank's part of a call costs: `python -m tests.adapters.bank.measure`.

Prints, for SQLite and PostgreSQL, the round trips, the processor time of this process (all threads) and the median
time of each question, and the same for the journal of a call with six steps.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from itertools import count

import uvloop

from ivr_engine.adapters.bank.demo import seed_demo
from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.journal import JournalWriter
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import CallId
from ivr_engine.values.language import Language
from tests.banking.contract import PIN_KEY, PINS, SAVINGS, WANG, transfer, try_pin
from tests.postgres import PostgresServer

RUNS = 1000
CALLS = 5000


async def measure(name: str, database: Database, question: Callable[[int], Awaitable[object]]) -> None:
    for number in range(50):
        await question(-number - 1)
    trips, processor, times = database.round_trips, time.process_time(), []
    for number in range(RUNS):
        started = time.perf_counter()
        await question(number)
        times.append(time.perf_counter() - started)
    processor = time.process_time() - processor
    trips = database.round_trips - trips
    report(name, trips / RUNS, processor / RUNS * 1e6, statistics.median(times) * 1e6)


def add_call(writer: JournalWriter, clock: SystemClock, name: str) -> None:
    call, now = CallId(name), clock.now()
    writer.call_started(
        call, unique_id=name, caller="+85212345678", dialled="95588", flow="main", flow_hash="ab", at=now
    )
    writer.call_changed(call, answered_at=now, language=Language.MANDARIN, customer=WANG)
    for step in range(6):
        writer.step_done(
            call, step, at_ms=step, flow="main", step="balance", kind="operation", outcome="done", took_ms=1
        )
    writer.call_ended(call, at=now, reason="caller_hung_up")


async def journal(database: Database) -> None:
    clock = SystemClock()
    writer = JournalWriter(database, engine_id="engine-1", clock=clock)
    await writer.start()

    def one_call(number: int) -> None:
        add_call(writer, clock, f"call-{number}")

    one_call(-1)
    await writer.flush()
    trips, processor, started = database.round_trips, time.process_time(), time.perf_counter()
    for number in range(CALLS):
        one_call(number)
        if number % 50 == 49:
            await asyncio.sleep(0)
    await writer.close()
    processor, wall = time.process_time() - processor, time.perf_counter() - started
    trips = database.round_trips - trips
    report("journal of a call", trips / CALLS, processor / CALLS * 1e6, wall / CALLS * 1e6)


async def paced(calls_per_s: int, calls: int, each: Callable[[int], None]) -> float:
    """Do something at a rate, and return the processor time that passed."""
    processor, started = time.process_time(), time.perf_counter()
    for number in range(calls):
        each(number)
        await asyncio.sleep(max(0, started + number / calls_per_s - time.perf_counter()))
    return time.process_time() - processor


async def journal_at_rate(database: Database, calls_per_s: int) -> None:
    clock = SystemClock()
    writer = JournalWriter(database, engine_id="engine-1", clock=clock)
    await writer.start()
    calls = 3 * calls_per_s
    nothing = await paced(calls_per_s, calls, lambda _: None)
    trips = database.round_trips
    processor = await paced(calls_per_s, calls, lambda number: add_call(writer, clock, f"paced-{number}"))
    await writer.close()
    trips = database.round_trips - trips
    report(f"journal, {calls_per_s} calls/s", trips / calls, (processor - nothing) / calls * 1e6, 0)


def report(name: str, trips: float, processor: float, wall: float) -> None:
    sys.stdout.write(f"  {name:20} {trips:6.2f} trips  {processor:7.0f} us processor  {wall:7.0f} us\n")


async def main(url: str) -> None:
    await upgrade(url)
    clock = SystemClock()
    database = Database(url)
    await seed_demo(database, PIN_KEY, PINS, clock=clock)
    core = EmbeddedCore(database, pin_key=PIN_KEY, clock=clock)
    numbers = count()
    await measure("verify_pin, right", database, lambda n: try_pin(core, PINS[WANG], call=f"right-{n}"))
    await measure("verify_pin, locked", database, lambda n: try_pin(core, "000000", call=f"wrong-{n}"))
    await core.unlock_pin(WANG)
    await measure("accounts", database, lambda _: core.accounts(WANG))
    await measure("balance", database, lambda _: core.balance(SAVINGS))
    await measure("statement, 5 lines", database, lambda _: core.statement(SAVINGS, limit=5))
    await measure("post", database, lambda _: core.post(transfer(f"T{next(numbers)}", "0.01")))
    await journal(database)
    await journal_at_rate(database, 100)
    await database.close()


if __name__ == "__main__":
    server = PostgresServer()
    try:
        server.start()
        for loop_name, run in (("asyncio", asyncio.run), ("uvloop", uvloop.run)):
            sys.stdout.write(f"PostgreSQL, {loop_name}\n")
            run(main(server.new_database()))
            with tempfile.TemporaryDirectory() as folder:
                sys.stdout.write(f"SQLite, {loop_name}\n")
                run(main(f"sqlite:///{folder}/bank.sqlite3"))
    finally:
        server.remove()
