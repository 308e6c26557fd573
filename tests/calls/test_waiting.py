"""Live calls that wait with a flow meanwhile, in virtual time: several callers, one dispatcher, agents with skills."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Sequence

import pytest

from ivr_engine.acd.messages import AgentAppeared
from ivr_engine.acd.model import AgentName
from ivr_engine.calls.queue_questions import QueueQuestions
from ivr_engine.channel.line import Dialled, DialResult
from ivr_engine.simulator.line import Deed, HearOut, Press
from tests.calls.live import SERVICE, LiveWorld, RescuedLine, live
from tests.calls.test_queueing import dispatching

MEANWHILE = """
ivr: 1
title: what is heard while waiting
start: ask
outcomes: [wait_on, left_by_key]
variables: {position: number}
steps:
  ask: {do: place_in_queue, into: {position: position}, when: {known: offer, wait_unknown: offer}}
  offer:
    menu: [queue_position_is, {ordinal: position}]
    keys: {1: leave, 0: stay}
    tries: 1
    first_key: 3 s
    when: {no_input: stay, no_match: stay}
  stay: {return: wait_on}
  leave: {return: left_by_key}
"""
HOST = """
ivr: 1
title: a caller who waits
start: begin
steps:
  begin:
    queue: service
    hold: connecting_to_agent
    meanwhile: waiting
    every: 20 s
    ASKED
    when: {answered: served, left_by_key: left, no_agents: end, full: end, timed_out: late}
  served: {hang_up: served}
  left: {hang_up: left}
  late: {hang_up: late}
  end: {hang_up: completed}
"""
KNOWS: frozenset[str] = frozenset({"en", "credit_cards"})


def flows_in(folder: pathlib.Path, **asked: str) -> pathlib.Path:
    """Write a first flow for each name, whose queue step asks for so much more."""
    (folder / "waiting.yaml").write_text(MEANWHILE, encoding="utf-8")
    for name, more in {"hotline": "most: 10 min", **asked}.items():
        (folder / f"{name}.yaml").write_text(HOST.replace("ASKED", more), encoding="utf-8")
    return folder


async def talk_then_wait(
    world: LiveWorld, talk_s: int, deeds: Sequence[Deed] = (), prompt_ms: int = 1000
) -> tuple[str, RescuedLine]:
    """Let one caller talk with the only agent, and another wait; return how that one ended."""
    talking = RescuedLine([], agents=[Dialled(DialResult.ANSWERED, talk_s)])
    agents = [Dialled(DialResult.ANSWERED, 5)]
    waiting = RescuedLine(deeds, agents=agents, prompt_ms=lambda _: prompt_ms)
    async with asyncio.TaskGroup() as group:
        group.create_task(world.session(talking, "PJSIP/trunk-1").run())
        await asyncio.sleep(1)
        ended = group.create_task(world.session(waiting, "PJSIP/trunk-2").run())
    assert not world.queues.state.callers
    return ended.result(), waiting


def test_caller_hears_the_place_and_is_called_away_from_it(tmp_path: pathlib.Path) -> None:
    async def test(world: LiveWorld) -> None:
        async with dispatching(world, "1001"):
            reason, line = await talk_then_wait(world, 30)
        assert reason == "served"
        assert [heard.prompt for heard in line.heard] == [
            "en/connecting_to_agent",
            "en/queue_position_is",
            "en/ordinal_1",
            "en/queue_position_is",
            "en/ordinal_1",
        ]
        assert world.woken.count("PJSIP/trunk-2") == 1

    live(test, flows=flows_in(tmp_path))


def test_agent_who_comes_during_the_words_before_the_music_is_not_kept_waiting(tmp_path: pathlib.Path) -> None:
    async def test(world: LiveWorld) -> None:
        async with dispatching(world, "1001"):
            reason, line = await talk_then_wait(world, 3, prompt_ms=3000)
        assert reason == "served"
        assert [(heard.prompt, heard.complete) for heard in line.heard] == [("en/connecting_to_agent", False)]

    live(test, flows=flows_in(tmp_path))


def test_key_leaves_the_queue_at_once(tmp_path: pathlib.Path) -> None:
    async def test(world: LiveWorld) -> None:
        async with dispatching(world, "1001"):
            reason, line = await talk_then_wait(world, 300, [HearOut(), Press("1")])
        assert (reason, line.dialled) == ("left", [])

    live(test, flows=flows_in(tmp_path))


def test_fault_of_ours_in_the_flow_costs_nobody_their_place(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: QueueQuestions) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(QueueQuestions, "place_in_queue", broken)

    async def test(world: LiveWorld) -> None:
        async with dispatching(world, "1001"):
            reason, line = await talk_then_wait(world, 40)
        assert reason == "engine_fault"
        assert line.dialled == ["PJSIP/1001"]
        assert [heard.prompt for heard in line.heard] == ["en/connecting_to_agent", "en/sorry_technical"]

    live(test, flows=flows_in(tmp_path))


def order_served(tmp_path: pathlib.Path, first: str, second: str, agent: AgentAppeared) -> list[str]:
    """Let two callers wait, whose queue steps ask for different things; return in which order an agent serves them."""
    flows = flows_in(tmp_path, first=first, second=second)

    async def test(world: LiveWorld) -> list[str]:
        served: list[str] = []
        async with dispatching(world):
            busy = AgentAppeared(AgentName("1001"), "PJSIP/1001", (SERVICE,))
            world.queues.tell(busy)

            async def call(flow: str, after_s: float, talk_s: int) -> None:
                await asyncio.sleep(after_s)
                line = RescuedLine([], agents=[Dialled(DialResult.ANSWERED, talk_s)] * 2)
                object.__setattr__(world.hotline, "first_flow", flow)
                session = world.session(line, f"PJSIP/{flow}")
                told = line.on_answer
                line.on_answer = lambda: (served.append(flow), told())[1]  # type: ignore[func-returns-value]  # both are done
                await session.run()

            async with asyncio.TaskGroup() as group:
                group.create_task(call("hotline", 0, 60))
                group.create_task(call("first", 1, 5))
                group.create_task(call("second", 2, 5))
                await asyncio.sleep(30)
                world.queues.tell(agent)
        return served

    return live(test, flows=flows, skills=KNOWS)


def test_higher_priority_is_served_first(tmp_path: pathlib.Path) -> None:
    same = AgentAppeared(AgentName("1001"), "PJSIP/1001", (SERVICE,))
    assert order_served(tmp_path, "priority: 0", "priority: 4 + 5", same) == ["hotline", "second", "first"]


def test_skilled_agent_is_rung_for_who_asks_and_the_other_waits_for_nobody(tmp_path: pathlib.Path) -> None:
    skilled = AgentAppeared(AgentName("1002"), "PJSIP/1002", (SERVICE,), skills=frozenset({"en"}))
    asked = "priority: 9\n    skills: [en]"
    assert order_served(tmp_path, "priority: 0", asked, skilled) == ["hotline", "second", "first"]


def test_unskilled_agent_serves_who_asks_for_nothing_first_and_the_other_when_relaxed(tmp_path: pathlib.Path) -> None:
    unskilled = AgentAppeared(AgentName("1002"), "PJSIP/1002", (SERVICE,))
    asked = "priority: 9\n    skills: [credit_cards]\n    relax: 90 s"
    assert order_served(tmp_path, asked, "priority: 0", unskilled) == ["hotline", "second", "first"]
