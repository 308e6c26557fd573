"""What a bank holds, as values.

Knows customers, accounts, balances, statement lines and postings. Must not know storage, wire formats or callers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from ivr_engine.values.ids import AccountNumber, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Pair, Rate

NUMBER_CHARACTERS_MAX: Final = 32
"""Longest customer or account number, in characters."""
ADDRESS_CHARACTERS_MAX: Final = 200
"""Longest address of any kind, in characters."""
CALLER_NUMBER_CHARACTERS_MAX: Final = 64
CALLER_LIST_CHARACTERS_MAX: Final = 40
HOME: Final = Currency.CNY
"""The bank's own currency."""
POSTING_TEXT_CHARACTERS_MAX: Final = 140
_POSTING_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)


class AccountKind(StrEnum):
    """Kinds of account, by the names that customers know."""

    DEMAND_SAVINGS = "demand_savings"
    TIME_DEPOSIT = "time_deposit"
    CREDIT_CARD = "credit_card"
    PROVIDENT_FUND = "provident_fund"
    CURRENT = "current"


class Segment(StrEnum):
    """How the bank serves a customer."""

    STANDARD = "standard"
    GOLD = "gold"
    PRIVATE = "private"
    CORPORATE = "corporate"


@dataclass(frozen=True, slots=True)
class Customer:
    """A person or company that may sign in; `born` is None where the bank does not know it, or it is a company."""

    number: CustomerNumber
    name: str
    language: Language
    segment: Segment = Segment.STANDARD
    born: date | None = None

    def age(self, today: date) -> int | None:
        """Return the age in whole years; who was born on 29 February is a year older on 1 March of other years."""
        if self.born is None:
            return None
        return today.year - self.born.year - ((today.month, today.day) < (self.born.month, self.born.day))


class Product(StrEnum):
    """What the bank pays or takes interest for."""

    DEMAND_DEPOSIT = "demand_deposit"
    TIME_DEPOSIT = "time_deposit"
    LOAN = "loan"


class Term(StrEnum):
    """For how long money is lent; a demand deposit has no term."""

    NO_TERM = "no_term"
    THREE_MONTHS = "three_months"
    SIX_MONTHS = "six_months"
    ONE_YEAR = "one_year"
    TWO_YEARS = "two_years"
    THREE_YEARS = "three_years"
    FIVE_YEARS = "five_years"


class ForeignCurrency(StrEnum):
    """The currencies that the bank buys and sells, against its own (CNY)."""

    USD = "USD"
    HKD = "HKD"


@dataclass(frozen=True, slots=True)
class InterestRate:
    """The interest of a product in per cent a year, and since which day it holds."""

    product: Product
    term: Term
    rate: Rate
    since: date


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """At what the bank buys and sells a hundred units of a currency, and when that was set."""

    currency: ForeignCurrency
    buys: Rate
    sells: Rate
    at: datetime

    def __post_init__(self) -> None:
        pair = Pair(Currency(self.currency.value), HOME)
        if self.buys.pair != pair or self.sells.pair != pair:
            message = f"an exchange rate of {self.currency.value} is quoted in {HOME.value}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a customer is written to, as the bank has registered it; None where nothing is registered.

    A caller never types one: who knows a PIN must not be able to send what is personal elsewhere.
    """

    mobile: str | None = field(default=None, repr=False)
    fax: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    pager: str | None = field(default=None, repr=False)

    def reached_by(self, medium: Medium) -> str | None:
        """Return the address for a medium, or None."""
        by_medium = {
            Medium.SMS: self.mobile,
            Medium.FAX: self.fax,
            Medium.EMAIL: self.email,
            Medium.PAGE: self.pager,
        }
        return by_medium[medium]


class PinChange(StrEnum):
    """What became of a new PIN; the bank refuses one that is too short, too long or the present one."""

    CHANGED = "changed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Account:
    """One account of one customer, in one currency."""

    number: AccountNumber
    customer: CustomerNumber
    kind: AccountKind
    currency: Currency


@dataclass(frozen=True, slots=True)
class Balance:
    """What is booked on an account, and what may be drawn now (booked, less holds, plus credit line)."""

    booked: Money
    available: Money


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One booked movement of an account; positive is money in."""

    at: datetime
    amount: Money
    text: str
    balance_after: Money


class PinVerdict(StrEnum):
    """What the bank says of a PIN, in order of precedence.

    An unknown customer and a wrong PIN are both `refused`: the two must sound alike. The wrong PIN that was the last
    of a call is `attempts_used`, the one that locks is `locked`.
    """

    LOCKED = "locked"
    ATTEMPTS_USED = "attempts_used"
    VERIFIED = "verified"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Posting:
    """A movement between two accounts of the same currency; `id` makes it happen once.

    The id is made and stored before the posting is sent. Raises `ValueError` for an id that is not 1 to 64 of
    `0-9A-Za-z_-`, a number over 32 characters or a text over 140: those are mistakes of the program, not outcomes.
    """

    id: str
    debit: AccountNumber
    credit: AccountNumber
    amount: Money
    text: str

    def __post_init__(self) -> None:
        if not _POSTING_ID.fullmatch(self.id):
            raise ValueError("a posting id is 1 to 64 letters, digits, _ or -")
        if max(len(self.debit), len(self.credit)) > NUMBER_CHARACTERS_MAX:
            message = f"an account number has at most {NUMBER_CHARACTERS_MAX} characters"
            raise ValueError(message)
        if len(self.text) > POSTING_TEXT_CHARACTERS_MAX:
            message = f"a posting's text has at most {POSTING_TEXT_CHARACTERS_MAX} characters"
            raise ValueError(message)


class PostingOutcome(StrEnum):
    """What became of a posting, in order of precedence (the first that applies is the answer)."""

    POSTED = "posted"
    ALREADY_POSTED = "already_posted"
    DIFFERENT_UNDER_SAME_ID = "different_under_same_id"
    NO_SUCH_ACCOUNT = "no_such_account"
    SAME_ACCOUNT = "same_account"
    CURRENCY_MISMATCH = "currency_mismatch"
    INVALID_AMOUNT = "invalid_amount"
    INSUFFICIENT_FUNDS = "insufficient_funds"
