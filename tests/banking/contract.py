"""What every core bank must do: one suite for the embedded and the remote one.

A test class for one core derives from `CoreBankContract` and has a fixture `bench`. The bench's bank holds the demo
customers with the PINs of `PINS`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, pairwise
from typing import Final

import pytest

from ivr_engine.adapters.bank.demo import CALLER_LIST, CUSTOMERS, LISTED_CALLER
from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.bank.seeding import house_account
from ivr_engine.banking.core import CoreBank
from ivr_engine.banking.model import (
    AccountKind,
    Addresses,
    ForeignCurrency,
    PinChange,
    PinVerdict,
    Posting,
    PostingOutcome,
    Product,
    Segment,
    Term,
)
from ivr_engine.scenarios.sample import EXCHANGE, INTEREST
from ivr_engine.values.ids import AccountNumber, CallId, CustomerNumber
from ivr_engine.values.medium import Medium
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits
from tests.banking.clock import SetClock

PIN_KEY: Final = bytes(range(32))
PINS: Final = {customer.number: f"4711{n:02d}" for n, customer in enumerate(CUSTOMERS)}
WANG: Final = CUSTOMERS[0].number
CHAN: Final = CUSTOMERS[1].number
LI: Final = CUSTOMERS[3].number
NOBODY: Final = CustomerNumber("999999")
SAVINGS: Final = AccountNumber("6225000100011")
CARD: Final = AccountNumber("6225000100013")
DOLLARS: Final = AccountNumber("6225000100023")


@dataclass
class Bench:
    """A core under test, the bank's own side of it, and the clock of both."""

    core: CoreBank
    bank: EmbeddedCore
    clock: SetClock


async def try_pin(core: CoreBank, digits: str, *, customer: CustomerNumber = WANG, call: str = "call-1") -> PinVerdict:
    pin = SecretDigits(digits.encode())
    try:
        return await core.verify_pin(customer, pin, call=CallId(call))
    finally:
        pin.wipe()


async def change_pin(core: CoreBank, digits: str, *, customer: CustomerNumber = WANG) -> PinChange:
    pin = SecretDigits(digits.encode())
    try:
        return await core.change_pin(customer, pin)
    finally:
        pin.wipe()


def cny(text: str) -> Money:
    return Money.parse(text, Currency.CNY)


def transfer(posting_id: str, amount: str = "10", *, debit: str = SAVINGS, credit: str = CARD) -> Posting:
    return Posting(posting_id, AccountNumber(debit), AccountNumber(credit), cny(amount), "transfer")


async def booked(core: CoreBank, account: AccountNumber) -> Money:
    found = await core.balance(account)
    assert found is not None
    return found.booked


class CoreBankContract:
    """The suite."""

    async def test_right_pin_is_verified(self, bench: Bench) -> None:
        assert await try_pin(bench.core, PINS[WANG]) is PinVerdict.VERIFIED

    async def test_wrong_pin_and_unknown_customer_are_refused_alike(self, bench: Bench) -> None:
        assert await try_pin(bench.core, "000000") is PinVerdict.REFUSED
        assert await try_pin(bench.core, "000000", customer=NOBODY, call="call-2") is PinVerdict.REFUSED

    async def test_pin_of_another_customer_is_refused(self, bench: Bench) -> None:
        assert await try_pin(bench.core, PINS[CHAN]) is PinVerdict.REFUSED

    async def test_pin_that_is_empty_short_or_long_is_refused(self, bench: Bench) -> None:
        for n, digits in enumerate(("4711", PINS[WANG] + "0", "4*11#0")):
            assert await try_pin(bench.core, digits, call=f"call-{n}") is PinVerdict.REFUSED

    async def test_call_has_three_attempts_over_all_customers(self, bench: Bench) -> None:
        assert await try_pin(bench.core, "000000", customer=WANG) is PinVerdict.REFUSED
        assert await try_pin(bench.core, "000000", customer=CHAN) is PinVerdict.REFUSED
        assert await try_pin(bench.core, "000000", customer=NOBODY) is PinVerdict.ATTEMPTS_USED
        assert await try_pin(bench.core, PINS[WANG], customer=WANG) is PinVerdict.ATTEMPTS_USED
        assert await try_pin(bench.core, PINS[WANG], customer=WANG, call="call-2") is PinVerdict.VERIFIED

    @pytest.mark.parametrize("customer", [WANG, NOBODY])
    async def test_fifth_failure_locks_known_and_unknown_customers_alike(
        self, bench: Bench, customer: CustomerNumber
    ) -> None:
        verdicts = [await try_pin(bench.core, "000000", customer=customer, call=f"call-{n}") for n in range(6)]
        assert verdicts == [PinVerdict.REFUSED] * 4 + [PinVerdict.LOCKED] * 2

    async def test_right_pin_does_not_open_a_lock_before_24_hours_have_passed(self, bench: Bench) -> None:
        for n in range(5):
            await try_pin(bench.core, "000000", call=f"call-{n}")
        bench.clock.move(timedelta(hours=24) - timedelta(milliseconds=1))
        assert await try_pin(bench.core, PINS[WANG], call="late") is PinVerdict.LOCKED
        bench.clock.move(timedelta(milliseconds=1))
        assert await try_pin(bench.core, PINS[WANG], call="later") is PinVerdict.VERIFIED

    async def test_bank_can_unlock_a_customer(self, bench: Bench) -> None:
        for n in range(5):
            await try_pin(bench.core, "000000", call=f"call-{n}")
        await bench.bank.unlock_pin(WANG)
        assert await try_pin(bench.core, PINS[WANG], call="after") is PinVerdict.VERIFIED

    async def test_success_forgets_the_customers_failures(self, bench: Bench) -> None:
        for n in range(4):
            await try_pin(bench.core, "000000", call=f"call-{n}")
        assert await try_pin(bench.core, PINS[WANG], call="good") is PinVerdict.VERIFIED
        for n in range(4):
            assert await try_pin(bench.core, "000000", call=f"again-{n}") is PinVerdict.REFUSED

    async def test_success_gives_a_call_no_fresh_attempts_at_other_customers(self, bench: Bench) -> None:
        verdicts = []
        for guess in range(4):
            assert await try_pin(bench.core, PINS[CHAN], customer=CHAN) is not PinVerdict.REFUSED
            verdicts.append(await try_pin(bench.core, f"00000{guess}"))
        assert verdicts == [PinVerdict.REFUSED] * 2 + [PinVerdict.ATTEMPTS_USED] * 2

    async def test_parallel_guesses_are_judged_five_times_at_most(self, bench: Bench) -> None:
        guesses = [try_pin(bench.core, "000000", call=f"call-{n}") for n in range(20)]
        verdicts = await asyncio.gather(*guesses)
        assert sorted(verdicts) == [PinVerdict.LOCKED] * 16 + [PinVerdict.REFUSED] * 4

    async def test_old_attempts_can_be_forgotten_without_opening_a_lock(self, bench: Bench) -> None:
        for n in range(5):
            await try_pin(bench.core, "000000", call=f"call-{n}")
        await bench.bank.forget_old_attempts()
        assert await try_pin(bench.core, PINS[WANG], call="next") is PinVerdict.LOCKED

    async def test_customer_is_found_by_number(self, bench: Bench) -> None:
        assert await bench.core.customer(WANG) == CUSTOMERS[0]
        assert await bench.core.customer(NOBODY) is None

    async def test_addresses_are_those_that_are_registered(self, bench: Bench) -> None:
        wang = await bench.core.addresses(WANG)
        assert wang == Addresses(mobile="13900000001", email="wang@mail.example")
        assert wang.reached_by(Medium.SMS) == "13900000001"
        assert wang.reached_by(Medium.EMAIL) == "wang@mail.example"
        assert wang.reached_by(Medium.FAX) is wang.reached_by(Medium.PAGE) is None

    async def test_each_medium_has_its_own_address(self, bench: Bench) -> None:
        chan, li = await bench.core.addresses(CHAN), await bench.core.addresses(LI)
        assert (chan.mobile, chan.pager) == ("85200000002", "85200000022")
        assert li == Addresses(fax="861000000004")

    async def test_unknown_customer_has_no_address(self, bench: Bench) -> None:
        assert await bench.core.addresses(NOBODY) == Addresses()

    async def test_new_pin_holds_and_the_old_one_no_longer(self, bench: Bench) -> None:
        assert await change_pin(bench.core, "580274") is PinChange.CHANGED
        assert await try_pin(bench.core, "580274") is PinVerdict.VERIFIED
        assert await try_pin(bench.core, PINS[WANG], call="call-2") is PinVerdict.REFUSED

    @pytest.mark.parametrize("digits", [PINS[WANG], "58027", "5802745802745"])
    async def test_present_pin_and_one_of_a_wrong_length_are_refused(self, bench: Bench, digits: str) -> None:
        assert await change_pin(bench.core, digits) is PinChange.REFUSED
        assert await try_pin(bench.core, PINS[WANG]) is PinVerdict.VERIFIED

    async def test_pin_of_an_unknown_customer_is_not_changed(self, bench: Bench) -> None:
        assert await change_pin(bench.core, "580274", customer=NOBODY) is PinChange.REFUSED
        assert await try_pin(bench.core, "580274", customer=NOBODY) is PinVerdict.REFUSED

    async def test_customers_have_a_segment_and_may_have_a_day_of_birth(self, bench: Bench) -> None:
        for customer in CUSTOMERS:
            assert await bench.core.customer(customer.number) == customer
        assert {customer.segment for customer in CUSTOMERS} == {*Segment}
        assert None in {customer.born for customer in CUSTOMERS}

    async def test_interest_is_given_by_product_and_term(self, bench: Bench) -> None:
        for rate in INTEREST:
            assert await bench.core.interest_rate(rate.product, rate.term) == rate
        assert await bench.core.interest_rate(Product.DEMAND_DEPOSIT, Term.FIVE_YEARS) is None

    async def test_exchange_rates_are_given_by_currency(self, bench: Bench) -> None:
        assert [await bench.core.exchange_rate(currency) for currency in ForeignCurrency] == [*EXCHANGE]

    async def test_caller_stands_on_a_list_or_does_not(self, bench: Bench) -> None:
        assert await bench.core.is_listed(CALLER_LIST, LISTED_CALLER)
        assert not await bench.core.is_listed(CALLER_LIST, LISTED_CALLER[:-1])
        assert not await bench.core.is_listed("nobody_keeps_this", LISTED_CALLER)
        for odd in ("", "+", "a b", "../" + LISTED_CALLER, "'; DROP TABLE"):
            assert not await bench.core.is_listed(CALLER_LIST, odd)

    async def test_accounts_are_listed_in_the_order_of_reading_out(self, bench: Bench) -> None:
        kinds = [account.kind for account in await bench.core.accounts(WANG)]
        assert kinds == [
            AccountKind.DEMAND_SAVINGS,
            AccountKind.TIME_DEPOSIT,
            AccountKind.CREDIT_CARD,
            AccountKind.PROVIDENT_FUND,
        ]
        assert await bench.core.accounts(NOBODY) == ()

    async def test_balance_is_booked_and_available(self, bench: Bench) -> None:
        savings, card = await bench.core.balance(SAVINGS), await bench.core.balance(CARD)
        assert savings is not None
        assert (savings.booked, savings.available) == (cny("10755.35"), cny("10255.35"))
        assert card is not None
        assert (card.booked, card.available) == (cny("-1344.60"), cny("18655.40"))
        assert await bench.core.balance(AccountNumber("0")) is None

    async def test_statement_has_the_newest_line_first_and_each_balance_follows(self, bench: Bench) -> None:
        lines = await bench.core.statement(SAVINGS, limit=100)
        assert [line.amount for line in lines[:2]] == [cny("-2000"), cny("1200.05")]
        assert lines[0].text == "取款"
        assert lines[0].at == bench.clock.now()
        assert lines[0].balance_after == await booked(bench.core, SAVINGS)
        for newer, older in pairwise(lines):
            assert newer.balance_after == older.balance_after + newer.amount
        assert await bench.core.statement(SAVINGS, limit=2) == lines[:2]

    async def test_statement_has_a_limit_of_1_to_100(self, bench: Bench) -> None:
        for limit in (0, 101):
            with pytest.raises(ValueError, match="1 to 100"):
                await bench.core.statement(SAVINGS, limit=limit)

    async def test_posting_moves_money_once_however_often_it_is_sent(self, bench: Bench) -> None:
        before = await booked(bench.core, SAVINGS), await booked(bench.core, CARD)
        assert await bench.core.post(transfer("T1")) is PostingOutcome.POSTED
        for _ in range(3):
            assert await bench.core.post(transfer("T1")) is PostingOutcome.ALREADY_POSTED
        after = await booked(bench.core, SAVINGS), await booked(bench.core, CARD)
        assert after == (before[0] - cny("10"), before[1] + cny("10"))
        assert await bench.core.posting_outcome("T1") is PostingOutcome.POSTED

    async def test_same_posting_in_parallel_is_posted_once(self, bench: Bench) -> None:
        outcomes = await asyncio.gather(*(bench.core.post(transfer("T1")) for _ in range(10)))
        assert sorted(outcomes) == [PostingOutcome.ALREADY_POSTED] * 9 + [PostingOutcome.POSTED]

    async def test_other_posting_under_the_same_id_is_named_so(self, bench: Bench) -> None:
        await bench.core.post(transfer("T1", "10"))
        assert await bench.core.post(transfer("T1", "11")) is PostingOutcome.DIFFERENT_UNDER_SAME_ID

    async def test_posting_never_seen_has_no_outcome(self, bench: Bench) -> None:
        assert await bench.core.posting_outcome("never") is None

    async def test_rejections_have_names_and_move_nothing(self, bench: Bench) -> None:
        before = await booked(bench.core, SAVINGS)
        numbers = count()

        async def outcome(amount: str = "1", *, debit: str = SAVINGS, credit: str = CARD) -> PostingOutcome:
            return await bench.core.post(transfer(f"T{next(numbers)}", amount, debit=debit, credit=credit))

        assert await outcome(credit="0") is PostingOutcome.NO_SUCH_ACCOUNT
        assert await outcome(credit=SAVINGS) is PostingOutcome.SAME_ACCOUNT
        assert await outcome(credit=DOLLARS) is PostingOutcome.CURRENCY_MISMATCH
        assert await outcome("0") is PostingOutcome.INVALID_AMOUNT
        assert await outcome("-1") is PostingOutcome.INVALID_AMOUNT
        assert await outcome("10255.36") is PostingOutcome.INSUFFICIENT_FUNDS
        assert await booked(bench.core, SAVINGS) == before

    async def test_rejected_posting_stays_rejected_when_a_late_copy_arrives(self, bench: Bench) -> None:
        order = transfer("T1", "10255.36")
        assert await bench.core.post(order) is PostingOutcome.INSUFFICIENT_FUNDS
        funds = Posting("F1", house_account(Currency.CNY), SAVINGS, cny("500"), "paid in")
        assert await bench.bank.post_for_bank(funds) is PostingOutcome.POSTED
        assert await bench.core.post(order) is PostingOutcome.INSUFFICIENT_FUNDS
        assert await bench.core.posting_outcome("T1") is PostingOutcome.INSUFFICIENT_FUNDS

    async def test_caller_can_neither_see_nor_debit_an_account_of_the_bank(self, bench: Bench) -> None:
        house = house_account(Currency.CNY)
        assert await bench.core.balance(house) is None
        assert await bench.core.statement(house, limit=10) == ()
        assert await bench.core.post(transfer("T1", debit=house)) is PostingOutcome.NO_SUCH_ACCOUNT

    async def test_parallel_transfers_overdraw_nobody_and_keep_the_sum(self, bench: Bench) -> None:
        there = [transfer(f"A{n}", "3000") for n in range(12)]
        back = [transfer(f"B{n}", "7000", debit=CARD, credit=SAVINGS) for n in range(12)]
        total = await booked(bench.core, SAVINGS) + await booked(bench.core, CARD)
        outcomes = await asyncio.gather(*(bench.core.post(order) for order in (*there, *back)))
        assert set(outcomes) <= {PostingOutcome.POSTED, PostingOutcome.INSUFFICIENT_FUNDS}
        assert await booked(bench.core, SAVINGS) + await booked(bench.core, CARD) == total
        for account in (SAVINGS, CARD):
            found = await bench.core.balance(account)
            assert found is not None
            assert found.available >= cny("0")
        assert await bench.bank.unbalanced() == ()

    async def test_closing_twice_is_harmless(self, bench: Bench) -> None:
        await bench.core.close()
        await bench.core.close()
