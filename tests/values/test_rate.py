"""Rates are exact, and never compared across kinds."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.values.money import Currency
from ivr_engine.values.rate import Pair, Rate, RatesDifferError

DOLLARS = Pair(Currency.USD, Currency.CNY)
RATES = st.builds(Rate, st.integers(-(10**13), 10**13)) | st.builds(Rate, st.integers(1, 10**13), st.just(DOLLARS))


@given(rate=RATES)
def test_what_is_written_is_read_again_exactly(rate: Rate) -> None:
    assert Rate.parse(str(rate)) == rate


@given(one=st.integers(), other=st.integers())
def test_rates_are_in_the_order_of_their_numbers(one: int, other: int) -> None:
    assert (Rate(one) < Rate(other)) == (one < other)
    assert (Rate(one) >= Rate(other)) == (one >= other)


@pytest.mark.parametrize(
    "written", ["", "2.35", "2.123456%", "%", "1e3%", "２%", "1 %%", "2.35% ", "2,35%", "712.35 CNY"]
)
def test_what_is_no_rate_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        Rate.parse(written)


@pytest.mark.parametrize(("number", "of"), [("7", "EUR"), ("0", "USD"), ("-7", "USD"), ("7", "CNY")])
def test_what_is_no_exchange_rate_is_refused(number: str, of: str) -> None:
    with pytest.raises(ValueError, match=r"is no rate|EUR|above nought|against itself"):
        Rate.parse(f"{number} CNY per 100 {of}")


def test_percentage_is_not_compared_with_an_exchange_rate() -> None:
    for one, other in ((Rate(1), Rate(1, DOLLARS)), (Rate(1, DOLLARS), Rate(1, Pair(Currency.HKD, Currency.CNY)))):
        assert one != other
        with pytest.raises(RatesDifferError):
            assert one < other


def test_rate_is_never_a_float() -> None:
    with pytest.raises(TypeError, match="float"):
        Rate(cast("Any", 2.35))
