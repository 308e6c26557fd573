"""A bank that is away or slow to order, and ports whose ends a test says, in front of whatever is real."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from ivr_engine.banking.core import CoreBank, CoreUnavailableError
from ivr_engine.flow.leaving import CallbackOutcome
from ivr_engine.scenarios.model import Given
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.leaving import LeavingAsSaid, LeftBehind
from ivr_engine.simulator.orders import OrderedBank, ordered
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import AccountNumber, CustomerNumber

ACCOUNT = AccountNumber("6225880012345678")


def questions() -> list[str]:
    return [name for name, _ in inspect.getmembers(CoreBank, inspect.isfunction) if not name.startswith("_")]


def test_bank_of_which_nothing_is_said_is_itself() -> None:
    async def ask(clock: VirtualClock) -> None:
        bank = sample_bank(clock)
        assert ordered(bank, Given()) is bank

    run_virtual(ask)


@pytest.mark.parametrize("name", [name for name in questions() if name != "close"])
def test_bank_that_is_away_answers_nothing_and_is_not_even_asked(name: str) -> None:
    async def ask(clock: VirtualClock) -> None:
        real = MemoryBank(clock)
        question: Callable[..., object] = getattr(ordered(real, Given(bank_away=True)), name)
        needed = inspect.signature(question).parameters.values()
        positional = [object() for one in needed if one.kind is one.POSITIONAL_OR_KEYWORD]
        named = {one.name: 1 for one in needed if one.kind is one.KEYWORD_ONLY}
        with pytest.raises(CoreUnavailableError):
            await question(*positional, **named)  # type: ignore[misc] # every question is awaited
        assert real.asked == {}

    run_virtual(ask)


def test_slow_bank_answers_what_the_real_one_does_after_so_long() -> None:
    async def ask(clock: VirtualClock) -> None:
        real = sample_bank(clock)
        slow = ordered(real, Given(answer_after_s=2.5))
        assert await slow.balance(ACCOUNT) == await real.balance(ACCOUNT)
        assert clock.monotonic() == pytest.approx(2.5)
        assert await slow.accounts(CustomerNumber("620001")) == await real.accounts(CustomerNumber("620001"))
        await slow.close()
        assert isinstance(slow, OrderedBank)

    run_virtual(ask)


def test_what_is_left_behind_ends_as_the_test_says_and_else_as_it_is() -> None:
    async def leave(clock: VirtualClock) -> None:
        del clock
        real = LeftBehind()
        away = LeavingAsSaid(real, Given(messages_away=True, callbacks=CallbackOutcome.NUMBER_NOT_ALLOWED))
        assert not await away.ready(1000)
        assert await away.keep("service", b"x" * 8) is None
        assert await away.register("service", "13900000001") is CallbackOutcome.NUMBER_NOT_ALLOWED
        assert (real.messages, real.callbacks) == ([], [])
        usual = LeavingAsSaid(real, Given())
        assert await usual.ready(1000)
        assert await usual.keep("service", b"x" * 8) is not None
        assert await usual.register("service", "13900000001") is CallbackOutcome.REGISTERED
        assert real.callbacks == ["13900000001"]

    run_virtual(leave)
