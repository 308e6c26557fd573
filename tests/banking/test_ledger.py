from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.banking.ledger import (
    AMOUNT_MINOR_MAX,
    BALANCE_MINOR_MAX,
    LedgerAccount,
    balance,
    entries,
    judge,
    replay,
)
from ivr_engine.banking.model import Posting, PostingOutcome
from ivr_engine.values.ids import AccountNumber
from ivr_engine.values.money import Currency, Money


def cny(minor: int) -> Money:
    return Money(minor, Currency.CNY)


def account(number: str, booked: int, *, held: int = 0, line: int = 0, house: bool = False) -> LedgerAccount:
    return LedgerAccount(AccountNumber(number), cny(booked), cny(held), cny(line), house)


def posting(minor: int = 100, *, debit: str = "A", credit: str = "B") -> Posting:
    return Posting("P1", AccountNumber(debit), AccountNumber(credit), cny(minor), "rent")


def test_available_is_booked_less_holds_plus_credit_line() -> None:
    found = balance(account("A", 1000, held=300, line=50))
    assert (found.booked, found.available) == (cny(1000), cny(750))


def test_all_that_is_available_may_be_posted_and_not_one_unit_more() -> None:
    debit = account("A", 1000, held=300, line=50)
    assert judge(posting(750), debit, account("B", 0)) is PostingOutcome.POSTED
    assert judge(posting(751), debit, account("B", 0)) is PostingOutcome.INSUFFICIENT_FUNDS


def test_house_account_may_go_below_zero() -> None:
    assert judge(posting(), account("A", 0, house=True), account("B", 0)) is PostingOutcome.POSTED


def test_amount_is_positive_and_has_a_limit() -> None:
    rich = account("A", BALANCE_MINOR_MAX)
    for minor in (0, -1, AMOUNT_MINOR_MAX + 1):
        assert judge(posting(minor), rich, account("B", 0)) is PostingOutcome.INVALID_AMOUNT
    assert judge(posting(AMOUNT_MINOR_MAX), rich, account("B", 0)) is PostingOutcome.POSTED


def test_posting_that_would_overflow_the_credited_account_is_an_invalid_amount() -> None:
    full = account("B", BALANCE_MINOR_MAX)
    assert judge(posting(1), account("A", 10), full) is PostingOutcome.INVALID_AMOUNT


def test_three_currencies_must_be_one() -> None:
    dollars = dataclasses.replace(
        account("B", 0),
        booked=Money(0, Currency.USD),
        held=Money(0, Currency.USD),
        credit_line=Money(0, Currency.USD),
    )
    assert judge(posting(), account("A", 1000), dollars) is PostingOutcome.CURRENCY_MISMATCH
    assert judge(posting(), dollars, account("C", 1000)) is PostingOutcome.CURRENCY_MISMATCH


def test_rejections_follow_their_order_of_precedence() -> None:
    poor = account("A", 0)
    assert judge(posting(0, credit="A"), None, poor) is PostingOutcome.NO_SUCH_ACCOUNT
    assert judge(posting(0, credit="A"), poor, poor) is PostingOutcome.SAME_ACCOUNT
    assert judge(posting(0), poor, account("B", 0)) is PostingOutcome.INVALID_AMOUNT
    assert judge(posting(1), poor, account("B", 0)) is PostingOutcome.INSUFFICIENT_FUNDS


def test_same_id_with_same_content_was_already_posted() -> None:
    assert replay(posting(), PostingOutcome.POSTED, posting()) is PostingOutcome.ALREADY_POSTED


def test_same_id_with_other_content_is_named_so_whatever_became_of_the_first() -> None:
    for kept in PostingOutcome:
        assert replay(posting(1), kept, posting(2)) is PostingOutcome.DIFFERENT_UNDER_SAME_ID


def test_rejected_posting_stays_rejected_under_its_id() -> None:
    kept = PostingOutcome.INSUFFICIENT_FUNDS
    assert replay(posting(), kept, posting()) is kept


@pytest.mark.parametrize("posting_id", ["", "a b", "x" * 65, "é"])
def test_posting_id_that_could_not_travel_is_refused(posting_id: str) -> None:
    with pytest.raises(ValueError, match="posting id"):
        Posting(posting_id, AccountNumber("A"), AccountNumber("B"), cny(1), "")


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("ABC"), st.integers(-5, 400)), max_size=40))
def test_any_sequence_keeps_the_sum_and_overdraws_nobody(orders: list[tuple[str, str, int]]) -> None:
    accounts = {name: account(name, 500, held=100, line=50) for name in "ABC"}
    for debit, credit, minor in orders:
        order = posting(minor, debit=debit, credit=credit)
        if judge(order, accounts[debit], accounts[credit]) is not PostingOutcome.POSTED:
            continue
        sides = entries(order, accounts[debit], accounts[credit])
        assert sides[0].amount + sides[1].amount == cny(0)
        for side in sides:
            accounts[side.account] = dataclasses.replace(accounts[side.account], booked=side.balance_after)
    assert sum(found.booked.minor for found in accounts.values()) == 1500
    assert all(balance(found).available >= cny(0) for found in accounts.values())
