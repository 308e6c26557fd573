"""Callers hang up at every point of the dialogue and at random instants: nothing of a call is left anywhere.

The bank is slow here (a core behind REST), so that callers also leave while it works.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import pytest

from ivr_engine.testcaller.caller import Caller
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.telephone import Telephone
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from tests.asterisk.hotline import RunningHotline
from tests.asterisk.people import ask_for_human, asterisk_says, at_work
from tests.campaigns.hang_ups import (
    EVERY_MS,
    HUNG_UP,
    MIDDLE_MS,
    TONE,
    Traces,
    baseline_of,
    en,
    faults,
    hotline_of_hang_ups,
    leave_at_random,
    reasons,
    resident_kib,
    settle,
)
from tests.campaigns.slow_bank import SlowBank

pytestmark = pytest.mark.asterisk

BANK_DELAY_S: Final = 0.3
CUSTOMER: Final = "100003"
RANDOM_CALLS: Final = 60
AT_ONCE: Final = 15
MEMORY_KIB_MAX: Final = 4096
"""What 60 calls may add to the engine's memory: an allocator's rounding, not 60 calls' worth."""


def cmn(prompt: str) -> PromptName:
    return PromptName(Language.MANDARIN, prompt)


# --- Points of the dialogue: each brings a caller there ---------------------------------------------------


async def in_welcome(caller: Caller, _: SecretDigits) -> None:
    await caller.hear_beginning(cmn("welcome"), after_ms=MIDDLE_MS)


async def in_language_menu(caller: Caller, _: SecretDigits) -> None:
    await caller.hear_beginning(PromptName(Language.CANTONESE, "choose_language"), after_ms=MIDDLE_MS, others=True)


async def in_silence_after_language_menu(caller: Caller, _: SecretDigits) -> None:
    await caller.hear(en("choose_language"), others=True)


async def in_apology_for_wrong_key(caller: Caller, pin: SecretDigits) -> None:
    await in_welcome(caller, pin)
    await caller.press("7")
    await caller.hear_beginning(cmn("wrong_key"), after_ms=MIDDLE_MS)


async def in_main_menu(caller: Caller, pin: SecretDigits) -> None:
    await in_welcome(caller, pin)
    await caller.press("3")
    await caller.hear_beginning(en("main_menu"), after_ms=MIDDLE_MS)


async def in_question_for_number(caller: Caller, pin: SecretDigits) -> None:
    await in_main_menu(caller, pin)
    await caller.press("1")
    await caller.hear_beginning(en("enter_customer_number"), after_ms=MIDDLE_MS)


async def in_middle_of_number(caller: Caller, pin: SecretDigits) -> None:
    await in_question_for_number(caller, pin)
    await caller.press(CUSTOMER[:3], every_ms=EVERY_MS, tone=TONE)


async def in_silence_after_number(caller: Caller, pin: SecretDigits) -> None:
    await in_question_for_number(caller, pin)
    await caller.press(CUSTOMER, every_ms=EVERY_MS, tone=TONE)
    await caller.wait(MIDDLE_MS)


async def in_question_for_pin(caller: Caller, pin: SecretDigits) -> None:
    await in_question_for_number(caller, pin)
    await caller.press(f"{CUSTOMER}#", every_ms=EVERY_MS, tone=TONE)
    await caller.hear_beginning(en("enter_pin"), after_ms=MIDDLE_MS)


async def in_middle_of_pin(caller: Caller, pin: SecretDigits) -> None:
    await in_question_for_pin(caller, pin)
    await caller.press(SecretDigits(pin.reveal()[:3]), every_ms=EVERY_MS, tone=TONE)


async def while_bank_judges_pin(caller: Caller, pin: SecretDigits) -> None:
    await in_question_for_pin(caller, pin)
    await caller.press(pin, every_ms=EVERY_MS, tone=TONE)
    await caller.wait(round(BANK_DELAY_S * 1000 / 2))


async def in_account_menu(caller: Caller, pin: SecretDigits) -> None:
    await in_question_for_pin(caller, pin)
    await caller.press(pin, every_ms=EVERY_MS, tone=TONE)
    await caller.hear_beginning(en("press_1"), after_ms=MIDDLE_MS, others=True)


async def while_bank_looks_up_balance(caller: Caller, pin: SecretDigits) -> None:
    await in_account_menu(caller, pin)
    await caller.press("1")
    await caller.wait(round(BANK_DELAY_S * 1000 / 2))


async def in_balance(caller: Caller, pin: SecretDigits) -> None:
    await in_account_menu(caller, pin)
    await caller.press("1")
    await caller.hear_beginning(en("your_balance_is"), others=True)


async def in_balance_menu(caller: Caller, pin: SecretDigits) -> None:
    await in_balance(caller, pin)
    await caller.press("5")
    await caller.hear_beginning(en("wrong_key"), after_ms=MIDDLE_MS, others=True)


async def in_sorry_for_no_agent(caller: Caller, pin: SecretDigits) -> None:
    await in_main_menu(caller, pin)
    await caller.press("0")
    await caller.hear_beginning(en("no_agent_available"), after_ms=MIDDLE_MS)


Points = Mapping[str, Callable[[Caller, SecretDigits], Awaitable[None]]]
POINTS: Final[Points] = MappingProxyType(
    {
        f"1370000{number:04d}": point
        for number, point in enumerate(
            (
                in_welcome,
                in_language_menu,
                in_silence_after_language_menu,
                in_apology_for_wrong_key,
                in_main_menu,
                in_question_for_number,
                in_middle_of_number,
                in_silence_after_number,
                in_question_for_pin,
                in_middle_of_pin,
                while_bank_judges_pin,
                in_account_menu,
                while_bank_looks_up_balance,
                in_balance,
                in_balance_menu,
                in_sorry_for_no_agent,
            )
        )
    }
)


async def leave_at(points: Points, hotline: RunningHotline, bank: SlowBank, recordings: Recordings) -> None:
    async with Phone.at(hotline.target, recordings) as phone, asyncio.TaskGroup() as group:

        async def one(number: str, reach: Callable[[Caller, SecretDigits], Awaitable[None]]) -> None:
            async with phone.dial(hotline.number, caller=number) as caller:
                await reach(caller, bank.pin(CUSTOMER))
                caller.hang_up()

        for number, reach in points.items():
            group.create_task(one(number, reach))


async def first_calls(hotline: RunningHotline, bank: SlowBank, recordings: Recordings) -> None:
    """Use everything once: what a hotline opens for good, it opens with its first calls."""
    await asyncio.gather(
        leave_the_queue(hotline, recordings), leave_at({"13700000200": in_balance}, hotline, bank, recordings)
    )


async def leave_the_queue(hotline: RunningHotline, recordings: Recordings) -> None:
    """One caller leaves while an agent's telephone rings, another who waits behind them."""
    async with (
        at_work(hotline, recordings, "1001") as agent,
        Phone.at(hotline.target, recordings) as phone,
        phone.dial(hotline.number, caller="13700000100") as first,
        phone.dial(hotline.number, caller="13700000101") as second,
    ):
        ringing = asyncio.ensure_future(_ring(agent))
        await ask_for_human(first)
        await asterisk_says(hotline, "1001", "Ringing")
        await ask_for_human(second)
        await second.hear_beginning(PromptName(Language.ENGLISH, "all_agents_busy"), others=True)
        second.hang_up()
        first.hang_up()
        await asterisk_says(hotline, "1001", "Not in use")
        ringing.cancel()
        await asyncio.wait({ringing})


async def _ring(agent: Telephone) -> None:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(agent.pick_up(ring_ms=60_000))


@pytest.fixture(scope="module")
def left() -> Iterator[tuple[RunningHotline, SlowBank, Traces, Traces]]:
    """A hotline that callers have left at every point, its traces before (after the first calls) and after."""
    with hotline_of_hang_ups(bank_delay_s=BANK_DELAY_S) as (hotline, bank):
        recordings = Recordings.load(hotline.sounds)
        asyncio.run(first_calls(hotline, bank, recordings))
        before = baseline_of(hotline)
        asyncio.run(leave_at(POINTS, hotline, bank, recordings))
        yield hotline, bank, before, settle(hotline, before)


Left = tuple[RunningHotline, SlowBank, Traces, Traces]


def test_caller_may_leave_at_every_point_and_leaves_nothing_behind(left: Left) -> None:
    _, _, before, after = left
    assert after == before
    assert (after.channels, after.calls_live, after.open_records, after.joined_files) == (0, 0, 0, 0)


def test_every_call_that_was_left_is_recorded_as_ended_by_the_caller(left: Left) -> None:
    hotline = left[0]
    recorded = {str(number): reason for number, reason in hotline.rows("SELECT caller_number, end_reason FROM call")}
    numbers = [*POINTS, "13700000100", "13700000101"]
    assert {number: recorded.get(number) for number in numbers} == dict.fromkeys(numbers, HUNG_UP)


def test_sixty_calls_that_end_at_random_instants_leave_nothing_behind(left: Left) -> None:
    hotline, bank, _, before = left
    memory_kib = resident_kib(hotline)
    recordings = Recordings.load(hotline.sounds)
    asyncio.run(leave_at_random(hotline, bank, recordings, calls=RANDOM_CALLS, at_once=AT_ONCE, seed=1))
    assert settle(hotline, before) == before
    assert set(reasons(hotline)) == {HUNG_UP}
    assert resident_kib(hotline) - memory_kib <= MEMORY_KIB_MAX
    assert faults(hotline) == []
