"""A small bank to try the hotline on: six invented customers.

Knows names, accounts and movements. Holds no PIN: each is computed from the installation's own PIN key, so the same
set-up prints the same PINs again, and no two installations share one.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.bank.seeding import house_account, house_rows, insert_missing
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.tables import (
    bank_account,
    bank_address,
    bank_caller_list,
    bank_customer,
    bank_exchange_rate,
    bank_interest_rate,
)
from ivr_engine.banking.model import AccountKind, Customer, Posting, Segment
from ivr_engine.scenarios.sample import EXCHANGE, INTEREST
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import AccountNumber, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits

PIN_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class _DemoAccount:
    number: str
    customer: str
    kind: AccountKind
    currency: Currency
    movements: tuple[tuple[str, str], ...]
    credit_line: str = "0"
    held: str = "0"


CUSTOMERS: Final = (
    Customer(CustomerNumber("100001"), "王小明", Language.MANDARIN, Segment.STANDARD, date(1988, 3, 14)),
    Customer(CustomerNumber("100002"), "陳嘉欣", Language.CANTONESE, Segment.GOLD, date(1975, 11, 2)),
    Customer(CustomerNumber("100003"), "Grace Miller", Language.ENGLISH, Segment.PRIVATE, date(1969, 7, 20)),
    Customer(CustomerNumber("100004"), "李国强", Language.MANDARIN, Segment.STANDARD, date(1948, 2, 29)),
    Customer(CustomerNumber("100005"), "黃志偉", Language.CANTONESE),
    Customer(CustomerNumber("200001"), "Harbour Trading Ltd", Language.ENGLISH, Segment.CORPORATE),
)

# Invented: 139 0000 is given to nobody, .example is no domain (RFC 2606). 100004 has a fax only, 100005 nothing at all.
_ADDRESSES: Final = (
    ("100001", Medium.SMS, "13900000001"),
    ("100001", Medium.EMAIL, "wang@mail.example"),
    ("100002", Medium.SMS, "85200000002"),
    ("100002", Medium.PAGE, "85200000022"),
    ("100003", Medium.SMS, "13900000003"),
    ("100003", Medium.EMAIL, "grace@mail.example"),
    ("100003", Medium.FAX, "861000000003"),
    ("100004", Medium.FAX, "861000000004"),
    ("200001", Medium.SMS, "85200000201"),
    ("200001", Medium.EMAIL, "accounts@harbour.example"),
    ("200001", Medium.FAX, "85200000202"),
)

CALLER_LIST: Final = "vip"
LISTED_CALLER: Final = "13800000001"
"""An invented number on the one list of callers that the demonstration has."""
_DEMAND, _TIME = AccountKind.DEMAND_SAVINGS, AccountKind.TIME_DEPOSIT
_CARD, _FUND, _CURRENT = AccountKind.CREDIT_CARD, AccountKind.PROVIDENT_FUND, AccountKind.CURRENT
_CNY, _USD, _HKD = Currency.CNY, Currency.USD, Currency.HKD
_ACCOUNTS: Final = (
    _DemoAccount(
        "6225000100011",
        "100001",
        _DEMAND,
        _CNY,
        (("12000", "工资"), ("-356.70", "超市"), ("-88", "电话费"), ("1200.05", "转入"), ("-2000", "取款")),
        held="500",
    ),
    _DemoAccount("6225000100012", "100001", _TIME, _CNY, (("50000", "定期存入"),)),
    _DemoAccount("6225000100013", "100001", _CARD, _CNY, (("-1299", "商场"), ("-45.60", "餐饮")), credit_line="20000"),
    _DemoAccount("6225000100014", "100001", _FUND, _CNY, (("1850", "公积金汇缴"), ("1850", "公积金汇缴"))),
    _DemoAccount("6225000100021", "100002", _DEMAND, _HKD, (("35000", "糧"), ("-4200", "租"), ("-63.50", "八達通"))),
    _DemoAccount("6225000100022", "100002", _CARD, _HKD, (("-8888.88", "購物"),), credit_line="30000"),
    _DemoAccount("6225000100023", "100002", _DEMAND, _USD, (("1500.25", "匯入"),)),
    _DemoAccount("6225000100031", "100003", _DEMAND, _USD, (("5200", "salary"), ("-19.99", "subscription"))),
    _DemoAccount("6225000100032", "100003", _TIME, _USD, (("10000", "deposit"),)),
    _DemoAccount("6225000100033", "100003", _CARD, _HKD, (), credit_line="15000"),
    _DemoAccount("6225000100041", "100004", _DEMAND, _CNY, (("0.05", "利息"),)),
    _DemoAccount("6225000100042", "100004", _FUND, _CNY, (("100000001", "公积金"),)),
    _DemoAccount("6225000100051", "100005", _DEMAND, _HKD, (("104020", "存入"), ("-10010.01", "轉出"))),
    _DemoAccount("6225000100052", "100005", _DEMAND, _CNY, (("2000.20", "汇入"),)),
    _DemoAccount("6225000200011", "200001", _CURRENT, _CNY, (("880000", "contract 17"), ("-125000", "payroll"))),
    _DemoAccount("6225000200012", "200001", _CURRENT, _HKD, (("312500.75", "export"), ("-4800", "freight"))),
    _DemoAccount("6225000200013", "200001", _FUND, _CNY, (("36000", "monthly remittance"),)),
)


def demo_pins(pin_key: bytes) -> dict[CustomerNumber, str]:
    """Compute the demo customers' PINs from the installation's PIN key."""
    pins = {}
    for customer in CUSTOMERS:
        digest = hmac.digest(pin_key, b"demo PIN of " + customer.number.encode(), "sha256")
        pins[customer.number] = str(int.from_bytes(digest, "big") % 10**PIN_DIGITS).zfill(PIN_DIGITS)
    return pins


async def seed_demo(
    database: Database, pin_key: bytes, pins: Mapping[CustomerNumber, str] | None = None, *, clock: Clock
) -> dict[CustomerNumber, str]:
    """Add the demo bank where it is missing, and return the PINs to show to whoever set it up.

    May be run again: balances that callers changed stay, the PINs given (or computed) hold again, locks stay.
    Raises `CoreUnavailableError` and `DatabaseUnavailableError`.
    """
    chosen = dict(demo_pins(pin_key) if pins is None else pins)
    async with database.session(writes=True) as connection:
        await connection.execute(insert_missing(database, bank_customer), [*map(_customer_row, CUSTOMERS)])
        await connection.execute(insert_missing(database, bank_account), [*_account_rows()])
        rows = [{"customer_number": one, "medium": by.value, "address": to} for one, by, to in _ADDRESSES]
        await connection.execute(insert_missing(database, bank_address), rows)
        listed = {"name": CALLER_LIST, "caller_number": LISTED_CALLER}
        await connection.execute(insert_missing(database, bank_caller_list), [listed])
    await publish_rates(database)
    core = EmbeddedCore(database, pin_key=pin_key, clock=clock)
    for account in _ACCOUNTS:
        for number, (amount, text) in enumerate(account.movements):
            await core.post_for_bank(_movement(account, number, Money.parse(amount, account.currency), text))
    for customer, digits in chosen.items():
        secret = SecretDigits(digits.encode())
        try:
            await core.set_pin(customer, secret)
        finally:
            secret.wipe()
    return chosen


async def publish_rates(database: Database) -> None:
    """Publish the rates of the demonstration where there are none; raises `DatabaseUnavailableError`."""
    async with database.session(writes=True) as connection:
        await connection.execute(insert_missing(database, bank_interest_rate), [*_interest_rows()])
        await connection.execute(insert_missing(database, bank_exchange_rate), [*_exchange_rows()])


def _movement(account: _DemoAccount, number: int, amount: Money, text: str) -> Posting:
    own, house = AccountNumber(account.number), house_account(account.currency)
    debit, credit = (house, own) if amount.minor > 0 else (own, house)
    return Posting(f"demo-{account.number}-{number}", debit, credit, max(amount, -amount), text)


def _customer_row(customer: Customer) -> dict[str, str | None]:
    return {
        "number": customer.number,
        "name": customer.name,
        "language": customer.language.value,
        "segment": customer.segment.value,
        "born": None if customer.born is None else customer.born.isoformat(),
    }


def _interest_rows() -> list[dict[str, object]]:
    return [
        {
            "product": one.product.value,
            "term": one.term.value,
            "percent_hundred_thousandths": one.rate.hundred_thousandths,
            "since": one.since.isoformat(),
        }
        for one in INTEREST
    ]


def _exchange_rows() -> list[dict[str, object]]:
    return [
        {
            "currency": one.currency.value,
            "buys_hundred_thousandths": one.buys.hundred_thousandths,
            "sells_hundred_thousandths": one.sells.hundred_thousandths,
            "at_ms": int(one.at.timestamp() * 1000),
        }
        for one in EXCHANGE
    ]


def _account_rows() -> list[dict[str, object]]:
    rows = house_rows()
    rows += [
        {
            "number": account.number,
            "customer_number": account.customer,
            "kind": account.kind.value,
            "currency": account.currency.value,
            "read_out_order": order,
            "booked_minor": 0,
            "held_minor": Money.parse(account.held, account.currency).minor,
            "credit_line_minor": Money.parse(account.credit_line, account.currency).minor,
        }
        for order, account in enumerate(_ACCOUNTS)
    ]
    return rows
