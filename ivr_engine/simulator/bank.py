"""A small bank in memory: the `CoreBank` port for flows in virtual time and for `ivr play`.

Knows scripted customers, the PIN policy and the ledger's rules, and can be away or slow. Must not know SQL, HTTP or
flows. It obeys the contract suite of the real cores, but forgets everything at the end of the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from ivr_engine.banking.core import CoreUnavailableError
from ivr_engine.banking.ledger import LedgerAccount, balance, entries, judge, replay
from ivr_engine.banking.model import (
    Account,
    AccountKind,
    Addresses,
    Balance,
    Customer,
    ExchangeRate,
    ForeignCurrency,
    InterestRate,
    PinChange,
    PinVerdict,
    Posting,
    PostingOutcome,
    Product,
    Segment,
    StatementLine,
    Term,
)
from ivr_engine.banking.pin_policy import PinFailures, count_attempt, length_is_acceptable, verdict_on_wrong_pin
from ivr_engine.scenarios.model import GivenCustomer
from ivr_engine.scenarios.sample import EXCHANGE, INTEREST, sample_customer
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import AccountNumber, CallId, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.money import Money
from ivr_engine.values.secret import SecretDigits

STATEMENT_LINES_MAX: Final = 100


@dataclass(slots=True)
class BookAccount:
    """An account of a customer: amounts, and its movements, the newest first."""

    account: Account
    ledger: LedgerAccount
    lines: list[StatementLine] = field(default_factory=list)


@dataclass(slots=True)
class MemoryBank:
    """A `CoreBank` in memory.

    `away` makes every question raise `CoreUnavailableError`, `away_for` those named (`balance`, ...); `answer_after_s`
    is how long each answer takes. `asked` counts the questions by name. `interest` and `exchange` are the rates that
    it has published, `lists` the numbers on each of its lists; they may be changed.
    """

    clock: Clock
    away: bool = False
    away_for: frozenset[str] = frozenset()
    answer_after_s: float = 0.0
    asked: dict[str, int] = field(default_factory=dict)
    interest: list[InterestRate] = field(default_factory=lambda: [*INTEREST])
    exchange: list[ExchangeRate] = field(default_factory=lambda: [*EXCHANGE])
    lists: dict[str, set[str]] = field(default_factory=dict)
    _customers: dict[CustomerNumber, tuple[Customer, SecretDigits]] = field(default_factory=dict)
    _addresses: dict[CustomerNumber, Addresses] = field(default_factory=dict)
    _accounts: dict[AccountNumber, BookAccount] = field(default_factory=dict)
    _failures: dict[CustomerNumber, PinFailures] = field(default_factory=dict)
    _attempts: dict[CallId, int] = field(default_factory=dict)
    _postings: dict[str, tuple[Posting, PostingOutcome]] = field(default_factory=dict)

    def add_customer(
        self,
        number: str,
        pin: bytes,
        *,
        name: str = "",
        language: Language = Language.ENGLISH,
        segment: Segment = Segment.STANDARD,
        born: date | None = None,
    ) -> None:
        """Add a customer, or give a known one another PIN."""
        customer = Customer(CustomerNumber(number), name or number, language, segment, born)
        self._customers[customer.number] = customer, SecretDigits(pin)

    def add_addresses(self, customer: str, addresses: Addresses) -> None:
        """Register where a customer is written to."""
        self._addresses[CustomerNumber(customer)] = addresses

    def add_account(
        self,
        customer: str,
        number: str,
        kind: AccountKind,
        booked: Money,
        *,
        held: Money | None = None,
        credit_line: Money | None = None,
        movements: Iterable[tuple[Money, str]] = (),
    ) -> None:
        """Add an account; `movements` are amounts and texts, the newest (of this moment) first, a day apart."""
        currency, zero = booked.currency, Money(0, booked.currency)
        account = Account(AccountNumber(number), CustomerNumber(customer), kind, currency)
        ledger = LedgerAccount(account.number, booked, held or zero, credit_line or zero)
        book = BookAccount(account, ledger)
        after = booked
        for days, (amount, text) in enumerate(movements):
            book.lines.append(StatementLine(self.clock.now() - timedelta(days=days), amount, text, after))
            after -= amount
        self._accounts[account.number] = book

    def add_given(self, given: GivenCustomer) -> None:
        """Add a customer as a test describes them."""
        number, now = CustomerNumber(given.number), self.clock.now()
        self._customers[number] = (
            Customer(number, given.name or number, Language.MANDARIN, given.segment, given.born),
            SecretDigits(given.pin.reveal()),
        )
        self._addresses[number] = given.addresses
        if given.wrong_pins:
            self._failures[number] = PinFailures(given.wrong_pins, now)
        for one in given.accounts:
            account = Account(AccountNumber(one.number), number, one.kind, one.booked.currency)
            ledger = LedgerAccount(account.number, one.booked, one.held, one.credit_line)
            book = self._accounts[account.number] = BookAccount(account, ledger)
            after = one.booked
            for movement in one.all_movements:
                book.lines.append(StatementLine(movement.at(now), movement.amount, movement.text, after))
                after -= movement.amount

    async def verify_pin(self, customer: CustomerNumber, pin: SecretDigits, *, call: CallId) -> PinVerdict:
        """Count the attempt, then judge it, by the bank's one policy."""
        await self._answer("verify_pin")
        before = self._failures.get(customer, PinFailures())
        attempt = count_attempt(before, self._attempts.get(call, 0), self.clock.now())
        self._failures[customer], self._attempts[call] = attempt.failures, attempt.attempts_in_call
        if attempt.verdict is not None:
            return attempt.verdict
        known = self._customers.get(customer)
        if known is None or not known[1].same_as(pin):
            return verdict_on_wrong_pin(attempt.failures.count, attempt.attempts_in_call)
        self._failures[customer] = PinFailures()
        self._attempts[call] -= 1
        return PinVerdict.VERIFIED

    async def customer(self, number: CustomerNumber) -> Customer | None:
        """Return the customer, or None."""
        await self._answer("customer")
        known = self._customers.get(number)
        return known[0] if known is not None else None

    async def addresses(self, customer: CustomerNumber) -> Addresses:
        """Return where the customer is written to."""
        await self._answer("addresses")
        return self._addresses.get(customer, Addresses())

    async def change_pin(self, customer: CustomerNumber, new: SecretDigits) -> PinChange:
        """Keep a new PIN unless it is the present one or of a wrong length."""
        await self._answer("change_pin")
        known = self._customers.get(customer)
        if known is None or not length_is_acceptable(len(new)) or known[1].same_as(new):
            return PinChange.REFUSED
        known[1].wipe()
        self._customers[customer] = known[0], SecretDigits(new.reveal())
        return PinChange.CHANGED

    async def accounts(self, customer: CustomerNumber) -> tuple[Account, ...]:
        """Return the customer's accounts in the order in which they were added."""
        await self._answer("accounts")
        return tuple(book.account for book in self._accounts.values() if book.account.customer == customer)

    async def balance(self, account: AccountNumber) -> Balance | None:
        """Return what is booked and what may be drawn, or None."""
        await self._answer("balance")
        book = self._accounts.get(account)
        return balance(book.ledger) if book is not None else None

    async def statement(self, account: AccountNumber, *, limit: int) -> tuple[StatementLine, ...]:
        """Return the newest movements first; `ValueError` for a limit that is not 1 to 100."""
        if not 1 <= limit <= STATEMENT_LINES_MAX:
            message = f"a statement has 1 to {STATEMENT_LINES_MAX} lines"
            raise ValueError(message)
        await self._answer("statement")
        book = self._accounts.get(account)
        return tuple(book.lines[:limit]) if book is not None else ()

    async def post(self, posting: Posting) -> PostingOutcome:
        """Book a posting once, by the ledger's rules."""
        await self._answer("post")
        if posting.id in self._postings:
            return replay(*self._postings[posting.id], posting)
        debit, credit = self._accounts.get(posting.debit), self._accounts.get(posting.credit)
        outcome = judge(posting, debit.ledger if debit else None, credit.ledger if credit else None)
        self._postings[posting.id] = posting, outcome
        if outcome is PostingOutcome.POSTED and debit is not None and credit is not None:
            for book, entry in zip((debit, credit), entries(posting, debit.ledger, credit.ledger), strict=True):
                book.ledger = replace(book.ledger, booked=entry.balance_after)
                line = StatementLine(self.clock.now(), entry.amount, posting.text, entry.balance_after)
                book.lines.insert(0, line)
        return outcome

    async def posting_outcome(self, posting_id: str) -> PostingOutcome | None:
        """Return what is kept under the id, or None."""
        await self._answer("posting_outcome")
        kept = self._postings.get(posting_id)
        return kept[1] if kept is not None else None

    async def interest_rate(self, product: Product, term: Term) -> InterestRate | None:
        """Return the interest in force, or None."""
        await self._answer("interest_rate")
        return next((one for one in self.interest if (one.product, one.term) == (product, term)), None)

    async def exchange_rate(self, currency: ForeignCurrency) -> ExchangeRate | None:
        """Return the rates that were set last, or None."""
        await self._answer("exchange_rate")
        return next((one for one in self.exchange if one.currency is currency), None)

    async def is_listed(self, name: str, caller: str) -> bool:
        """Say whether a number stands on a list."""
        await self._answer("is_listed")
        return caller in self.lists.get(name, ())

    async def close(self) -> None:
        """Overwrite the PINs; harmless when repeated."""
        for _, pin in self._customers.values():
            pin.wipe()
        self._customers.clear()

    @property
    def moved(self) -> tuple[Posting, ...]:
        """Every posting that was booked, in the order in which they came."""
        return tuple(sent for sent, outcome in self._postings.values() if outcome is PostingOutcome.POSTED)

    @property
    def booked(self) -> dict[str, Money]:
        """What every account holds, in the order in which they were added."""
        return {number: book.ledger.booked for number, book in self._accounts.items()}

    def holds(self, secret: SecretDigits) -> bool:
        """Say whether this is one of the bank's own PINs, so that a test can tell it from one left behind by a call."""
        return any(pin is secret for _, pin in self._customers.values())

    async def _answer(self, question: str) -> None:
        self.asked[question] = self.asked.get(question, 0) + 1
        if self.answer_after_s:
            await asyncio.sleep(self.answer_after_s)
        if self.away or question in self.away_for:
            raise CoreUnavailableError("the bank is away")


def bank_of(customer: GivenCustomer | None, clock: Clock) -> MemoryBank:
    """Return a bank as a test is given it, with a PIN of its own for the customer, if there is one."""
    bank = MemoryBank(clock)
    if customer is not None:
        bank.add_given(customer)
    return bank


def sample_bank(clock: Clock) -> MemoryBank:
    """Return a bank with one customer, 620001, PIN 246810, who has an account of each kind; for `ivr play`."""
    return bank_of(sample_customer(), clock)
