"""A fresh customer of the embedded bank is like the one that a test describes, and like the one of the simulator."""

from __future__ import annotations

import dataclasses
from typing import Final

import pytest

from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.bank.seeding import NotBookedError, forget_pin, seed_fresh
from ivr_engine.adapters.store.database import Database
from ivr_engine.banking.core import CoreBank
from ivr_engine.banking.model import PinVerdict
from ivr_engine.scenarios.model import GivenAccount, GivenCustomer, Movement
from ivr_engine.scenarios.sample import sample_customer
from ivr_engine.simulator.bank import bank_of
from ivr_engine.values.ids import CallId, CustomerNumber, RandomIds
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits
from tests.banking.clock import SetClock
from tests.banking.contract import PIN_KEY
from tests.waiting import PATIENCE_S

WRONG: Final = b"000000"


async def seeded(database: Database, given: GivenCustomer, clock: SetClock) -> tuple[EmbeddedCore, CustomerNumber]:
    ids = RandomIds(clock)
    number = await seed_fresh(database, PIN_KEY, given, SecretDigits(WRONG), clock=clock, ids=ids)
    return EmbeddedCore(database, pin_key=PIN_KEY, clock=clock), number


async def what_is_heard_of(core: CoreBank, customer: CustomerNumber) -> list[object]:
    """Return what callers can hear of a customer's accounts: kind, last digits, balances, movements with their days."""
    heard: list[object] = []
    for account in await core.accounts(customer):
        lines = await core.statement(account.number, limit=20)
        balance = await core.balance(account.number)
        heard.append((account.kind, account.number[-4:], balance, [(line.at.date(), line.amount) for line in lines]))
    return heard


async def test_fresh_customer_sounds_like_the_simulated_one(database_url: str) -> None:
    database, clock = Database(database_url, deadline_s=PATIENCE_S), SetClock()
    given = sample_customer()
    core, number = await seeded(database, given, clock)
    simulated = await what_is_heard_of(bank_of(given, clock), CustomerNumber(given.number))
    assert len(simulated) == 5
    assert await what_is_heard_of(core, number) == simulated
    assert await core.unbalanced() == ()
    await database.close()


async def test_every_customer_is_fresh_and_the_pin_opens_each(database_url: str) -> None:
    database, clock = Database(database_url, deadline_s=PATIENCE_S), SetClock()
    core, first = await seeded(database, sample_customer(), clock)
    _, second = await seeded(database, sample_customer(), clock)
    assert len({first, second, CustomerNumber("620001")}) == 3
    assert not {one.number for one in await core.accounts(first)} & {one.number for one in await core.accounts(second)}
    for customer in (first, second):
        assert customer.isdigit()
        verdict = await core.verify_pin(customer, SecretDigits(b"246810"), call=CallId(f"call {customer}"))
        assert verdict is PinVerdict.VERIFIED
    await database.close()


async def test_pin_that_stands_in_a_test_opens_nothing_when_the_call_is_over(database_url: str) -> None:
    database, clock = Database(database_url, deadline_s=PATIENCE_S), SetClock()
    core, number = await seeded(database, sample_customer(), clock)
    await forget_pin(database, number)
    verdict = await core.verify_pin(number, SecretDigits(b"246810"), call=CallId("later"))
    assert verdict is PinVerdict.REFUSED
    await database.close()


@pytest.mark.parametrize(("before", "verdict"), [(3, PinVerdict.REFUSED), (4, PinVerdict.LOCKED)])
async def test_wrong_pins_of_other_calls_are_counted(database_url: str, before: int, verdict: PinVerdict) -> None:
    database, clock = Database(database_url, deadline_s=PATIENCE_S), SetClock()
    core, number = await seeded(database, dataclasses.replace(sample_customer(), wrong_pins=before), clock)
    assert await core.verify_pin(number, SecretDigits(WRONG), call=CallId("mine")) is verdict
    await database.close()


async def test_movement_that_no_account_could_have_is_told(database_url: str) -> None:
    database, clock = Database(database_url, deadline_s=PATIENCE_S), SetClock()
    nothing = Money(0, Currency.CNY)
    account = GivenAccount(
        "1234", sample_customer().accounts[0].kind, nothing, nothing, nothing, (Movement(Money(5, Currency.CNY)),)
    )
    with pytest.raises(NotBookedError, match=r"does not book -0\.05 CNY"):
        await seeded(database, dataclasses.replace(sample_customer(), accounts=(account,)), clock)
    await database.close()
