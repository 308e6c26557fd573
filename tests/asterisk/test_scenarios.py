"""Tests of the flows placed as real calls: what is heard and which steps are taken is as in virtual time."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Final

import pytest

from ivr_engine.app.commands.suite import load_suite, runner_for
from ivr_engine.app.placing import Placed, Placer, rehearse
from ivr_engine.app.settings import PROJECT
from ivr_engine.values.money import Currency, Money
from tests.asterisk.hotline import RunningHotline

pytestmark = pytest.mark.asterisk

TESTS: Final = PROJECT / "flows" / "tests"
PLACED: Final = ("sign_in_at_the_second_try", "transactions_few", "typed_ahead")
"""One in each language: a wrong PIN and the right one, a list that is read out, keys typed ahead."""


def rehearsed(hotline: RunningHotline, *names: str) -> list[Placed]:
    suite = load_suite([TESTS / f"{name}.test.yaml" for name in names], hotline.settings)
    assert suite is not None
    assert suite.findings == ()
    with runner_for(suite, hotline.settings) as runner:
        return [rehearse(scenario, runner, hotline.settings) for scenario in suite.scenarios]


def place_all(hotline: RunningHotline, ready: list[Placed]) -> list[Placed]:
    async def place() -> list[Placed]:
        async with Placer(hotline.settings) as placer:
            return await asyncio.gather(*(placer.place(one) for one in ready))

    return asyncio.run(place())


def test_calls_in_three_languages_go_as_in_virtual_time(hotline: RunningHotline) -> None:
    ready = rehearsed(hotline, *PLACED)
    assert [one.scenario.language.value for one in ready] == ["cmn", "yue", "en"]

    for one in place_all(hotline, ready):
        assert one.skipped is None
        assert one.differences == (), "\n".join(one.differences)
        assert one.report is not None
        assert one.report.heard_whole
        assert one.virtual.told.steps


def test_call_that_goes_otherwise_than_in_virtual_time_is_told(hotline: RunningHotline) -> None:
    (ready,) = rehearsed(hotline, "sign_in_locked_wrong_key")
    customer = ready.scenario.given.customer
    assert customer is not None
    object.__setattr__(customer, "wrong_pins", 3)  # the real bank will not lock yet

    (placed,) = place_all(hotline, [ready])
    assert not placed.passed
    assert any("sign_in_locked was expected, but" in difference for difference in placed.differences)
    wanted = "library/sign_in, check, refused, not library/sign_in, check, locked"
    assert any(wanted in one for one in placed.differences), placed.differences


def test_money_moves_in_a_real_call_as_in_virtual_time(hotline: RunningHotline) -> None:
    (ready,) = rehearsed(hotline, "transfer_done")
    assert [str(moved) for moved in ready.virtual.told.moved] == ["30.50 CNY 6225880012345678 > 6225880012345686"]
    (placed,) = place_all(hotline, [ready])
    assert placed.differences == (), "\n".join(placed.differences)


def test_account_that_holds_something_else_after_a_real_call_is_told(hotline: RunningHotline) -> None:
    (ready,) = rehearsed(hotline, "transactions_none")
    told = dataclasses.replace(ready.virtual.told, booked={"6225880012345678": Money(1, Currency.CNY)})
    virtual = dataclasses.replace(ready.virtual, told=told)
    (placed,) = place_all(hotline, [dataclasses.replace(ready, virtual=virtual)])
    assert placed.differences == ("the accounts hold 0.00 CNY, not 0.01 CNY",)


def test_test_that_cannot_be_brought_about_says_why(hotline: RunningHotline) -> None:
    reasons = [one.skipped or "" for one in rehearsed(hotline, "bank_slow", "menu_again", "transactions_few")]
    assert "real bank is not away" in reasons[0]
    assert "bank's people" in reasons[1]
    assert reasons[2] == ""
