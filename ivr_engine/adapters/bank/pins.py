"""Keeps PINs as keyed values, and counts attempts before judging them.

Knows the tables of attempts and the key. Must not know the rule itself: `banking.pin_policy` states it. SQLite runs
that function inside a transaction; PostgreSQL runs the same rule as one statement, so that counting costs one round
trip, and a property test holds the two together.

What the database holds cannot be turned back into PINs without the key, although a PIN has only 10**6 values: the key
is given at construction and is never stored beside the values.
"""

from __future__ import annotations

import hmac
import sqlite3
from datetime import UTC, datetime
from typing import Final, NamedTuple

from ivr_engine.adapters.store.database import Database, Statement
from ivr_engine.banking.model import NUMBER_CHARACTERS_MAX, PinVerdict
from ivr_engine.banking.pin_policy import (
    ATTEMPTS_PER_CALL_MAX,
    FAILURES_FORGOTTEN_AFTER,
    FAILURES_MAX,
    PinFailures,
    count_attempt,
    length_is_acceptable,
    verdict_on_wrong_pin,
)
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.secret import SecretDigits

KEY_BYTES: Final = 32
COUNTER_BYTES: Final = 16
CALL_ID_CHARACTERS_MAX: Final = 64
_FORGOTTEN_AFTER_MS: Final = int(FAILURES_FORGOTTEN_AFTER.total_seconds() * 1000)
# What is compared for a number that no customer has; no HMAC can be made to equal it.
_NO_CUSTOMER: Final = bytes(32)

# Both upserts look at the newest row under its lock, so parallel calls cannot pass the limits. `tried` holds a row when
# the call had an attempt left, `counted` when the customer was not locked either: only then may the PIN be judged.
_COUNT: Final = Statement(
    f"""
    WITH tried AS (
        INSERT INTO bank_pin_call AS c (call_id, attempts, at_ms) VALUES ($1, 1, $3)
        ON CONFLICT (call_id) DO UPDATE SET attempts = c.attempts + 1, at_ms = $3
        WHERE c.attempts < {ATTEMPTS_PER_CALL_MAX}
        RETURNING attempts
    ), counted AS (
        INSERT INTO bank_pin_failures AS f (customer_number, failures, last_at_ms)
        SELECT $4, 1, $3 FROM tried
        ON CONFLICT (customer_number) DO UPDATE SET
            failures = CASE WHEN f.last_at_ms <= $3 - {_FORGOTTEN_AFTER_MS} THEN 1 ELSE f.failures + 1 END,
            last_at_ms = greatest(f.last_at_ms, $3)
        WHERE f.failures < {FAILURES_MAX} OR f.last_at_ms <= $3 - {_FORGOTTEN_AFTER_MS}
        RETURNING failures
    )
    SELECT (SELECT failures FROM counted), (SELECT attempts FROM tried),
           EXISTS (SELECT FROM tried) OR EXISTS (
               SELECT FROM bank_pin_failures WHERE customer_number = $4
               AND failures >= {FAILURES_MAX} AND last_at_ms > $3 - {_FORGOTTEN_AFTER_MS}),
           (SELECT verification_value FROM bank_pin WHERE customer_number = $2)
    """  # noqa: S608  # only this module's own numbers are formatted in
)
_READ: Final = Statement(
    """
    SELECT (SELECT attempts FROM bank_pin_call WHERE call_id = $1),
           (SELECT failures FROM bank_pin_failures WHERE customer_number = $3),
           (SELECT last_at_ms FROM bank_pin_failures WHERE customer_number = $3),
           (SELECT verification_value FROM bank_pin WHERE customer_number = $2)
    """
)
_KEEP_CALL: Final = Statement(
    """
    INSERT INTO bank_pin_call (call_id, attempts, at_ms) VALUES ($1, $2, $3)
    ON CONFLICT (call_id) DO UPDATE SET attempts = $2, at_ms = $3
    """
)
_KEEP_FAILURES: Final = Statement(
    """
    INSERT INTO bank_pin_failures (customer_number, failures, last_at_ms) VALUES ($1, $2, $3)
    ON CONFLICT (customer_number) DO UPDATE SET failures = $2, last_at_ms = $3
    """
)
_GIVE_BACK: Final = Statement(
    """
    WITH forgotten AS (DELETE FROM bank_pin_failures WHERE customer_number = $2)
    UPDATE bank_pin_call SET attempts = attempts - 1 WHERE call_id = $1 AND attempts > 0
    """
)
_GIVE_BACK_CALL: Final = Statement(
    "UPDATE bank_pin_call SET attempts = attempts - 1 WHERE call_id = $1 AND attempts > 0"
)
_FORGET_FAILURES: Final = Statement("DELETE FROM bank_pin_failures WHERE customer_number = $1")
_SET: Final = Statement(
    """
    INSERT INTO bank_pin (customer_number, verification_value) VALUES ($1, $2)
    ON CONFLICT (customer_number) DO UPDATE SET verification_value = $2
    """
)
_CHANGE: Final = Statement(
    """
    UPDATE bank_pin SET verification_value = $2
    WHERE customer_number = $1 AND verification_value <> $2 RETURNING customer_number
    """
)
_FORGET_OLD_CALLS: Final = Statement("DELETE FROM bank_pin_call WHERE at_ms <= $1")
_FORGET_OLD_FAILURES: Final = Statement("DELETE FROM bank_pin_failures WHERE last_at_ms <= $1")


class _Counted(NamedTuple):
    """What counting an attempt gave: a refusal, or the counts and the value to compare with."""

    refusal: PinVerdict | None
    failures: int = 0
    attempts_in_call: int = 0
    value: bytes | None = None


class Pins:
    """The embedded bank's PINs; every method raises `DatabaseUnavailableError`."""

    def __init__(self, database: Database, key: bytes, clock: Clock) -> None:
        if len(key) != KEY_BYTES:
            message = f"the PIN key has {KEY_BYTES} bytes, not {len(key)}"
            raise ValueError(message)
        self._database = database
        self._key = key
        self._clock = clock

    async def verify(self, customer: CustomerNumber, pin: SecretDigits, call: CallId) -> PinVerdict:
        """Count durably, then judge: one round trip on PostgreSQL, and a second after a success.

        An unknown number takes the same statements and the same comparison as a known one.
        """
        if not 0 < len(customer) <= NUMBER_CHARACTERS_MAX or not 0 < len(call) <= CALL_ID_CHARACTERS_MAX:
            raise ValueError("a customer number has 1 to 32 characters and a call id 1 to 64")
        now_ms = int(self._clock.now().timestamp() * 1000)
        count = self._count_on_postgres if self._database.is_postgres else self._count_on_sqlite
        counted = await count(customer, call, now_ms)
        if counted.refusal is not None:
            return counted.refusal
        if not hmac.compare_digest(self._value(customer, pin), counted.value or _NO_CUSTOMER):
            return verdict_on_wrong_pin(counted.failures, counted.attempts_in_call)
        await self._give_back(customer, call)
        return PinVerdict.VERIFIED

    async def set(self, customer: CustomerNumber, pin: SecretDigits) -> None:
        """Keep a new PIN; raise `ValueError` when it is too short or too long. The secret is the caller's to wipe."""
        if not length_is_acceptable(len(pin)):
            raise ValueError("a PIN has 6 to 12 digits")
        await self._database.fetch(_SET, customer, self._value(customer, pin))

    async def change(self, customer: CustomerNumber, pin: SecretDigits) -> bool:
        """Keep a new PIN in place of another; False when it is too short, too long or the present one."""
        if not length_is_acceptable(len(pin)):
            return False
        return bool(await self._database.fetch(_CHANGE, customer, self._value(customer, pin)))

    async def unlock(self, customer: CustomerNumber) -> None:
        """Forget a customer's failures: the bank has seen who it is by another way."""
        await self._database.fetch(_FORGET_FAILURES, self._counter(customer))

    async def forget_old_attempts(self) -> None:
        """Delete counts that the rule no longer looks at, so that typed nonsense does not fill the disk."""
        before_ms = int(self._clock.now().timestamp() * 1000) - _FORGOTTEN_AFTER_MS
        async with self._database.transaction() as transaction:
            await transaction.fetch(_FORGET_OLD_CALLS, before_ms)
            await transaction.fetch(_FORGET_OLD_FAILURES, before_ms)

    def _value(self, customer: CustomerNumber, pin: SecretDigits) -> bytes:
        # The number's length keeps (12, 3456) and (123, 456) apart.
        message = b"%d:%b:%b" % (len(customer), customer.encode(), pin.reveal())
        return hmac.digest(self._key, message, "sha256")

    def _counter(self, customer: CustomerNumber) -> str:
        """Return the name under which failures are counted: what was typed as a number may be somebody's PIN."""
        return hmac.digest(self._key, b"failures of " + customer.encode(), "sha256")[:COUNTER_BYTES].hex()

    async def _count_on_postgres(self, customer: CustomerNumber, call: CallId, now_ms: int) -> _Counted:
        [(failures, attempts, locked, value)] = await self._database.fetch(
            _COUNT, call, customer, now_ms, self._counter(customer)
        )
        if failures is not None:
            return _Counted(None, failures, attempts, value)
        return _Counted(PinVerdict.LOCKED if locked else PinVerdict.ATTEMPTS_USED)

    async def _count_on_sqlite(self, customer: CustomerNumber, call: CallId, now_ms: int) -> _Counted:
        counter = self._counter(customer)

        def count(connection: sqlite3.Connection) -> _Counted:
            [(attempts, failures, last_at_ms, value)] = connection.execute(_READ.sqlite, (call, customer, counter))
            before = PinFailures(failures or 0, _time(last_at_ms))
            attempt = count_attempt(before, attempts or 0, _from_ms(now_ms))
            connection.execute(_KEEP_CALL.sqlite, (call, attempt.attempts_in_call, now_ms))
            if attempt.failures.last_at is not None and attempt.failures != before:
                last_ms = round(attempt.failures.last_at.timestamp() * 1000)
                connection.execute(_KEEP_FAILURES.sqlite, (counter, attempt.failures.count, last_ms))
            return _Counted(attempt.verdict, attempt.failures.count, attempt.attempts_in_call, value)

        return await self._database.work_on_sqlite(count)

    async def _give_back(self, customer: CustomerNumber, call: CallId) -> None:
        counter = self._counter(customer)
        if self._database.is_postgres:
            await self._database.fetch(_GIVE_BACK, call, counter)
            return

        def give_back(connection: sqlite3.Connection) -> None:
            connection.execute(_FORGET_FAILURES.sqlite, (counter,))
            connection.execute(_GIVE_BACK_CALL.sqlite, (call,))

        await self._database.work_on_sqlite(give_back)


def _from_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else _from_ms(milliseconds)
