from __future__ import annotations

from ivr_engine.adapters.bank.demo import CUSTOMERS, demo_pins, seed_demo
from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.store.database import Database
from ivr_engine.banking.model import AccountKind, PinVerdict, PostingOutcome
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency
from tests.banking.clock import SetClock
from tests.banking.contract import CARD, PIN_KEY, SAVINGS, booked, cny, transfer, try_pin
from tests.waiting import PATIENCE_S


def test_demo_pins_come_from_the_key_and_are_six_digits() -> None:
    pins = demo_pins(PIN_KEY)
    assert pins == demo_pins(PIN_KEY)
    assert all(pins[number] != other for number, other in demo_pins(bytes(32)).items())
    assert {len(digits) for digits in pins.values()} == {6}
    assert len(set(pins.values())) == len(CUSTOMERS)


async def test_demo_has_every_language_kind_of_account_and_currency_and_its_pins_open_it(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    pins = await seed_demo(database, PIN_KEY, clock=SetClock())
    core = EmbeddedCore(database, pin_key=PIN_KEY, clock=SetClock())
    accounts = [account for customer in CUSTOMERS for account in await core.accounts(customer.number)]
    assert {customer.language for customer in CUSTOMERS} == set(Language)
    assert {account.kind for account in accounts} == set(AccountKind)
    assert {account.currency for account in accounts} == set(Currency)
    assert await core.unbalanced() == ()
    for number, digits in pins.items():
        assert await try_pin(core, digits, customer=number, call=number) is PinVerdict.VERIFIED
    await database.close()


async def test_seeding_again_keeps_what_callers_did(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    first = await seed_demo(database, PIN_KEY, clock=SetClock())
    core = EmbeddedCore(database, pin_key=PIN_KEY, clock=SetClock())
    assert await core.post(transfer("T1", "10")) is PostingOutcome.POSTED
    assert await seed_demo(database, PIN_KEY, clock=SetClock()) == first
    assert await booked(core, SAVINGS) == cny("10745.35")
    assert len(await core.statement(CARD, limit=100)) == 3
    await database.close()


async def test_audit_names_a_posting_and_an_account_that_were_tampered_with(database_url: str) -> None:
    database = Database(database_url, deadline_s=PATIENCE_S)
    await seed_demo(database, PIN_KEY, clock=SetClock())
    core = EmbeddedCore(database, pin_key=PIN_KEY, clock=SetClock())
    async with database.session(writes=True) as connection:
        await connection.exec_driver_sql(
            "UPDATE bank_entry SET amount_minor = amount_minor + 1 "
            f"WHERE posting_id = 'demo-{SAVINGS}-0' AND account_number = '{SAVINGS}'"
        )
    assert await core.unbalanced() == (f"account {SAVINGS}", f"posting demo-{SAVINGS}-0")
    await database.close()
