"""Waiting for an agent: the loop that drives the dispatcher, and the caller's side of it.

Knows who waits with which line, and carries the dispatcher's decisions out. Must not know its rules (acd/), nor how a
waiting line is woken. A wake-up that is lost costs at most `WAIT_SLICE_MS`, or the rest of a prompt that is heard
meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.acd.dispatcher import decide, next_due
from ivr_engine.acd.messages import (
    CallerEntered,
    CallerLeft,
    Decision,
    Event,
    Full,
    LeaveReason,
    NoAgents,
    Offer,
    OfferEnded,
    OfferResult,
    Tick,
    TimeOut,
    Withdraw,
)
from ivr_engine.acd.model import QueueName, QueueSettings
from ivr_engine.acd.state import AcdState, empty_state
from ivr_engine.calls.holding import Fetch, Hold, Holds, nobody_is_fetched
from ivr_engine.calls.ports import LiveLine
from ivr_engine.calls.talking import Talk, TalkEnd
from ivr_engine.channel.conversation import Conversation
from ivr_engine.channel.line import CalledAway, DialResult
from ivr_engine.flow.call import QueueOutcome, Wanted
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId
from ivr_engine.values.utterance import Utterance

WAIT_SLICE_MS: Final = 1000
"""How long a waiting line listens before it looks by itself whether an agent is offered."""
BACKSTOP_S: Final = 180
"""How long the dialplan leaves a caller to an engine that gives no sign of life."""

FIRST_IN_LINE: Final = 10
"""The priority of who was cut off from an agent: above all that flows can give."""

Wake = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class Waiter:
    """A caller who waits: where to wake them, for whom, and the newest decision that they have not seen."""

    channel: str
    wanted: Wanted
    decision: Offer | TimeOut | NoAgents | Full | None = None
    ringing: Offer | None = None
    listening: bool = False
    """Whether the line waits in a command that a wake-up ends; any other command would only be disturbed by it."""
    agent: str = ""
    """The channel of the agent who has answered."""
    hold: Hold | None = None
    """The agent waits, or is about to, for the caller to come back from what the agent has asked for."""


class AgentQueues:
    """All queues of this engine; `tell` it what happens, and `run` it for what is due by time."""

    def __init__(
        self,
        queues: Iterable[QueueSettings],
        clock: Clock,
        wake: Wake,
        log: FilteringBoundLogger | None = None,
        *,
        fetch: Fetch = nobody_is_fetched,
    ) -> None:
        self._clock = clock
        self._wake = wake
        self._fetch = fetch
        self.holds = Holds()
        self._to_fetch: asyncio.Queue[Waiter] = asyncio.Queue()
        self._state = empty_state(queues, self._now())
        self._waiters: dict[CallId, Waiter] = {}
        self._to_wake: asyncio.Queue[str] = asyncio.Queue()
        self._changed = asyncio.Event()
        self.log: FilteringBoundLogger = log if log is not None else structlog.get_logger()

    @property
    def state(self) -> AcdState:
        """The dispatcher's state at this moment, for screens and metrics."""
        return self._state

    def tell(self, event: Event) -> None:
        """Let the dispatcher decide on an event, and pass its decisions on."""
        self._state, decisions = decide(self._state, event, self._now())
        for decision in decisions:
            self._pass_on(decision)
        self._changed.set()

    def agent_answered(self, channel: str, agent: str = "") -> None:
        """Note that the agent who is rung for this channel has answered, on their own where that is known."""
        for call, waiter in self._waiters.items():
            if waiter.channel == channel and waiter.ringing is not None:
                offer = waiter.ringing
                waiter.agent = agent or waiter.agent
                self.tell(OfferEnded(call, offer.agent, offer.number, OfferResult.ANSWERED))
                return

    def secret_asked(self, agent: str) -> None:
        """Note that an agent asks the caller for a secret: they are taken out of the talk, where their queue allows it.

        Nobody else can ask, and nobody twice.
        """
        for call, waiter in self._waiters.items():
            if waiter.agent == agent and waiter.ringing is not None and waiter.wanted.secure and waiter.hold is None:
                self.log.info("secret_asked", acd_call=call)
                waiter.hold = self.holds.open(agent)
                self._to_fetch.put_nowait(waiter)
                return

    async def run(self) -> None:
        """Drive what is due by time, wake lines and fetch agents, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            group.create_task(self._wake_lines())
            group.create_task(self._fetch_agents())

    def enter(self, call: CallId, channel: str, wanted: Wanted) -> Waiter:
        """Put a caller into a queue; the answer may already be there. Who waits in it already keeps the place."""
        waiter = self._waiters.get(call)
        if waiter is None or waiter.wanted.queue != wanted.queue:
            waiter = self._waiters[call] = Waiter(channel, wanted)
            self.tell(
                CallerEntered(
                    call,
                    QueueName(wanted.queue),
                    self._now(),
                    wanted.priority,
                    most_s=None if wanted.most_ms is None else wanted.most_ms / 1000,
                    skills=wanted.skills,
                    relax_s=None if wanted.relax_ms is None else wanted.relax_ms / 1000,
                )
            )
        return waiter

    def leave(self, call: CallId, reason: LeaveReason = LeaveReason.HUNG_UP) -> None:
        """Forget a caller who hung up, was served or waits no longer; harmless when repeated."""
        if self._waiters.pop(call, None) is not None:
            self.tell(CallerLeft(call, reason))

    def offer_ended(self, call: CallId, offer: Offer, result: DialResult, talk_s: int) -> None:
        """Report how an offer ended; the talk, if there was one, is over."""
        waiter = self._waiters.get(call)
        if waiter is not None:
            waiter.ringing = None
        self.tell(OfferEnded(call, offer.agent, offer.number, OfferResult(result.value), talk_s))

    def now(self) -> datetime:
        """Return what the calendar says."""
        return self._clock.now()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _pass_on(self, decision: Decision) -> None:
        waiter = self._waiters.get(decision.call)
        if waiter is None:
            return
        self.log.info("acd_decision", acd_call=decision.call, what=type(decision).__name__, why=str(decision.reason))
        if isinstance(decision, Withdraw):
            if isinstance(waiter.decision, Offer) and waiter.decision.number == decision.number:
                waiter.decision = None
            return
        waiter.decision = decision
        if waiter.listening:
            self._to_wake.put_nowait(waiter.channel)

    async def _tick(self) -> None:
        while True:
            self._changed.clear()
            due = next_due(self._state)
            delay = None if due is None else max(0.0, due - self._now())
            try:
                async with asyncio.timeout(delay):
                    await self._changed.wait()
            except TimeoutError:
                self.tell(Tick())

    async def _wake_lines(self) -> None:
        while True:
            await self._wake(await self._to_wake.get())

    async def _fetch_agents(self) -> None:
        while True:
            waiter = await self._to_fetch.get()
            hold = waiter.hold
            if hold is not None and not await self._fetch(hold.channel) and waiter.hold is hold:
                self.holds.close(hold)
                waiter.hold = None


class CallQueues:
    """The queues as one call sees them (the `Queues` port of flows)."""

    def __init__(self, queues: AgentQueues, call: CallId, channel: str, line: LiveLine, talk: Conversation) -> None:
        self._queues = queues
        self._call = call
        self._channel = channel
        self._line = line
        self._conversation = talk
        self._served = False
        self.screen: tuple[str, ...] = ()
        """The names of what the agent who is offered the call sees of it."""
        self._entered: dict[str, datetime] = {}
        self._waiter: Waiter | None = None
        self._talk: Talk | None = None
        """The talk that an agent has interrupted, and waits for now."""
        self._told: Utterance | None = None

    def entered_at(self, queue: str) -> datetime | None:
        """Return when the caller first came into a queue in this call: the place that a callback keeps."""
        return self._entered.get(queue)

    async def wait_anew(self) -> None:
        """Tell the dialplan that a caller who was served waits for a human once more."""
        if self._served:
            self._served = False
            await self._line.mark_agent_spoke(spoke=False)

    async def served(self) -> None:
        """Tell the dialplan that a human has spoken with the caller."""
        await self._line.mark_agent_spoke(spoke=True)
        self._served = True

    @property
    def holds_agent(self) -> bool:
        """Whether an agent waits for the caller, who does what the agent has asked for."""
        return self._talk is not None

    def came_back(self, told: Utterance) -> None:
        """Let the agent who waits be told this before the talk goes on."""
        self._told = told

    async def enter(self, wanted: Wanted) -> None:
        """Put the caller into a queue and say the words before the music, unless an agent is free or calls away.

        Keys typed before and meanwhile are dropped: they were meant for something else.
        """
        self._conversation.forget_typed_ahead()
        if self._talk is not None:
            return  # an agent waits for the caller already
        await self.wait_anew()
        self._entered.setdefault(wanted.queue, self._queues.now())
        self._waiter = self._queues.enter(self._call, self._channel, wanted)
        try:
            if wanted.hold is not None and not self.has_news:
                self._watch()
                with contextlib.suppress(CalledAway):
                    await self._conversation.say(wanted.hold)
        except BaseException:
            self.leave()
            raise
        self._unwatch()
        self._conversation.forget_typed_ahead()

    async def wait(self, within_ms: int | None = None) -> QueueOutcome | None:
        """Play music until an agent has answered and left again, or there is none: then the queue is left.

        None when the caller still waits after `within_ms`, or has pressed a key before. From then on `CalledAway` rises
        in the conversation as soon as there is news.
        """
        waiter = self._waiter
        if waiter is None:
            raise AssertionError("who waits has entered a queue before")
        self._unwatch()
        try:
            if self._talk is not None:
                outcome = await self._talk_on(self._talk, within_ms)
            else:
                outcome = await self._until_served(waiter, within_ms)
        except BaseException:
            self.leave()
            raise
        if outcome is not None:
            self.leave()
        elif self._talk is None:
            self._watch()
        return outcome

    @property
    def has_news(self) -> bool:
        """Whether an agent is offered, or the wait is over."""
        return self._waiter is not None and self._waiter.decision is not None

    def leave(self) -> None:
        """Wait no longer; harmless when repeated."""
        self._unwatch()
        self._talk = None
        if self._waiter is not None:
            if self._waiter.hold is not None:
                self._queues.holds.close(self._waiter.hold)
            self._waiter = None
            self._queues.leave(self._call)

    def _watch(self) -> None:
        """Let news call the caller away from whatever is said and asked from now on."""
        if self._waiter is not None:
            self._waiter.listening = True
        self._conversation.watch(self._news)

    def _unwatch(self) -> None:
        if self._waiter is not None:
            self._waiter.listening = False
        self._conversation.unwatch()

    def _news(self) -> bool:
        return self.has_news

    async def _until_served(self, waiter: Waiter, within_ms: int | None) -> QueueOutcome | None:
        music, loop = False, asyncio.get_running_loop()
        until = math.inf if within_ms is None else loop.time() + within_ms / 1000
        while True:
            decision, waiter.decision = waiter.decision, None
            waiter.listening = False
            left_ms = math.ceil(min((until - loop.time()) * 1000, WAIT_SLICE_MS))
            if isinstance(decision, Offer):
                self._conversation.forget_typed_ahead()  # what was asked meanwhile is given up
                end = await self._ring(waiter, decision)
                if end is not TalkEnd.NOBODY:
                    return QueueOutcome.ANSWERED if end is TalkEnd.OVER else None
                music = False
            elif isinstance(decision, NoAgents | Full | TimeOut) or left_ms <= 0 or self._conversation.keys:
                if music:
                    await self._line.music(on=False)
                if decision is None:
                    return None
                self._conversation.forget_typed_ahead()
                return _OUTCOMES[type(decision)]
            else:
                waiter.listening = True
                if not music:
                    await self._line.music(on=True)
                    music = True
                await self._line.renew_backstop(BACKSTOP_S)
                key = await self._conversation.wait_key(left_ms)
                if key is not None and within_ms is not None:
                    self._conversation.keys.add(key)

    async def _ring(self, waiter: Waiter, offer: Offer) -> TalkEnd:
        # Names only: the values are personal, and an agent's screen is no log.
        self._queues.log.info("call_offered", acd_call=self._call, agent=offer.agent, screen=self.screen)
        talk = Talk(self._queues, self._call, self._line, waiter, offer)
        return await self._stopped(talk, await talk.ring())

    async def _stopped(self, talk: Talk, end: TalkEnd) -> TalkEnd:
        if end is TalkEnd.INTERRUPTED:
            self._talk = talk
            self._conversation.forget_typed_ahead()
        elif end is TalkEnd.OVER:
            await self.served()
        await self._line.renew_backstop(BACKSTOP_S)
        return end

    async def _talk_on(self, talk: Talk, within_ms: int | None) -> QueueOutcome | None:
        """Join the caller to the agent who waits for them; when that one is gone, wait as the first in line."""
        told, self._talk, self._told = self._told, None, None
        self._conversation.forget_typed_ahead()
        end = await self._stopped(talk, await talk.go_on(told))
        if end is not TalkEnd.NOBODY:
            return QueueOutcome.ANSWERED if end is TalkEnd.OVER else None
        self.leave()
        await self.enter(replace(talk.waiter.wanted, priority=FIRST_IN_LINE))
        return await self._until_served(self._waiter or talk.waiter, within_ms)


_OUTCOMES: Final[Mapping[type[NoAgents | Full | TimeOut], QueueOutcome]] = {
    NoAgents: QueueOutcome.NO_AGENTS,
    Full: QueueOutcome.FULL,
    TimeOut: QueueOutcome.TIMED_OUT,
}
