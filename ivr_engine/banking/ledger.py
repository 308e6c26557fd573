"""Double entry: what a posting does to two accounts, and whether it may.

Knows accounts as amounts. Must not know storage: whoever calls holds both accounts still between `judge` and `entries`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ivr_engine.banking.model import Balance, Posting, PostingOutcome
from ivr_engine.values.ids import AccountNumber
from ivr_engine.values.money import Currency, Money

AMOUNT_MINOR_MAX: Final = 10**15
"""Largest single posting, in minor units."""
BALANCE_MINOR_MAX: Final = 9 * 10**18
"""Largest balance either way, in minor units: what a 64-bit column holds."""


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """One account as the ledger sees it; a `house` account is the bank's own and may go below zero."""

    number: AccountNumber
    booked: Money
    held: Money
    credit_line: Money
    house: bool = False

    @property
    def currency(self) -> Currency:
        """The account's only currency."""
        return self.booked.currency


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a posting; positive is money in."""

    posting_id: str
    account: AccountNumber
    amount: Money
    balance_after: Money


def balance(account: LedgerAccount) -> Balance:
    """Return what is booked and what may be drawn: booked, less holds, plus the credit line."""
    return Balance(account.booked, account.booked - account.held + account.credit_line)


def judge(posting: Posting, debit: LedgerAccount | None, credit: LedgerAccount | None) -> PostingOutcome:
    """Return `posted` when the posting may be booked, else the first rejection in order of precedence."""
    if debit is None or credit is None:
        return PostingOutcome.NO_SUCH_ACCOUNT
    if debit.number == credit.number:
        return PostingOutcome.SAME_ACCOUNT
    if not posting.amount.currency is debit.currency is credit.currency:
        return PostingOutcome.CURRENCY_MISMATCH
    if not 0 < posting.amount.minor <= AMOUNT_MINOR_MAX:
        return PostingOutcome.INVALID_AMOUNT
    if abs(credit.booked.minor + posting.amount.minor) > BALANCE_MINOR_MAX:
        return PostingOutcome.INVALID_AMOUNT
    if not debit.house and balance(debit).available < posting.amount:
        return PostingOutcome.INSUFFICIENT_FUNDS
    return PostingOutcome.POSTED


def replay(kept: Posting, kept_outcome: PostingOutcome, sent: Posting) -> PostingOutcome:
    """Return the answer to a posting whose id was seen before."""
    if kept != sent:
        return PostingOutcome.DIFFERENT_UNDER_SAME_ID
    if kept_outcome is PostingOutcome.POSTED:
        return PostingOutcome.ALREADY_POSTED
    return kept_outcome


def entries(posting: Posting, debit: LedgerAccount, credit: LedgerAccount) -> tuple[Entry, Entry]:
    """Return both sides of a posting that was judged `posted`; their amounts always sum to zero."""
    return (
        Entry(posting.id, debit.number, -posting.amount, debit.booked - posting.amount),
        Entry(posting.id, credit.number, posting.amount, credit.booked + posting.amount),
    )
