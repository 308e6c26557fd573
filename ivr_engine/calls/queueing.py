"""Waiting for an agent: the loop that drives the dispatcher, and the caller's side of it.

Knows who waits with which line, and carries the dispatcher's decisions out. Must not know its rules (acd/), nor how a
waiting line is woken. A wake-up that is lost costs at most `WAIT_SLICE_MS`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

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
from ivr_engine.calls.ports import LiveLine
from ivr_engine.channel.conversation import Conversation
from ivr_engine.channel.line import CallerHungUp, DialResult
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId
from ivr_engine.values.utterance import Utterance

WAIT_SLICE_MS: Final = 1000
"""How long a waiting line listens before it looks by itself whether an agent is offered."""
BACKSTOP_S: Final = 180
"""How long the dialplan leaves a caller to an engine that gives no sign of life."""

DIAL_MARGIN_S: Final = 2.0

Wake = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class _Waiter:
    """A caller who waits: where to wake them, and the newest decision that they have not seen."""

    channel: str
    decision: Offer | TimeOut | NoAgents | Full | None = None
    ringing: Offer | None = None
    listening: bool = False
    """Whether the line waits in a command that a wake-up ends; any other command would only be disturbed by it."""


class AgentQueues:
    """All queues of this engine; `tell` it what happens, and `run` it for what is due by time."""

    def __init__(self, queues: Iterable[QueueSettings], clock: Clock, wake: Wake) -> None:
        self._clock = clock
        self._wake = wake
        self._state = empty_state(queues, self._now())
        self._waiters: dict[CallId, _Waiter] = {}
        self._to_wake: asyncio.Queue[str] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._log = structlog.get_logger()

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

    def agent_answered(self, channel: str) -> None:
        """Note that the agent who is rung for this channel has answered."""
        for call, waiter in self._waiters.items():
            if waiter.channel == channel and waiter.ringing is not None:
                offer = waiter.ringing
                self.tell(OfferEnded(call, offer.agent, offer.number, OfferResult.ANSWERED))
                return

    async def run(self) -> None:
        """Drive what is due by time, and wake lines, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            group.create_task(self._wake_lines())

    def enter(self, call: CallId, channel: str, queue: str) -> _Waiter:
        """Put a caller into a queue; the answer may already be there."""
        waiter = self._waiters[call] = _Waiter(channel)
        self.tell(CallerEntered(call, QueueName(queue), self._now()))
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
        self._log.info("acd_decision", acd_call=decision.call, what=type(decision).__name__, why=str(decision.reason))
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


class CallQueues:
    """The queues as one call sees them (the `Queues` port of flows)."""

    def __init__(self, queues: AgentQueues, call: CallId, channel: str, line: LiveLine, talk: Conversation) -> None:
        self._queues = queues
        self._call = call
        self._channel = channel
        self._line = line
        self._conversation = talk
        self._served = False
        self._log = structlog.get_logger()
        self.screen: tuple[str, ...] = ()
        """The names of what the agent who is offered the call sees of it."""
        self._entered: dict[str, datetime] = {}

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

    async def wait(self, queue: str, hold: Utterance | None, *, most_ms: int | None = None) -> QueueOutcome:
        """Wait for an agent; an agent who is free is rung at once, without `hold` being said first.

        `most_ms` counts from here; the queue's own limit holds as well.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + most_ms / 1000 if most_ms is not None else math.inf
        await self.wait_anew()
        self._entered.setdefault(queue, self._queues.now())
        waiter = self._queues.enter(self._call, self._channel, queue)
        try:
            if hold is not None and waiter.decision is None:
                await self._conversation.say(hold)
            return await self._until_served(waiter, until)
        finally:
            self._conversation.forget_typed_ahead()
            self._queues.leave(self._call)

    async def _until_served(self, waiter: _Waiter, until: float) -> QueueOutcome:
        music, loop = False, asyncio.get_running_loop()
        while True:
            decision, waiter.decision = waiter.decision, None
            if isinstance(decision, Offer):
                if await self._ring(waiter, decision):
                    return QueueOutcome.ANSWERED
                music = False
            elif isinstance(decision, NoAgents | Full | TimeOut):
                if music:
                    await self._line.music(on=False)
                return _OUTCOMES[type(decision)]
            elif loop.time() >= until:
                self._queues.leave(self._call, LeaveReason.TIME_OUT)
                if music:
                    await self._line.music(on=False)
                return QueueOutcome.TIMED_OUT
            else:
                waiter.listening = True
                if not music:
                    await self._line.music(on=True)
                    music = True
                await self._line.renew_backstop(BACKSTOP_S)
                left_ms = math.ceil(min((until - loop.time()) * 1000, WAIT_SLICE_MS))
                await self._line.read_key(within_ms=max(left_ms, 1))
                waiter.listening = False

    async def _ring(self, waiter: _Waiter, offer: Offer) -> bool:
        waiter.ringing = offer
        # Names only: the values are personal, and an agent's screen is no log.
        self._log.info("call_offered", acd_call=self._call, agent=offer.agent, screen=self.screen)
        result, talk_s = DialResult.UNREACHABLE, 0
        # Dial gives up by itself after ring_s: if it has not by then, the agent has answered, whatever AMI said.
        answered_by = asyncio.get_running_loop().call_later(
            offer.ring_s + DIAL_MARGIN_S, self._queues.agent_answered, self._channel
        )
        try:
            await self._line.renew_backstop(0)  # a talk may last
            dialled = await self._line.dial(offer.endpoint, ring_s=offer.ring_s)
            result, talk_s = dialled.result, dialled.talk_seconds
        except CallerHungUp:
            waiter.ringing = None
            raise
        finally:
            answered_by.cancel()
        self._queues.offer_ended(self._call, offer, result, talk_s)
        if result is DialResult.ANSWERED:
            await self.served()
        await self._line.renew_backstop(BACKSTOP_S)
        return result is DialResult.ANSWERED


_OUTCOMES: Final[Mapping[type[NoAgents | Full | TimeOut], QueueOutcome]] = {
    NoAgents: QueueOutcome.NO_AGENTS,
    Full: QueueOutcome.FULL,
    TimeOut: QueueOutcome.TIMED_OUT,
}
