"""Signing in by telephone, from the audio: refusals, the end of the attempts, the lock, and callers who type ahead."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from ivr_engine.testcaller.caller import Caller
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recognise import Kind
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.rtp import Tone
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from tests.asterisk.hotline import START_WITHIN_S, RunningHotline, running_hotline

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

WRITTEN_WITHIN_S: Final = 5.0
MIDDLE_MS: Final = 400
"""As much of a recording as is in no other, so that it is recognised."""
QUICK_MS: Final = 140
QUICK_TONE: Final = Tone(tone_ms=60)
UNKNOWN_CUSTOMER: Final = "900009"


@dataclass(frozen=True, slots=True)
class Told:
    """What one caller heard (recording, whether to its end), how the call ended, and why by the hotline's record."""

    heard: tuple[tuple[str, bool], ...]
    ended_by: EndedBy | None
    end_reason: str
    story: str

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.heard]

    @property
    def whole(self) -> list[str]:
        return [name for name, complete in self.heard if complete]


Deeds = Callable[[Caller], Awaitable[None]]


def en(prompt: str) -> PromptName:
    return PromptName(Language.ENGLISH, prompt)


def wrong(pin: SecretDigits) -> SecretDigits:
    """Return a PIN that differs from `pin` in its last digit."""
    digits = pin.reveal()
    return SecretDigits(digits[:-1] + b"%d" % ((digits[-1] - ord("0") + 1) % 10))


# --- What callers do -------------------------------------------------------------------------------------


async def reach_sign_in(caller: Caller) -> None:
    await caller.hear_beginning(PromptName(Language.MANDARIN, "welcome"), after_ms=100)
    await caller.press("3")
    await caller.hear_beginning(en("main_menu"), after_ms=100)
    await caller.press("1")
    await caller.hear_beginning(en("enter_customer_number"), after_ms=100)


async def sign_in(caller: Caller, customer: str, pin: SecretDigits) -> None:
    await caller.press(f"{customer}#", every_ms=QUICK_MS, tone=QUICK_TONE)
    await caller.hear_beginning(en("enter_pin"), after_ms=100, others=True)
    await caller.press(pin, every_ms=QUICK_MS, tone=QUICK_TONE)


async def fail_quickly(caller: Caller, customer: str, pin: SecretDigits, times: int) -> None:
    """Fail so often, and begin anew in the middle of each refusal."""
    for _ in range(times):
        await sign_in(caller, customer, pin)
        await caller.hear_beginning(en("sign_in_refused"), after_ms=MIDDLE_MS)


async def use_up_the_attempts(hotline: RunningHotline, caller: Caller) -> None:
    pin = hotline.pin("100004")
    await reach_sign_in(caller)
    await fail_quickly(caller, "100004", wrong(pin), 2)
    await sign_in(caller, "100004", wrong(pin))
    await caller.hear(en("attempts_used_agent_offer"))
    await caller.press("1")
    await caller.hear(en("no_agent_available"))
    await caller.ended(within_ms=40_000)  # what can be left behind is offered twice


async def fail_once(caller: Caller, customer: str, pin: SecretDigits) -> None:
    await reach_sign_in(caller)
    await sign_in(caller, customer, pin)
    await caller.hear(en("sign_in_refused"))
    await caller.hear_beginning(en("enter_customer_number"), after_ms=MIDDLE_MS)
    caller.hang_up()


async def mistype_once(hotline: RunningHotline, caller: Caller) -> None:
    pin = hotline.pin("100005")
    await reach_sign_in(caller)
    await fail_quickly(caller, "100005", wrong(pin), 1)
    await sign_in(caller, "100005", pin)
    await caller.hear(en("account_demand_savings"))
    caller.hang_up()


async def type_ahead(hotline: RunningHotline, caller: Caller) -> None:
    chance = random.Random("an expert")
    await caller.hear_beginning(PromptName(Language.MANDARIN, "welcome"), after_ms=100)
    for key in "31100003#":
        await caller.press(key, every_ms=chance.choice((100, 120, 140, 160)), tone=Tone(tone_ms=40))
    await caller.press(hotline.pin("100003"), every_ms=100, tone=Tone(tone_ms=40))
    await caller.hear(en("account_demand_savings"), others=True)
    caller.hang_up()


async def hear_the_lock(caller: Caller, customer: str, pin: SecretDigits) -> None:
    await reach_sign_in(caller)
    await sign_in(caller, customer, pin)
    await caller.hear_beginning(en("sign_in_locked"), after_ms=MIDDLE_MS)
    caller.hang_up()


# --- Calls, and what is told of them ----------------------------------------------------------------------


def place_calls(hotline: RunningHotline, recordings: Recordings, deeds: Mapping[str, Deeds]) -> dict[str, Told]:
    """Place all calls at once; raise the first caller's `CallError`."""

    async def one(phone: Phone, number: str, do: Deeds) -> Caller:
        async with phone.dial(hotline.number, caller=number) as caller:
            await do(caller)
        return caller

    async def together() -> list[Caller]:
        async with Phone.at(hotline.target, recordings) as phone, asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(phone, f"1360000{at:04d}", do)) for at, do in enumerate(deeds.values())]
        return [task.result() for task in tasks]

    callers = dict(zip(deeds, asyncio.run(together()), strict=True))
    return {name: _told(hotline, f"1360000{at:04d}", caller) for at, (name, caller) in enumerate(callers.items())}


def _told(hotline: RunningHotline, number: str, caller: Caller) -> Told:
    query = "SELECT end_reason FROM call WHERE caller_number = ? ORDER BY started_at_ms DESC LIMIT 1"

    def reasons() -> list[tuple[object, ...]]:
        return [row for row in hotline.rows(query, number) if row[0] is not None]

    hotline.wait_until(reasons, "the call is recorded", WRITTEN_WITHIN_S)
    heard = tuple((str(stretch.name), stretch.complete) for stretch in caller.heard if stretch.kind is Kind.PROMPT)
    return Told(heard, caller.call.ended_by, str(reasons()[0][0]), caller.story())


@pytest.fixture(scope="module")
def own_hotline() -> Iterator[RunningHotline]:
    with running_hotline() as running:
        yield running


@pytest.fixture(scope="module")
def told(own_hotline: RunningHotline) -> Mapping[str, Told]:
    """Every caller of the tests below, all at once."""
    some_pin = wrong(own_hotline.pin("100002"))
    return place_calls(
        own_hotline,
        Recordings.load(own_hotline.sounds),
        {
            "attempts used": lambda caller: use_up_the_attempts(own_hotline, caller),
            "wrong PIN": lambda caller: fail_once(caller, "100002", some_pin),
            "unknown number": lambda caller: fail_once(caller, UNKNOWN_CUSTOMER, some_pin),
            "mistyped once": lambda caller: mistype_once(own_hotline, caller),
            "typed ahead": lambda caller: type_ahead(own_hotline, caller),
        },
    )


def test_caller_with_three_wrong_pins_is_told_at_once(told: Mapping[str, Told]) -> None:
    caller = told["attempts used"]
    assert caller.whole[:2] == ["en/attempts_used_agent_offer", "en/no_agent_available"]
    assert caller.names.count("en/enter_pin") == 3
    assert caller.names.count("en/sign_in_refused") == 2


def test_key_1_leads_to_the_queue_where_nobody_is_and_the_record_says_so(told: Mapping[str, Told]) -> None:
    caller = told["attempts used"]
    after = caller.names.index("en/attempts_used_agent_offer") + 1
    assert caller.names[after] == "en/no_agent_available"
    assert caller.ended_by is EndedBy.FAR_END
    assert caller.end_reason == "no_human"


def test_unknown_customer_number_and_wrong_pin_sound_alike(told: Mapping[str, Told]) -> None:
    assert told["unknown number"].names == told["wrong PIN"].names
    assert told["unknown number"].whole == told["wrong PIN"].whole == ["en/sign_in_refused"]


def test_right_pin_after_one_wrong_one_signs_in(told: Mapping[str, Told]) -> None:
    caller = told["mistyped once"]
    assert caller.whole == ["en/account_demand_savings"]
    assert caller.names.count("en/sign_in_refused") == 1
    assert caller.end_reason == "caller_hung_up"


def test_expert_who_types_ahead_reaches_the_account_menu_without_a_whole_prompt(told: Mapping[str, Told]) -> None:
    assert told["typed ahead"].whole == ["en/account_demand_savings"]


def test_five_wrong_pins_lock_a_customer_across_calls_restarts_and_crashes() -> None:
    with running_hotline() as hotline:
        recordings = Recordings.load(hotline.sounds)
        pin, other_pin = hotline.pin("100003"), hotline.pin("100002")

        def call(do: Deeds) -> Told:
            return place_calls(hotline, recordings, {"caller": do})["caller"]

        async def fail_twice(caller: Caller) -> None:
            await reach_sign_in(caller)
            await fail_quickly(caller, "100003", wrong(pin), 2)
            caller.hang_up()

        async def fifth_failure(caller: Caller) -> None:
            await hear_the_lock(caller, "100003", wrong(pin))

        async def is_locked(caller: Caller) -> None:
            await hear_the_lock(caller, "100003", pin)

        async def another_customer(caller: Caller) -> None:
            await reach_sign_in(caller)
            await sign_in(caller, "100002", other_pin)
            await caller.hear(en("account_demand_savings"))

        place_calls(hotline, recordings, {"two failures": fail_twice, "two more": fail_twice})
        assert call(fifth_failure).names[-1] == "en/sign_in_locked"
        assert hotline.stop() == 0
        hotline.start()
        assert call(is_locked).names[-1] == "en/sign_in_locked"
        killed = hotline.engine_pid
        os.kill(killed, signal.SIGKILL)
        hotline.wait_until(lambda: _engine_is_new(hotline, killed), "a new engine is ready", START_WITHIN_S)
        place_calls(hotline, recordings, {"locked": is_locked, "another customer": another_customer})


def _engine_is_new(hotline: RunningHotline, killed: int) -> bool:
    try:
        return hotline.engine_pid != killed and hotline.healthy()
    except (AssertionError, OSError):
        return False
