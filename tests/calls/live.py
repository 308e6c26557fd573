"""A live call in virtual time: a scripted caller with a dialplan behind them, a record in memory, and agents."""

from __future__ import annotations

import pathlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from ivr_engine.acd.model import QueueName, QueueSettings
from ivr_engine.calls.desk import Desk
from ivr_engine.calls.holding import Fetch, nobody_is_fetched
from ivr_engine.calls.ports import Arrival
from ivr_engine.calls.queueing import AgentQueues
from ivr_engine.calls.session import CallSession, Hotline
from ivr_engine.calls.signatures import SIGNATURES
from ivr_engine.channel.line import Dialled, DialResult
from ivr_engine.flow.library import FlowFolder
from ivr_engine.flow.scope import World
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.line import Deed, ScriptedLine
from ivr_engine.simulator.office import MemoryOffice
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import CallId, CustomerNumber, RandomIds
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance
from tests.flow.world import FLOWS, catalogue, messages

T = TypeVar("T")
SERVICE = QueueName("service")


async def nobody_takes(number: str) -> bool:
    del number
    return False


@dataclass(slots=True)
class RescuedLine(ScriptedLine):
    """A scripted caller; `dialplan` is what the engine told the dialplan behind the line."""

    dialplan: list[str] = field(default_factory=list)
    on_answer: Callable[[], None] = lambda: None
    asks: Callable[[str], Awaitable[bool]] = field(default=nobody_takes)

    async def dial(
        self, endpoint: str, *, ring_s: int, whisper: Utterance | None = None, secure: bool = False
    ) -> Dialled:
        if self._agents_left and self._agents_left[0].result is DialResult.ANSWERED:
            self.on_answer()
        return await ScriptedLine.dial(self, endpoint, ring_s=ring_s, whisper=whisper, secure=secure)

    async def rejoin(self, channel: str) -> Dialled:
        """The agent talks on for a while."""
        return await self.dial(channel, ring_s=1)

    async def consult(self, endpoint: str, *, ring_s: int, number: str) -> Dialled:
        """Let the next scripted agent answer and be asked: both talk when `asks` says that they take the call."""
        if self._agents_left and self._agents_left[0].result is not DialResult.ANSWERED:
            return await ScriptedLine.dial(self, endpoint, ring_s=ring_s)
        if not await self.asks(number):
            self.dialled.append(endpoint)
            return Dialled(DialResult.UNREACHABLE, 0)
        return await ScriptedLine.dial(self, endpoint, ring_s=ring_s)

    async def renew_backstop(self, seconds: int) -> None:
        self._check()
        self.dialplan.append(f"backstop {seconds}")

    async def mark_done(self) -> None:
        self._check()
        self.dialplan.append("done")
        self.hung_up_by = "engine"  # the dialplan behind the line hangs up

    async def mark_agent_spoke(self, *, spoke: bool) -> None:
        self._check()
        self.dialplan.append("agent spoke" if spoke else "waits for another agent")


@dataclass(slots=True)
class MemoryJournal:
    """The record of calls, in memory, and who closes it."""

    started: list[CallId] = field(default_factory=list)
    steps: list[tuple[int, str, str]] = field(default_factory=list)
    known: dict[str, object] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)
    milestones: list[tuple[str, str]] = field(default_factory=list)
    screens: list[tuple[CustomerNumber | None, str]] = field(default_factory=list)
    answers: list[tuple[str, int]] = field(default_factory=list)

    def call_started(
        self, call_id: CallId, *, unique_id: str, caller: str, dialled: str, flow: str, flow_hash: str, at: datetime
    ) -> None:
        self.started.append(call_id)
        self.known.update(unique_id=unique_id, caller=caller, dialled=dialled, flow=flow, flow_hash=flow_hash, at=at)

    def call_changed(
        self,
        call_id: CallId,
        *,
        answered_at: datetime | None = None,
        language: Language | None = None,
        customer: CustomerNumber | None = None,
    ) -> None:
        assert call_id in self.started
        given = {"answered_at": answered_at, "language": language, "customer": customer}
        self.known.update({name: value for name, value in given.items() if value is not None})

    def step_done(
        self,
        call_id: CallId,
        seq: int,
        *,
        at_ms: int,
        flow: str,
        step: str,
        kind: str,
        outcome: str,
        took_ms: int,
        milestone: str | None = None,
        milestone_kind: str | None = None,
    ) -> None:
        assert call_id in self.started
        assert kind
        assert at_ms >= 0
        assert took_ms >= 0
        self.steps.append((seq, f"{flow}:{step}", outcome))
        if milestone is not None:
            self.milestones.append((milestone, str(milestone_kind)))

    def line_began(self, call_id: CallId, unique_id: str) -> None:
        assert call_id not in self.started
        assert unique_id

    def screen_shown(self, call_id: CallId, *, customer: CustomerNumber | None, data: str, at: datetime) -> None:
        assert call_id in self.started
        assert at.tzinfo is not None
        self.screens.append((customer, data))

    def answer_kept(self, call_id: CallId, question: str, answer: int, *, at: datetime) -> None:
        assert call_id in self.started
        assert at.tzinfo is not None
        self.answers.append((question, answer))

    def call_ended(self, call_id: CallId, *, at: datetime, reason: str) -> None:
        assert call_id in self.started
        assert at.tzinfo is not None
        self.ends.append(reason)


@dataclass(slots=True)
class LiveWorld:
    """What a test of live calls holds in its hands."""

    clock: VirtualClock
    hotline: Hotline
    journal: MemoryJournal
    queues: AgentQueues
    bank: MemoryBank
    office: MemoryOffice
    woken: list[str]
    lines: dict[str, RescuedLine]
    answers_are_told: bool = True

    def session(self, line: RescuedLine, channel: str = "PJSIP/trunk-1") -> CallSession:
        arrival = Arrival(f"id of {channel}", channel, "13800000000", "95588")
        if self.answers_are_told:
            line.on_answer = lambda: self.queues.agent_answered(channel)
        self.lines[channel] = line
        return CallSession(self.hotline, line, arrival)

    async def call(self, deeds: Sequence[Deed], **line: object) -> tuple[str, RescuedLine]:
        """Live one call through and return its end and its line."""
        caller = RescuedLine(deeds, **line)  # type: ignore[arg-type]  # fields of the line, by name
        return await self.session(caller).run(), caller


def live(
    test: Callable[[LiveWorld], Awaitable[T]],
    *,
    flows: pathlib.Path = FLOWS,
    first_flow: str = "hotline",
    destinations: frozenset[str] = frozenset(),
    skills: frozenset[str] = frozenset(),
    fetch: Fetch = nobody_is_fetched,
) -> T:
    """Run a test in virtual time with everything that live calls share."""

    async def main(clock: VirtualClock) -> T:
        bank, journal, woken = sample_bank(clock), MemoryJournal(), list[str]()
        lines: dict[str, RescuedLine] = {}

        async def wake(channel: str) -> None:
            woken.append(channel)
            if channel in lines:
                lines[channel].wake()

        queues = AgentQueues([QueueSettings(SERVICE, ring_s=15, wrap_up_s=0)], clock, wake, fetch=fetch)
        known = World(
            catalogue(),
            SIGNATURES,
            frozenset({"service"}),
            messages=messages(),
            destinations=destinations,
            skills=skills,
        )
        folder = FlowFolder(flows, known)
        assert folder.refresh().findings == ()
        office, ids = MemoryOffice(clock), RandomIds(clock)
        desk = Desk(office, messages(), ids)
        hotline = Hotline(
            folder, bank, desk, queues, journal, journal, clock, ids, first_flow, Language.ENGLISH, "service"
        )
        return await test(LiveWorld(clock, hotline, journal, queues, bank, office, woken, lines))

    return run_virtual(main)
