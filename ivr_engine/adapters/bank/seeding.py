"""Puts customers into an embedded bank: a fresh one for a test call to a running hotline, or the very one of a test.

Knows the bank's tables and how its own accounts give money. Must not know who is put in, nor calls. A fresh customer
takes the place of the one that a test describes: nobody's number is used twice, and no posting is ever taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from ivr_engine.adapters.bank.embedded import HOUSE, EmbeddedCore
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.tables import bank_account, bank_address, bank_customer, bank_pin
from ivr_engine.banking.model import Posting, PostingOutcome
from ivr_engine.banking.pin_policy import ATTEMPTS_PER_CALL_MAX
from ivr_engine.scenarios.model import GivenAccount, GivenCustomer
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import AccountNumber, CallId, CustomerNumber, Ids
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.money import Currency
from ivr_engine.values.secret import SecretDigits

CUSTOMER_DIGITS: Final = 9
ACCOUNT_DIGITS: Final = 16
READ_OUT_DIGITS: Final = 4
"""The last digits of an account number are read out, so a fresh number keeps them."""


class NotBookedError(Exception):
    """The bank does not book a movement that a test describes: no account could have it."""


@dataclass(frozen=True, slots=True)
class _At:
    """The clock of a movement that was booked at another time."""

    moment: datetime
    clock: Clock

    def monotonic(self) -> float:
        return self.clock.monotonic()

    def now(self) -> datetime:
        return self.moment


def house_account(currency: Currency) -> AccountNumber:
    """Return the number of the bank's own account in a currency: where the money of new accounts comes from."""
    return AccountNumber(f"HOUSE-{currency.value}")


def house_rows() -> list[dict[str, object]]:
    """Return the rows of the bank's own accounts."""
    return [
        {
            "number": house_account(currency),
            "customer_number": None,
            "kind": HOUSE,
            "currency": currency.value,
            "read_out_order": 0,
            "booked_minor": 0,
            "held_minor": 0,
            "credit_line_minor": 0,
        }
        for currency in Currency
    ]


def insert_missing(database: Database, table: sa.Table) -> sa.sql.dml.Insert:
    """Return what inserts rows and leaves alone those whose keys are there."""
    if database.is_postgres:
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        return postgres_insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table).on_conflict_do_nothing()


async def seed_fresh(
    database: Database, pin_key: bytes, given: GivenCustomer, wrong_pin: SecretDigits, *, clock: Clock, ids: Ids
) -> CustomerNumber:
    """Put a customer like the given one into the bank and return their number, which nobody had before.

    Raises `NotBookedError`, `CoreUnavailableError` and `DatabaseUnavailableError`.
    """
    customer = CustomerNumber("9" + _digits(ids, max(CUSTOMER_DIGITS, len(given.number)) - 1))
    numbers = [_fresh_account(one, ids) for one in given.accounts]
    await _seed(database, pin_key, given, wrong_pin, customer, numbers, clock=clock, ids=ids)
    return customer


async def seed_given(
    database: Database, pin_key: bytes, given: GivenCustomer, wrong_pin: SecretDigits, *, clock: Clock, ids: Ids
) -> None:
    """Put the given customer into a bank that has none, with the numbers that the test gives.

    Raises as `seed_fresh`.
    """
    numbers = [AccountNumber(one.number) for one in given.accounts]
    await _seed(database, pin_key, given, wrong_pin, CustomerNumber(given.number), numbers, clock=clock, ids=ids)


async def _seed(
    database: Database,
    pin_key: bytes,
    given: GivenCustomer,
    wrong_pin: SecretDigits,
    customer: CustomerNumber,
    numbers: Sequence[AccountNumber],
    *,
    clock: Clock,
    ids: Ids,
) -> None:
    async with database.session(writes=True) as connection:
        await connection.execute(insert_missing(database, bank_account), house_rows())
        name = given.name or "A test"
        born = None if given.born is None else given.born.isoformat()
        row = {
            "number": customer,
            "name": name,
            "language": Language.MANDARIN.value,
            "segment": given.segment.value,
            "born": born,
        }
        await connection.execute(bank_customer.insert(), [row])
        addresses = [
            {"customer_number": customer, "medium": medium.value, "address": address}
            for medium in Medium
            if (address := given.addresses.reached_by(medium)) is not None
        ]
        if addresses:
            await connection.execute(bank_address.insert(), addresses)
        if numbers:
            rows = [
                _account_row(customer, one, number, order)
                for order, (one, number) in enumerate(zip(given.accounts, numbers, strict=True))
            ]
            await connection.execute(bank_account.insert(), rows)
    for one, number in zip(given.accounts, numbers, strict=True):
        await _book(database, pin_key, one, number, clock)
    core = EmbeddedCore(database, pin_key=pin_key, clock=clock)
    await core.set_pin(customer, given.pin)
    call = CallId(ids.new())
    for attempt in range(given.wrong_pins):
        if attempt % ATTEMPTS_PER_CALL_MAX == 0:
            call = CallId(ids.new())
        await core.verify_pin(customer, wrong_pin, call=call)


async def forget_pin(database: Database, customer: CustomerNumber) -> None:
    """Take a customer's PIN away: nobody signs in as them any more, though the PIN stands in a test for all to read."""
    async with database.session(writes=True) as connection:
        await connection.execute(bank_pin.delete().where(bank_pin.c.customer_number == customer))


async def _book(database: Database, pin_key: bytes, account: GivenAccount, number: AccountNumber, clock: Clock) -> None:
    """Book the movements, the oldest first."""
    house, now = house_account(account.booked.currency), clock.now()
    for order, movement in enumerate(reversed(account.all_movements)):
        core = EmbeddedCore(database, pin_key=pin_key, clock=_At(movement.at(now), clock))
        debit, credit = (house, number) if movement.amount.minor > 0 else (number, house)
        amount = max(movement.amount, -movement.amount)
        outcome = await core.post_for_bank(Posting(f"test-{number}-{order}", debit, credit, amount, movement.text))
        if outcome is not PostingOutcome.POSTED:
            message = f"the bank does not book {movement.amount} on an account that is {account.kind.value}: {outcome}"
            raise NotBookedError(message)


def _account_row(customer: CustomerNumber, given: GivenAccount, number: AccountNumber, order: int) -> dict[str, object]:
    return {
        "number": number,
        "customer_number": customer,
        "kind": given.kind.value,
        "currency": given.booked.currency.value,
        "read_out_order": order,
        "booked_minor": 0,
        "held_minor": given.held.minor,
        "credit_line_minor": given.credit_line.minor,
    }


def _fresh_account(given: GivenAccount, ids: Ids) -> AccountNumber:
    digits = max(ACCOUNT_DIGITS, len(given.number)) - READ_OUT_DIGITS - 1
    return AccountNumber("9" + _digits(ids, digits) + given.number[-READ_OUT_DIGITS:])


def _digits(ids: Ids, count: int) -> str:
    """Return so many digits that are nearly certain to be new, from the random end of an id."""
    return "".join(str(ord(letter) * 7 % 10) for letter in (ids.new() + ids.new())[::-1][:count])
