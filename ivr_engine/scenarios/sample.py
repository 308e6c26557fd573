"""The sample customer of `ivr play`, one customer with an account of each kind, and the sample rates of the bank.

Knows invented numbers. Must not know which bank holds them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from ivr_engine.banking.model import (
    AccountKind,
    Addresses,
    ExchangeRate,
    ForeignCurrency,
    InterestRate,
    Product,
    Segment,
    Term,
)
from ivr_engine.scenarios.model import GivenAccount, GivenCustomer, Movement
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Rate
from ivr_engine.values.secret import SecretDigits

SAMPLE: Final = "sample"
"""What a test writes for this customer."""
_CNY: Final = Currency.CNY
_NOTHING: Final = Money(0, _CNY)


_SINCE: Final = date(2025, 5, 20)
_SET_AT: Final = datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
INTEREST: Final = tuple(
    InterestRate(product, term, Rate.parse(percent), _SINCE)
    for product, term, percent in (
        (Product.DEMAND_DEPOSIT, Term.NO_TERM, "0.05%"),
        (Product.TIME_DEPOSIT, Term.THREE_MONTHS, "0.65%"),
        (Product.TIME_DEPOSIT, Term.SIX_MONTHS, "0.85%"),
        (Product.TIME_DEPOSIT, Term.ONE_YEAR, "0.95%"),
        (Product.TIME_DEPOSIT, Term.TWO_YEARS, "1.05%"),
        (Product.TIME_DEPOSIT, Term.THREE_YEARS, "1.25%"),
        (Product.TIME_DEPOSIT, Term.FIVE_YEARS, "1.3%"),
        (Product.LOAN, Term.ONE_YEAR, "3%"),
        (Product.LOAN, Term.FIVE_YEARS, "3.5%"),
    )
)
"""The interest of the demonstration, and of every test of a flow."""
EXCHANGE: Final = tuple(
    ExchangeRate(ForeignCurrency(code), Rate.parse(f"{buys} {quoted}"), Rate.parse(f"{sells} {quoted}"), _SET_AT)
    for code, buys, sells, quoted in (
        ("USD", "712.35", "715.35", "CNY per 100 USD"),
        ("HKD", "91.02", "91.38", "CNY per 100 HKD"),
    )
)
"""The exchange rates of the same."""


def sample_customer() -> GivenCustomer:
    """Return customer 620001 with PIN 246810; whoever asks owns the secret."""
    return GivenCustomer(
        "620001",
        SecretDigits(b"246810"),
        "Ms Chen",
        (
            GivenAccount(
                "6225880012345678",
                AccountKind.DEMAND_SAVINGS,
                Money(1_075_535, _CNY),
                Money(50_000, _CNY),
                _NOTHING,
                (
                    Movement(Money(-200_000, _CNY), text="cash"),
                    Movement(Money(120_005, _CNY), days_ago=1, text="salary"),
                    Movement(Money(-8_800, _CNY), days_ago=2, text="telephone"),
                ),
            ),
            GivenAccount("6225880012345686", AccountKind.TIME_DEPOSIT, Money(5_000_000, _CNY), _NOTHING, _NOTHING),
            GivenAccount(
                "4392250012345694",
                AccountKind.CREDIT_CARD,
                Money(-134_460, _CNY),
                _NOTHING,
                Money(2_000_000, _CNY),
                (
                    Movement(Money(-129_900, _CNY), text="department store"),
                    Movement(Money(-4_560, _CNY), days_ago=1, text="restaurant"),
                ),
            ),
            GivenAccount("1100620001", AccountKind.PROVIDENT_FUND, Money(370_000, _CNY), _NOTHING, _NOTHING),
            GivenAccount(
                "6225880012345702",
                AccountKind.CURRENT,
                Money(152_025, Currency.USD),
                Money(0, Currency.USD),
                Money(0, Currency.USD),
            ),
        ),
        Addresses(mobile="13900620001", fax="861000620001", email="chen@mail.example"),
        segment=Segment.GOLD,
        born=date(1980, 5, 1),
    )
