"""Writes the call journal without ever making a call wait.

Knows the tables `call`, `call_step`, `call_screen` and `survey_answer`. Must not know sessions or flows: they hand over
plain values. Rows wait in a list of limited length; one task writes them in batches. What a batch holds of one call is
merged first, so a call costs one INSERT, one UPDATE and its steps. Every statement may be repeated: a batch whose
commit was cut is sent again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

import structlog

from ivr_engine.adapters.store.database import Database, Statement, Values
from ivr_engine.adapters.store.faults import DatabaseUnavailableError
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language

BATCH_ROWS_MAX: Final = 500
FLUSH_EVERY_S: Final = 0.2
"""What a killed engine forgets of its calls, at most; each flush costs as much as some calls do."""
ROWS_WAITING_MAX: Final = 100_000
"""About 20 minutes at 10 calls a second; some 30 MB."""
RETRY_AFTER_S: Final = 0.5
ANSWER_MAX: Final = 10**15
CLOSE_DEADLINE_S: Final = 5.0
ALARM_EVERY_S: Final = 10.0
NAMES_REMEMBERED: Final = 4_096

ENGINE_DIED: Final = "engine_died"
ASTERISK_DIED: Final = "asterisk_died"

_INSERT_CALL: Final = Statement(
    """
    INSERT INTO call (id, unique_id, engine_id, caller_number, dialled_number, flow, flow_hash, started_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (id) DO UPDATE SET
        engine_id = excluded.engine_id,
        ended_at_ms = CASE WHEN call.end_reason = 'engine_died' THEN NULL ELSE call.ended_at_ms END,
        end_reason = CASE WHEN call.end_reason = 'engine_died' THEN NULL ELSE call.end_reason END
    """
)
_UPDATE_CALL: Final = Statement(
    """
    UPDATE call SET answered_at_ms = coalesce(answered_at_ms, $2), language = coalesce($3, language),
        customer_number = coalesce($4, customer_number),
        end_reason = CASE WHEN ended_at_ms IS NULL THEN $6 ELSE end_reason END,
        ended_at_ms = coalesce(ended_at_ms, $5)
    WHERE id = $1
    """
)
_INSERT_STEP: Final = Statement(
    """
    INSERT INTO call_step (call_id, seq, at_ms, flow, step, kind, outcome, took_ms, milestone, milestone_kind)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (call_id, seq) DO NOTHING
    """
)
_SHOW_SCREEN: Final = Statement(
    """
    INSERT INTO call_screen (call_id, customer_number, data, shown_at_ms) VALUES ($1, $2, $3, $4)
    ON CONFLICT (call_id) DO UPDATE SET
        customer_number = excluded.customer_number, data = excluded.data, shown_at_ms = excluded.shown_at_ms
    """
)
_INSERT_ANSWER: Final = Statement(
    """
    INSERT INTO survey_answer (call_id, question, answer, at_ms) VALUES ($1, $2, $3, $4)
    ON CONFLICT (call_id, question) DO UPDATE SET answer = excluded.answer, at_ms = excluded.at_ms
    """
)
_CLOSE_ORPHANS: Final = Statement(
    """
    UPDATE call SET ended_at_ms = $2, end_reason = $3 WHERE engine_id = $1 AND ended_at_ms IS NULL RETURNING id
    """
)
_OPEN_CALLS: Final = Statement("SELECT id, unique_id FROM call WHERE engine_id = $1 AND ended_at_ms IS NULL")
_CLOSE_CALL: Final = Statement(
    "UPDATE call SET ended_at_ms = $2, end_reason = $3 WHERE id = $1 AND ended_at_ms IS NULL"
)

_Started = tuple[str, str, str, str, str, str, str, int]
_Step = tuple[str, int, int, str, str, str, str, int, str | None, str | None]
_Change = tuple[str, int | None, str | None, str | None, int | None, str | None]
_Screen = tuple[str, str | None, str, int]
_Answer = tuple[str, str, int, int]
_Values = _Started | _Step | _Change | _Screen | _Answer
_Row = tuple[str, _Values]
_STARTED: Final = "started"
_STEP: Final = "step"
_CHANGE: Final = "change"
_SCREEN: Final = "screen"
_ANSWER: Final = "answer"


class JournalWriter:
    """Takes rows at once and writes them soon; `start()` it, and `close()` it to write the rest.

    Rows that came when `rows_waiting_max` were waiting push out the oldest: `dropped` counts those, and an alarm is
    logged. Texts are cut to their columns, so that nothing a caller sends can stop the writing.
    """

    def __init__(
        self,
        database: Database,
        *,
        engine_id: str,
        clock: Clock,
        rows_waiting_max: int = ROWS_WAITING_MAX,
        flush_every_s: float = FLUSH_EVERY_S,
    ) -> None:
        self._database = database
        self._engine_id = engine_id
        self._clock = clock
        self._rows_waiting_max = rows_waiting_max
        self._flush_every_s = flush_every_s
        self._rows: deque[_Row] = deque()
        self._something = asyncio.Event()
        self._full = asyncio.Event()
        self._one_flush = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._alarmed_at = float("-inf")
        self._log = structlog.get_logger()
        self.dropped = 0
        """Rows lost because the database was away too long, or because it refused them."""

    @property
    def waiting(self) -> int:
        """Rows not yet written."""
        return len(self._rows)

    def call_started(
        self, call_id: CallId, *, unique_id: str, caller: str, dialled: str, flow: str, flow_hash: str, at: datetime
    ) -> None:
        """Open a call; for a call that another engine began, take it over."""
        self._add(
            _STARTED,
            (
                call_id,
                _cut(unique_id, 150),
                self._engine_id,
                _cut(caller, 64),
                _cut(dialled, 64),
                _cut(flow, 200),
                _cut(flow_hash, 64),
                _ms(at),
            ),
        )

    def call_changed(
        self,
        call_id: CallId,
        *,
        answered_at: datetime | None = None,
        language: Language | None = None,
        customer: CustomerNumber | None = None,
    ) -> None:
        """Add what became known of an open call; None leaves what is there."""
        answered_ms = None if answered_at is None else _ms(answered_at)
        self._add(_CHANGE, (call_id, answered_ms, language and language.value, customer, None, None))

    def step_done(
        self,
        call_id: CallId,
        seq: int,
        *,
        at_ms: int,
        flow: str,
        step: str,
        kind: str,
        outcome: str,
        took_ms: int,
        milestone: str | None = None,
        milestone_kind: str | None = None,
    ) -> None:
        """Add a step; `at_ms` is since the call's start, `seq` counts on when another engine takes the call over."""
        reached = (milestone and _name(milestone, 64), milestone_kind and _name(milestone_kind, 32))
        self._add(
            _STEP,
            (
                call_id,
                seq,
                at_ms,
                _name(flow, 200),
                _name(step, 200),
                _name(kind, 64),
                _name(outcome, 64),
                took_ms,
                *reached,
            ),
        )

    def screen_shown(self, call_id: CallId, *, customer: CustomerNumber | None, data: str, at: datetime) -> None:
        """Keep what agents see of a call; the newest takes the place of the one before. It is in no other row."""
        self._add(_SCREEN, (call_id, customer, data.replace("\0", ""), _ms(at)))

    def answer_kept(self, call_id: CallId, question: str, answer: int, *, at: datetime) -> None:
        """Add the answer to a question of a survey; a later one to the same question replaces it."""
        bounded = max(-ANSWER_MAX, min(ANSWER_MAX, answer))
        self._add(_ANSWER, (call_id, _cut(question, 64), bounded, _ms(at)))

    def call_ended(self, call_id: CallId, *, at: datetime, reason: str) -> None:
        """Close a call; the first end that reaches the database is the one that counts."""
        self._add(_CHANGE, (call_id, None, None, None, _ms(at), _cut(reason, 64)))

    async def start(self) -> None:
        """Begin to write in the background."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write_for_ever(), name="journal")

    async def close(self) -> None:
        """Stop the task and write what waits, for at most 5 seconds; harmless when repeated."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                self._log.error("journal_task_failed", exc_info=error)
        try:
            async with asyncio.timeout(CLOSE_DEADLINE_S):
                await self.flush()
        except (DatabaseUnavailableError, TimeoutError):
            self._log.error("journal_rows_lost_at_close", rows=len(self._rows))

    async def flush(self) -> None:
        """Write all that waits at this moment.

        Raises `DatabaseUnavailableError` when the database is away, and keeps the rows.
        """
        async with self._one_flush:
            # Rows that come meanwhile wait for the next time, in which they are more.
            left = len(self._rows)
            while left > 0 and self._rows:
                batch = [self._rows.popleft() for _ in range(min(left, len(self._rows), BATCH_ROWS_MAX))]
                left -= len(batch)
                try:
                    await self._write(batch)
                except (DatabaseUnavailableError, asyncio.CancelledError):
                    self._rows.extendleft(reversed(batch))
                    self._drop_oldest()
                    raise

    async def close_orphans(self, engine_id: str, reason: str = ENGINE_DIED) -> int:
        """End the calls that an earlier process of this engine left open, and return how many.

        To be called before the engine takes its first call.
        """
        now_ms = _ms(self._clock.now())
        return len(await self._database.fetch(_CLOSE_ORPHANS, engine_id, now_ms, reason))

    async def close_lost(self, unique_ids_alive: Iterable[str], reason: str = ASTERISK_DIED) -> int:
        """End this engine's open calls whose channel is no longer there, and return how many.

        To be called before the engine takes a call of the restarted Asterisk.
        """
        await self.flush()
        alive = frozenset(unique_ids_alive)
        rows = await self._database.fetch(_OPEN_CALLS, self._engine_id)
        lost = [(row[0], _ms(self._clock.now()), reason) for row in rows if row[1] not in alive]
        if lost:
            async with self._database.transaction() as transaction:
                await transaction.run_many(_CLOSE_CALL, lost)
        return len(lost)

    def _add(self, kind: str, values: _Values) -> None:
        rows = self._rows
        rows.append((kind, values))
        if len(rows) == 1:
            self._something.set()
        elif len(rows) >= BATCH_ROWS_MAX:
            self._full.set()
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        over = len(self._rows) - self._rows_waiting_max
        if over <= 0:
            return
        for _ in range(over):
            self._rows.popleft()
        self._count_dropped(over, "too_many_rows_waiting")

    def _count_dropped(self, rows: int, why: str) -> None:
        self.dropped += rows
        now = self._clock.monotonic()
        if now - self._alarmed_at >= ALARM_EVERY_S:
            self._alarmed_at = now
            self._log.error("journal_rows_dropped", alarm=True, why=why, dropped_in_all=self.dropped)

    async def _write_for_ever(self) -> None:
        while True:
            await self._something.wait()
            await self._pause()
            self._something.clear()
            self._full.clear()
            try:
                await self.flush()
                if self._rows:
                    self._something.set()
            except DatabaseUnavailableError as error:
                self._log.warning("journal_waits_for_database", rows=len(self._rows), error=str(error))
                self._something.set()
                await asyncio.sleep(RETRY_AFTER_S)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._flush_every_s):
                await self._full.wait()
        except TimeoutError:
            pass

    async def _write(self, batch: Sequence[_Row]) -> None:
        try:
            await self._write_at_once(batch)
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  # a border: one refused row must not stop the rest
            if len(batch) == 1:
                # Not the error's text: it may quote the row.
                self._count_dropped(1, type(error).__name__)
                return
            middle = len(batch) // 2
            await self._write(batch[:middle])
            await self._write(batch[middle:])

    async def _write_at_once(self, batch: Sequence[_Row]) -> None:
        started = [values for kind, values in batch if kind is _STARTED]
        steps = [values for kind, values in batch if kind is _STEP]
        changes: dict[str, _Change] = {}
        for kind, values in batch:
            if kind is _CHANGE:
                call_id = values[0]
                before = changes.get(call_id)
                changes[call_id] = values if before is None else _merge(before, values)  # type: ignore[assignment,arg-type]  # `kind` tells the shape
        work = (
            (_INSERT_CALL, started),
            (_UPDATE_CALL, list(changes.values())),
            (_INSERT_STEP, steps),
            (_SHOW_SCREEN, [values for kind, values in batch if kind is _SCREEN]),
            (_INSERT_ANSWER, [values for kind, values in batch if kind is _ANSWER]),
        )
        if not self._database.is_postgres:
            await self._database.work_on_sqlite(lambda connection: _write_on_sqlite(connection, work))
            return
        async with self._database.transaction() as transaction:
            for statement, rows in work:
                if rows:
                    await transaction.run_many(statement, rows)


def _write_on_sqlite(connection: sqlite3.Connection, work: Sequence[tuple[Statement, Sequence[Values]]]) -> None:
    for statement, rows in work:
        connection.executemany(statement.sqlite, rows)


def _merge(before: _Change, after: _Change) -> _Change:
    call_id, answered, language, customer, ended, reason = after
    first_end = (ended, reason) if before[4] is None else before[4:]
    return (call_id, before[1] or answered, language or before[2], customer or before[3], *first_end)


def _cut(text: str, characters_max: int) -> str:
    # PostgreSQL refuses NUL in text.
    return text[:characters_max].replace("\0", "") if len(text) > characters_max or "\0" in text else text


_name: Final = lru_cache(maxsize=NAMES_REMEMBERED)(_cut)
"""For names out of flows, which are few and come with every call; never for what a caller sends."""


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
