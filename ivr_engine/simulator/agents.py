"""Agents as a test is given them: the dispatcher and the waiting of real calls, with people who do as they are told.

Knows which events bring about what a test says. Must not know flows, nor what is heard. Where a test says how waiting
ends and no more, nobody waits (`PlayedQueues`); this is for those who do, and for what may be asked of the queues.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Final

from structlog.typing import FilteringBoundLogger

from ivr_engine.acd.estimate import TALKS_NEEDED
from ivr_engine.acd.messages import (
    AgentAppeared,
    CallerEntered,
    CallerLeft,
    LeaveReason,
    OfferEnded,
    OfferResult,
    TalkEnded,
)
from ivr_engine.acd.model import AgentName, Offered, QueueName, QueueSettings, Talking
from ivr_engine.acd.state import AcdState
from ivr_engine.calls.ports import LiveLine
from ivr_engine.calls.queueing import AgentQueues, CallQueues
from ivr_engine.channel.conversation import Conversation
from ivr_engine.channel.line import Played
from ivr_engine.flow.call import QueueOutcome, Wanted
from ivr_engine.scenarios.model import Busy
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId
from ivr_engine.values.utterance import Utterance

AGENT: Final = AgentName("agent")
_SOMEBODY: Final = CallId("somebody")
_BEFORE: Final = "before "
"""How the calls are named that came before the caller's."""
_WRAP_UP_S: Final = 0.0
CHANNEL: Final = "test"
AGENT_CHANNEL: Final = "PJSIP/agent-1"


class People:
    """What a test says of the bank's people, told to a dispatcher in which its one agent is signed on.

    The dispatcher may be one in virtual time or that of a running engine: the events are the same.
    """

    def __init__(
        self,
        queues: AgentQueues,
        names: Iterable[str],
        agent: AgentName,
        agents: QueueOutcome | Busy,
        clock: Clock,
        hang_up: Callable[[], None] = lambda: None,
    ) -> None:
        """`hang_up` ends the talk of the agent at their telephone, where there is one."""
        self._hang_up = hang_up
        self._queues = queues
        self._names = tuple(QueueName(name) for name in sorted(names))
        self._agent = agent
        self._agents = agents
        self._clock = clock
        self._free: asyncio.TimerHandle | None = None

    def stage(self) -> None:
        """Let everything have happened that was before the caller came."""
        if isinstance(self._agents, Busy):
            self._stage(self._agents)
        elif self._agents in (QueueOutcome.FULL, QueueOutcome.TIMED_OUT):
            self._keep_busy()
        if self._agents is QueueOutcome.FULL:
            for name in self._names:
                self._let_wait(name, self._queues.state.queues[name].max_waiting)

    def begin(self) -> None:
        """The caller waits: from now on time counts, and an agent is free when it is over; harmless when repeated."""
        if self._free is None and isinstance(self._agents, Busy):
            self._free = asyncio.get_running_loop().call_later(self._agents.free_after_ms / 1000, self._set_free)

    def close(self) -> None:
        """End what was begun."""
        if self._free is not None:
            self._free.cancel()

    def _stage(self, busy: Busy) -> None:
        """Let the recent talks have been, one go on, and others wait before the caller."""
        for name in self._names if busy.talks_ms is not None else ():
            for number in range(TALKS_NEEDED):
                offer = self._offered(CallId(f"{name} {number}"), name)
                self._queues.tell(self._answered(offer, (busy.talks_ms or 0) / 1000))
        self._keep_busy()
        for name in self._names:
            self._let_wait(name, busy.waiting_before)

    def _let_wait(self, name: QueueName, callers: int) -> None:
        for number in range(callers):
            entered = CallerEntered(CallId(f"{_BEFORE}{name} {number}"), name, self._clock.now().timestamp())
            self._queues.tell(entered)

    def _keep_busy(self) -> None:
        if self._names:
            self._queues.tell(self._answered(self._offered(_SOMEBODY, self._names[0]), None))

    def _offered(self, call: CallId, queue: QueueName) -> Offered:
        self._queues.tell(CallerEntered(call, queue, self._clock.now().timestamp()))
        offered = self._queues.state.agents[self._agent].occupation
        if not isinstance(offered, Offered):
            raise AssertionError("the agent of a test is free until a caller comes")  # noqa: TRY004 # a bug, not a value
        return offered

    def _answered(self, offer: Offered, talk_s: float | None) -> OfferEnded:
        return OfferEnded(offer.call, self._agent, offer.number, OfferResult.ANSWERED, talk_s)

    def _set_free(self) -> None:
        """Whoever was before the caller is served by others, and the agent's talk is over."""
        queues = self._queues
        self._hang_up()
        for call in [call for call in queues.state.callers if call.startswith(_BEFORE)]:
            queues.tell(CallerLeft(call, LeaveReason.HUNG_UP))
        talk = queues.state.agents[self._agent].occupation
        if isinstance(talk, Talking):
            queues.tell(TalkEnded(talk.call, self._agent, talk.number, self._clock.now().timestamp() - talk.since))


class StagedQueues:
    """The queues of a test, staged when they are first looked at. `skills` are what its one agent knows: everything."""

    def __init__(
        self,
        names: Iterable[str],
        skills: Iterable[str],
        agents: QueueOutcome | Busy,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._names = tuple(QueueName(name) for name in sorted(names))
        self._skills = frozenset(skills)
        self._agents = agents
        self._clock = clock
        self._log = log
        self._wake: Callable[[], None] = lambda: None
        self._queues: AgentQueues | None = None
        self._people: People | None = None
        self._running: asyncio.Task[None] | None = None
        self._holding: asyncio.Task[None] | None = None

    @property
    def state(self) -> AcdState:
        """The dispatcher's state at this moment."""
        return self._staged().state

    def of_call(self, call: CallId, line: LiveLine, wake: Callable[[], None], talk: Conversation) -> WaitingQueues:
        """Return the queues as a call sees them who really waits; `wake` ends what its line does."""
        self._wake = wake
        return WaitingQueues(self.begin, CallQueues(self._staged(), call, CHANNEL, line, talk))

    def begin(self) -> None:
        """The caller has come: from now on time counts, and an agent is free when it is over."""
        queues = self._staged()
        if self._running is None and self._people is not None and isinstance(self._agents, Busy):
            self._running = asyncio.get_running_loop().create_task(queues.run())
            self._people.begin()

    def ask_secret(self) -> None:
        """The agent, who talks with the caller of the test, asks for a secret."""
        self._staged().agent_answered(CHANNEL, AGENT_CHANNEL)
        self._staged().secret_asked(AGENT_CHANNEL)

    async def close(self) -> None:
        """End what was begun."""
        if self._people is not None:
            self._people.close()
        for task in (self._running, self._holding):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _staged(self) -> AgentQueues:
        if self._queues is None:
            settings = [QueueSettings(name, wrap_up_s=_WRAP_UP_S) for name in self._names]

            async def wake(_: str) -> None:
                self._wake()

            self._queues = AgentQueues(settings, self._clock, wake, self._log, fetch=self._fetch)
            if self._agents is not QueueOutcome.NO_AGENTS:
                self._queues.tell(AgentAppeared(AGENT, "PJSIP/agent", self._names, skills=self._skills))
            self._people = People(self._queues, self._names, AGENT, self._agents, self._clock)
            self._people.stage()
        return self._queues

    async def _fetch(self, channel: str) -> bool:
        self._holding = asyncio.create_task(self._staged().holds.keep(channel, _WaitingAgent()))
        return True


class WaitingQueues:
    """The queues of a real call (`CallQueues`), in which waiting begins the time of the test's agents (`begin`)."""

    def __init__(self, begin: Callable[[], None], real: CallQueues) -> None:
        self._begin = begin
        self._real = real

    async def enter(self, wanted: Wanted) -> None:
        """Put the caller into a queue."""
        self._begin()
        await self._real.enter(wanted)

    async def wait(self, within_ms: int | None = None) -> QueueOutcome | None:
        """Wait as a real call does."""
        return await self._real.wait(within_ms)

    @property
    def has_news(self) -> bool:
        """Whether an agent is offered, or the wait is over."""
        return self._real.has_news

    @property
    def holds_agent(self) -> bool:
        """Whether the agent waits for the caller."""
        return self._real.holds_agent

    def came_back(self, told: Utterance) -> None:
        """Let the agent be told this."""
        self._real.came_back(told)

    def leave(self) -> None:
        """Wait no longer."""
        self._real.leave()


class _WaitingAgent:
    """The line of an agent who waits while their caller types a secret; nobody listens to what they hear."""

    async def music(self, *, on: bool) -> None:
        """Nobody hears it."""
        del on

    async def play(self, what: Utterance, *, stop_on: str = "", from_ms: int = 0) -> Played:
        """Nobody hears it."""
        del what, stop_on, from_ms
        return Played(None, 0)

    async def read_key(self, *, within_ms: int) -> str | None:
        """Let time pass."""
        await asyncio.sleep(within_ms / 1000)
        return None
