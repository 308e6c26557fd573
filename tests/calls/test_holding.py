"""An agent who asks for a secret in a talk: what becomes of the caller, the agent, the dispatcher and the dialplan."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ivr_engine.acd.messages import AgentAppeared
from ivr_engine.acd.model import AgentName, Idle, Talking
from ivr_engine.calls.holding import HOLD_MAX_S, Holds
from ivr_engine.channel.line import CallerHungUp, Dialled, DialResult, Played
from ivr_engine.simulator.line import Deed, HangUp, HearOut, Press, ScriptedLine
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance
from tests.calls.live import SERVICE, LiveWorld, RescuedLine, live

TALK_S = 10
AGENT = "PJSIP/1001-00000001"
OTHER = AgentName("1002")


@dataclass(slots=True)
class AgentsEar:
    """The line of an agent who waits: what they hear, until they hang up or are joined again."""

    heard: list[str] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def music(self, *, on: bool) -> None:
        self._check()
        self.heard.append("music" if on else "no music")

    async def play(self, what: Utterance, *, stop_on: str = "", from_ms: int = 0) -> Played:
        del stop_on, from_ms
        self._check()
        self.heard.extend(what.prompts)
        await self.read_key(within_ms=1000)
        return Played(None, 1000)

    async def read_key(self, *, within_ms: int) -> str | None:
        self._check()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_ms / 1000):
                await self.hung_up.wait()
        self._check()
        return None

    def _check(self) -> None:
        if self.hung_up.is_set():
            raise CallerHungUp


@dataclass
class Desk:
    """An agent at work: who can be taken out of the talk, and put back."""

    fetched: bool = True
    comes: bool = True
    ears: list[AgentsEar] = field(default_factory=list)
    kept: list[asyncio.Task[None]] = field(default_factory=list)
    world: LiveWorld | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self, channel: str) -> bool:
        self.asked.set()
        if not self.fetched:
            return False
        assert self.world is not None
        if self.comes:
            self.ears.append(AgentsEar())
            self.kept.append(asyncio.create_task(self.world.queues.holds.keep(channel, self.ears[-1])))
        return True


@dataclass(slots=True)
class TalkingLine(RescuedLine):
    """A caller whose agent asks for a secret at the end of each talk, `times` over."""

    desk: Desk = field(default_factory=Desk)
    times: int = 1
    channel: str = "PJSIP/trunk-1"

    async def dial(
        self, endpoint: str, *, ring_s: int, whisper: Utterance | None = None, secure: bool = False
    ) -> Dialled:
        del ring_s, whisper
        self._check()
        self.dialled.append(endpoint)
        assert self.desk.world is not None
        self.desk.world.queues.agent_answered(self.channel, AGENT)
        return await self._talk(asks=secure)

    async def rejoin(self, channel: str) -> Dialled:
        self._check()
        assert channel == AGENT
        self.dialplan.append("rejoin")
        if self.desk.ears[-1].hung_up.is_set():
            return Dialled(DialResult.UNREACHABLE, 0)
        self.desk.ears[-1].hung_up.set()  # their session with us ends, for they are joined
        return await self._talk(asks=True)

    async def _talk(self, *, asks: bool) -> Dialled:
        await self._pass_time(TALK_S)
        if asks and self.times:
            self.times -= 1
            assert self.desk.world is not None
            self.desk.asked.clear()
            self.desk.world.queues.secret_asked(AGENT)
            await self.desk.asked.wait()
        return Dialled(DialResult.ANSWERED, TALK_S)


HOTLINE = """\
ivr: 1
title: Straight to an agent
start: talk
steps:
  talk:
    queue: service
    hold: connecting_to_agent
    secure: secure
    when: {answered: served, no_agents: nobody, full: nobody, timed_out: nobody}
  served: {hang_up: served}
  nobody: {hang_up: nobody}
"""
SECURE = """\
ivr: 1
title: A PIN
start: ask
outcomes: [done, not_done]
variables: {pin: secret}
steps:
  ask: {secret: pin, prompt: enter_pin, length: 6, tries: 1, then: check, when: {no_input: failed, too_short: failed}}
  check:
    do: sign_in
    with: {customer: "'620001'", pin: pin}
    when: {signed_in: good, refused: failed, attempts_used: failed, locked: failed, unavailable: failed}
  good: {return: done}
  failed: {return: not_done}
"""


@dataclass
class Told:
    """What became of one call."""

    reason: str
    line: TalkingLine
    desk: Desk
    world: LiveWorld

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(step, outcome) for _, step, outcome in self.world.journal.steps]


def call(
    folder: pathlib.Path,
    *deeds: Deed,
    times: int = 1,
    desk: Desk | None = None,
    agents: tuple[str, ...] = ("1001",),
    meanwhile: Callable[[Told], None] | None = None,
    after_s: float = 0.0,
) -> Told:
    """Make one call; `meanwhile` is called when so much time has passed."""
    (folder / "hotline.yaml").write_text(HOTLINE)
    (folder / "secure.yaml").write_text(SECURE)
    desk = desk or Desk()

    async def test(world: LiveWorld) -> Told:
        desk.world = world
        running = asyncio.create_task(world.queues.run())
        for agent in agents:
            world.queues.tell(AgentAppeared(AgentName(agent), f"PJSIP/{agent}", (SERVICE,)))
        line = TalkingLine(deeds, desk=desk, times=times)
        told = Told("", line, desk, world)
        if meanwhile is not None:
            asyncio.get_running_loop().call_later(after_s, meanwhile, told)
        told.reason = await world.session(line).run()
        ended_at = world.clock.monotonic()
        await asyncio.gather(*desk.kept)
        assert world.clock.monotonic() - ended_at < 1, "nobody waits for a call that is over"
        assert world.queues.state.talks == {}
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        return told

    return live(test, flows=folder, fetch=desk.fetch)


PIN = (HearOut(), Press("246810"))


def test_agent_has_music_until_the_caller_is_back_and_is_told_that_it_went_well(tmp_path: pathlib.Path) -> None:
    told = call(tmp_path, *PIN)
    assert told.reason == "served"
    assert [ear.heard for ear in told.desk.ears] == [["music", "no music", "secure_done"]]
    assert told.outcomes == [
        ("hotline:talk", "entered"),
        ("secure:ask", "collected"),
        ("secure:check", "signed_in"),
        ("secure:good", "done"),
        ("hotline:talk", "answered"),
        ("hotline:served", "served"),
    ]


def test_agent_is_told_when_it_did_not_go_well(tmp_path: pathlib.Path) -> None:
    told = call(tmp_path)
    assert told.desk.ears[0].heard[-1] == "secure_not_done"
    assert told.reason == "served"


def test_agent_may_ask_again(tmp_path: pathlib.Path) -> None:
    told = call(tmp_path, *PIN, *PIN, times=2)
    assert told.reason == "served"
    assert [ear.heard[-1] for ear in told.desk.ears] == ["secure_done", "secure_done"]


def test_caller_is_not_served_while_the_agent_waits_should_the_engine_die(tmp_path: pathlib.Path) -> None:
    told = call(tmp_path, *PIN)
    assert told.line.dialplan == [
        "backstop 0",
        "waits for another agent",
        "backstop 180",
        "backstop 0",
        "agent spoke",
        "rejoin",
        "agent spoke",
        "backstop 180",
        "done",
    ]


def test_agent_talks_all_the_time_for_the_dispatcher(tmp_path: pathlib.Path) -> None:
    seen: list[object] = []

    def look(told: Told) -> None:
        seen.append(told.world.queues.state.agents[AgentName("1001")].occupation)
        assert told.desk.ears, "the agent waits"

    told = call(tmp_path, *PIN, meanwhile=look, after_s=TALK_S + 1.5)
    assert isinstance(seen[0], Talking)
    handling = told.world.queues.state.handling[SERVICE]
    assert handling.mean_s >= 2 * TALK_S + 1, "the whole of it is the time of the talk"
    assert isinstance(told.world.queues.state.agents[AgentName("1001")].occupation, Idle)


def test_caller_who_hangs_up_meanwhile_lets_the_agent_go(tmp_path: pathlib.Path) -> None:
    told = call(tmp_path, HearOut(), HangUp())
    assert told.reason == "caller_hung_up"
    assert told.desk.ears[0].heard == ["music", "no music"]
    assert isinstance(told.world.queues.state.agents[AgentName("1001")].occupation, Idle)


def test_caller_whose_agent_has_hung_up_goes_first(tmp_path: pathlib.Path) -> None:
    waits: list[tuple[int, float]] = []

    def hang_up(told: Told) -> None:
        told.desk.ears[0].hung_up.set()

    def look(told: Told) -> None:
        waits.extend((caller.priority, caller.entered_at) for caller in told.world.queues.state.callers.values())

    desk = Desk()

    def both(told: Told) -> None:
        hang_up(told)
        asyncio.get_running_loop().call_later(4, look, told)

    told = call(tmp_path, *PIN, times=1, desk=desk, meanwhile=both, after_s=TALK_S + 1)
    assert told.reason == "served"
    assert told.line.dialled == ["PJSIP/1001", "PJSIP/1001"], "another talk, after a wait"
    assert "secure_done" not in told.desk.ears[0].heard
    assert [heard.prompt for heard in told.line.heard].count("en/connecting_to_agent") <= 2


def test_agent_who_cannot_be_fetched_goes_on_talking(tmp_path: pathlib.Path) -> None:
    for desk in (Desk(fetched=False), Desk(comes=False)):
        told = call(tmp_path, *PIN, desk=desk)
        assert told.reason == "served"
        assert told.outcomes[0] == ("hotline:talk", "answered")
        assert desk.ears == []


def test_nobody_else_can_ask_and_nobody_whose_queue_does_not_allow_it(tmp_path: pathlib.Path) -> None:
    def ask(told: Told) -> None:
        told.world.queues.secret_asked("PJSIP/1002-1")
        told.world.queues.secret_asked("PJSIP/trunk-1")

    told = call(tmp_path, times=0, meanwhile=ask, after_s=5)
    assert told.outcomes == [("hotline:talk", "answered"), ("hotline:served", "served")]
    assert told.desk.ears == []


def test_agent_is_let_go_when_the_caller_takes_too_long() -> None:
    async def main(clock: VirtualClock) -> None:
        holds, ear = Holds(), AgentsEar()
        hold = holds.open(AGENT)
        await holds.keep(AGENT, ear)
        assert clock.monotonic() == pytest.approx(HOLD_MAX_S, abs=1)
        assert not await hold.arrives()
        assert not await hold.tell(Utterance(Language.ENGLISH, ("secure_done",)))

    run_virtual(main)


def test_agent_whom_nobody_expects_is_let_go_at_once() -> None:
    async def main(clock: VirtualClock) -> None:
        holds, ear = Holds(), AgentsEar()
        await holds.keep(AGENT, ear)
        hold = holds.open(AGENT)
        holds.close(hold)
        await holds.keep(AGENT, ear)
        assert (ear.heard, clock.monotonic(), holds.running) == ([], 0, 0)

    run_virtual(main)


def test_fault_in_the_middle_of_it_leads_back_to_the_agent(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(ScriptedLine, "read_keys", broken)
    told = call(tmp_path, *PIN)
    assert told.reason == "engine_fault"
    assert [heard.prompt for heard in told.line.heard][-1] == "en/sorry_technical"
    assert "rejoin" in told.line.dialplan


def test_caller_who_never_comes_to_an_end_of_it_uses_up_the_budget_and_goes_back_to_the_agent(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = """\
ivr: 1
title: Round and round
start: ask
outcomes: [done]
steps:
  ask: {menu: main_menu, keys: {1: ask, 0: over}, when: {no_input: over, no_match: over}}
  over: {return: done}
"""
    monkeypatch.setattr("tests.calls.test_holding.SECURE", endless)
    monkeypatch.setattr("tests.calls.test_holding.HOTLINE", HOTLINE.replace("start:", "budget: {steps: 50}\nstart:"))
    told = call(tmp_path, HearOut(), *[Press("1", after_ms=500)] * 100)
    assert told.reason == "budget_exceeded"
    assert [outcome for step, outcome in told.outcomes if step == "secure:ask"].count("key 1") == 49
    assert "rejoin" in told.line.dialplan
