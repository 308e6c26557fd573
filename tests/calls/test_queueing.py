"""Waiting for an agent, in virtual time: the dispatcher's loop and the caller's side of it."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from ivr_engine.acd.messages import AgentAppeared, AgentReachable, AgentUnreachable
from ivr_engine.acd.model import AgentName, Presence, Talking
from ivr_engine.calls.session import CallSession
from ivr_engine.channel.line import Dialled, DialResult
from ivr_engine.simulator.line import Deed, HangUp, HearOut, Press
from tests.calls.live import SERVICE, LiveWorld, RescuedLine, live

TWICE = """
ivr: 1
title: two agents, one after the other
start: first
otherwise: {no_agents: end, full: end, timed_out: end}
steps:
  first: {queue: service, when: {answered: second}}
  second: {queue: service, when: {answered: end}}
  end: {hang_up: completed}
"""
TO_A_HUMAN: list[Deed] = [HearOut(), Press("3"), HearOut(), Press("0")]


@asynccontextmanager
async def dispatching(world: LiveWorld, *agents: str) -> AsyncIterator[None]:
    """Let the dispatcher run, with these agents signed on and reachable."""
    for name in agents:
        world.queues.tell(AgentAppeared(AgentName(name), f"PJSIP/{name}", (SERVICE,)))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(world.queues.run())
        try:
            yield
        finally:
            running.cancel()


def with_agents(test: Callable[[LiveWorld], Awaitable[None]], *agents: str) -> None:
    async def run(world: LiveWorld) -> None:
        async with dispatching(world, *agents):
            await test(world)

    live(run)


def test_free_agent_is_rung_at_once_without_words_before() -> None:
    async def test(world: LiveWorld) -> None:
        reason, line = await world.call(TO_A_HUMAN, agents=[Dialled(DialResult.ANSWERED, 60)])
        assert reason == "completed"
        assert line.dialled == ["PJSIP/1001"]
        assert "en/connecting_to_agent" not in [heard.prompt for heard in line.heard]
        assert [heard.prompt for heard in line.heard][-2:] == ["en/thank_you", "en/goodbye"]

    with_agents(test, "1001")


def test_talk_may_last_for_hours_because_the_backstop_is_lifted() -> None:
    async def test(world: LiveWorld) -> None:
        _, line = await world.call(TO_A_HUMAN, agents=[Dialled(DialResult.ANSWERED, 7200)])
        ring = line.dialplan.index("backstop 0")
        assert line.dialplan[ring : ring + 3] == ["backstop 0", "agent spoke", "backstop 180"]

    with_agents(test, "1001")


def test_caller_who_waits_for_a_second_agent_is_no_longer_taken_for_served(tmp_path: pathlib.Path) -> None:
    (tmp_path / "hotline.yaml").write_text(TWICE, encoding="utf-8")

    async def test(world: LiveWorld) -> None:
        async with dispatching(world, "1001"):
            reason, line = await world.call([])
        assert reason == "completed"
        assert [told for told in line.dialplan if "agent" in told] == [
            "agent spoke",
            "waits for another agent",
            "agent spoke",
        ]

    live(test, flows=tmp_path)


def test_agent_who_does_not_answer_rests_and_the_next_one_is_rung() -> None:
    async def test(world: LiveWorld) -> None:
        agents = [Dialled(DialResult.NO_ANSWER, 0), Dialled(DialResult.ANSWERED, 5)]
        reason, line = await world.call(TO_A_HUMAN, agents=agents)
        assert reason == "completed"
        assert line.dialled == ["PJSIP/1001", "PJSIP/1002"]

    with_agents(test, "1001", "1002")


def test_nobody_at_work_is_said_at_once() -> None:
    async def test(world: LiveWorld) -> None:
        reason, line = await world.call(TO_A_HUMAN)
        assert reason == "no_human"
        assert "en/no_agent_available" in [heard.prompt for heard in line.heard]
        assert world.woken == []  # nobody waits yet, and the wake-up would cut the next words

    with_agents(test)


def test_second_caller_waits_and_is_woken_when_the_agent_is_free() -> None:
    async def test(world: LiveWorld) -> None:
        first = RescuedLine(TO_A_HUMAN, agents=[Dialled(DialResult.ANSWERED, 100)])
        second = RescuedLine(TO_A_HUMAN, agents=[Dialled(DialResult.ANSWERED, 10)])
        reasons = await asyncio.gather(
            world.session(first, "PJSIP/trunk-1").run(), _later(world.session(second, "PJSIP/trunk-2"))
        )
        assert list(reasons) == ["completed", "completed"]
        assert "en/connecting_to_agent" in [heard.prompt for heard in second.heard]
        assert "PJSIP/trunk-2" in world.woken

    with_agents(test, "1001")


def test_caller_who_hangs_up_while_waiting_is_forgotten() -> None:
    async def test(world: LiveWorld) -> None:
        talking = RescuedLine(TO_A_HUMAN, agents=[Dialled(DialResult.ANSWERED, 100)])
        leaving = RescuedLine([*TO_A_HUMAN, HearOut(), HangUp(after_ms=5000)])
        async with asyncio.TaskGroup() as group:
            group.create_task(world.session(talking, "PJSIP/trunk-1").run())
            ended = group.create_task(_later(world.session(leaving, "PJSIP/trunk-2")))
        assert ended.result() == "caller_hung_up"
        assert not world.queues.state.callers

    with_agents(test, "1001")


def test_answer_is_known_while_the_talk_goes_on_even_when_nobody_told_it() -> None:
    async def test(world: LiveWorld) -> None:
        for told, wait_s in ((True, 10), (False, 30)):
            world.answers_are_told = told
            line = RescuedLine(TO_A_HUMAN, agents=[Dialled(DialResult.ANSWERED, 100)])
            async with asyncio.TaskGroup() as group:
                group.create_task(world.session(line, "PJSIP/trunk-1").run())
                await asyncio.sleep(wait_s)
                assert isinstance(world.queues.state.agents[AgentName("1001")].occupation, Talking)
                await asyncio.sleep(60)
                assert isinstance(world.queues.state.agents[AgentName("1001")].occupation, Talking)
            assert line.dialled == ["PJSIP/1001"]

    with_agents(test, "1001")


def test_agent_whose_telephone_comes_back_serves_who_waits() -> None:
    async def test(world: LiveWorld) -> None:
        world.queues.tell(AgentAppeared(AgentName("1002"), "PJSIP/1002", (SERVICE,), presence=Presence.UNREACHABLE))
        talking = RescuedLine(TO_A_HUMAN, agents=[Dialled(DialResult.ANSWERED, 500)])
        waiting = RescuedLine(TO_A_HUMAN, agents=[Dialled(DialResult.ANSWERED, 5)])
        async with asyncio.TaskGroup() as group:
            group.create_task(world.session(talking, "PJSIP/trunk-1").run())
            ended = group.create_task(_later(world.session(waiting, "PJSIP/trunk-2")))
            await asyncio.sleep(30)
            world.queues.tell(AgentReachable(AgentName("1002")))
        assert ended.result() == "completed"
        assert waiting.dialled == ["PJSIP/1002"]

    with_agents(test, "1001")


PATIENT: Final = """
ivr: 1
title: a caller who waits two minutes
start: wait
steps:
  wait: {queue: service, hold: connecting_to_agent, most: 2 min, when:
    {answered: served, no_agents: end, full: end, timed_out: late}}
  served: {hang_up: served}
  late: {hang_up: late}
  end: {hang_up: completed}
"""


def waits_at_most(tmp_path: pathlib.Path, talk_s: int, agent: Dialled) -> tuple[str, float, RescuedLine]:
    """Return how a caller ends who waits while the only agent talks for so long, and when."""
    (tmp_path / "hotline.yaml").write_text(PATIENT, encoding="utf-8")

    async def test(world: LiveWorld) -> tuple[str, float, RescuedLine]:
        async with dispatching(world, "1001"):
            talking = RescuedLine([], agents=[Dialled(DialResult.ANSWERED, talk_s)])
            waiting = RescuedLine([], agents=[agent])
            async with asyncio.TaskGroup() as group:
                group.create_task(world.session(talking, "PJSIP/trunk-1").run())
                ended = group.create_task(_timed(world, world.session(waiting, "PJSIP/trunk-2")))
            assert not world.queues.state.callers
            return *ended.result(), waiting

    return live(test, flows=tmp_path)


async def _timed(world: LiveWorld, session: CallSession) -> tuple[str, float]:
    await asyncio.sleep(1)
    began = world.clock.monotonic()
    return await session.run(), world.clock.monotonic() - began


def test_caller_waits_no_longer_than_the_flow_says(tmp_path: pathlib.Path) -> None:
    reason, seconds, line = waits_at_most(tmp_path, 600, Dialled(DialResult.ANSWERED, 5))
    assert (reason, line.dialled) == ("late", [])
    assert seconds == pytest.approx(120, abs=0.01)


def test_agent_who_is_free_in_time_serves_the_caller(tmp_path: pathlib.Path) -> None:
    reason, _, line = waits_at_most(tmp_path, 100, Dialled(DialResult.ANSWERED, 500))
    assert (reason, line.dialled) == ("served", ["PJSIP/1001"])


def test_agent_who_rings_when_the_time_is_over_is_still_waited_for(tmp_path: pathlib.Path) -> None:
    reason, seconds, _ = waits_at_most(tmp_path, 115, Dialled(DialResult.NO_ANSWER, 0))
    assert reason == "late"
    assert seconds == pytest.approx(115 - 1 + 15, abs=1.1)


def test_last_agent_gone_frees_who_waits() -> None:
    async def test(world: LiveWorld) -> None:
        talking = RescuedLine(TO_A_HUMAN, agents=[Dialled(DialResult.ANSWERED, 500)])
        waiting = RescuedLine(TO_A_HUMAN)
        async with asyncio.TaskGroup() as group:
            group.create_task(world.session(talking, "PJSIP/trunk-1").run())
            ended = group.create_task(_later(world.session(waiting, "PJSIP/trunk-2")))
            await asyncio.sleep(30)
            world.queues.tell(AgentUnreachable(AgentName("1001")))
        assert ended.result() == "no_human"

    with_agents(test, "1001")


async def _later(session: CallSession) -> str:
    await asyncio.sleep(1)
    return await session.run()
