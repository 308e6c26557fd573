"""A hang-up is told from Asterisk's death, whichever connection ends first, and every record is closed in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr_engine.adapters.store.calls import CallHistory
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.journal import JournalWriter
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.app.endings import Endings
from ivr_engine.calls.session import CALLER_HUNG_UP
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import CallId
from tests.waiting import PATIENCE_S, until

A_WHILE_S = 30.0
"""Longer than any of these tests."""
FIRST, SECOND = CallId("01FIRST"), CallId("01SECOND")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path / 'calls.db'}"
    await upgrade(url)
    database = Database(url, deadline_s=PATIENCE_S)
    yield database
    await database.close()


@pytest.fixture
def journal(database: Database) -> JournalWriter:
    return JournalWriter(database, engine_id="engine-1", clock=SystemClock())


async def test_a_hang_up_is_written_when_asterisk_still_lives_a_moment_later(
    database: Database, journal: JournalWriter
) -> None:
    endings = Endings(journal, settle_s=0.0)
    await endings.asterisk_heard(restarted=False, unique_ids=["u1"])
    begin(endings, journal, FIRST)
    hang_up(endings, FIRST)
    assert await reasons(database, journal) == {FIRST: None}
    await until(lambda: journal.waiting > 0, "it is written", within_s=5)
    assert await reasons(database, journal) == {FIRST: "caller_hung_up"}


async def test_lines_that_end_with_asterisk_say_so_once_the_new_one_is_heard(
    database: Database, journal: JournalWriter
) -> None:
    endings = Endings(journal, settle_s=0.0)
    await endings.asterisk_heard(restarted=False, unique_ids=[])
    for call in (FIRST, SECOND):
        begin(endings, journal, call)
    hang_up(endings, FIRST)  # one line ends before the manager connection does, the other after it
    endings.asterisk_lost()
    hang_up(endings, SECOND)
    await endings.asterisk_heard(restarted=True, unique_ids=[])
    assert await reasons(database, journal) == {FIRST: "asterisk_died", SECOND: "asterisk_died"}


async def test_a_hang_up_while_only_the_manager_connection_was_away_stays_a_hang_up(
    database: Database, journal: JournalWriter
) -> None:
    endings = Endings(journal, settle_s=0.0)
    begin(endings, journal, FIRST)
    endings.asterisk_lost()
    hang_up(endings, FIRST)
    await endings.asterisk_heard(restarted=False, unique_ids=["u of 01SECOND"])
    assert await reasons(database, journal) == {FIRST: "caller_hung_up"}


async def test_an_open_record_without_a_line_is_closed_after_a_restart_and_a_live_call_is_not(
    database: Database, journal: JournalWriter
) -> None:
    endings = Endings(journal)
    await endings.asterisk_heard(restarted=False, unique_ids=[])
    begin(Endings(journal), journal, FIRST)  # nobody tells these endings of its line
    begin(endings, journal, SECOND)  # began after the new Asterisk made its list of channels
    await endings.asterisk_heard(restarted=True, unique_ids=[])
    assert await reasons(database, journal) == {FIRST: "asterisk_died", SECOND: None}


async def test_every_other_end_is_written_at_once(database: Database, journal: JournalWriter) -> None:
    endings = Endings(journal, settle_s=A_WHILE_S)
    begin(endings, journal, FIRST)
    endings.call_ended(FIRST, at=SystemClock().now(), reason="completed")
    assert await reasons(database, journal) == {FIRST: "completed"}


async def test_a_hang_up_is_written_even_if_asterisk_never_comes_back(
    database: Database, journal: JournalWriter
) -> None:
    endings = Endings(journal, settle_s=0.0, unsure_max_s=0.0)
    begin(endings, journal, FIRST)
    hang_up(endings, FIRST)
    await journal.flush()
    await until(lambda: journal.waiting > 0, "it is written", within_s=5)
    assert await reasons(database, journal) == {FIRST: "caller_hung_up"}


async def test_closing_writes_what_is_held_back_and_can_be_repeated(database: Database, journal: JournalWriter) -> None:
    endings = Endings(journal, settle_s=A_WHILE_S)
    begin(endings, journal, FIRST)
    hang_up(endings, FIRST)
    endings.close()
    endings.close()
    assert await reasons(database, journal) == {FIRST: "caller_hung_up"}


def begin(endings: Endings, journal: JournalWriter, call: CallId) -> None:
    endings.line_began(call, f"u of {call}")
    journal.call_started(
        call,
        unique_id=f"u of {call}",
        caller="13800000000",
        dialled="95588",
        flow="hotline",
        flow_hash="ab12",
        at=SystemClock().now(),
    )


def hang_up(endings: Endings, call: CallId) -> None:
    endings.call_ended(call, at=SystemClock().now(), reason=CALLER_HUNG_UP)


async def reasons(database: Database, journal: JournalWriter) -> dict[CallId, str | None]:
    await journal.flush()
    return {call.id: call.end_reason for call in await CallHistory(database).calls(10)}
