from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from ivr_engine.adapters.store.calls import CallHistory, StepRecord
from ivr_engine.adapters.store.database import Database, Statement
from ivr_engine.adapters.store.faults import DatabaseUnavailableError
from ivr_engine.adapters.store.journal import BATCH_ROWS_MAX, JournalWriter
from ivr_engine.adapters.store.office import OfficeStore
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language
from tests.banking.clock import SetClock
from tests.postgres import PostgresServer
from tests.waiting import PATIENCE_S, until

CALL = CallId("01CALL")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, deadline_s=PATIENCE_S)
    yield database
    await database.close()


@pytest.fixture
def journal(database: Database, clock: SetClock) -> JournalWriter:
    return JournalWriter(database, engine_id="engine-1", clock=clock)


def begin(
    journal: JournalWriter, clock: SetClock, call: str = CALL, *, unique_id: str = "u1", caller: str = "+85212345678"
) -> None:
    journal.call_started(
        CallId(call),
        unique_id=unique_id,
        caller=caller,
        dialled="95588",
        flow="main",
        flow_hash="ab12",
        at=clock.now(),
    )


def step(journal: JournalWriter, seq: int, call: str = CALL) -> None:
    journal.step_done(
        CallId(call), seq, at_ms=100 * seq, flow="main", step=f"s{seq}", kind="say", outcome="done", took_ms=90
    )


async def test_call_and_its_steps_can_be_read_back(journal: JournalWriter, database: Database, clock: SetClock) -> None:
    started = clock.now()
    begin(journal, clock)
    for seq in range(3):
        step(journal, seq)
    journal.call_changed(CALL, answered_at=started, language=Language.CANTONESE)
    await journal.flush()
    clock.move(timedelta(seconds=61))
    journal.call_changed(CALL, customer=CustomerNumber("100001"))
    journal.call_ended(CALL, at=clock.now(), reason="caller_hung_up")
    await journal.flush()

    found = await CallHistory(database).call(CALL)
    assert found is not None
    record, steps = found
    assert (record.unique_id, record.engine_id, record.caller, record.dialled) == (
        "u1",
        "engine-1",
        "+85212345678",
        "95588",
    )
    assert (record.flow, record.flow_hash) == ("main", "ab12")
    assert (record.language, record.customer) == (Language.CANTONESE, "100001")
    assert (record.started_at, record.answered_at, record.ended_at) == (started, started, clock.now())
    assert record.end_reason == "caller_hung_up"
    assert steps[2] == StepRecord(2, 200, "main", "s2", "say", "done", 90)
    assert [found.seq for found in steps] == [0, 1, 2]
    assert await CallHistory(database).call(CallId("nobody")) is None


async def test_everything_of_a_short_call_may_come_in_one_batch(
    journal: JournalWriter, database: Database, clock: SetClock
) -> None:
    begin(journal, clock)
    journal.call_changed(CALL, language=Language.ENGLISH)
    journal.call_changed(CALL, language=Language.MANDARIN)
    journal.call_ended(CALL, at=clock.now(), reason="first")
    journal.call_ended(CALL, at=clock.now(), reason="second")
    await journal.flush()
    [record] = await CallHistory(database).calls(10)
    assert (record.language, record.end_reason) == (Language.MANDARIN, "first")


async def test_newest_calls_come_first_and_older_ones_on_the_next_page(
    journal: JournalWriter, database: Database, clock: SetClock
) -> None:
    for number in range(5):
        begin(journal, clock, f"call-{number}")
        clock.move(timedelta(seconds=1))
    await journal.flush()
    history = CallHistory(database)
    page = await history.calls(2)
    assert [record.id for record in page] == ["call-4", "call-3"]
    assert [record.id for record in await history.calls(9, before=page[-1].started_at)] == [
        "call-2",
        "call-1",
        "call-0",
    ]
    with pytest.raises(ValueError, match="1000"):
        await history.calls(1001)


async def test_task_writes_without_being_asked_and_close_writes_the_rest(database: Database, clock: SetClock) -> None:
    journal = JournalWriter(database, engine_id="engine-1", clock=clock, flush_every_s=0.01)
    await journal.start()
    begin(journal, clock)
    await until(lambda: not journal.waiting)
    step(journal, 1)
    await journal.close()
    await journal.close()
    found = await CallHistory(database).call(CALL)
    assert found is not None
    assert len(found[1]) == 1


async def test_more_than_a_batch_is_written_whole_and_in_order(
    journal: JournalWriter, database: Database, clock: SetClock
) -> None:
    begin(journal, clock)
    for seq in range(2 * BATCH_ROWS_MAX + 3):
        step(journal, seq)
    await journal.flush()
    found = await CallHistory(database).call(CALL)
    assert found is not None
    assert [step.seq for step in found[1]] == list(range(2 * BATCH_ROWS_MAX + 3))
    assert journal.dropped == 0


async def test_batch_that_is_sent_twice_is_stored_once(
    journal: JournalWriter, database: Database, clock: SetClock
) -> None:
    for _ in range(2):
        begin(journal, clock)
        step(journal, 1)
        journal.call_ended(CALL, at=clock.now(), reason="done")
        await journal.flush()
    found = await CallHistory(database).call(CALL)
    assert found is not None
    assert (found[0].end_reason, len(found[1]), journal.dropped) == ("done", 1, 0)


async def test_text_that_no_column_takes_is_cut_and_stops_nothing(
    journal: JournalWriter, database: Database, clock: SetClock
) -> None:
    begin(journal, clock, caller="\0" + "9" * 500)
    await journal.flush()
    [record] = await CallHistory(database).calls(1)
    assert record.caller == "9" * 63
    assert journal.dropped == 0


async def test_row_that_the_database_refuses_is_dropped_alone_and_alarmed(
    journal: JournalWriter, database: Database, clock: SetClock
) -> None:
    begin(journal, clock)
    for seq in range(9):
        step(journal, seq)
    # A database on the wire takes no number over 32 bits here; SQLite takes no number over 64.
    journal.step_done(CALL, 2**70, at_ms=0, flow="main", step="s", kind="say", outcome="done", took_ms=0)
    journal.call_ended(CALL, at=clock.now(), reason="done")
    with capture_logs() as logs:
        await journal.flush()
    found = await CallHistory(database).call(CALL)
    assert found is not None
    assert (len(found[1]), found[0].end_reason, journal.dropped) == (9, "done", 1)
    assert [(log["event"], log["alarm"]) for log in logs] == [("journal_rows_dropped", True)]


async def test_calls_of_a_dead_engine_are_closed_and_those_of_others_are_not(
    journal: JournalWriter, database: Database, clock: SetClock
) -> None:
    other = JournalWriter(database, engine_id="engine-2", clock=clock)
    begin(journal, clock, "mine-open")
    begin(journal, clock, "mine-ended")
    journal.call_ended(CallId("mine-ended"), at=clock.now(), reason="done")
    begin(other, clock, "other-open")
    await journal.flush()
    await other.flush()
    clock.move(timedelta(seconds=5))
    again = JournalWriter(database, engine_id="engine-1", clock=clock)
    assert await again.close_orphans("engine-1") == 1
    assert await again.close_orphans("engine-1") == 0
    reasons = {str(record.id): (record.end_reason, record.ended_at) for record in await CallHistory(database).calls(9)}
    assert reasons["mine-open"] == ("engine_died", clock.now())
    assert reasons["mine-ended"][0] == "done"
    assert reasons["other-open"] == (None, None)


async def test_call_that_another_engine_takes_over_is_open_again_and_goes_on(
    journal: JournalWriter, database: Database, clock: SetClock
) -> None:
    begin(journal, clock)
    step(journal, 0)
    await journal.flush()
    await journal.close_orphans("engine-1")
    other = JournalWriter(database, engine_id="engine-2", clock=clock)
    begin(other, clock)
    step(other, 1)
    await other.flush()
    found = await CallHistory(database).call(CALL)
    assert found is not None
    assert (found[0].engine_id, found[0].ended_at, len(found[1])) == ("engine-2", None, 2)


async def test_calls_whose_channel_is_gone_after_a_restart_of_asterisk_are_closed(
    journal: JournalWriter, database: Database, clock: SetClock
) -> None:
    for number in range(3):
        begin(journal, clock, f"call-{number}", unique_id=f"u{number}")
    assert await journal.close_lost(["u1"]) == 2
    reasons = {record.id: record.end_reason for record in await CallHistory(database).calls(9)}
    assert reasons == {"call-0": "asterisk_died", "call-1": None, "call-2": "asterisk_died"}
    journal.call_ended(CallId("call-0"), at=clock.now(), reason="caller_hung_up")
    await journal.flush()
    assert {record.end_reason for record in await CallHistory(database).calls(9)} == {"asterisk_died", None}


@pytest.mark.postgres
async def test_rows_wait_while_the_database_is_away_and_the_oldest_go_first_beyond_the_limit(
    postgres_server: PostgresServer, database_url: str, clock: SetClock
) -> None:
    if not database_url.startswith("postgresql"):
        return
    database = Database(database_url, deadline_s=1)
    journal = JournalWriter(database, engine_id="engine-1", clock=clock, rows_waiting_max=600)
    begin(journal, clock)
    await journal.flush()
    await asyncio.to_thread(postgres_server.stop)
    try:
        for seq in range(700):
            step(journal, seq)
        with capture_logs() as logs, pytest.raises(DatabaseUnavailableError):
            await journal.flush()
        for seq in range(700, 800):
            step(journal, seq)
        assert journal.waiting == 600
        assert journal.dropped == 200
    finally:
        await asyncio.to_thread(postgres_server.start)
    await journal.flush()
    found = await CallHistory(database).call(CALL)
    assert found is not None
    assert [found.seq for found in found[1]] == list(range(200, 800))
    assert all(log["event"] != "journal_rows_dropped" or log["alarm"] for log in logs)
    await database.close()


@pytest.mark.postgres
async def test_task_goes_on_by_itself_when_the_database_is_back(
    postgres_server: PostgresServer, database_url: str, clock: SetClock
) -> None:
    if not database_url.startswith("postgresql"):
        return
    database = Database(database_url, deadline_s=0.5)
    journal = JournalWriter(database, engine_id="engine-1", clock=clock, flush_every_s=0.01)
    await journal.start()
    await asyncio.to_thread(postgres_server.stop)
    try:
        begin(journal, clock)
        with capture_logs() as logs:
            await until(lambda: bool(logs))
        assert logs[0]["event"] == "journal_waits_for_database"
    finally:
        await asyncio.to_thread(postgres_server.start)
    await until(lambda: not journal.waiting)
    await journal.close()
    assert len(await CallHistory(database).calls(1)) == 1
    await database.close()


async def test_what_a_step_reached_is_kept_with_it(journal: JournalWriter, database: Database, clock: SetClock) -> None:
    begin(journal, clock)
    step(journal, 0)
    long = "balance_heard" + "x" * 99
    done = {"at_ms": 0, "took_ms": 0}
    journal.step_done(
        CALL, 1, flow="f", step="s", kind="say", outcome="said", milestone=long, milestone_kind="self_service", **done
    )
    await journal.flush()
    found = await CallHistory(database).call(CALL)
    assert found is not None
    assert [(record.milestone, record.milestone_kind) for record in found[1]] == [
        (None, None),
        (long[:64], "self_service"),
    ]


async def test_newest_screen_of_a_call_takes_the_place_of_the_one_before_and_is_wiped_in_its_time(
    journal: JournalWriter, database: Database, clock: SetClock
) -> None:
    async def screens() -> list[tuple[object, ...]]:
        rows = await database.fetch(Statement("SELECT call_id, customer_number, data FROM call_screen"))
        return [tuple(row) for row in rows]

    customer = CustomerNumber("100001")
    journal.screen_shown(CALL, customer=None, data='{"a":1}', at=clock.now())
    journal.screen_shown(CALL, customer=customer, data='{"a":2}', at=clock.now())
    await journal.flush()
    assert await screens() == [(CALL, customer, '{"a":2}')]
    office = OfficeStore(database, key=bytes(32), clock=clock)
    clock.move(timedelta(minutes=59))
    await office.tidy_up(screens_kept_for=timedelta(hours=1))
    assert len(await screens()) == 1
    clock.move(timedelta(minutes=1))
    await office.tidy_up(screens_kept_for=timedelta(hours=1))
    assert await screens() == []
