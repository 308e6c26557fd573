"""A bank that is away or slow because a test says so, whatever bank it is.

Knows the port to the bank and what a test is given. Must not know which bank answers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ivr_engine.banking.core import CoreBank, CoreUnavailableError
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
from ivr_engine.scenarios.model import Given
from ivr_engine.values.ids import AccountNumber, CallId, CustomerNumber
from ivr_engine.values.secret import SecretDigits


def ordered(bank: CoreBank, given: Given) -> CoreBank:
    """Return the bank as a test has it: itself, unless it is away or slow."""
    return OrderedBank(bank, given.bank_away, given.answer_after_s) if given.bank_away or given.answer_after_s else bank


@dataclass(frozen=True, slots=True)
class OrderedBank:
    """A `CoreBank` that asks the real one after so long, or raises `CoreUnavailableError` then."""

    real: CoreBank
    away: bool
    answer_after_s: float

    async def verify_pin(self, customer: CustomerNumber, pin: SecretDigits, *, call: CallId) -> PinVerdict:
        """Pass it on."""
        return await (await self._asked()).verify_pin(customer, pin, call=call)

    async def customer(self, number: CustomerNumber) -> Customer | None:
        """Pass it on."""
        return await (await self._asked()).customer(number)

    async def addresses(self, customer: CustomerNumber) -> Addresses:
        """Pass it on."""
        return await (await self._asked()).addresses(customer)

    async def change_pin(self, customer: CustomerNumber, new: SecretDigits) -> PinChange:
        """Pass it on."""
        return await (await self._asked()).change_pin(customer, new)

    async def accounts(self, customer: CustomerNumber) -> tuple[Account, ...]:
        """Pass it on."""
        return await (await self._asked()).accounts(customer)

    async def balance(self, account: AccountNumber) -> Balance | None:
        """Pass it on."""
        return await (await self._asked()).balance(account)

    async def statement(self, account: AccountNumber, *, limit: int) -> tuple[StatementLine, ...]:
        """Pass it on."""
        return await (await self._asked()).statement(account, limit=limit)

    async def post(self, posting: Posting) -> PostingOutcome:
        """Pass it on."""
        return await (await self._asked()).post(posting)

    async def posting_outcome(self, posting_id: str) -> PostingOutcome | None:
        """Pass it on."""
        return await (await self._asked()).posting_outcome(posting_id)

    async def interest_rate(self, product: Product, term: Term) -> InterestRate | None:
        """Pass it on."""
        return await (await self._asked()).interest_rate(product, term)

    async def exchange_rate(self, currency: ForeignCurrency) -> ExchangeRate | None:
        """Pass it on."""
        return await (await self._asked()).exchange_rate(currency)

    async def is_listed(self, name: str, caller: str) -> bool:
        """Pass it on."""
        return await (await self._asked()).is_listed(name, caller)

    async def close(self) -> None:
        """Close the real one, at once."""
        await self.real.close()

    async def _asked(self) -> CoreBank:
        if self.answer_after_s:
            await asyncio.sleep(self.answer_after_s)
        if self.away:
            raise CoreUnavailableError("the bank is away")
        return self.real
