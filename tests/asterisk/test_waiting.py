"""What a caller lives through while waiting for a human: real calls, and how soon an agent's telephone rings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from ivr_engine.app.settings import PROJECT
from ivr_engine.testcaller.caller import Caller
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.telephone import Telephone
from ivr_engine.values.language import Language
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.asterisk.people import Voice, at_work, clip, joined, music_ms
from tests.waiting import until

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

FLOWS: Final = PROJECT / "tests" / "asterisk" / "flows_waiting"
AT_ONCE_MS: Final = 250
"""Much less than a second, in which a waiting line looks by itself; more than a busy machine takes."""
WHISPERED: Final = ("account_time_deposit", "ordinal_2", "number_6")

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def desks() -> Iterator[RunningHotline]:
    with running_hotline(flows_dir=str(FLOWS), ring_s="5") as running:
        yield running


@pytest.fixture(scope="module")
def voices(desks: RunningHotline) -> Recordings:
    return Recordings.load(desks.sounds)


def english(prompt: str) -> PromptName:
    return PromptName(Language.ENGLISH, prompt)


@asynccontextmanager
async def waiting(
    desks: RunningHotline, voices: Recordings, number: str
) -> AsyncIterator[tuple[Telephone, Caller, Caller]]:
    """Yield the only desk, the agent's end of a talk that goes on there, and a caller who waits meanwhile."""
    async with (
        at_work(desks, voices, "1001") as desk,
        Phone.at(desks.target, voices) as phone,
        phone.dial(desks.number, caller="13911111111"),
        desk.pick_up() as agent,
    ):
        await agent.hear(english("number_1"), others=True)  # the end of the whisper
        async with phone.dial(desks.number, caller=number) as caller:
            await caller.hear_beginning(english("leave_queue"))
            yield desk, agent, caller


async def rings_after_ms(desk: Telephone, agent: Caller, number: str) -> float:
    """Let the agent hang up; return after what time the telephone rings for the caller who waits."""
    served = asyncio.create_task(_serve(desk))
    freed_at = agent.now()
    agent.hang_up()
    assert await served == number
    return (desk.rang_at - freed_at) * 1000


async def _serve(desk: Telephone) -> str:
    async with desk.pick_up(within_ms=20_000) as agent:
        await agent.wait(6000)  # the whisper comes first
    return desk.shown_number


def steps_of(desks: RunningHotline, number: str) -> list[tuple[object, ...]]:
    """Return (step, outcome) of the newest call from a number, in order."""
    return desks.rows(
        "SELECT step, outcome FROM call_step JOIN call ON call.id = call_step.call_id "
        "WHERE caller_number = ? ORDER BY seq",
        number,
    )


async def all_steps_of(desks: RunningHotline, number: str) -> list[tuple[object, ...]]:
    """Return them when the call's record is closed."""
    ended = "SELECT end_reason FROM call WHERE caller_number = ? AND ended_at_ms IS NOT NULL"
    await until(lambda: bool(desks.rows(ended, number)), "the record is closed", within_s=8)
    return steps_of(desks, number)


MOMENTS: Final = {
    "prompt": ("1", "main_menu", "", ("speak", "interrupted")),
    "menu": ("4", "press_1", "", ("ask_key", "interrupted")),
    "entry": ("2", "enter_transfer_amount", "", ("ask_number", "interrupted")),
    "entry half typed": ("2", "enter_transfer_amount", "12", ("ask_number", "interrupted")),
    "PIN not begun": ("3", "enter_pin", "", ("ask_pin", "interrupted")),
}
"""Which key leads there, what is heard then, what is typed, and how the step ends that is cut."""


@pytest.mark.parametrize("moment", MOMENTS)
async def test_agent_who_is_free_calls_the_caller_away_at_once(
    moment: str, desks: RunningHotline, voices: Recordings, record_testsuite_property: Record
) -> None:
    key, heard, typed, cut = MOMENTS[moment]
    number = f"139222222{list(MOMENTS).index(moment):02}"
    async with waiting(desks, voices, number) as (desk, agent, caller):
        await caller.press(key)
        if moment in ("prompt", "entry"):
            await caller.hear_beginning(english(heard), others=True)
        else:
            await caller.hear(english(heard), others=True)
            await caller.wait(300)
        if typed:
            await caller.press(typed)
        after_ms = await rings_after_ms(desk, agent, number)
        record_testsuite_property(f"freed_agent_rang_after_ms_{moment.replace(' ', '_')}", round(after_ms))
        assert after_ms < AT_ONCE_MS
        await caller.hear(english("thank_you"), others=True)
        assert await caller.ended() is EndedBy.FAR_END
    steps = await all_steps_of(desks, number)
    at = steps.index(cut)
    assert steps[at + 1 :] == [("to_human", "answered"), ("served", "said"), ("end", "completed")]


async def test_music_is_ended_at_once_too(
    desks: RunningHotline, voices: Recordings, record_testsuite_property: Record
) -> None:
    number = "13922222220"
    async with waiting(desks, voices, number) as (desk, agent, caller):
        await until(lambda: music_ms(caller) > 600, "music", within_s=12)
        after_ms = await rings_after_ms(desk, agent, number)
        record_testsuite_property("freed_agent_rang_after_ms_music", round(after_ms))
        assert after_ms < AT_ONCE_MS


async def test_pin_that_is_being_typed_is_finished_first_and_no_key_of_it_reaches_the_agent(
    desks: RunningHotline, voices: Recordings
) -> None:
    number = "13922222221"
    async with waiting(desks, voices, number) as (desk, agent, caller):
        await caller.press("3")
        await caller.hear(english("enter_pin"), others=True)
        await caller.press("246")
        served = asyncio.create_task(_serve(desk))
        agent.hang_up()
        await caller.wait(1500)
        assert not served.done()
        rang_before = desk.rang_at
        await caller.press("810")
        typed_at = caller.now()
        assert await served == number
        assert desk.rang_at != rang_before, "the telephone rings only when the PIN is complete"
        assert 0 <= desk.rang_at - typed_at + 0.3 < 1
        await caller.hear(english("thank_you"), others=True)
        assert await caller.ended() is EndedBy.FAR_END
    steps = await all_steps_of(desks, number)
    assert ("ask_pin", "collected") in steps
    assert steps[-3:] == [("to_human", "answered"), ("served", "said"), ("end", "completed")]


async def test_keys_typed_before_the_agent_came_choose_nothing_afterwards(
    desks: RunningHotline, voices: Recordings
) -> None:
    number = "13922222222"
    async with waiting(desks, voices, number) as (desk, agent, caller):
        await caller.press("2")
        await caller.hear(english("enter_transfer_amount"), others=True)
        await caller.press("999")
        await rings_after_ms(desk, agent, number)
        await caller.hear(english("thank_you"), others=True)
        assert await caller.ended() is EndedBy.FAR_END
    assert ("left", "said") not in await all_steps_of(desks, number)


async def test_key_that_leaves_the_queue_is_taken_in_the_music_as_well(
    desks: RunningHotline, voices: Recordings
) -> None:
    number = "13922222223"
    async with waiting(desks, voices, number) as (_, _, caller):
        await until(lambda: music_ms(caller) > 600, "music", within_s=12)
        await caller.press("9")
        await caller.hear(english("goodbye"), others=True, within_ms=4000)
        assert await caller.ended() is EndedBy.FAR_END
    steps = await all_steps_of(desks, number)
    assert steps[-5:] == [
        ("offer", "key 9"),
        ("leave", "left_by_key"),
        ("to_human", "left_by_key"),
        ("left", "said"),
        ("end", "completed"),
    ]


async def test_longest_wait_of_the_queue_ends_the_flow_that_runs_meanwhile(
    desks: RunningHotline, voices: Recordings, record_testsuite_property: Record
) -> None:
    number = "13922222224"
    async with waiting(desks, voices, number) as (_, _, caller):
        began = caller.now()
        await caller.wait(27_000)
        await caller.press("4")  # a question that waits for 20 s, into which the end of the wait falls
        await caller.hear_beginning(english("no_agent_available"), others=True, within_ms=25_000)
        lasted_s = caller.now() - began
        record_testsuite_property("wait_of_45_s_ended_after_s", round(lasted_s, 1))
        assert 44 < lasted_s < 47
    steps = await all_steps_of(desks, number)
    assert ("ask_key", "interrupted") in steps
    assert ("to_human", "timed_out") in steps


async def test_agent_hears_the_whisper_before_the_talk_and_the_caller_hears_nothing_of_it(
    desks: RunningHotline, voices: Recordings
) -> None:
    number = "13922222225"
    async with (
        at_work(desks, voices, "1001") as desk,
        Phone.at(desks.target, voices) as phone,
        phone.dial(desks.number, caller=number) as caller,
        desk.pick_up() as agent,
    ):
        for prompt in WHISPERED:
            await agent.hear(english(prompt), others=True)
        await joined(caller, agent)
        Voice(caller).say(clip(voices, "account_credit_card"))
        await agent.hear(english("account_credit_card"), others=True)
        Voice(agent).say(clip(voices, "account_current"))
        await caller.hear(english("account_current"), others=True)
        heard = {str(name) for stretch in caller.heard for name in stretch.candidates}
        assert not heard & {f"en/{prompt}" for prompt in WHISPERED}
        caller.hang_up()
