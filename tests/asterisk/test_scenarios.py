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

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

TESTS: Final = PROJECT / "flows" / "tests"
PLACED: Final = ("sign_in_at_the_second_try", "transactions_few", "typed_ahead", "balance_by_sms_en")
"""One in each language: a wrong PIN and the right one, a list that is read out, keys typed ahead, a text message."""
MOVES: Final = "transfer_typed_ahead"
LOCKED: Final = "sign_in_locked_wrong_key"
"""Is told to differ: the real bank is given a customer who may try once more."""
HOLDS: Final = "transactions_none"
"""Is told to differ: the accounts are said to hold a fen."""


def rehearsed(hotline: RunningHotline, *names: str) -> list[Placed]:
    suite = load_suite([TESTS / f"{name}.test.yaml" for name in names], hotline.settings)
    assert suite is not None
    assert suite.findings == ()
    with runner_for(suite, hotline.settings) as runner:
        return [rehearse(scenario, runner, hotline.settings) for scenario in suite.scenarios]


@pytest.fixture(scope="module")
def placed(hotline: RunningHotline) -> dict[str, Placed]:
    """Place every call of this file at the same time: each takes about as long as a caller would need for it."""
    ready = {name: rehearsed(hotline, name)[0] for name in (*PLACED, MOVES, LOCKED, HOLDS)}
    customer = ready[LOCKED].scenario.given.customer
    assert customer is not None
    object.__setattr__(customer, "wrong_pins", 3)  # the real bank will not lock yet
    told = dataclasses.replace(ready[HOLDS].virtual.told, booked={"6225880012345678": Money(1, Currency.CNY)})
    virtual = dataclasses.replace(ready[HOLDS].virtual, told=told)
    ready[HOLDS] = dataclasses.replace(ready[HOLDS], virtual=virtual)

    async def place() -> list[Placed]:
        async with Placer(hotline.settings) as placer:
            return await asyncio.gather(*(placer.place(one) for one in ready.values()))

    return dict(zip(ready, asyncio.run(place()), strict=True))


def test_calls_in_three_languages_go_as_in_virtual_time(placed: dict[str, Placed]) -> None:
    calls = [placed[name] for name in PLACED]
    assert [one.scenario.language.value for one in calls] == ["cmn", "yue", "en", "en"]

    for one in calls:
        assert one.skipped is None
        assert one.differences == (), "\n".join(one.differences)
        assert one.report is not None
        assert one.report.heard_whole
        assert one.virtual.told.steps


def test_call_that_goes_otherwise_than_in_virtual_time_is_told(placed: dict[str, Placed]) -> None:
    differences = placed[LOCKED].differences
    assert not placed[LOCKED].passed
    assert "for en/sign_in_locked" in differences[0], differences  # who was to hear it waits in vain
    wanted = "library/sign_in, check, refused, not library/sign_in, check, locked"
    assert any(wanted in one for one in differences), differences


def test_money_moves_in_a_real_call_as_in_virtual_time(placed: dict[str, Placed]) -> None:
    moved = placed[MOVES]
    assert [str(one) for one in moved.virtual.told.moved] == ["30.50 CNY 6225880012345678 > 6225880012345686"]
    assert moved.differences == (), "\n".join(moved.differences)


def test_account_that_holds_something_else_after_a_real_call_is_told(placed: dict[str, Placed]) -> None:
    assert placed[HOLDS].differences == ("the accounts hold 0.00 CNY, not 0.01 CNY",)


def test_test_that_cannot_be_brought_about_says_why(hotline: RunningHotline) -> None:
    reasons = [one.skipped or "" for one in rehearsed(hotline, "bank_slow", "menu_again", "transactions_few")]
    assert "real bank is not away" in reasons[0]
    assert "bank's people" in reasons[1]
    assert reasons[2] == ""
