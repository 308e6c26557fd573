"""Reads the call journal for people: newest calls, and one call step by step.

Knows the tables `call` and `call_step`. Must not write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.tables import call as call_table
from ivr_engine.adapters.store.tables import call_step
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language

CALLS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call; `ended_at` None means that it is still going on."""

    id: CallId
    unique_id: str
    engine_id: str
    caller: str
    dialled: str
    flow: str
    flow_hash: str
    language: Language | None
    customer: CustomerNumber | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of a call; `at_ms` is since the call's start. `milestone` is what was reached by it, if anything."""

    seq: int
    at_ms: int
    flow: str
    step: str
    kind: str
    outcome: str
    took_ms: int
    milestone: str | None = None
    milestone_kind: str | None = None


class CallHistory:
    """Questions about calls; every method raises `DatabaseUnavailableError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def calls(self, limit: int, *, before: datetime | None = None) -> tuple[CallRecord, ...]:
        """Return the newest calls first, at most `limit` (1 to 1000), those that started before a time."""
        if not 1 <= limit <= CALLS_MAX:
            message = f"1 to {CALLS_MAX} calls can be asked for at once"
            raise ValueError(message)
        query = sa.select(call_table).order_by(call_table.c.started_at_ms.desc(), call_table.c.id.desc())
        if before is not None:
            query = query.where(call_table.c.started_at_ms < int(before.timestamp() * 1000))
        async with self._database.session() as connection:
            rows = (await connection.execute(query.limit(limit))).mappings().all()
        return tuple(_record(row) for row in rows)

    async def call(self, call_id: CallId) -> tuple[CallRecord, tuple[StepRecord, ...]] | None:
        """Return one call and its steps in order, or None."""
        columns = [column for column in call_step.c if column is not call_step.c.call_id]
        steps = sa.select(*columns).where(call_step.c.call_id == call_id).order_by(call_step.c.seq)
        async with self._database.session() as connection:
            query = sa.select(call_table).where(call_table.c.id == call_id)
            found = (await connection.execute(query)).mappings().one_or_none()
            if found is None:
                return None
            return _record(found), tuple(StepRecord(*row) for row in await connection.execute(steps))


def _record(row: sa.RowMapping) -> CallRecord:
    return CallRecord(
        id=CallId(row["id"]),
        unique_id=row["unique_id"],
        engine_id=row["engine_id"],
        caller=row["caller_number"],
        dialled=row["dialled_number"],
        flow=row["flow"],
        flow_hash=row["flow_hash"],
        language=None if row["language"] is None else Language(row["language"]),
        customer=None if row["customer_number"] is None else CustomerNumber(row["customer_number"]),
        started_at=_time(row["started_at_ms"]),
        answered_at=_maybe(row["answered_at_ms"]),
        ended_at=_maybe(row["ended_at_ms"]),
        end_reason=row["end_reason"],
    )


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _maybe(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else _time(milliseconds)
