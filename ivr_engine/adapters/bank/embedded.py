"""A core bank on this project's own database.

Knows the bank's tables. Must not know callers, and states no rule: `banking.ledger` and `banking.pin_policy` do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Final

from ivr_engine.adapters.bank.pins import Pins
from ivr_engine.adapters.store.database import Database, Row, Statement, Transaction
from ivr_engine.adapters.store.faults import DatabaseOutcomeUnknownError, DatabaseUnavailableError
from ivr_engine.banking import ledger
from ivr_engine.banking.core import CoreOutcomeUnknownError, CoreUnavailableError
from ivr_engine.banking.model import (
    HOME,
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
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import AccountNumber, CallId, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Pair, Rate
from ivr_engine.values.secret import SecretDigits

STATEMENT_LINES_MAX: Final = 100
HOUSE: Final = "house"
"""Kind of the bank's own accounts: the other side of cash, fees and bills. No caller can see or debit one."""

_CUSTOMER: Final = Statement("SELECT name, language, segment, born FROM bank_customer WHERE number = $1")
_ACCOUNTS: Final = Statement(
    "SELECT number, kind, currency FROM bank_account WHERE customer_number = $1 ORDER BY read_out_order, number"
)
_ADDRESSES: Final = Statement("SELECT medium, address FROM bank_address WHERE customer_number = $1")
_BALANCE: Final = Statement(
    """
    SELECT number, currency, booked_minor, held_minor, credit_line_minor, kind
    FROM bank_account WHERE number = $1 AND kind <> 'house'
    """
)
_STATEMENT: Final = Statement(
    """
    SELECT p.at_ms, e.amount_minor, p.text, e.balance_after_minor, p.currency
    FROM bank_entry e JOIN bank_posting p ON p.id = e.posting_id
    JOIN bank_account a ON a.number = e.account_number
    WHERE e.account_number = $1 AND a.kind <> 'house' ORDER BY e.id DESC LIMIT $2
    """
)
# Locked in the order of their numbers, so that two postings in opposite directions cannot wait for each other.
_LOCK_ACCOUNTS: Final = Statement(
    """
    SELECT number, currency, booked_minor, held_minor, credit_line_minor, kind
    FROM bank_account WHERE number IN ($1, $2) ORDER BY number FOR UPDATE
    """,
    sqlite="""
    SELECT number, currency, booked_minor, held_minor, credit_line_minor, kind
    FROM bank_account WHERE number IN ($1, $2)
    """,
)
_KEEP_POSTING: Final = Statement(
    """
    INSERT INTO bank_posting (id, debit, credit, amount_minor, currency, text, outcome, at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING RETURNING id
    """
)
_KEPT_POSTING: Final = Statement(
    "SELECT debit, credit, amount_minor, currency, text, outcome FROM bank_posting WHERE id = $1"
)
_ADD_ENTRY: Final = Statement(
    """
    INSERT INTO bank_entry (posting_id, account_number, amount_minor, balance_after_minor)
    VALUES ($1, $2, $3, $4)
    """
)
_SET_BOOKED: Final = Statement("UPDATE bank_account SET booked_minor = $2 WHERE number = $1")
_INTEREST_RATE: Final = Statement(
    "SELECT percent_hundred_thousandths, since FROM bank_interest_rate WHERE product = $1 AND term = $2"
)
_EXCHANGE_RATE: Final = Statement(
    """
    SELECT buys_hundred_thousandths, sells_hundred_thousandths, at_ms
    FROM bank_exchange_rate WHERE currency = $1
    """
)
_LISTED: Final = Statement("SELECT 1 FROM bank_caller_list WHERE name = $1 AND caller_number = $2")
_UNBALANCED: Final = Statement(
    """
    SELECT 'posting ' || posting_id FROM bank_entry
    GROUP BY posting_id HAVING sum(amount_minor) <> 0 OR count(*) <> 2
    UNION ALL
    SELECT 'posting ' || p.id FROM bank_posting p
    WHERE (p.outcome = 'posted') <> EXISTS (SELECT 1 FROM bank_entry e WHERE e.posting_id = p.id)
    UNION ALL
    SELECT 'account ' || a.number FROM bank_account a
    WHERE a.booked_minor <> coalesce((SELECT sum(amount_minor) FROM bank_entry WHERE account_number = a.number), 0)
       OR a.booked_minor <> coalesce((SELECT balance_after_minor FROM bank_entry
                                      WHERE account_number = a.number ORDER BY id DESC LIMIT 1), 0)
    ORDER BY 1
    """
)


class EmbeddedCore:
    """`CoreBank` on SQLite or PostgreSQL. The database is the caller's to close."""

    def __init__(self, database: Database, *, pin_key: bytes, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._pins = Pins(database, pin_key, clock)

    async def verify_pin(self, customer: CustomerNumber, pin: SecretDigits, *, call: CallId) -> PinVerdict:
        """Count the attempt durably, then judge it. The secret is the caller's to wipe."""
        with _as_core_errors():
            return await self._pins.verify(customer, pin, call)

    async def customer(self, number: CustomerNumber) -> Customer | None:
        """Return the customer, or None."""
        with _as_core_errors():
            rows = await self._database.fetch(_CUSTOMER, number)
        if not rows:
            return None
        [(name, language, segment, born)] = rows
        return Customer(
            number, name, Language(language), Segment(segment), None if born is None else date.fromisoformat(born)
        )

    async def addresses(self, customer: CustomerNumber) -> Addresses:
        """Return where the customer is written to."""
        with _as_core_errors():
            rows = await self._database.fetch(_ADDRESSES, customer)
        known = {Medium(medium): address for medium, address in rows}
        return Addresses(*(known.get(medium) for medium in (Medium.SMS, Medium.FAX, Medium.EMAIL, Medium.PAGE)))

    async def change_pin(self, customer: CustomerNumber, new: SecretDigits) -> PinChange:
        """Keep a new PIN unless it is the present one or of a wrong length. The secret is the caller's to wipe."""
        with _as_core_errors(outcome_matters=True):
            changed = await self._pins.change(customer, new)
        return PinChange.CHANGED if changed else PinChange.REFUSED

    async def accounts(self, customer: CustomerNumber) -> tuple[Account, ...]:
        """Return the customer's accounts in the order in which they are read out."""
        with _as_core_errors():
            rows = await self._database.fetch(_ACCOUNTS, customer)
        return tuple(
            Account(AccountNumber(number), customer, AccountKind(kind), Currency(currency))
            for number, kind, currency in rows
        )

    async def balance(self, account: AccountNumber) -> Balance | None:
        """Return the balance, or None."""
        with _as_core_errors():
            rows = await self._database.fetch(_BALANCE, account)
        return ledger.balance(_ledger_account(rows[0])) if rows else None

    async def statement(self, account: AccountNumber, *, limit: int) -> tuple[StatementLine, ...]:
        """Return the newest movements first; raise `ValueError` for a limit outside 1 to 100."""
        if not 1 <= limit <= STATEMENT_LINES_MAX:
            message = f"a statement has 1 to {STATEMENT_LINES_MAX} lines"
            raise ValueError(message)
        with _as_core_errors():
            rows = await self._database.fetch(_STATEMENT, account, limit)
        return tuple(
            StatementLine(
                at=datetime.fromtimestamp(at_ms / 1000, UTC),
                amount=Money(amount, Currency(currency)),
                text=text,
                balance_after=Money(after, Currency(currency)),
            )
            for at_ms, amount, text, after, currency in rows
        )

    async def post(self, posting: Posting) -> PostingOutcome:
        """Book a posting of a customer once; one transaction. To a customer the bank's own accounts give nothing."""
        return await self._post(posting, by_bank=False)

    async def post_for_bank(self, posting: Posting) -> PostingOutcome:
        """Book a posting that the bank itself orders, which may take from its own accounts (cash paid in, interest)."""
        return await self._post(posting, by_bank=True)

    async def posting_outcome(self, posting_id: str) -> PostingOutcome | None:
        """Return what is kept under this id, or None."""
        with _as_core_errors():
            rows = await self._database.fetch(_KEPT_POSTING, posting_id)
        return PostingOutcome(rows[0][5]) if rows else None

    async def interest_rate(self, product: Product, term: Term) -> InterestRate | None:
        """Return the interest in force, or None."""
        with _as_core_errors():
            rows = await self._database.fetch(_INTEREST_RATE, product.value, term.value)
        return InterestRate(product, term, Rate(rows[0][0]), date.fromisoformat(rows[0][1])) if rows else None

    async def exchange_rate(self, currency: ForeignCurrency) -> ExchangeRate | None:
        """Return the rates that were set last, or None."""
        with _as_core_errors():
            rows = await self._database.fetch(_EXCHANGE_RATE, currency.value)
        if not rows:
            return None
        [(buys, sells, at_ms)] = rows
        pair = Pair(Currency(currency.value), HOME)
        return ExchangeRate(currency, Rate(buys, pair), Rate(sells, pair), datetime.fromtimestamp(at_ms / 1000, UTC))

    async def is_listed(self, name: str, caller: str) -> bool:
        """Say whether a number stands on a list."""
        with _as_core_errors():
            return bool(await self._database.fetch(_LISTED, name, caller))

    async def set_pin(self, customer: CustomerNumber, pin: SecretDigits) -> None:
        """Keep a new PIN of 6 to 12 digits. The secret is the caller's to wipe."""
        with _as_core_errors():
            await self._pins.set(customer, pin)

    async def unlock_pin(self, customer: CustomerNumber) -> None:
        """Forget a customer's failures."""
        with _as_core_errors():
            await self._pins.unlock(customer)

    async def forget_old_attempts(self) -> None:
        """Delete attempts older than the rule looks back; to be run about once an hour."""
        with _as_core_errors():
            await self._pins.forget_old_attempts()

    async def unbalanced(self) -> tuple[str, ...]:
        """Audit: name every posting and account whose entries do not add up; empty when the ledger is exact."""
        with _as_core_errors():
            return tuple(row[0] for row in await self._database.fetch(_UNBALANCED))

    async def close(self) -> None:
        """Let go of nothing: the database belongs to whoever made it."""

    async def _post(self, posting: Posting, *, by_bank: bool) -> PostingOutcome:
        with _as_core_errors(outcome_matters=True):
            async with self._database.transaction() as transaction:
                return await _book(transaction, posting, int(self._clock.now().timestamp() * 1000), by_bank=by_bank)


async def _book(transaction: Transaction, posting: Posting, now_ms: int, *, by_bank: bool) -> PostingOutcome:
    rows = await transaction.fetch(_LOCK_ACCOUNTS, posting.debit, posting.credit)
    found = {account.number: account for account in map(_ledger_account, rows)}
    debit, credit = found.get(posting.debit), found.get(posting.credit)
    if debit is not None and debit.house and not by_bank:
        debit = None
    outcome = ledger.judge(posting, debit, credit)
    # Two transactions with one id meet here: the second waits for the first and then finds its row.
    kept = await transaction.fetch(
        _KEEP_POSTING,
        posting.id,
        posting.debit,
        posting.credit,
        posting.amount.minor,
        posting.amount.currency.value,
        posting.text,
        outcome.value,
        now_ms,
    )
    if not kept:
        return _replay(posting, await transaction.fetch(_KEPT_POSTING, posting.id))
    if outcome is PostingOutcome.POSTED and debit is not None and credit is not None:
        entries = ledger.entries(posting, debit, credit)
        await transaction.run_many(
            _ADD_ENTRY,
            [(entry.posting_id, entry.account, entry.amount.minor, entry.balance_after.minor) for entry in entries],
        )
        await transaction.run_many(_SET_BOOKED, [(entry.account, entry.balance_after.minor) for entry in entries])
    return outcome


def _replay(sent: Posting, rows: Sequence[Row]) -> PostingOutcome:
    [(debit, credit, minor, currency, text, outcome)] = rows
    kept = Posting(sent.id, AccountNumber(debit), AccountNumber(credit), Money(minor, Currency(currency)), text)
    return ledger.replay(kept, PostingOutcome(outcome), sent)


def _ledger_account(row: Row) -> ledger.LedgerAccount:
    number, code, booked, held, credit_line, kind = row
    currency = Currency(code)
    return ledger.LedgerAccount(
        AccountNumber(number),
        Money(booked, currency),
        Money(held, currency),
        Money(credit_line, currency),
        house=kind == HOUSE,
    )


@contextmanager
def _as_core_errors(*, outcome_matters: bool = False) -> Iterator[None]:
    try:
        yield
    except DatabaseUnavailableError as error:
        if outcome_matters and isinstance(error, DatabaseOutcomeUnknownError):
            raise CoreOutcomeUnknownError(str(error)) from error
        raise CoreUnavailableError(str(error)) from error
