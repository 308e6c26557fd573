"""A secret in the middle of a talk, over real calls: the agent asks for it, has music, and both go on talking."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from ivr_engine.testcaller.caller import Caller
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recognise import Kind
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.telephone import Telephone
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.asterisk.leaks import Canaries
from tests.asterisk.people import (
    Voice,
    ask_for_human,
    at_work,
    clip,
    joined,
    music_ms,
    nothing_left,
    serve_one,
)
from tests.campaigns.pin import PinCalls, give_long_pins, hotline_of_pins, search, sinks
from tests.waiting import until

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

HOTLINE: Final = """\
ivr: 1
title: Straight to an agent, who may ask for a PIN
start: talk
steps:
  talk:
    queue: service
    secure: secure
    when: {answered: bye, no_agents: nobody, full: nobody, timed_out: nobody}
  bye: {say: thank_you, then: end}
  nobody: {say: no_agent_available, then: end}
  end: {hang_up: completed}
"""
SECURE: Final = """\
ivr: 1
title: A PIN that the agent does not hear
start: ask
outcomes: [done, not_done]
variables: {pin: secret}
steps:
  ask: {secret: pin, prompt: enter_pin, length: 6, then: check, when: {no_input: failed, too_short: failed}}
  check:
    do: sign_in
    with: {customer: "'100004'", pin: pin}
    filler: please_wait
    when: {signed_in: signed_in, refused: failed, attempts_used: failed, locked: failed, unavailable: failed}
  signed_in: {return: done}
  failed: {return: not_done}
"""
AGENT: Final = "1001"
OTHER: Final = "1002"
CUSTOMER: Final = "100004"
ASKS: Final = "*7"


def mandarin(prompt: str) -> PromptName:
    return PromptName(Language.MANDARIN, prompt)


def english(prompt: str) -> PromptName:
    return PromptName(Language.ENGLISH, prompt)


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flows")
    (folder / "hotline.yaml").write_text(HOTLINE)
    (folder / "secure.yaml").write_text(SECURE)
    return folder


@pytest.fixture(scope="module")
def hotline(flows: Path) -> Iterator[RunningHotline]:
    with running_hotline(flows_dir=str(flows)) as hotline:
        yield hotline


@pytest.fixture(scope="module")
def recordings(hotline: RunningHotline) -> Recordings:
    return Recordings.load(hotline.sounds)


@asynccontextmanager
async def talking(
    hotline: RunningHotline, recordings: Recordings, number: str
) -> AsyncIterator[tuple[Caller, Caller, Telephone]]:
    """Call and be joined to the agent; yield both sides."""
    async with (
        at_work(hotline, recordings, AGENT) as desk,
        Phone.at(hotline.target, recordings) as phone,
        phone.dial(hotline.number, caller=number) as caller,
        desk.pick_up(within_ms=15_000) as agent,
    ):
        await both_hear_each_other(recordings, caller, agent)
        yield caller, agent, desk


async def both_hear_each_other(recordings: Recordings, caller: Caller, agent: Caller) -> None:
    await joined(caller, agent)
    Voice(caller).say(clip(recordings, "please_wait"))
    await agent.hear(english("please_wait"), within_ms=8000)
    Voice(agent).say(clip(recordings, "system_busy"))
    await caller.hear(english("system_busy"), others=True, within_ms=8000)


def steps_of(hotline: RunningHotline, number: str) -> list[tuple[object, ...]]:
    query = """SELECT call_step.flow, step, outcome FROM call_step JOIN call ON call.id = call_id
               WHERE caller_number = ? ORDER BY seq"""
    return hotline.rows(query, number)


async def test_caller_types_a_pin_that_the_agent_does_not_hear_and_both_go_on_talking(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    number = "13700003001"
    async with talking(hotline, recordings, number) as (caller, agent, _):
        await agent.press(ASKS)
        await caller.hear(mandarin("enter_pin"), within_ms=10_000)
        await until(lambda: music_ms(agent) > 500, "the agent has music", within_s=5)
        before = len(agent.heard)
        keys_before = len(agent.keys_heard)
        await caller.press(hotline.pin(CUSTOMER))
        await agent.hear(mandarin("secure_done"), within_ms=15_000)
        assert len(agent.keys_heard) == keys_before
        assert {stretch.kind for stretch in agent.heard[before:-1]} <= {Kind.MUSIC, Kind.SILENCE, Kind.PROMPT}
        await both_hear_each_other(recordings, caller, agent)
        agent.hang_up()
        await caller.hear(mandarin("thank_you"), others=True)
        assert await caller.ended() is EndedBy.FAR_END
    steps = [
        ("hotline", "talk", "entered"),
        ("secure", "ask", "collected"),
        ("secure", "check", "signed_in"),
        ("secure", "signed_in", "done"),
        ("hotline", "talk", "answered"),
        ("hotline", "bye", "said"),
        ("hotline", "end", "completed"),
    ]
    await until(lambda: steps_of(hotline, number) == steps, "the record is whole", within_s=5)
    await nothing_left(hotline)


async def test_agent_hears_nothing_of_the_caller_meanwhile_and_asks_as_often_as_they_like(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    number = "13700003002"
    async with talking(hotline, recordings, number) as (caller, agent, _):
        for _ in range(2):
            await agent.press(ASKS)
            await caller.hear_beginning(mandarin("enter_pin"), within_ms=10_000)
            sounds, keys = len(agent.sounds), len(agent.keys_heard)
            Voice(caller).say(clip(recordings, "welcome"))
            await caller.press("12", every_ms=500)  # too short: it did not work
            await caller.hear(mandarin("enter_pin"), others=True, within_ms=20_000)
            await caller.press(hotline.pin(CUSTOMER))
            await agent.hear(mandarin("secure_done"), within_ms=15_000)
            assert [stretch.name for stretch in agent.sounds[sounds:]] == [mandarin("secure_done")]
            assert len(agent.keys_heard) == keys
            await both_hear_each_other(recordings, caller, agent)
        caller.hang_up()
        assert await agent.ended() is EndedBy.FAR_END
    await nothing_left(hotline)


async def test_agent_is_told_when_it_did_not_work(hotline: RunningHotline, recordings: Recordings) -> None:
    async with talking(hotline, recordings, "13700003003") as (caller, agent, _):
        await agent.press(ASKS)
        await caller.hear(mandarin("enter_pin"), within_ms=10_000)
        await agent.hear(mandarin("secure_not_done"), within_ms=40_000)
        await both_hear_each_other(recordings, caller, agent)
        agent.hang_up()
        await caller.hear(mandarin("thank_you"), others=True)
    await nothing_left(hotline)


async def test_keys_of_the_caller_do_nothing_and_are_heard(hotline: RunningHotline, recordings: Recordings) -> None:
    async with talking(hotline, recordings, "13700003004") as (caller, agent, _):
        await caller.press(ASKS)
        await until(lambda: [heard.key for heard in agent.keys_heard] == ["*", "7"], "the agent hears them", within_s=5)
        await both_hear_each_other(recordings, caller, agent)
        assert music_ms(agent) == 0
        agent.hang_up()
        await caller.hear(mandarin("thank_you"), others=True)


async def test_caller_who_hangs_up_meanwhile_lets_the_agent_go(hotline: RunningHotline, recordings: Recordings) -> None:
    number = "13700003005"
    async with talking(hotline, recordings, number) as (caller, agent, desk):
        await agent.press(ASKS)
        await caller.hear_beginning(mandarin("enter_pin"), within_ms=10_000)
        await until(lambda: music_ms(agent) > 300, "the agent has music", within_s=5)
        await caller.press("12")
        caller.hang_up()
        assert await agent.ended() is EndedBy.FAR_END
        await nothing_left(hotline)
        async with (  # who was let go is free for the next caller
            Phone.at(hotline.target, recordings) as phone,
            phone.dial(hotline.number, caller="13700003006") as next_caller,
            desk.pick_up(within_ms=15_000) as again,
        ):
            await both_hear_each_other(recordings, next_caller, again)
    assert steps_of(hotline, number)[0] == ("hotline", "talk", "entered")


async def test_caller_whose_agent_hangs_up_meanwhile_is_the_next_to_be_served(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    number = "13700003007"
    async with (
        talking(hotline, recordings, number) as (caller, agent, _),
        at_work(hotline, recordings, OTHER) as other,
    ):
        await agent.press(ASKS)
        await caller.hear(mandarin("enter_pin"), within_ms=10_000)
        agent.hang_up()
        await caller.press(hotline.pin(CUSTOMER))
        async with other.pick_up(within_ms=15_000) as replaces:
            assert other.shown_number == number
            await both_hear_each_other(recordings, caller, replaces)
        await caller.hear(mandarin("thank_you"), others=True)
    await nothing_left(hotline)


async def test_agent_who_waits_is_offered_nobody_else(hotline: RunningHotline, recordings: Recordings) -> None:
    async with talking(hotline, recordings, "13700003008") as (caller, agent, desk):
        rang_at = desk.rang_at
        await agent.press(ASKS)
        await caller.hear(mandarin("enter_pin"), within_ms=10_000)
        async with (
            Phone.at(hotline.target, recordings) as phone,
            phone.dial(hotline.number, caller="13700003009") as waits,
        ):
            await until(lambda: music_ms(waits) > 3000, "the next caller waits", within_s=10)
            assert desk.rang_at == rang_at
        await caller.press(hotline.pin(CUSTOMER))
        await agent.hear(mandarin("secure_done"), within_ms=15_000)
        await both_hear_each_other(recordings, caller, agent)
        agent.hang_up()
        await caller.hear(mandarin("thank_you"), others=True)
    await nothing_left(hotline)


async def test_engine_that_dies_meanwhile_lets_the_agent_go_and_the_caller_gets_a_human(flows: Path) -> None:
    with running_hotline(flows_dir=str(flows)) as hotline:
        recordings = Recordings.load(hotline.sounds)
        async with (
            talking(hotline, recordings, "13700003010") as (caller, agent, _),
            at_work(hotline, recordings, OTHER) as human,
        ):
            await agent.press(ASKS)
            await caller.hear(mandarin("enter_pin"), within_ms=10_000)
            os.kill(hotline.engine_pid, signal.SIGKILL)
            assert await agent.ended() is EndedBy.FAR_END
            assert await serve_one(human) == "13700003010", "who had not come back has not been served"
            await caller.ended()


async def test_pin_that_is_typed_in_a_talk_is_found_nowhere_and_heard_by_nobody() -> None:
    with hotline_of_pins() as (hotline, tape):
        recordings = Recordings.load(hotline.sounds)
        calls = PinCalls(random.Random(3))
        await give_long_pins(hotline, calls)
        pin = calls.customers[CUSTOMER]
        async with (
            at_work(hotline, recordings, AGENT) as desk,
            Phone.at(hotline.target, recordings) as phone,
            phone.dial(hotline.number, caller="13700003011") as caller,
        ):
            await ask_for_human(caller)
            async with desk.pick_up(within_ms=15_000) as agent:
                await joined(caller, agent)
                await agent.press(ASKS)
                await caller.hear(english("enter_customer_number"), others=True, within_ms=15_000)
                await caller.press(f"{CUSTOMER}#")
                await caller.hear(english("enter_pin"), within_ms=10_000)
                await caller.press(SecretDigits(pin.encode()))
                await agent.hear(english("secure_done"), within_ms=15_000)
                assert [stretch.name for stretch in agent.sounds] == [english("secure_done")]
                assert agent.keys_heard == []
                agent.hang_up()
            caller.hang_up()
        await nothing_left(hotline)
        assert b"IvrSecure" in bytes(tape.from_asterisk), "what the manager interface says is on the tape"
        assert search(Canaries([pin]), sinks(hotline, tape)) == set()
