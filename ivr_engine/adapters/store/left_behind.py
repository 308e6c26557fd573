"""What callers have left behind: voice messages and wishes to be called back, kept for staff and listed for them.

Knows the tables `voice_message` and `callback_request`, and the files of messages. Must not know calls or flows. A row
is written when its file is on the disk: a row without a file is never seen, a file without a row is told as an alarm.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
import structlog

from ivr_engine.adapters.store.database import Database, Statement
from ivr_engine.adapters.store.faults import DatabaseUnavailableError
from ivr_engine.adapters.store.message_files import MessageFiles
from ivr_engine.adapters.store.tables import callback_request, voice_message
from ivr_engine.calls.ports import NewCallback, NewMessage
from ivr_engine.flow.leaving import CallbackOutcome
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, CustomerNumber, Ids
from ivr_engine.values.recording import RECORDED_BYTES_PER_MS, Recording

LISTED_MAX: Final = 1000
_NUMBER_MAX: Final = 64

_INSERT_MESSAGE: Final = Statement(
    """
    INSERT INTO voice_message (id, call_id, box, caller_number, customer_number, milliseconds, recorded_at_ms, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'new')
    """
)
_INSERT_CALLBACK: Final = Statement(
    """
    INSERT INTO callback_request (id, call_id, queue, number, customer_number, asked_at_ms, queued_at_ms, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting')
    ON CONFLICT (number) WHERE state = 'waiting' DO NOTHING RETURNING id
    """
)
_OPEN_CALLBACK: Final = Statement("SELECT call_id FROM callback_request WHERE number = $1 AND state = 'waiting'")
_OPEN: Final = Statement(
    """
    SELECT (SELECT count(*) FROM voice_message WHERE state = 'new'),
           (SELECT min(recorded_at_ms) FROM voice_message WHERE state = 'new'),
           (SELECT count(*) FROM callback_request WHERE state = 'waiting'),
           (SELECT min(asked_at_ms) FROM callback_request WHERE state = 'waiting')
    """
)
_MESSAGE_DONE: Final = Statement(
    "UPDATE voice_message SET state = 'done', done_at_ms = $2 WHERE id = $1 AND state = 'new' RETURNING id"
)
_CALLBACK_DONE: Final = Statement(
    "UPDATE callback_request SET state = 'done', done_at_ms = $2 WHERE id = $1 AND state = 'waiting' RETURNING id"
)


class State(StrEnum):
    """Where something that was left behind stands."""

    NEW = "new"
    """A message that nobody has dealt with."""
    WAITING = "waiting"
    """A callback that nobody has made."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One voice message; `caller` is what the network showed, maybe nothing."""

    id: str
    call: CallId
    box: str
    caller: str
    customer: CustomerNumber | None
    milliseconds: int
    recorded_at: datetime
    state: State
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class CallbackRecord:
    """One wish to be called back; `queued_at` is the place that is kept."""

    id: str
    call: CallId
    queue: str
    number: str
    customer: CustomerNumber | None
    asked_at: datetime
    queued_at: datetime
    state: State
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Open:
    """How much waits for staff, and since when the oldest of each does."""

    messages: int
    oldest_message: datetime | None
    callbacks: int
    oldest_callback: datetime | None


class KeptMessages:
    """The store of voice messages as calls see it (the port `MessageStore`)."""

    def __init__(self, database: Database, files: MessageFiles, ids: Ids) -> None:
        self._database = database
        self._files = files
        self._ids = ids
        self._log = structlog.get_logger()

    async def has_room(self) -> bool:
        """Say whether the longest message can be kept now."""
        try:
            return await asyncio.to_thread(self._files.has_room)
        except OSError as error:
            self._log.error("voice_messages_away", alarm=True, cause=error.strerror)
            return False

    async def keep(self, message: NewMessage, audio: bytes) -> Recording | None:
        """Write the file, then the row; without the row the file stays, and an alarm says so."""
        kept = Recording(self._ids.new(), len(audio) // RECORDED_BYTES_PER_MS)
        try:
            await asyncio.to_thread(self._files.write, kept.id, audio)
        except OSError as error:
            self._log.error("voice_message_not_written", alarm=True, cause=error.strerror)
            return None
        try:
            await self._database.fetch(
                _INSERT_MESSAGE,
                kept.id,
                message.call,
                message.box,
                message.caller[:_NUMBER_MAX],
                message.customer,
                kept.milliseconds,
                _ms(message.at),
            )
        except DatabaseUnavailableError as error:
            self._log.error("voice_message_without_row", alarm=True, message=kept.id, cause=str(error))
            return None
        return kept


class CallbackRequests:
    """The store of callbacks as calls see it (the port `CallbackStore`)."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids
        self._log = structlog.get_logger()

    async def register(self, wish: NewCallback) -> CallbackOutcome:
        """Note a wish; for a number that waits already the older one stands."""
        values = (wish.call, wish.queue, wish.number, wish.customer, _ms(wish.asked_at), _ms(wish.queued_at))
        try:
            if await self._database.fetch(_INSERT_CALLBACK, self._ids.new(), *values):
                return CallbackOutcome.REGISTERED
            waiting = await self._database.fetch(_OPEN_CALLBACK, wish.number)
        except DatabaseUnavailableError as error:
            self._log.error("callback_not_noted", alarm=True, cause=str(error))
            return CallbackOutcome.UNAVAILABLE
        own = any(row[0] == wish.call for row in waiting)
        return CallbackOutcome.REGISTERED if own else CallbackOutcome.ALREADY_REGISTERED


class LeftBehind:
    """What was left behind, as staff sees it; every method raises `DatabaseUnavailableError`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def is_there(self) -> bool:
        """Say whether the database has these tables: it may be older than this program."""
        async with self._database.session() as connection:
            return await connection.run_sync(lambda sync: sa.inspect(sync).has_table(voice_message.name))

    async def open(self) -> Open:
        """Return how much waits."""
        messages, oldest_message, callbacks, oldest_callback = (await self._database.fetch(_OPEN))[0]
        return Open(messages, _maybe(oldest_message), callbacks, _maybe(oldest_callback))

    async def messages(self, *, everything: bool = False) -> tuple[MessageRecord, ...]:
        """Return the new messages, the oldest first, or the newest thousand of all."""
        query = sa.select(voice_message).limit(LISTED_MAX)
        if everything:
            query = query.order_by(voice_message.c.recorded_at_ms.desc())
        else:
            query = query.where(voice_message.c.state == State.NEW.value).order_by(voice_message.c.recorded_at_ms)
        async with self._database.session() as connection:
            return tuple(_message(row) for row in (await connection.execute(query)).mappings())

    async def callbacks(self, *, everything: bool = False) -> tuple[CallbackRecord, ...]:
        """Return who waits for a callback, by the place that they keep, or the newest thousand of all."""
        query = sa.select(callback_request).limit(LISTED_MAX)
        if everything:
            query = query.order_by(callback_request.c.asked_at_ms.desc())
        else:
            waits = callback_request.c.state == State.WAITING.value
            query = query.where(waits).order_by(callback_request.c.queued_at_ms, callback_request.c.id)
        async with self._database.session() as connection:
            return tuple(_callback(row) for row in (await connection.execute(query)).mappings())

    async def message_done(self, message: str) -> bool:
        """Mark a new message as dealt with; False when there is no such one."""
        return bool(await self._database.fetch(_MESSAGE_DONE, message, _ms(self._clock.now())))

    async def callback_done(self, callback: str) -> bool:
        """Mark a waiting callback as made; False when there is no such one."""
        return bool(await self._database.fetch(_CALLBACK_DONE, callback, _ms(self._clock.now())))


def _message(row: sa.RowMapping) -> MessageRecord:
    return MessageRecord(
        id=row["id"],
        call=CallId(row["call_id"]),
        box=row["box"],
        caller=row["caller_number"],
        customer=_customer(row),
        milliseconds=row["milliseconds"],
        recorded_at=_time(row["recorded_at_ms"]),
        state=State(row["state"]),
        done_at=_maybe(row["done_at_ms"]),
    )


def _callback(row: sa.RowMapping) -> CallbackRecord:
    return CallbackRecord(
        id=row["id"],
        call=CallId(row["call_id"]),
        queue=row["queue"],
        number=row["number"],
        customer=_customer(row),
        asked_at=_time(row["asked_at_ms"]),
        queued_at=_time(row["queued_at_ms"]),
        state=State(row["state"]),
        done_at=_maybe(row["done_at_ms"]),
    )


def _customer(row: sa.RowMapping) -> CustomerNumber | None:
    number = row["customer_number"]
    return None if number is None else CustomerNumber(number)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _maybe(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else _time(milliseconds)
