"""The port to the bank's core system.

Knows what a hotline may ask of a core. Must not know which core answers: the embedded one on SQL, or a remote one
over REST; one contract test suite (`tests/banking/contract.py`) holds for each.
"""

from __future__ import annotations

from typing import Protocol

from ivr_engine.banking.model import (
    Account,
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
    StatementLine,
    Term,
)
from ivr_engine.values.ids import AccountNumber, CallId, CustomerNumber
from ivr_engine.values.secret import SecretDigits


class CoreUnavailableError(Exception):
    """The core could not be reached, or not in time, and nothing was changed."""


class CoreOutcomeUnknownError(Exception):
    """A change was sent and no answer came: it may or may not have happened. Ask by its id."""


class CoreBank(Protocol):
    """A core-banking system.

    Every method raises `CoreUnavailableError`; `post` and `change_pin` also `CoreOutcomeUnknownError`.
    """

    async def verify_pin(self, customer: CustomerNumber, pin: SecretDigits, *, call: CallId) -> PinVerdict:
        """Count the attempt durably, then judge it.

        At most 3 attempts in one call and 5 failures in 24 hours for one customer over all calls and engines
        (`pin_policy`). When it raises, the attempt may have been counted. The secret is not wiped here: whoever
        made it wipes it.
        """
        ...

    async def customer(self, number: CustomerNumber) -> Customer | None:
        """Return the customer, or None when the number is unknown."""
        ...

    async def addresses(self, customer: CustomerNumber) -> Addresses:
        """Return where the customer is written to; of an unknown customer nothing is registered."""
        ...

    async def change_pin(self, customer: CustomerNumber, new: SecretDigits) -> PinChange:
        """Keep a new PIN for a customer who has signed in; sent again it is `refused`, being the present one by then.

        The secret is not wiped here: whoever made it wipes it.
        """
        ...

    async def accounts(self, customer: CustomerNumber) -> tuple[Account, ...]:
        """Return the customer's accounts in the order in which they are read out."""
        ...

    async def balance(self, account: AccountNumber) -> Balance | None:
        """Return the balance, or None when there is no such account."""
        ...

    async def statement(self, account: AccountNumber, *, limit: int) -> tuple[StatementLine, ...]:
        """Return the newest movements first, at most `limit` (1 to 100)."""
        ...

    async def post(self, posting: Posting) -> PostingOutcome:
        """Book a posting once; the same id with the same content is `already_posted`.

        A rejection is kept under its id as well: a late copy of a rejected posting is rejected again.
        """
        ...

    async def posting_outcome(self, posting_id: str) -> PostingOutcome | None:
        """Return `posted` or the rejection kept under this id; None when the core never saw it.

        After `CoreOutcomeUnknownError`, None does not yet mean that nothing will happen (the request may be on its
        way): send the same posting again under the same id.
        """
        ...

    async def interest_rate(self, product: Product, term: Term) -> InterestRate | None:
        """Return the interest in force, or None where the bank has no such product for this term."""
        ...

    async def exchange_rate(self, currency: ForeignCurrency) -> ExchangeRate | None:
        """Return the rates that were set last, or None where the bank does not deal in this currency."""
        ...

    async def is_listed(self, name: str, caller: str) -> bool:
        """Say whether a caller's number, as digits, stands on one of the bank's lists; nobody is on one not kept."""
        ...

    async def close(self) -> None:
        """Let go of connections; harmless when repeated."""
        ...
