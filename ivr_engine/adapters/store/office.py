"""Keeps messages, codes, cases and notes in the database, until a gateway or the bank's people take them.

Knows the tables and the key of codes. Must not know the rules: `calls.office` has the limits, `banking.code_policy`
those of codes. A code is kept as a keyed value, as a PIN is, under the same key, which is never in this database. Its
digits stand in one place only, the text of the message that is to be sent: that text is wiped when the code was used or
its five minutes are over, and no log or command of ours shows it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from ivr_engine.adapters.store.database import Database, Statement
from ivr_engine.adapters.store.faults import DatabaseUnavailableError
from ivr_engine.banking.code_policy import (
    CODES_COUNTED_FOR,
    CODES_PER_CALL_MAX,
    CODES_PER_CUSTOMER_MAX,
    CodeVerdict,
    may_judge,
    verdict_on_wrong_code,
)
from ivr_engine.calls.office import (
    CASE_DIGITS,
    MESSAGES_COUNTED_FOR,
    MESSAGES_PER_CALL_MAX,
    MESSAGES_PER_CUSTOMER_MAX,
    CallNote,
    OfficeUnavailableError,
    OutboxMessage,
    Posted,
    ServiceCase,
)
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.secret import SecretDigits

WAITING: Final = "waiting"
EXPIRED: Final = "expired"
OPEN: Final = "open"
KEY_BYTES: Final = 32
CASE_NUMBERS_TRIED_MAX: Final = 8

# Two calls of one customer at the same moment may pass the limit of a day by one message; nobody is harmed by that.
_POST: Final = Statement(
    f"""
    INSERT INTO outbox_message (id, call_id, customer_number, medium, message, language, address, heading, text, state,
                                attempts, created_at_ms, next_at_ms, expires_at_ms)
    SELECT CAST($1 AS VARCHAR(64)), CAST($2 AS VARCHAR(64)), CAST($3 AS VARCHAR(32)), CAST($4 AS VARCHAR(8)),
           CAST($5 AS VARCHAR(60)), CAST($6 AS VARCHAR(8)), CAST($7 AS VARCHAR(200)), CAST($8 AS VARCHAR(400)),
           CAST($9 AS TEXT), '{WAITING}', 0, CAST($10 AS BIGINT), CAST($10 AS BIGINT), CAST($11 AS BIGINT)
    WHERE (SELECT count(*) FROM outbox_message WHERE call_id = $2) < {MESSAGES_PER_CALL_MAX}
      AND (SELECT count(*) FROM outbox_message WHERE customer_number = $3
           AND created_at_ms > CAST($12 AS BIGINT)) < {MESSAGES_PER_CUSTOMER_MAX}
    ON CONFLICT (id) DO NOTHING RETURNING id
    """  # noqa: S608  # only this project's own numbers are formatted in
)
_POSTED: Final = Statement("SELECT id FROM outbox_message WHERE id = $1")
_KEEP_CODE: Final = Statement(
    f"""
    INSERT INTO step_up_code (message_id, call_id, customer_number, verification_value, attempts, sent_at_ms)
    SELECT CAST($1 AS VARCHAR(64)), CAST($2 AS VARCHAR(64)), CAST($3 AS VARCHAR(32)), $4, 0, CAST($5 AS BIGINT)
    WHERE (SELECT count(*) FROM step_up_code WHERE call_id = $2) < {CODES_PER_CALL_MAX}
      AND (SELECT count(*) FROM step_up_code WHERE customer_number = $3
           AND sent_at_ms > CAST($6 AS BIGINT)) < {CODES_PER_CUSTOMER_MAX}
    ON CONFLICT (message_id) DO NOTHING RETURNING message_id
    """  # noqa: S608  # only this project's own numbers are formatted in
)
# Counted and committed before anything is compared; parallel attempts are counted one after the other.
_TRY_CODE: Final = Statement(
    """
    UPDATE step_up_code SET attempts = attempts + 1
    WHERE message_id = (SELECT message_id FROM step_up_code WHERE call_id = $1 AND customer_number = $2
                        ORDER BY sent_at_ms DESC, message_id DESC LIMIT 1)
    RETURNING message_id, verification_value, attempts, sent_at_ms
    """
)
# What was used is compared with nothing any more: no keyed value is empty.
_USE_UP_CODE: Final = Statement(
    "UPDATE step_up_code SET verification_value = $2 WHERE message_id = $1 AND verification_value = $3 "
    "RETURNING message_id"
)
_WIPE_MESSAGE: Final = Statement(
    f"""
    UPDATE outbox_message SET text = '', heading = '', address = '',
        state = CASE WHEN state = '{WAITING}' THEN '{EXPIRED}' ELSE state END
    WHERE id = $1
    """  # noqa: S608  # only this module's own words are formatted in
)
_WIPE_EXPIRED: Final = Statement(
    f"""
    UPDATE outbox_message SET text = '', heading = '', address = '',
        state = CASE WHEN state = '{WAITING}' THEN '{EXPIRED}' ELSE state END
    WHERE expires_at_ms <= $1 AND text <> '' RETURNING id
    """  # noqa: S608  # only this module's own words are formatted in
)
_FORGET_CODES: Final = Statement("DELETE FROM step_up_code WHERE sent_at_ms <= $1")
_WIPE_SCREENS: Final = Statement("DELETE FROM call_screen WHERE shown_at_ms <= $1")
_OPEN_CASE: Final = Statement(
    """
    INSERT INTO service_case (number, id, call_id, customer_number, kind, data, state, opened_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING number
    """
)
_CASE_NUMBER: Final = Statement("SELECT number FROM service_case WHERE id = $1")
_SENT_TO: Final = Statement(
    "SELECT medium, heading, text FROM outbox_message WHERE customer_number = $1 ORDER BY created_at_ms, id"
)
_SENT_LAST: Final = Statement(
    """
    SELECT text FROM outbox_message WHERE customer_number = $1 AND message = $2
    ORDER BY created_at_ms DESC, id DESC LIMIT 1
    """
)
_NOTE: Final = Statement(
    """
    INSERT INTO call_note (id, call_id, customer_number, text, noted_at_ms)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING
    """
)


class OfficeStore:
    """`Office` on SQLite or PostgreSQL. The database is the caller's to close; raises `ValueError` for a short key."""

    def __init__(self, database: Database, *, key: bytes, clock: Clock) -> None:
        if len(key) != KEY_BYTES:
            message = f"the key of codes has {KEY_BYTES} bytes, not {len(key)}"
            raise ValueError(message)
        self._database = database
        self._key = key
        self._clock = clock

    async def post(self, message: OutboxMessage) -> Posted:
        """Keep a message; one round trip, two for one that was there or is too many."""
        with _as_office_errors():
            if await self._database.fetch(_POST, *_row(message)):
                return Posted.ACCEPTED
            return Posted.ACCEPTED if await self._database.fetch(_POSTED, message.id) else Posted.TOO_MANY

    async def post_code(self, message: OutboxMessage, code: SecretDigits) -> Posted:
        """Keep a message and the keyed value of its code in one transaction."""
        since = _ms(message.at - CODES_COUNTED_FOR)
        value = self._value(message.id, message.call, message.customer, code)
        with _as_office_errors():
            async with self._database.transaction() as transaction:
                kept = await transaction.fetch(
                    _KEEP_CODE, message.id, message.call, message.customer, value, _ms(message.at), since
                )
                if not kept:
                    return Posted.TOO_MANY
                if await transaction.fetch(_POST, *_row(message)):
                    return Posted.ACCEPTED
                # Counted as a code, though not sent: nobody has it, and nobody gains an attempt.
                return Posted.TOO_MANY

    async def check_code(self, call: CallId, customer: CustomerNumber, code: SecretDigits) -> CodeVerdict:
        """Count an attempt durably, then judge it."""
        with _as_office_errors():
            rows = await self._database.fetch(_TRY_CODE, call, customer)
            if not rows or not rows[0][1]:
                return CodeVerdict.EXPIRED
            message_id, value, attempts, sent_at_ms = rows[0]
            refusal = may_judge(datetime.fromtimestamp(sent_at_ms / 1000, UTC), attempts - 1, self._clock.now())
            if refusal is not None:
                return refusal
            typed = self._value(message_id, call, customer, code)
            if not hmac.compare_digest(typed, value):
                return verdict_on_wrong_code(attempts)
            async with self._database.transaction() as transaction:
                used = await transaction.fetch(_USE_UP_CODE, message_id, b"", value)
                await transaction.fetch(_WIPE_MESSAGE, message_id)
            return CodeVerdict.ACCEPTED if used else CodeVerdict.EXPIRED

    async def open_case(self, case: ServiceCase) -> str:
        """Keep a case under a number that follows from its id; if that is taken, under the next that follows."""
        with _as_office_errors():
            for attempt in range(CASE_NUMBERS_TRIED_MAX):
                number = _case_number(case.id, attempt)
                values = (case.call, case.customer, case.kind, case.data, OPEN, _ms(case.at))
                if await self._database.fetch(_OPEN_CASE, number, case.id, *values):
                    return number
                if known := await self._database.fetch(_CASE_NUMBER, case.id):
                    return str(known[0][0])
        raise OfficeUnavailableError("no number for a case is free")

    async def note(self, note: CallNote) -> None:
        """Keep a note."""
        with _as_office_errors():
            await self._database.fetch(_NOTE, note.id, note.call, note.customer, note.text, _ms(note.at))

    async def tidy_up(self, *, screens_kept_for: timedelta) -> int:
        """Wipe texts that have expired, codes that count no more and old screens; return how many texts were wiped.

        To be run about once a minute.
        """
        now = self._clock.now()
        with _as_office_errors():
            wiped = await self._database.fetch(_WIPE_EXPIRED, _ms(now))
            await self._database.fetch(_FORGET_CODES, _ms(now - CODES_COUNTED_FOR))
            await self._database.fetch(_WIPE_SCREENS, _ms(now - screens_kept_for))
        return len(wiped)

    def _value(self, message_id: str, call: CallId, customer: CustomerNumber, code: SecretDigits) -> bytes:
        # Lengths keep the parts apart; the word keeps a code apart from a PIN under the same key.
        parts = (message_id.encode(), call.encode(), customer.encode())
        message = b"code of " + b"".join(b"%d:%b:" % (len(part), part) for part in parts) + code.reveal()
        return hmac.digest(self._key, message, "sha256")


async def messages_to(database: Database, customer: CustomerNumber) -> tuple[tuple[str, str, str], ...]:
    """Return medium, heading and text of what a customer of a test was sent, the oldest first.

    Raises `DatabaseUnavailableError`.
    """
    rows = await database.fetch(_SENT_TO, customer)
    return tuple((medium, heading, text) for medium, heading, text in rows)


async def text_sent_last(database: Database, customer: CustomerNumber, message: str) -> str:
    """Return the text of the newest message of this name to a customer of a test, empty where there is none.

    Raises `DatabaseUnavailableError`.
    """
    rows = await database.fetch(_SENT_LAST, customer, message)
    return str(rows[0][0]) if rows else ""


def _row(message: OutboxMessage) -> tuple[object, ...]:
    return (
        message.id,
        message.call,
        message.customer,
        message.medium.value,
        message.message,
        message.language.value,
        message.address,
        message.heading,
        message.text,
        _ms(message.at),
        _ms(message.expires_at),
        _ms(message.at - MESSAGES_COUNTED_FOR),
    )


def _case_number(identity: str, attempt: int) -> str:
    """Return a number that does not begin with nought, so that it is the same number also when it is read as one."""
    digest = hashlib.sha256(f"{identity}\0{attempt}".encode()).digest()
    least = 10 ** (CASE_DIGITS - 1)
    return str(least + int.from_bytes(digest[:8], "big") % (9 * least))


@contextmanager
def _as_office_errors() -> Iterator[None]:
    try:
        yield
    except DatabaseUnavailableError as error:
        raise OfficeUnavailableError(str(error)) from error


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
