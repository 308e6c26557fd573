"""Money: whole minor units of one currency, exact and never mixed."""

from __future__ import annotations

import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.values.money import Currency, CurrencyMismatchError, Money

minors = st.integers(-(10**18), 10**18)
currencies = st.sampled_from(Currency)
written_minors = st.integers(-(10**17) + 1, 10**17 - 1)


@given(minors, minors, currencies)
def test_sums_and_differences_are_those_of_the_minor_units(a: int, b: int, currency: Currency) -> None:
    assert Money(a, currency) + Money(b, currency) == Money(a + b, currency)
    assert Money(a, currency) - Money(b, currency) == Money(a - b, currency)
    assert -Money(a, currency) + Money(a, currency) == Money(0, currency)


@given(minors, minors, currencies)
def test_amounts_of_one_currency_are_ordered_like_their_minor_units(a: int, b: int, currency: Currency) -> None:
    one, other = Money(a, currency), Money(b, currency)
    assert (one < other, one <= other, one > other, one >= other, one == other) == (
        a < b,
        a <= b,
        a > b,
        a >= b,
        a == b,
    )
    assert (hash(one) == hash(other)) or one != other


@given(written_minors, currencies)
def test_what_is_shown_is_read_back(minor: int, currency: Currency) -> None:
    money = Money(minor, currency)
    number, _, code = str(money).partition(" ")
    assert Money.parse(number, Currency(code)) == money
    assert Decimal(number) * 100 == minor


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("0", 0),
        ("1", 100),
        ("1.5", 150),
        ("1.05", 105),
        ("-1.05", -105),
        ("-0.05", -5),
        ("007.50", 750),
        ("9" * 15, int("9" * 15) * 100),
    ],
)
def test_amount_is_read(text: str, minor: int) -> None:
    assert Money.parse(text, Currency.CNY) == Money(minor, Currency.CNY)


@pytest.mark.parametrize(
    "text",
    ["", "-", ".5", "1.", "1.234", "1,000", "+1", " 1", "1 ", "1e3", "１２", "--1", "1.-5", "NaN", "1" * 16, "1\n"],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Money.parse(text, Currency.CNY)


@given(minors, minors)
def test_currencies_never_mix(a: int, b: int) -> None:
    yuan, dollars = Money(a, Currency.CNY), Money(b, Currency.USD)
    assert yuan != dollars
    for mix in (lambda: yuan + dollars, lambda: yuan - dollars, lambda: yuan < dollars, lambda: yuan >= dollars):
        with pytest.raises(CurrencyMismatchError, match="CNY and USD do not mix"):
            mix()


@pytest.mark.parametrize("minor", [1.0, True, "1", Decimal(1), None])
def test_only_whole_numbers_are_minor_units(minor: object) -> None:
    with pytest.raises(TypeError, match="whole number"):
        Money(minor, Currency.CNY)  # type: ignore[arg-type] # what a mistaken program may do


def test_money_can_be_copied_and_never_changed() -> None:
    money = Money(1205, Currency.HKD)
    assert pickle.loads(pickle.dumps(money)) == money
    with pytest.raises(AttributeError):
        money.minor = 0  # type: ignore[misc] # what a mistaken program may do
