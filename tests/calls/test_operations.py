"""Operations of flows, bound to a bank: who may ask, and what the bank's silence becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date

import pytest

from ivr_engine.calls.operations import SIGN_IN_HOLDS_S, BankOperations
from ivr_engine.calls.signatures import SIGNATURES
from ivr_engine.flow.operations import Performed
from ivr_engine.flow.values import Value
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.office import ports_of
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import CallId
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits
from tests.flow.world import shipped

OWN = "6225880012345678"
OTHER = "6225880012345686"


def asking(test: Callable[[BankOperations, MemoryBank, VirtualClock], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        bank = sample_bank(clock)
        bank.add_customer("620002", b"135791")
        await test(ports_of(bank, CallId("call"), clock, shipped().messages).operations, bank, clock)

    run_virtual(main)


async def sign_in(operations: BankOperations, pin: bytes = b"246810") -> str:
    arguments: dict[str, Value] = {"customer": "620001", "pin": SecretDigits(pin)}
    return (await operations.perform("sign_in", arguments)).outcome


def test_nothing_personal_is_told_before_sign_in() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        for name in ("account", "balance", "transaction"):
            performed = await operations.perform(name, {"position": 1, "account": OWN})
            assert performed == Performed("unavailable")
        assert bank.asked == {}

    asking(test)


def test_sign_in_runs_out() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del bank
        assert await sign_in(operations) == "signed_in"
        await asyncio.sleep(SIGN_IN_HOLDS_S)
        assert not operations.signed_in
        assert (await operations.perform("balance", {"account": OWN})).outcome == "unavailable"
        assert clock.monotonic() >= SIGN_IN_HOLDS_S

    asking(test)


def test_wrong_pin_is_refused_and_the_third_uses_the_attempts_up() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del bank, clock
        outcomes = [await sign_in(operations, b"000000") for _ in range(3)]
        assert outcomes == ["refused", "refused", "attempts_used"]
        assert not operations.signed_in

    asking(test)


def test_accounts_come_one_by_one_with_their_number() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del bank, clock
        await sign_in(operations)
        first = await operations.perform("account", {"position": 1})
        assert first.results == {"number": OWN, "kind": "demand_savings", "count": 5}
        assert (await operations.perform("account", {"position": 6})).outcome == "none"
        assert (await operations.perform("account", {"position": 0})).outcome == "none"

    asking(test)


def test_account_of_somebody_else_is_not_told() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del bank, clock
        await sign_in(operations)
        for name in ("balance", "transaction"):
            performed = await operations.perform(name, {"account": "1234567890", "position": 1})
            assert performed == Performed("not_yours")

    asking(test)


def test_balance_and_transactions_are_the_banks() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del bank
        await sign_in(operations)
        balance = await operations.perform("balance", {"account": OWN})
        assert balance.results == {
            "booked": Money(1_075_535, Currency.CNY),
            "available": Money(1_025_535, Currency.CNY),
        }
        newest = await operations.perform("transaction", {"account": OWN, "position": 1})
        assert newest.results["direction"] == "out"
        assert newest.results["amount"] == Money(200_000, Currency.CNY)
        on = newest.results["on"]
        assert isinstance(on, date)
        assert on <= clock.now().date()
        assert (await operations.perform("transaction", {"account": OWN, "position": 5})).outcome == "none"

    asking(test)


OF_THE_OFFICE = frozenset({"check_code"})
"""Operations that ask no bank: their outcome when the office is away is tested with step-up."""


@pytest.mark.parametrize(
    "name", sorted(name for name, one in SIGNATURES.items() if not one.at_once and name not in OF_THE_OFFICE)
)
def test_bank_that_is_away_is_the_outcome_unavailable(name: str) -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        await sign_in(operations)
        await operations.perform("account", {"position": 1})
        bank.away = True
        arguments: dict[str, Value] = {
            "customer": "620001",
            "pin": SecretDigits(b"246810"),
            "account": OWN,
            "position": 1,
            "from": OWN,
            "to": OTHER,
            "amount": Money(1, Currency.CNY),
            "new": SecretDigits(b"580274"),
            "again": SecretDigits(b"580274"),
        }
        performed = await operations.perform(name, arguments)
        assert performed.outcome == ("found" if name == "account" else "unavailable")  # accounts were already told

    asking(test)


def test_bank_that_answers_too_late_is_the_outcome_unavailable() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        bank.answer_after_s = 30
        assert await sign_in(operations) == "unavailable"
        assert clock.monotonic() == pytest.approx(4.0)

    asking(test)
