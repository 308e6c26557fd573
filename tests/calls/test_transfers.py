"""Money moved for a caller: once, between their own accounts, and nothing said that is not known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from ivr_engine.banking.core import CoreOutcomeUnknownError
from ivr_engine.banking.model import Posting, PostingOutcome
from ivr_engine.calls.changes import LateChange
from ivr_engine.calls.operations import BankOperations
from ivr_engine.calls.signatures import SIGNATURES, TRANSFER
from ivr_engine.flow.operations import Level, Performed
from ivr_engine.flow.values import Value
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.office import ports_of
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import AccountNumber, CallId
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits
from tests.flow.world import shipped

SAVINGS: Final = "6225880012345678"
DEPOSIT: Final = "6225880012345686"
DOLLARS: Final = "6225880012345702"
CNY: Final = Currency.CNY


class MuteBank(MemoryBank):
    """Books a posting, or not, and does not say so."""

    books: bool = True
    raises: bool = True
    sent: list[Posting]

    async def post(self, posting: Posting) -> PostingOutcome:
        self.sent = [*getattr(self, "sent", []), posting]
        outcome = await super().post(posting) if self.books else PostingOutcome.POSTED
        if self.raises:
            raise CoreOutcomeUnknownError("the answer was lost")
        await asyncio.Event().wait()  # no answer comes
        return outcome


def asking(
    test: Callable[[BankOperations, MemoryBank, VirtualClock], Awaitable[None]],
    make: Callable[[Clock], MemoryBank] = sample_bank,
) -> None:
    async def main(clock: VirtualClock) -> None:
        bank = make(clock)
        operations = ports_of(bank, CallId("call"), clock, shipped().messages).operations
        await operations.perform("sign_in", {"customer": "620001", "pin": SecretDigits(b"246810")})
        await test(operations, bank, clock)

    run_virtual(main)


def mute(*, books: bool, raises: bool = True) -> Callable[[Clock], MemoryBank]:
    def make(clock: Clock) -> MemoryBank:
        bank = MuteBank(clock)
        sample = sample_bank(clock)
        bank._customers, bank._accounts = sample._customers, sample._accounts
        bank.books, bank.raises = books, raises
        return bank

    return make


async def transfer(
    operations: BankOperations, minor: int = 100, *, debit: str = SAVINGS, credit: str = DEPOSIT, change: int = 0
) -> str:
    arguments: dict[str, Value] = {"from": debit, "to": credit, "amount": Money(minor, CNY)}
    return (await operations.perform(TRANSFER, arguments, change=change)).outcome


async def booked(bank: MemoryBank, account: str) -> int:
    balance = await bank.balance(AccountNumber(account))
    assert balance is not None
    return balance.booked.minor


def test_transfer_moves_the_amount_from_one_account_to_the_other() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        assert await transfer(operations, 50_000) == "posted"
        assert (await booked(bank, SAVINGS), await booked(bank, DEPOSIT)) == (1_025_535, 5_050_000)

    asking(test)


def test_transfer_sent_again_is_booked_once_and_the_next_one_is_another() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        outcomes = [await transfer(operations, change=change) for change in (0, 0, 1)]
        assert outcomes == ["posted", "already_posted", "posted"]
        assert await booked(bank, DEPOSIT) == 5_000_200

    asking(test)


def test_another_amount_under_the_same_number_is_another_transfer() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del bank, clock
        assert [await transfer(operations, minor) for minor in (100, 200)] == ["posted", "posted"]

    asking(test)


@pytest.mark.parametrize(
    ("debit", "credit", "minor", "outcome"),
    [
        (SAVINGS, "1234567890", 100, "not_yours"),
        ("1234567890", DEPOSIT, 100, "not_yours"),
        (SAVINGS, SAVINGS, 100, "same_account"),
        (SAVINGS, DOLLARS, 100, "currency_mismatch"),
        (SAVINGS, DEPOSIT, 0, "invalid_amount"),
        (SAVINGS, DEPOSIT, 1_025_536, "insufficient_funds"),
    ],
)
def test_transfer_that_may_not_be_moves_nothing(debit: str, credit: str, minor: int, outcome: str) -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        assert await transfer(operations, minor, debit=debit, credit=credit) == outcome
        assert await booked(bank, SAVINGS) == 1_075_535

    asking(test)


def test_nothing_is_moved_for_who_has_signed_out() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        assert (await operations.perform("sign_out", {})).outcome == "signed_out"
        assert not operations.signed_in
        assert await transfer(operations) == "unavailable"
        assert "post" not in bank.asked
        assert operations.customer == "620001"  # the record keeps who it was

    asking(test)


def test_posting_whose_answer_was_lost_is_asked_for_once() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        assert await transfer(operations) == "posted"
        assert bank.asked["posting_outcome"] == 1

    asking(test, mute(books=True))


def test_posting_that_nobody_knows_of_is_unknown_and_is_the_same_when_sent_again() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        assert isinstance(bank, MuteBank)
        assert [await transfer(operations), await transfer(operations)] == ["unknown", "unknown"]
        assert bank.asked["posting_outcome"] == 2
        assert len({posting.id for posting in bank.sent}) == 1

    asking(test, mute(books=False))


@pytest.mark.parametrize(("books", "outcome"), [(True, "posted"), (False, "unknown")])
def test_posting_that_is_not_answered_in_time_is_found_out_within_the_same_time(books: bool, outcome: str) -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del bank
        assert await transfer(operations) == outcome
        assert clock.monotonic() == pytest.approx(3.0)

    asking(test, mute(books=books, raises=False))


def test_bank_too_slow_to_say_whose_the_accounts_are_has_moved_nothing() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        bank.answer_after_s = 30
        assert await transfer(operations) == "unavailable"
        assert "post" not in bank.asked
        assert clock.monotonic() == pytest.approx(4.0)

    asking(test)


def test_transfer_goes_on_when_nobody_waits_for_it_any_more() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        await operations.perform("account", {"position": 1})
        bank.answer_after_s = 2
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await transfer(operations)
        assert await operations.finish() == LateChange(TRANSFER, "posted")
        assert await operations.finish() is None
        assert clock.monotonic() == pytest.approx(2.0)
        bank.answer_after_s = 0
        assert await booked(bank, DEPOSIT) == 5_000_100

    asking(test)


def test_operation_that_changes_nothing_is_not_finished_for_nobody() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        bank.answer_after_s = 2
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await operations.perform("balance", {"account": SAVINGS})
        assert await operations.finish() is None

    asking(test)


def test_bank_tells_language_segment_and_age_of_the_customer() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del bank, clock
        known: dict[str, Value] = {"language": "cmn", "segment": "gold", "age": 45}
        assert await operations.perform("profile", {}) == Performed("found", known)

    asking(test)


def test_what_is_told_of_the_operations_is_true() -> None:
    transfers, out = SIGNATURES[TRANSFER], SIGNATURES["sign_out"]
    assert (transfers.needs, transfers.moves_money, transfers.changes, transfers.repeatable) == (
        Level.SIGNED_IN,
        True,
        True,
        False,
    )
    assert transfers.outcome_names[0] == "posted"
    assert transfers.outcome_names[-2:] == ("unavailable", "unknown")
    assert set(PostingOutcome) <= set(transfers.outcome_names)
    assert (out.outcome_names, out.grants["signed_out"]) == (("signed_out",), Level.NOBODY)


def test_change_takes_over_its_secrets_for_it_goes_on_when_the_step_has_wiped_them() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        operations._stepped_up, bank.answer_after_s = True, 2.0
        new, again = SecretDigits(b"580274"), SecretDigits(b"580274")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):  # the caller hangs up
                await operations.perform("change_pin", {"new": new, "again": again})
        new.wipe()
        again.wipe()
        late = await operations.finish()
        assert late is not None
        assert (late.operation, late.outcome) == ("change_pin", "changed")
        typed = SecretDigits(b"580274")
        assert (await operations.perform("sign_in", {"customer": "620001", "pin": typed})).outcome == "signed_in"
        typed.wipe()

    asking(test)
