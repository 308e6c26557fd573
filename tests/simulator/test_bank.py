"""The bank in memory obeys the same contract as the real ones, and can be away or slow."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

import pytest

from ivr_engine.adapters.bank.demo import CALLER_LIST, CUSTOMERS, LISTED_CALLER
from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.banking.core import CoreBank, CoreUnavailableError
from ivr_engine.banking.model import (
    AccountKind,
    Addresses,
    ForeignCurrency,
    PinVerdict,
    Posting,
    PostingOutcome,
    Product,
    Term,
)
from ivr_engine.banking.pin_policy import PinFailures
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import AccountNumber, CallId, CustomerNumber
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits
from tests.banking.clock import SetClock
from tests.banking.contract import PINS, Bench, CoreBankContract, cny


@dataclass
class BankSide:
    """What the contract suite does on the bank's own side."""

    core: MemoryBank

    async def unlock_pin(self, customer: CustomerNumber) -> None:
        self.core._failures[customer] = PinFailures()

    async def forget_old_attempts(self) -> int:
        self.core._attempts.clear()
        return 0

    async def post_for_bank(self, posting: Posting) -> PostingOutcome:
        self.core.add_account("house", posting.debit, AccountKind.CURRENT, posting.amount)
        outcome = await self.core.post(posting)
        del self.core._accounts[posting.debit]
        return outcome

    async def unbalanced(self) -> tuple[str, ...]:
        """The sum of all lines of an account is what moved there since it was opened: compare line by line."""
        return tuple(
            number
            for number, book in self.core._accounts.items()
            if book.lines and book.lines[0].balance_after != book.ledger.booked
        )


class TestMemoryBank(CoreBankContract):
    @pytest.fixture
    def bench(self) -> Bench:
        clock = SetClock()
        bank = MemoryBank(clock)
        for customer in CUSTOMERS:
            bank.add_customer(
                customer.number,
                PINS[customer.number].encode(),
                name=customer.name,
                language=customer.language,
                segment=customer.segment,
                born=customer.born,
            )
        bank.add_addresses("100001", Addresses(mobile="13900000001", email="wang@mail.example"))
        bank.add_addresses("100002", Addresses(mobile="85200000002", pager="85200000022"))
        bank.add_addresses("100004", Addresses(fax="861000000004"))
        bank.lists[CALLER_LIST] = {LISTED_CALLER}
        movements = [(cny("-2000"), "取款"), (cny("1200.05"), "转入"), (cny("-88"), "电话费")]
        savings, card = AccountKind.DEMAND_SAVINGS, AccountKind.CREDIT_CARD
        bank.add_account("100001", "6225000100011", savings, cny("10755.35"), held=cny("500"), movements=movements)
        bank.add_account("100001", "6225000100012", AccountKind.TIME_DEPOSIT, cny("50000"))
        bank.add_account("100001", "6225000100013", card, cny("-1344.60"), credit_line=cny("20000"))
        bank.add_account("100001", "6225000100014", AccountKind.PROVIDENT_FUND, cny("3700"))
        bank.add_account("100002", "6225000100023", savings, Money(150_025, Currency.USD))
        return Bench(bank, cast("EmbeddedCore", BankSide(bank)), clock)


def test_bank_that_is_away_says_so_to_every_question() -> None:
    async def main(clock: VirtualClock) -> None:
        bank: CoreBank = (away := sample_bank(clock))
        away.away = True
        pin = SecretDigits(b"246810")
        customer, account = CustomerNumber("620001"), AccountNumber("6225880012345678")
        for question in (
            lambda: bank.verify_pin(customer, pin, call=CallId("1")),
            lambda: bank.customer(customer),
            lambda: bank.accounts(customer),
            lambda: bank.balance(account),
            lambda: bank.statement(account, limit=1),
            lambda: bank.posting_outcome("T1"),
            lambda: bank.addresses(customer),
            lambda: bank.change_pin(customer, pin),
            lambda: bank.interest_rate(Product.LOAN, Term.ONE_YEAR),
            lambda: bank.exchange_rate(ForeignCurrency.USD),
            lambda: bank.is_listed("vip", "1"),
        ):
            with pytest.raises(CoreUnavailableError):
                await question()

    run_virtual(main)


def test_slow_bank_takes_its_time_for_each_answer() -> None:
    async def main(clock: VirtualClock) -> float:
        bank = sample_bank(clock)
        bank.answer_after_s = 2.5
        await bank.customer(CustomerNumber("620001"))
        await bank.accounts(CustomerNumber("620001"))
        return clock.monotonic()

    assert run_virtual(main) == pytest.approx(5.0)


def test_closed_bank_keeps_no_pin() -> None:
    async def main(clock: VirtualClock) -> PinVerdict:
        bank = sample_bank(clock)
        pin = bank._customers[CustomerNumber("620001")][1]
        assert bank.holds(pin)
        await asyncio.gather(bank.close(), bank.close())
        assert len(pin) == 0
        return await bank.verify_pin(CustomerNumber("620001"), SecretDigits(b"246810"), call=CallId("1"))

    assert run_virtual(main) is PinVerdict.REFUSED
