"""Operations of flows, bound to a bank: who may ask, and what the bank's silence becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

import pytest

from ivr_engine.banking.model import Customer, Segment
from ivr_engine.calls.operations import SIGN_IN_HOLDS_S, BankOperations
from ivr_engine.calls.signatures import SIGNATURES
from ivr_engine.flow.operations import Performed
from ivr_engine.flow.scope import ZONE
from ivr_engine.flow.values import Value
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.office import ports_of
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Rate
from ivr_engine.values.secret import SecretDigits
from tests.flow.world import shipped

T = TypeVar("T")
OWN = "6225880012345678"
OTHER = "6225880012345686"


def operations_of(bank: MemoryBank, clock: VirtualClock, *, caller: str = "", zone: str = ZONE) -> BankOperations:
    return ports_of(bank, CallId("call"), clock, shipped().messages, caller=caller, zone=zone).operations


def asking(test: Callable[[BankOperations, MemoryBank, VirtualClock], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        bank = sample_bank(clock)
        bank.add_customer("620002", b"135791")
        await test(operations_of(bank, clock, caller="13800000000"), bank, clock)

    run_virtual(main)


def at(
    moment: datetime, main: Callable[[VirtualClock], Coroutine[Any, Any, T]]
) -> Callable[[VirtualClock], Coroutine[Any, Any, T]]:
    """Return what runs `main` when the calendar shows this moment."""
    return lambda clock: main(VirtualClock(clock._loop, moment))


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


def test_age_is_in_whole_years_at_the_banks_date() -> None:
    born, utc = date(1980, 5, 1), datetime(2026, 4, 30, 15, 59, tzinfo=UTC)

    async def main(clock: VirtualClock) -> list[Performed]:
        bank = sample_bank(clock)
        operations = operations_of(bank, clock, zone="Asia/Shanghai")
        bank.add_customer("620001", b"246810", segment=Segment.PRIVATE, born=born)
        await sign_in(operations)
        told = [await operations.perform("profile", {})]
        await asyncio.sleep(60)  # midnight at the bank
        told.append(await operations.perform("profile", {}))
        bank.add_customer("620001", b"246810", segment=Segment.CORPORATE)
        return [*told, await operations.perform("profile", {})]

    younger, older, company = run_virtual(at(utc, main))
    assert (younger.results["age"], older.results["age"]) == (45, 46)
    assert older.results["segment"] == "private"
    assert company == Performed("age_unknown", {"language": "en", "segment": "corporate"})


@pytest.mark.parametrize(("today", "age"), [(date(2025, 2, 28), 76), (date(2025, 3, 1), 77), (date(2024, 2, 29), 76)])
def test_who_was_born_in_a_leap_year_is_older_on_the_day_or_the_day_after(today: date, age: int) -> None:
    assert Customer(CustomerNumber("1"), "", Language.MANDARIN, born=date(1948, 2, 29)).age(today) == age


def test_rates_are_told_to_everybody() -> None:
    async def test(operations: BankOperations, bank: MemoryBank, clock: VirtualClock) -> None:
        del clock
        dollars = await operations.perform("exchange_rate", {"currency": "USD"})
        assert dollars.outcome == "found"
        assert dollars.results == {
            "buys": Rate.parse("712.35 CNY per 100 USD"),
            "sells": Rate.parse("715.35 CNY per 100 USD"),
            "on": date(2026, 1, 5),
            "at": time(9, 30),
        }
        year = await operations.perform("interest_rate", {"product": "time_deposit", "term": "one_year"})
        assert year == Performed("found", {"rate": Rate.parse("0.95%"), "on": date(2025, 5, 20)})
        assert await operations.perform("interest_rate", {"product": "loan", "term": "no_term"}) == Performed("none")
        bank.exchange.clear()
        assert await operations.perform("exchange_rate", {"currency": "USD"}) == Performed("none")

    asking(test)


@pytest.mark.parametrize(
    ("caller", "listed"),
    [("13800000000", True), ("+8613800000000", True), ("13800000001", False), ("", False), ("anonymous", False)],
)
def test_caller_is_on_a_list_by_number_and_that_signs_nobody_in(caller: str, listed: bool) -> None:  # a case
    async def main(clock: VirtualClock) -> None:
        bank = sample_bank(clock)
        bank.lists["vip"] = {"13800000000", "8613800000000", "anonymous"}
        operations = operations_of(bank, clock, caller=caller)
        assert await operations.perform("listed", {"list": "vip"}) == Performed("listed" if listed else "not_listed")
        assert await operations.perform("listed", {"list": "blocked"}) == Performed("not_listed")
        assert not operations.signed_in
        assert await operations.perform("profile", {}) == Performed("unavailable")

    run_virtual(main)


def test_what_is_said_to_everybody_grants_no_level() -> None:
    for name in ("interest_rate", "exchange_rate", "listed", "profile"):
        assert not SIGNATURES[name].grants
        assert SIGNATURES[name].repeatable
        assert not SIGNATURES[name].changes


def test_day_of_a_movement_is_the_banks() -> None:
    async def main(clock: VirtualClock) -> Value:
        operations = operations_of(sample_bank(clock), clock)
        await sign_in(operations)
        return (await operations.perform("transaction", {"account": OWN, "position": 1})).results["on"]

    assert run_virtual(at(datetime(2026, 1, 5, 16, 30, tzinfo=UTC), main)) == date(2026, 1, 6)


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
            "product": "loan",
            "term": "one_year",
            "currency": "USD",
            "list": "vip",
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
