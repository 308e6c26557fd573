"""A caller reaches a human: agents at SIP telephones, real calls, and what each side hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from ivr_engine.testcaller.caller import Caller, CallError
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recognise import Kind
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.telephone import Telephone
from ivr_engine.values.language import Language
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.asterisk.people import (
    WELCOME,
    Voice,
    ask_for_human,
    asterisk_says,
    at_work,
    clip,
    joined,
    music_ms,
    rate,
    serve_one,
)
from tests.waiting import until

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

RING_S = 2
IN_A_SECOND_MS = 1000
OFFERED_MS = 40_000
"""Without agents a message or a callback is offered twice, and silence ends the call."""
QUALIFIED_WITHIN_S = 10.0
"""An agent's telephone is probed every 5 s and has 2 s to answer (asterisk-config/parts/agent.conf)."""

Record = Callable[[str, object], None]

CALLER_SAYS = "account_credit_card"
AGENT_SAYS = "account_current"


@pytest.fixture(scope="module")
def desks() -> Iterator[RunningHotline]:
    """A hotline whose agents' telephones ring for 2 s; who did not answer rests, and does in one test only."""
    with running_hotline(ring_s=str(RING_S), agents="1001,1002,1003,1004,1005,1006,1007,1008") as running:
        yield running


@pytest.fixture(scope="module")
def voices(desks: RunningHotline) -> Recordings:
    return Recordings.load(desks.sounds)


async def test_an_idle_agent_rings_within_a_second_both_hear_each_other_and_the_flow_goes_on_afterwards(
    desks: RunningHotline, voices: Recordings, record_testsuite_property: Record
) -> None:
    async with (
        at_work(desks, voices, "1001") as desk,
        Phone.at(desks.target, voices) as phone,
        phone.dial(desks.number, caller="13900000001") as caller,
    ):
        async with asyncio.TaskGroup() as group:
            group.create_task(ask_for_human(caller))
            talk = group.create_task(talk_and_hang_up(desk, caller, voices))
        key_let_go = caller.presses[-1].ended_at
        assert key_let_go is not None
        rang_after_ms = (talk.result() - key_let_go) * 1000
        record_testsuite_property("idle_agent_rang_after_ms", round(rang_after_ms))
        assert rang_after_ms < IN_A_SECOND_MS
        await rate(caller)
        await caller.hear(english("thank_you"), english("goodbye"), others=True)
        assert await caller.ended() is EndedBy.FAR_END
    assert await reason_of(desks, "13900000001") == "completed"


async def test_the_agent_is_rung_with_the_callers_number_and_not_with_the_callers_name(
    desks: RunningHotline, voices: Recordings
) -> None:
    async with (
        at_work(desks, voices, "1001") as desk,
        Phone.at(desks.target, voices) as phone,
        phone.dial(desks.number, caller="13900000009") as caller,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(ask_for_human(caller))
        assert await serve_one(desk) == "13900000009"


async def test_the_agents_telephone_is_hung_up_when_the_caller_hangs_up(
    desks: RunningHotline, voices: Recordings
) -> None:
    async with (
        at_work(desks, voices, "1001") as desk,
        Phone.at(desks.target, voices) as phone,
        phone.dial(desks.number, caller="13900000002") as caller,
    ):
        await ask_for_human(caller)
        async with desk.pick_up() as agent:
            await joined(caller, agent)
            Voice(caller).say(clip(voices, CALLER_SAYS))
            await agent.hear(english(CALLER_SAYS))
            caller.hang_up()
            assert await agent.ended(within_ms=1000) is EndedBy.FAR_END
    assert await reason_of(desks, "13900000002") == "caller_hung_up"


async def test_a_ringing_telephone_is_silenced_when_the_caller_hangs_up_and_its_agent_is_free_for_the_next(
    desks: RunningHotline, voices: Recordings
) -> None:
    async with at_work(desks, voices, "1001") as desk, Phone.at(desks.target, voices) as phone:
        async with phone.dial(desks.number, caller="13900000003") as caller, asyncio.TaskGroup() as group:
            ringing = group.create_task(ring_in_vain(desk))
            await ask_for_human(caller)
            await asterisk_says(desks, "1001", "Ringing")
            caller.hang_up()
            assert "not answered" in await ringing
        async with phone.dial(desks.number, caller="13900000004") as caller, asyncio.TaskGroup() as group:
            group.create_task(ask_for_human(caller))
            assert await serve_one(desk) == "13900000004"
    assert await reason_of(desks, "13900000003") == "caller_hung_up"


async def test_an_agent_who_does_not_answer_rests_and_the_next_agent_gets_the_caller_who_came_first(
    desks: RunningHotline, voices: Recordings
) -> None:
    async with Phone.at(desks.target, voices) as phone, at_work(desks, voices, "1002") as absent:
        async with phone.dial(desks.number, caller="13900000011") as first, asyncio.TaskGroup() as group:
            ringing = group.create_task(ring_in_vain(absent))
            await ask_for_human(first)
            await asterisk_says(desks, "1002", "Ringing")
            async with phone.dial(desks.number, caller="13900000012") as second:
                await ask_for_human(second)
                assert "not answered" in await ringing
                await asterisk_says(desks, "1002", "Not in use")
                async with at_work(desks, voices, "1003") as desk:
                    assert await serve_one(desk) == "13900000011"
                    assert await serve_one(desk) == "13900000012"
        assert absent.shown_number == "13900000011", "who did not answer is left alone for a while"


async def test_a_caller_waits_with_music_while_all_agents_are_busy_and_is_served_within_a_second_of_one_being_free(
    desks: RunningHotline, voices: Recordings, record_testsuite_property: Record
) -> None:
    async with (
        at_work(desks, voices, "1001") as desk,
        Phone.at(desks.target, voices) as phone,
        phone.dial(desks.number, caller="13900000021") as served,
    ):
        await ask_for_human(served)
        async with desk.pick_up() as agent, phone.dial(desks.number, caller="13900000022") as waiting:
            await ask_for_human(waiting)
            await waiting.hear(english("connecting_to_agent"), others=True)
            await until(lambda: music_ms(waiting) > 2500, "music", within_s=25)  # what is said meanwhile comes first
            next_call = asyncio.get_running_loop().create_task(serve_one(desk))
            freed_at = agent.now()
            agent.hang_up()
            assert await next_call == "13900000022"
            rang_after_ms = (desk.rang_at - freed_at) * 1000
            record_testsuite_property("freed_agent_rang_for_the_next_after_ms", round(rang_after_ms))
            assert rang_after_ms < IN_A_SECOND_MS
            pauses = [stretch.longest_pause_ms for stretch in waiting.heard if stretch.kind is Kind.MUSIC]
            assert max(pauses) < 200, "music goes on without a gap"


async def test_callers_are_served_in_the_order_of_their_arrival(desks: RunningHotline, voices: Recordings) -> None:
    numbers = [f"1390000003{place}" for place in range(4)]
    async with (
        at_work(desks, voices, "1001") as desk,
        Phone.at(desks.target, voices) as phone,
        phone.dial(desks.number, caller=numbers[0]) as first,
    ):
        await ask_for_human(first)
        async with desk.pick_up() as agent, AsyncExitStack() as callers:
            for number in numbers[1:]:
                await ask_for_human(await callers.enter_async_context(phone.dial(desks.number, caller=number)))
            agent.hang_up()
            assert [await serve_one(desk) for _ in numbers[1:]] == numbers[1:]


async def test_without_any_agent_the_caller_is_told_so_and_the_call_ends(
    desks: RunningHotline, voices: Recordings
) -> None:
    async with Phone.at(desks.target, voices) as phone, phone.dial(desks.number, caller="13900000041") as caller:
        await ask_for_human(caller)
        await caller.hear(english("no_agent_available"))
        assert await caller.ended(within_ms=OFFERED_MS) is EndedBy.FAR_END
    assert await reason_of(desks, "13900000041") == "no_human"


async def test_a_caller_who_presses_wrong_keys_three_times_reaches_a_human(
    desks: RunningHotline, voices: Recordings
) -> None:
    async with (
        at_work(desks, voices, "1001") as desk,
        Phone.at(desks.target, voices) as phone,
        phone.dial(desks.number, caller="13900000051") as caller,
    ):
        await caller.hear_beginning(WELCOME)
        await caller.press("3")
        for _ in range(3):
            await caller.hear_beginning(english("main_menu"), others=True)
            await caller.press("7")
        assert await serve_one(desk) == "13900000051"
        await rate(caller)
        await caller.hear(english("thank_you"), others=True)


async def test_an_agent_whose_telephone_vanished_costs_the_caller_one_ring_and_nobody_is_promised(
    desks: RunningHotline, voices: Recordings
) -> None:
    async with Phone.at(desks.target, voices) as phone, at_work(desks, voices, "1004") as gone:
        gone.silent = True
        async with phone.dial(desks.number, caller="13900000061") as caller:
            await ask_for_human(caller)
            await caller.hear(english("no_agent_available"), others=True, within_ms=20_000)
            assert await caller.ended(within_ms=OFFERED_MS) is EndedBy.FAR_END
    assert await reason_of(desks, "13900000061") == "no_human"


async def test_a_vanished_telephone_is_not_rung_at_all_once_asterisk_knows(
    desks: RunningHotline, voices: Recordings
) -> None:
    async with Phone.at(desks.target, voices) as phone, at_work(desks, voices, "1005") as gone:
        gone.silent = True
        await asterisk_says(desks, "1005", "Unavailable")
        async with (
            at_work(desks, voices, "1006") as desk,
            phone.dial(desks.number, caller="13900000062") as caller,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(ask_for_human(caller))
            assert await serve_one(desk) == "13900000062"
            key_let_go = caller.presses[-1].ended_at
            assert key_let_go is not None
            assert (desk.rang_at - key_let_go) * 1000 < IN_A_SECOND_MS


async def test_a_caller_whose_bank_is_away_hears_so_and_reaches_a_human() -> None:
    with running_hotline(bank_url="http://127.0.0.1:9") as hotline:
        voices = Recordings.load(hotline.sounds)
        async with (
            at_work(hotline, voices, "1001") as desk,
            Phone.at(hotline.target, voices) as phone,
            phone.dial(hotline.number, caller="13900000071") as caller,
        ):
            await caller.hear_beginning(WELCOME)
            await caller.press("3")
            await caller.hear_beginning(english("main_menu"), others=True)
            await caller.press("1")
            await caller.hear_beginning(english("enter_customer_number"))
            await caller.press("100001#")
            await caller.hear_beginning(english("enter_pin"), others=True)
            await caller.press("123456")
            await caller.hear(english("system_busy"), others=True)
            assert await serve_one(desk) == "13900000071"
            await rate(caller)
            await caller.hear(english("thank_you"), others=True)
            assert await caller.ended() is EndedBy.FAR_END
        assert await reason_of(hotline, "13900000071") == "completed"


def english(prompt: str) -> PromptName:
    return PromptName(Language.ENGLISH, prompt)


async def talk_and_hang_up(desk: Telephone, caller: Caller, voices: Recordings) -> float:
    """Answer, say something, hear what the caller says, hang up; return when it began to ring."""
    async with desk.pick_up() as agent:
        await joined(caller, agent)
        Voice(agent).say(clip(voices, AGENT_SAYS))
        Voice(caller).say(clip(voices, CALLER_SAYS))
        await agent.hear(english(CALLER_SAYS))
        await caller.hear(english(AGENT_SAYS), others=True)
    return desk.rang_at


async def ring_in_vain(desk: Telephone) -> str:
    """Let it ring, answer too late, and return why that came to nothing."""
    try:
        async with desk.pick_up(ring_ms=(RING_S + 1) * 1000):
            return "answered"
    except CallError as error:
        return str(error)


async def reason_of(hotline: RunningHotline, number: str) -> str:
    """Return why the newest call from this number ended, as soon as its record says so."""
    found: list[str] = []

    def closed() -> bool:
        rows = hotline.rows("SELECT end_reason FROM call WHERE caller_number = ? AND ended_at_ms IS NOT NULL", number)
        found[:] = [str(row[0]) for row in rows]
        return bool(found)

    await until(closed, f"the record of {number} is closed", within_s=5)
    return found[-1]
